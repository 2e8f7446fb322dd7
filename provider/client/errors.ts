/**
 * What became of a command that did not succeed:
 * - `refused`: the API said no; nothing was done.
 * - `failed`: the command was accepted, its job ran and failed.
 * - `unsent`: nothing can have been done, since it never reached the API, or since it only reads.
 * - `unknown`: a change was sent and no answer came; it may have been done.
 * - `pending`: the job was still running when the time that was given for it ended.
 */
export type Outcome = "refused" | "failed" | "unsent" | "unknown" | "pending";

export interface CloudStackErrorFacts {
    command: string;
    outcome: Outcome;
    /** What CloudStack said, or what we say of an answer that did not come. */
    errorText: string;
    /** Status of the HTTP answer, where there was one. */
    httpStatus?: number;
    /** CloudStack's code (`ApiErrorCode`), such as 431 for a parameter or 536 for something in use. */
    errorCode?: number;
    /** CloudStack's finer code (`CSExceptionErrorCode`), such as 4350. */
    csErrorCode?: number;
    jobId?: string;
    /** What to do about it, where we know. */
    hint?: string;
}

/** A command that did not succeed. Its message holds everything below; none of it holds a secret. */
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
    const said = facts.errorText.trim().replace(/\.$/, "");
    const inBrackets = codes.length > 0 ? ` (${codes.join(", ")})` : "";
    return `${facts.command}: ${said}${inBrackets}.${facts.hint ? ` ${facts.hint}` : ""}`;
}

/** The configuration is incomplete or contradicts itself; `problems` holds every reason. */
export class ConfigurationError extends Error {
    readonly problems: readonly string[];

    constructor(problems: readonly string[]) {
        super(`cloudstack is not configured:\n${problems.map((problem) => `- ${problem}`).join("\n")}`);
        this.name = "ConfigurationError";
        this.problems = problems;
    }
}
