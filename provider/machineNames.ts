import type { Inputs } from "./handler";
import { sessionFor } from "./session";

/**
 * Which of these machines the account had when this run began, and what time it is by the cloud's own clock, in seconds
 * since 1970: machines have their time from there, whoever runs `pulumi` need not.
 *
 * @param at `project` and `profile` say which cloud
 * @throws PlaceUnknown where a preview does not know them yet
 */
export async function machinesThere(at: Inputs, names: readonly string[]): Promise<{ names: string[]; now: number }> {
    const session = sessionFor(at);
    const all = new Set((await session.machines.before()).map(({ name }) => name));
    return { names: names.filter((name) => all.has(name)), now: Math.floor(session.client.now() / 1000) };
}
