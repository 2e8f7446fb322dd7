/** Resource limits and usage of accounts. */
import type { Cloud } from "../cloud";
import type { Account } from "../state/records";
import { DOMAIN } from "./entities";
import { overLimit } from "./errors";
import { isDestroyed } from "./expunge";

/** CloudStack's resource types by number, with the default limits of an account. */
export const RESOURCE_TYPES = [
    ["user_vm", 500],
    ["public_ip", 200],
    ["volume", 1000],
    ["snapshot", 20],
    ["template", 20],
    ["project", 10],
    ["network", 20],
    ["vpc", 20],
    ["cpu", 2000],
    ["memory", 2_000_000],
    ["primary_storage", 100_000],
    ["secondary_storage", 400],
    ["backup", 20],
    ["backup_storage", 400],
    ["bucket", 20],
    ["object_storage", 400],
    ["gpu", 20],
] as const;

export type ResourceType = (typeof RESOURCE_TYPES)[number][0];

export function limitOf(account: Account, type: number): number {
    return account.limits[type] ?? RESOURCE_TYPES[type][1];
}

/** A destroyed machine does not count; its root volume counts until it is expunged. */
export function usageOf(cloud: Cloud, account: Account): Partial<Record<ResourceType, number>> {
    const { store } = cloud;
    const machines = store.machines.filter(
        (m) => m.ownerId === account.id && m.removed === undefined && !isDestroyed(m),
    );
    const volumes = store.volumes.filter((v) => v.ownerId === account.id && v.removed === undefined);
    const sum = <T>(items: T[], value: (item: T) => number) => items.reduce((total, item) => total + value(item), 0);
    return {
        user_vm: machines.length,
        volume: volumes.length,
        cpu: sum(machines, (m) => m.size.cpuNumber),
        memory: sum(machines, (m) => m.size.memory),
        primary_storage: sum(volumes, (v) => v.sizeGiB),
        public_ip: store.publicAddresses.filter((a) => a.ownerId === account.id && a.state !== "Free").length,
        network: store.networks.filter((n) => n.ownerId === account.id && n.removed === undefined).length,
        project: account.projectId === undefined ? store.projects.filter((p) => p.ownerId === account.id).length : 0,
    };
}

/**
 * Checks that a request would not exceed a limit.
 *
 * @param wanted the additional amount of each type (machines, MiB of memory, GiB of primary storage)
 * @param reserves whether the request makes a reservation, as a deployment does: the error has another text and code
 * (CheckedReservation)
 * @throws ApiError 535
 */
export function checkLimits(
    cloud: Cloud,
    account: Account,
    wanted: Partial<Record<ResourceType, number>>,
    reserves = false,
): void {
    if (account.type === 1) return;
    const usage = usageOf(cloud, account);
    for (const [type, more] of Object.entries(wanted) as [ResourceType, number][]) {
        const limit = limitOf(
            account,
            RESOURCE_TYPES.findIndex(([name]) => name === type),
        );
        const has = usage[type] ?? 0;
        if (limit === -1 || has + more <= limit) continue;
        const whose =
            account.projectId === undefined
                ? `Account Name = '${account.name}'`
                : `Project ID = '${account.projectId}'`;
        throw overLimit(
            `Maximum amount of resources of Type = '${type}' for ${whose} in Domain Id = '${DOMAIN.id}' is exceeded: ` +
                `Account Resource Limit = ${limit}, Current Account Resource Amount = ${has}, ` +
                `${reserves ? "Current Account Resource Reservation = 0, " : ""}Requested Resource Amount = ${more}.`,
            reserves ? 9999 : undefined,
        );
    }
}
