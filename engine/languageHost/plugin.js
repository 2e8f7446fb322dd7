"use strict";

/** Loaded by `node --require` into the SDK's process that runs dynamic resources, which by itself outlives its engine. */

const { endWithEngine } = require("./endWithEngine");

endWithEngine(() => process.exit(1));
