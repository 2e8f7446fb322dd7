import type { Inputs, Outputs } from "../handler";
import { hasUnknown, isUnknown, same } from "../handler";
import { nameOr } from "../knownNames";
import { replacedBy, sameReference } from "../references";
import { encodedUserData, userDataHash } from "./userData";

/** What a change asks of the machine, from the mildest to the hardest. */
export type Effect = "live" | "stopped" | "reinstall" | "replace";

export interface Change {
    property: string;
    effect: Effect;
    /** How the change reads in a preview: "Small -> Medium". */
    text: string;
}

export interface Plan {
    changes: Change[];
    /** The hardest effect of all changes; `undefined` without any. */
    effect: Effect | undefined;
    /** The machine is to be started or stopped for its own sake. */
    power: "start" | "stop" | undefined;
}

/** What a custom offering asks for in the details: a change of these scales the machine. */
const SIZE_DETAILS = ["cpuNumber", "cpuSpeed", "memory"];

const HARDNESS: Effect[] = ["live", "stopped", "reinstall", "replace"];

/**
 * What it takes to make a machine (its outputs) what is wanted (its arguments). Pure: `diff` uses it on what the state says and `update` on
 * what the cloud says, so both tell the same.
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
    const effect = changes.reduce<Effect | undefined>((hardest, change) => harder(hardest, change.effect), undefined);
    const wanted = news.running ?? true;
    const power = isUnknown(wanted) || olds.running === wanted ? undefined : wanted ? "start" : "stop";
    return { changes, effect, power };
}

/** Whether the plan does anything at all. */
export function isEmpty(plan: Plan): boolean {
    return plan.changes.length === 0 && plan.power === undefined;
}

/** Whether carrying out the plan takes a running machine down, if only for a moment. */
export function takesDown(plan: Plan, olds: Outputs): boolean {
    return olds.running === true && (plan.effect === "stopped" || plan.effect === "reinstall");
}

/** One line for the preview about a machine that will stop, be made anew or be replaced; `undefined` for milder changes. */
export function describePlan(name: string, plan: Plan, olds: Outputs): string | undefined {
    const reasons = plan.changes
        .filter((change) => change.effect !== "live")
        .map((change) => `${change.property} ${change.text}`);
    const because = reasons.join("; ");
    if (plan.effect === "replace") return `${name} is replaced: ${because}`;
    if (plan.effect === "reinstall") return `${name} is reinstalled (same id, address and data volumes): ${because}`;
    if (plan.effect === "stopped") {
        const verb =
            olds.running !== true
                ? "changes while it is stopped"
                : plan.power === "stop"
                  ? "stops"
                  : "stops and starts";
        return `${name} ${verb}: ${because}`;
    }
    if (plan.power === "start") return `${name} starts: it is ${olds.state}`;
    if (plan.power === "stop") return `${name} stops: running true -> false`;
    return undefined;
}

function harder(a: Effect | undefined, b: Effect): Effect {
    return a === undefined || HARDNESS.indexOf(b) > HARDNESS.indexOf(a) ? b : a;
}

function replacing(olds: Outputs, news: Inputs): Change[] {
    const given = ["zone", "network", "ipAddress"].filter((property) => news[property] !== undefined);
    const changes = replacedBy(olds, news, [...given, "project"]).map(
        (property): Change => ({ property, effect: "replace", text: arrow(olds[property], news[property]) }),
    );
    if (olds.state === "Error")
        changes.push({ property: "state", effect: "replace", text: "is Error: CloudStack could not start it" });
    return changes;
}

function templateChange(olds: Outputs, news: Inputs): Change[] {
    if (sameReference(olds, news, "template")) return [];
    const effect = news.onTemplateChange === "reinstall" ? "reinstall" : "replace";
    return [{ property: "template", effect, text: arrow(olds.template, news.template) }];
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
            text: unknown ? "may change (known when its parts are)" : "changes",
        },
    ];
}

/** A machine that had no trigger yet only gets to know it, and one that loses it is left in peace. */
function triggerChange(olds: Outputs, news: Inputs): Change[] {
    const [old, wanted] = [olds.reinstallTrigger, news.reinstallTrigger];
    if (wanted === undefined || old === wanted) return [];
    const text = isUnknown(wanted) ? "may change (known when its parts are)" : arrow(old, wanted);
    return [{ property: "reinstallTrigger", effect: old === undefined ? "live" : "reinstall", text }];
}

function stopping(olds: Outputs, news: Inputs): Change[] {
    const changes: Change[] = [];
    const add = (property: string, text: string) => changes.push({ property, effect: "stopped", text });
    if (!same(olds.name, news.name)) add("name", arrow(olds.name, news.name));
    if (!sameReference(olds, news, "serviceOffering"))
        add("serviceOffering", arrow(olds.serviceOffering, news.serviceOffering));
    for (const property of ["securityGroups", "affinityGroups", "sshKeyPairs"]) {
        const wanted: string[] | undefined =
            news[property] ?? (property === "affinityGroups" && olds[property] ? [] : undefined);
        // CloudStack can set keys, not take the last one away.
        if (wanted === undefined || (property === "sshKeyPairs" && wanted.length === 0)) continue;
        if (!sameSet(olds[property] ?? [], wanted)) add(property, setArrow(olds[property] ?? [], wanted));
    }
    for (const key of SIZE_DETAILS) {
        const [old, wanted] = [olds.details?.[key], news.details?.[key]];
        if (wanted !== undefined && old !== wanted) add(`details.${key}`, arrow(old, wanted));
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
    ];
    const changes = pairs
        .filter(([, old, wanted]) => !same(old, wanted))
        .map(([property, old, wanted]): Change => ({ property, effect: "live", text: arrow(old, wanted) }));
    // What was imported has no mark and needs none.
    if (olds.owner !== undefined && news.owner !== undefined && olds.owner !== news.owner)
        changes.push({ property: "owner", effect: "live", text: arrow(olds.owner, news.owner) });
    if (news.rootDiskSizeGiB !== undefined && olds.rootDiskSizeGiB !== news.rootDiskSizeGiB) {
        changes.push({
            property: "rootDiskSizeGiB",
            effect: "live",
            text: arrow(olds.rootDiskSizeGiB, news.rootDiskSizeGiB),
        });
    }
    return changes;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
    return same([...a].sort(), [...b].sort());
}

function arrow(from: unknown, to: unknown): string {
    return `${show(from)} -> ${show(to)}`;
}

function setArrow(from: readonly string[], to: readonly string[]): string {
    if (hasUnknown(to)) return "may change (known when its parts are)";
    const added = to.filter((item) => !from.includes(item)).map((item) => `+${nameOr(item)}`);
    const removed = from.filter((item) => !to.includes(item)).map((item) => `-${nameOr(item)}`);
    return [...added, ...removed].join(" ");
}

function show(value: unknown): string {
    if (hasUnknown(value)) return "(known later)";
    if (value === undefined || value === "") return "(none)";
    return typeof value === "string" ? value : JSON.stringify(value);
}
