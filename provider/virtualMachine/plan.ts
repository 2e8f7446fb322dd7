import type { Inputs, Outputs } from "../handler";
import { UNKNOWN, hasUnknown, isUnknown, same } from "../handler";
import { replacedBy, sameReference } from "../references";
import { showChange, showSetChange } from "../secrets";
import { pinnedAddress } from "./stable";
import { encodedUserData, userDataHash } from "./userData";

/** How a change affects the machine, from the least to the most disruptive. */
export type Effect = "live" | "stopped" | "reinstall" | "replace";

export interface Change {
    property: string;
    effect: Effect;
    /** How the change reads in a preview: "Small -> Medium". */
    text: string;
    /** Set if a preview does not know yet whether there is a change; the update decides. */
    unknown?: true;
}

export interface Plan {
    changes: Change[];
    /** The most disruptive effect of all changes; `undefined` without changes. */
    effect: Effect | undefined;
    /** Set if the machine is only started or stopped, without another change. */
    power: "start" | "stop" | undefined;
}

/** The details that set the size of a custom offering. A change of these scales the machine. */
const SIZE_DETAILS = ["cpuNumber", "cpuSpeed", "memory"];

const HARDNESS: Effect[] = ["live", "stopped", "reinstall", "replace"];

/**
 * The changes that make a machine (its outputs) match its arguments. Without I/O: `diff` calls it with the outputs of the
 * state and `update` with those read from the cloud, so both come to the same result.
 */
export function planChanges(olds: Outputs, news: Inputs): Plan {
    const changes = [
        ...replacing(olds, news),
        ...templateChange(olds, news),
        ...userDataChange(olds, news),
        ...triggerChange(olds, news),
        ...stopping(olds, news),
        ...live(olds, news),
    ];
    const wanted = news.running ?? true;
    const power = isUnknown(wanted) || olds.running === wanted ? undefined : wanted ? "start" : "stop";
    return { changes, effect: hardest(changes), power };
}

/** Whether the plan changes nothing. */
export function isEmpty(plan: Plan): boolean {
    return plan.changes.length === 0 && plan.power === undefined;
}

/** The plan without changes that depend on unknown values. */
export function certainly(plan: Plan): Plan {
    const changes = plan.changes.filter((change) => change.unknown === undefined);
    return { ...plan, changes, effect: hardest(changes) };
}

/** Whether the plan stops a running machine, even for a short time. */
export function takesDown(plan: Plan, olds: Outputs): boolean {
    return olds.running === true && plan.effect !== undefined && plan.effect !== "live";
}

/** Whether the plan erases the root disk. The disk of a machine that never started (state Error) has no data. */
export function erasesRootDisk(plan: Plan, olds: Outputs): boolean {
    return (plan.effect === "reinstall" || plan.effect === "replace") && olds.state !== "Error";
}

function hardest(changes: readonly Change[]): Effect | undefined {
    return HARDNESS.findLast((effect) => changes.some((change) => change.effect === effect));
}

function changeOf(property: string, effect: Effect, olds: Outputs, news: Inputs): Change {
    const text = showChange(property, olds[property], news[property], olds, news);
    return { property, effect, text, ...maybe(hasUnknown(news[property])) };
}

function maybe(unknown: boolean): { unknown?: true } {
    return unknown ? { unknown: true } : {};
}

function replacing(olds: Outputs, news: Inputs): Change[] {
    const given = ["zone", "network"].filter((property) => news[property] !== undefined);
    if (pinnedAddress(news) !== undefined) given.push("ipAddress");
    const changes = replacedBy(olds, news, [...given, "project"]).map((property) =>
        changeOf(property, "replace", olds, news),
    );
    if (olds.state === "Error")
        changes.push({ property: "state", effect: "replace", text: "is Error: CloudStack could not start it" });
    return changes;
}

function templateChange(olds: Outputs, news: Inputs): Change[] {
    if (sameReference(olds, news, "template")) return [];
    const effect = news.onTemplateChange === "reinstall" ? "reinstall" : "replace";
    return [changeOf("template", effect, olds, news)];
}

function userDataChange(olds: Outputs, news: Inputs): Change[] {
    const policy = news.onUserDataChange ?? "update";
    if (policy === "ignore") return [];
    const unknown = isUnknown(news.userData) || isUnknown(news.userDataBase64);
    if (!unknown && userDataHash(encodedUserData(news)) === (olds.userDataHash ?? "")) return [];
    const effects: Record<string, Effect> = {
        update: "live",
        restart: "stopped",
        reinstall: "reinstall",
        replace: "replace",
    };
    return [
        {
            property: "userData",
            effect: effects[policy],
            text: showChange("userData", undefined, unknown ? UNKNOWN : undefined),
            ...maybe(unknown),
        },
    ];
}

/** The first trigger of a machine is only recorded, and removing a trigger changes nothing. */
function triggerChange(olds: Outputs, news: Inputs): Change[] {
    const [old, wanted] = [olds.reinstallTrigger, news.reinstallTrigger];
    if (wanted === undefined || old === wanted) return [];
    return [changeOf("reinstallTrigger", old === undefined ? "live" : "reinstall", olds, news)];
}

function stopping(olds: Outputs, news: Inputs): Change[] {
    const changes: Change[] = [];
    if (!same(olds.name, news.name)) changes.push(changeOf("name", "stopped", olds, news));
    if (!sameReference(olds, news, "serviceOffering")) changes.push(changeOf("serviceOffering", "stopped", olds, news));
    for (const property of ["securityGroups", "affinityGroups", "sshKeyPairs"]) {
        const wanted: string[] | undefined =
            news[property] ?? (property === "affinityGroups" && olds[property] ? [] : undefined);
        // CloudStack can replace keys, but cannot remove the last one.
        if (wanted === undefined || (property === "sshKeyPairs" && wanted.length === 0)) continue;
        const old: string[] = olds[property] ?? [];
        if (sameSet(old, wanted)) continue;
        const text = showSetChange(property, old, wanted, olds, news);
        changes.push({ property, effect: "stopped", text, ...maybe(mayBeSameSet(old, wanted)) });
    }
    for (const key of SIZE_DETAILS) {
        const [old, wanted] = [olds.details?.[key], news.details?.[key]];
        if (wanted === undefined || old === wanted) continue;
        const property = `details.${key}`;
        const text = showChange(property, old, wanted, olds, news);
        changes.push({ property, effect: "stopped", text, ...maybe(isUnknown(wanted)) });
    }
    return changes;
}

/** Details without the size of a custom offering. */
export function plainDetails(details: Record<string, string> | undefined): Record<string, string> {
    return Object.fromEntries(Object.entries(details ?? {}).filter(([key]) => !SIZE_DETAILS.includes(key)));
}

/** The size of a custom offering among the details. */
export function sizeDetails(details: Record<string, string> | undefined): Record<string, string> {
    return Object.fromEntries(Object.entries(details ?? {}).filter(([key]) => SIZE_DETAILS.includes(key)));
}

/** Whether the machine is to be scaled: to another offering, or within a custom one. */
export function scales(plan: Plan): boolean {
    return plan.changes.some(({ property }) => property === "serviceOffering" || property.startsWith("details."));
}

function live(olds: Outputs, news: Inputs): Change[] {
    const pairs: [string, unknown, unknown][] = [
        ["displayName", olds.displayName, news.displayName ?? news.name],
        ["group", olds.group ?? "", news.group ?? ""],
        ["tags", olds.tags ?? {}, news.tags ?? {}],
        ["details", plainDetails(olds.details), isUnknown(news.details) ? news.details : plainDetails(news.details)],
        ["deleteProtection", olds.deleteProtection ?? false, news.deleteProtection ?? false],
        // Nothing of the cloud's: what the next change, or the deletion, has to know.
        ["kubernetesNode", olds.kubernetesNode, news.kubernetesNode],
        ["kubernetesKey", olds.kubernetesKey, news.kubernetesKey],
        ["userDataStub", olds.userDataStub, news.userDataStub],
    ];
    const changes = pairs
        .filter(([, old, wanted]) => !same(old, wanted))
        .map(([property]) => changeOf(property, "live", olds, news));
    // An imported machine has no owner mark and needs none.
    if (olds.owner !== undefined && news.owner !== undefined && olds.owner !== news.owner)
        changes.push(changeOf("owner", "live", olds, news));
    if (news.rootDiskSizeGiB !== undefined && olds.rootDiskSizeGiB !== news.rootDiskSizeGiB)
        changes.push(changeOf("rootDiskSizeGiB", "live", olds, news));
    return changes;
}

function sameSet(a: readonly string[], b: unknown): boolean {
    return Array.isArray(b) && same([...a].sort(), [...b].sort());
}

/** Whether a list with unknown elements may turn out to equal the current one. */
function mayBeSameSet(old: readonly string[], wanted: unknown): boolean {
    if (!Array.isArray(wanted)) return isUnknown(wanted);
    const known = wanted.filter((item) => !isUnknown(item));
    return known.length < wanted.length && wanted.length === old.length && known.every((item) => old.includes(item));
}
