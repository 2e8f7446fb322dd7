import { hasUnknown, type Inputs, type Outputs } from "../handler";

/** What of a member's machine reinstalls or replaces it when it changes, so that its root disk is erased. */
const ERASING = ["version", "template", "zone", "network", "project"] as const;

/** What a change of the cluster erases. */
export interface Erasure {
    /** Such as `template Debian 12 -> Debian 13`. */
    readonly because: string;
    /** What is erased, as a sentence has it. */
    readonly what: string;
    /** Whether a copy of the data is kept, or made before the next one is erased. */
    readonly isSafe: boolean;
}

/**
 * What of etcd's data a change erases; undefined where nothing. Members without a data volume have it on their root
 * disks. One that is looked after joins again and copies all from the others before the next one is touched; where
 * nobody looks, or there are no others, the data is gone.
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

/** The changes that erase; what is not known yet, or was left to the cloud before, is none. */
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
