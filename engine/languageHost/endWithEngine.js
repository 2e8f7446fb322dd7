"use strict";

/** How often to look, in milliseconds. */
const checkMilliseconds = 500;

/**
 * Does something when the engine that started this process is gone. An engine that is killed has no chance to say
 * goodbye, and what it leaves behind would go on with its work beside the next one.
 *
 * @param {() => void} end
 */
function endWithEngine(end) {
    const engine = process.ppid;
    setInterval(() => process.ppid !== engine && end(), checkMilliseconds).unref();
}

module.exports = { endWithEngine };
