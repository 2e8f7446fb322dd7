import { RunError } from "@pulumi/pulumi";

/** One thing that is wrong with what a user gave, in a form that says where and what would be right. */
export interface Problem {
    /** The argument's path, such as `members.b` or `extraCloudConfig.writeFiles[2].path`. */
    readonly path: string;
    /** What is wrong, as a sentence without a final stop. */
    readonly problem: string;
    /** What to do about it, as a sentence without a final stop. */
    readonly remedy: string;
}

/**
 * All problems of one component at once: the engine stops at the first resource that fails, so a component reports
 * before its first child. The engine prints it without the stack, since it says itself what it is about.
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

/** Problems as lines: `  members.b: is no IPv4 address. Use …`. */
export function formatProblems(problems: readonly Problem[]): string {
    return problems.map(({ path, problem, remedy }) => `  ${path}: ${problem}. ${remedy}.`).join("\n");
}

/** Throws an {@link ArgumentError} with all problems; does nothing where there are none. */
export function throwProblems(subject: string, problems: readonly Problem[]): void {
    if (problems.length > 0) throw new ArgumentError(subject, problems);
}
