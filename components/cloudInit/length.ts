import type { Problem } from "../problems";
import type { CloudConfig } from "./document";
import { renderUserData, UserDataTooLongError } from "./userData";

/**
 * Whether a document is too long for user data, as a problem of the arguments that it is rendered from. A component checks
 * this before any resource exists.
 *
 * @param subject whose user data it is, such as "user data of prod's workers"
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
