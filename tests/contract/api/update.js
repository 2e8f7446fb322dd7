"use strict";

/** Writes the report of the public API anew, from what `npm run build` has compiled. */

const { writeFileSync } = require("node:fs");
const path = require("node:path");
const { render } = require("./report");

const file = path.join(__dirname, "report.md");
writeFileSync(file, render());
console.log(`${path.relative(process.cwd(), file)} is written.`);
