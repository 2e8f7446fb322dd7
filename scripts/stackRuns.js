"use strict";

const { pulumi } = require("./pulumi");
const { localStack } = require("./stack");
const { hasPendingOperations, unlock } = require("./stackState");

const unattended = ["--yes", "--skip-preview", "--stack", localStack];

/**
 * `pulumi up` of stack `local`, until the stack knows everything that it has: what an interrupted run was making is
 * found by its mark and becomes the stack's, after which the engine may forget that it ever was in doubt about it.
 *
 * @returns {Promise<number>} exit code
 */
async function up() {
    unlock();
    const code = await pulumi(["up", ...unattended]);
    if (code !== 0 || !hasPendingOperations()) {
        return code;
    }
    console.log("\nWhat the interrupted run was making is the stack's own now:");
    return pulumi(["refresh", "--clear-pending-creates", ...unattended]);
}

/**
 * `pulumi destroy` of stack `local`, and of what an interrupted run was making.
 *
 * @returns {Promise<number>} exit code
 */
async function destroy() {
    unlock();
    if (hasPendingOperations()) {
        console.log("Finishing the interrupted run, so that the stack knows what there is to destroy:");
        const code = await up();
        if (code !== 0) {
            return code;
        }
    }
    return pulumi(["destroy", ...unattended]);
}

module.exports = { destroy, up };
