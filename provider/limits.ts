import type { Problems } from "./lifecycle";
import type { ApiAccount, Needs, Session } from "./session";

/** The kinds of limits and their names in messages. */
const KINDS: [keyof Needs, string][] = [
    ["vm", "machines"],
    ["volume", "volumes (root disks included)"],
    ["cpu", "processors"],
    ["memory", "MiB of memory"],
    ["primarystorage", "GiB of disks"],
    ["network", "networks"],
    ["ip", "public IP addresses"],
];

/**
 * Adds the needs of a resource to those of this run, and reports the limits of the account that they exceed.
 *
 * @param has the part that the account uses already, for an entity that is replaced or adopted
 */
export async function checkLimits(
    problems: Problems,
    session: Session,
    owner: unknown,
    needs: Needs,
    has: Needs = {},
): Promise<void> {
    // A project has its own limits, which only its administrators can see. CloudStack's own error reports those.
    if (session.client.settings.project !== undefined || typeof owner !== "string") return;
    const account = await session.account();
    const more = difference(needs, has);
    session.planned.set(owner, more);
    for (const [kind, words] of KINDS) {
        const wanted = [...session.planned.values()].reduce((sum, item) => sum + (item[kind] ?? 0), 0);
        if (wanted > available(account, kind) && more[kind]! > 0) {
            problems.add(
                "",
                `this run needs ${wanted} ${words}, but account ${account.name} can have only ${account[`${kind}available`]} more (limit ${account[`${kind}limit`]}, ` +
                    `in use ${account[`${kind}total`]}): remove some, or ask the cloud's administrator for a higher limit`,
            );
        }
    }
}

/** How much more of a kind the account may use; without a limit if CloudStack returns "Unlimited" or nothing. */
function available(account: ApiAccount, kind: string): number {
    const left = Number(account[`${kind}available`]);
    return Number.isFinite(left) ? left : Infinity;
}

function difference(needs: Needs, has: Needs): Needs {
    return Object.fromEntries(KINDS.map(([kind]) => [kind, Math.max(0, (needs[kind] ?? 0) - (has[kind] ?? 0))]));
}
