import { hasUnknown, type Inputs, type Outputs } from "../handler";

/** The properties whose change reinstalls or replaces a member's machine, which erases its root disk. */
const ERASING = ["version", "template", "zone", "network", "project"] as const;

/** The data that a change of the cluster erases. */
export interface Erasure {
    /** The reason, such as `template Debian 12 -> Debian 13`. */
    readonly because: string;
    /** What is erased, as a clause. */
    readonly what: string;
    /** Whether at least one copy of the data remains at all times. */
    readonly isSafe: boolean;
}

/**
 * The etcd data that a change erases; undefined if there is none. Members without a data volume store it on their root
 * disks. With `waitFor: "healthy"`, an erased member joins again and copies the data from the others before the next
 * one is changed. Otherwise, or if there are no other members, the data is lost.
 */
export function erasureOf(olds: Outputs, news: Inputs): Erasure | undefined {
    const members = Object.keys(olds.members ?? {}).filter((name) => news.members?.[name] !== undefined);
    if (members.length === 0 || hasUnknown(news.members)) return undefined;
    const list = members.join(", ");
    if (olds.hasVolumes === true && news.hasVolumes === false)
        return {
            because: "dataVolume is removed",
            what: `the data volumes of ${list} are deleted, with etcd's data`,
            isSafe: false,
        };
    if (news.hasVolumes !== false) return undefined;
    const because = changesOf(olds.revision, news.revision);
    if (because === "") return undefined;
    return {
        because,
        what: `the root ${members.length === 1 ? `disk of ${list} is` : `disks of ${list} are`} erased, with etcd's data, since there is no dataVolume`,
        isSafe: news.waitFor === "healthy" && members.length > 1,
    };
}

/** The changes that erase data. Values that are unknown or were not set before are ignored. */
function changesOf(old: unknown, wanted: unknown): string {
    const [from, to] = [old, wanted].map(parsed);
    return ERASING.filter((key) => from[key] !== undefined && to[key] !== undefined && from[key] !== to[key])
        .map((key) => `${key} ${from[key]} -> ${to[key]}`)
        .join(", ");
}

function parsed(revision: unknown): Record<string, unknown> {
    try {
        const value: unknown = JSON.parse(String(revision));
        return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
    } catch {
        return {};
    }
}
