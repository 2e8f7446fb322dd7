/** What a command's name says about it. */

/**
 * Reads change nothing, so they may be repeated; CloudStack accepts exactly these by GET when it enforces POST for
 * changes.
 */
export function isRead(command: string): boolean {
    return /^(get|list|query|find)/.test(command);
}

/**
 * Commands that make a new thing before their job is queued. Re-sent after a lost answer they would make a second one,
 * although the job's id was chosen by us: CloudStack checks that id only after it has made the thing
 * (`ApiServer.queueCommand`).
 */
export function isCreate(command: string): boolean {
    return /^(deploy|create|associate|upload|copy|import)/.test(command);
}

/** Those among them that no name keeps from making a second one: there CloudStack does not refuse what is sent again. */
export function mayDouble(command: string): boolean {
    return command === "createVolume";
}
