import type { Problem } from "../problems";
import type { CloudConfig } from "./document";
import { renderUserData, UserDataTooLongError } from "./userData";

/**
 * Checks that a document is not too long for user data; `path` is the argument of the reported problem. A component
 * checks this before it creates any resource.
 *
 * @param subject the document in messages, such as "user data of prod's workers"
 */
export function userDataProblem(
    path: string,
    subject: string,
    maxLength: number,
    render: () => CloudConfig,
): Problem | undefined {
    try {
        renderUserData(render(), { maxLength, subject });
        return undefined;
    } catch (error) {
        if (!(error instanceof UserDataTooLongError)) throw error;
        // The last line of the message is the remedy.
        const lines = error.message.replace(/\.$/, "").split("\n");
        return { path, problem: lines.slice(0, -1).join("\n"), remedy: lines.at(-1) ?? "" };
    }
}
