"use strict";

const { pulumi } = require("./pulumi");
const { localStack } = require("./stack");
const { hasPendingOperations, unlock } = require("./stackState");

const unattended = ["--yes", "--skip-preview", "--stack", localStack];

/**
 * `pulumi up` of stack `local`. After an interrupted run, `up` adopts by their marks the resources that it was
 * creating, and a refresh then clears the engine's pending operations.
 *
 * @returns {Promise<number>} exit code
 */
async function up() {
    unlock();
    const code = await pulumi(["up", ...unattended]);
    if (code !== 0 || !hasPendingOperations()) {
        return code;
    }
    console.log("\nClearing the pending operations of the interrupted run, whose resources the stack has adopted:");
    return pulumi(["refresh", "--clear-pending-creates", ...unattended]);
}

/**
 * `pulumi destroy` of stack `local`, including the resources that an interrupted run was creating.
 *
 * @returns {Promise<number>} exit code
 */
async function destroy() {
    unlock();
    if (hasPendingOperations()) {
        console.log("Completing the interrupted run, so that its resources are in the state and can be destroyed:");
        const code = await up();
        if (code !== 0) {
            return code;
        }
    }
    return pulumi(["destroy", ...unattended]);
}

module.exports = { destroy, up };
