import { RunError } from "@pulumi/pulumi";

/** One problem of an argument: where it is, what is wrong, and what to do about it. */
export interface Problem {
    /** The argument's path, such as `members.b` or `extraCloudConfig.writeFiles[2].path`. */
    readonly path: string;
    /** What is wrong, as a sentence without the full stop. */
    readonly problem: string;
    /** What to do about it, as a sentence without the full stop. */
    readonly remedy: string;
}

/**
 * All problems of one component. The engine stops at the first resource that fails, so a component reports them
 * together before it creates its first child. As a `RunError` it is printed without a stack trace.
 */
export class ArgumentError extends RunError {
    readonly problems: readonly Problem[];

    constructor(subject: string, problems: readonly Problem[]) {
        super(
            `${subject}: ${problems.length === 1 ? "one problem" : `${problems.length} problems`}\n${formatProblems(problems)}`,
        );
        this.name = "ArgumentError";
        this.problems = problems;
    }
}

/** Problems as lines: `  members.b: must be an IPv4 address. Use …`. */
export function formatProblems(problems: readonly Problem[]): string {
    return problems.map(({ path, problem, remedy }) => `  ${path}: ${problem}. ${remedy}.`).join("\n");
}

/** Throws an {@link ArgumentError} with all problems; does nothing if there are none. */
export function throwProblems(subject: string, problems: readonly Problem[]): void {
    if (problems.length > 0) throw new ArgumentError(subject, problems);
}
