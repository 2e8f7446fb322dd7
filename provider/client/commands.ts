/** Properties of a command that follow from its name. */

/**
 * Whether a command only reads, so that it can be repeated. CloudStack accepts exactly these commands by GET when it
 * enforces POST for changes.
 */
export function isRead(command: string): boolean {
    return /^(get|list|query|find)/.test(command);
}

/**
 * Whether a command creates its entity before its job is queued. Such a command must not be sent again after a lost
 * response: it would create a second entity although the job id is the same, because CloudStack checks the job id only
 * after it has created the entity (`queueCommand` in
 * https://github.com/apache/cloudstack/blob/main/server/src/main/java/com/cloud/api/ApiServer.java).
 */
export function isCreate(command: string): boolean {
    return /^(deploy|create|associate|upload|copy|import)/.test(command);
}

/**
 * Whether a creating command that is sent twice creates two entities, because CloudStack requires nothing unique.
 */
export function mayCreateDuplicate(command: string): boolean {
    return command === "createVolume" || command === "associateIpAddress";
}
