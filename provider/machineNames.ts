import type { Inputs } from "./handler";
import { sessionFor } from "./session";

/**
 * Which of these machines existed when this run began, and the time of the cloud's clock in seconds since 1970. The
 * clocks of machines are set by the cloud, and may differ from the local clock.
 *
 * @param at `project` and `profile` select the cloud
 * @throws PlaceUnknown if a preview does not know them yet
 */
export async function machinesThere(at: Inputs, names: readonly string[]): Promise<{ names: string[]; now: number }> {
    const session = sessionFor(at);
    const all = new Set((await session.machines.before()).map(({ name }) => name));
    return { names: names.filter((name) => all.has(name)), now: Math.floor(session.client.now() / 1000) };
}
