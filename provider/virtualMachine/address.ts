import { parseNetwork, toAddress } from "../addresses";
import { CloudStackError } from "../client";
import type { ApiMachine, Session } from "../session";
import { defaultNic } from "./outputs";

/** How many addresses are tried before CloudStack chooses one. */
const TRIES = 3;

/**
 * Gives a stopped machine another address, so that its pinned one is free. The new address is taken from the upper half
 * of the network, where addresses are rarely pinned. CloudStack itself would assign the next free address, which
 * another machine may be about to request.
 */
export async function releaseAddress(
    session: Session,
    machine: ApiMachine,
    run: (command: string, params: Record<string, any>) => Promise<unknown>,
): Promise<void> {
    const nic = defaultNic(machine)!;
    const network = (await session.catalogue.networks()).find((item) => item.id === nic.networkid);
    const used = (await session.machines.all()).flatMap((other) =>
        (other.nic ?? []).map((item) => item.ipaddress ?? ""),
    );
    for (const ipaddress of parkingAddresses(network?.cidr, used, TRIES)) {
        try {
            await run("updateVmNicIp", { nicid: nic.id, ipaddress });
            return;
        } catch (error) {
            // The address is used by a machine of another account, or is outside of CloudStack's range.
            if (!(error instanceof CloudStackError) || !["refused", "failed"].includes(error.outcome)) throw error;
        }
    }
    await run("updateVmNicIp", { nicid: nic.id });
}

/** Random unused addresses of the upper half of a network; none if the network is unknown or too small. */
export function parkingAddresses(
    cidr: string | undefined,
    used: readonly string[],
    count: number,
    random: () => number = Math.random,
): string[] {
    const network = parseNetwork(cidr);
    if (network === undefined || network.size < 16) return [];
    const half = network.size / 2;
    const first = network.base + half;
    const found = new Set<string>();
    for (let tries = 0; tries < 10 * count && found.size < count; tries++) {
        const address = toAddress(first + Math.floor(random() * (half - 1)));
        if (!used.includes(address)) found.add(address);
    }
    return [...found];
}
