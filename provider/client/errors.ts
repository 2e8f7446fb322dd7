/**
 * The outcome of a command that did not succeed:
 * - `refused`: the API rejected the command; nothing was changed.
 * - `failed`: the command was accepted, and its job failed.
 * - `unsent`: nothing can have been changed, because the command never reached the API or only reads.
 * - `unknown`: a change was sent and its response was lost; it may have been made.
 * - `pending`: the job was still running when the timeout expired.
 */
export type Outcome = "refused" | "failed" | "unsent" | "unknown" | "pending";

export interface CloudStackErrorFacts {
    command: string;
    outcome: Outcome;
    /** CloudStack's error text, or a description of the missing response. */
    errorText: string;
    /** The status of the HTTP response, if there was one. */
    httpStatus?: number;
    /** CloudStack's error code (`ApiErrorCode`), such as 431 for a parameter or 536 for an entity in use. */
    errorCode?: number;
    /** CloudStack's detailed error code (`CSExceptionErrorCode`), such as 4350. */
    csErrorCode?: number;
    jobId?: string;
    /** How to solve it, where that is known. */
    hint?: string;
}

/** A command that did not succeed. Its message contains all of the properties below, and no secret. */
export class CloudStackError extends Error implements CloudStackErrorFacts {
    readonly command: string;
    readonly outcome: Outcome;
    readonly errorText: string;
    readonly httpStatus?: number;
    readonly errorCode?: number;
    readonly csErrorCode?: number;
    readonly jobId?: string;
    readonly hint?: string;

    constructor(facts: CloudStackErrorFacts) {
        super(describe(facts));
        this.name = "CloudStackError";
        this.command = facts.command;
        this.outcome = facts.outcome;
        this.errorText = facts.errorText;
        this.httpStatus = facts.httpStatus;
        this.errorCode = facts.errorCode;
        this.csErrorCode = facts.csErrorCode;
        this.jobId = facts.jobId;
        this.hint = facts.hint;
    }
}

function describe(facts: CloudStackErrorFacts): string {
    const codes = [
        facts.errorCode !== undefined ? `error ${facts.errorCode}` : undefined,
        facts.csErrorCode !== undefined ? `cserrorcode ${facts.csErrorCode}` : undefined,
        facts.jobId !== undefined ? `job ${facts.jobId}` : undefined,
    ].filter((code) => code !== undefined);
    const text = facts.errorText.trim().replace(/\.$/, "");
    const inBrackets = codes.length > 0 ? ` (${codes.join(", ")})` : "";
    return `${facts.command}: ${text}${inBrackets}.${facts.hint ? ` ${facts.hint}` : ""}`;
}

/** The configuration is incomplete or contradicts itself; `problems` contains every reason. */
export class ConfigurationError extends Error {
    readonly problems: readonly string[];

    constructor(problems: readonly string[]) {
        super(`cloudstack is not configured:\n${problems.map((problem) => `- ${problem}`).join("\n")}`);
        this.name = "ConfigurationError";
        this.problems = problems;
    }
}
