import { erased, lossRefused, mayErase } from "../dataLoss";
import type { Inputs, Outputs } from "../handler";
import { isShown } from "../secrets";
import type { Plan } from "./plan";
import { certainly, erasesRootDisk, takesDown } from "./plan";

/**
 * One line for the preview about a machine that is stopped, reinstalled or replaced, and what that erases; `undefined`
 * for changes without an effect on the running machine. If the change depends on a value that a preview does not know
 * yet, the line says "may".
 */
export function describePlan(name: string, plan: Plan, olds: Outputs, news: Inputs = {}): string | undefined {
    const reasons = plan.changes
        .filter((change) => change.effect !== "live")
        .map((change) => `${change.property} ${change.text}`);
    const because = reasons.join("; ");
    const isCertain = certainly(plan).effect === plan.effect;
    const is = isCertain ? "is" : "may be";
    const loss = erasesRootDisk(plan, olds) ? `, and the ${erased(rootDisk(name, olds), isCertain)}` : "";
    const drained = isDrained(plan, olds, news) ? `node ${name} is drained, then ` : "";
    if (plan.effect === "replace") return `${drained}${name} ${is} replaced${loss}: ${because}`;
    if (plan.effect === "reinstall")
        return `${drained}${name} ${is} reinstalled (same id, address and data volumes)${loss}: ${because}`;
    if (plan.effect === "stopped") return `${drained}${name} ${stops(plan, olds, isCertain)}: ${because}`;
    if (plan.power === "start") return `${name} starts: it is ${olds.state}`;
    if (plan.power === "stop") return `${drained}${name} stops: running true -> false`;
    return undefined;
}

/** Whether a machine is taken out of its Kubernetes cluster for as long as the change takes. */
function isDrained(plan: Plan, olds: Outputs, news: Inputs): boolean {
    const goesDown = olds.running === true && plan.power === "stop";
    const node = plan.effect === "replace" ? olds.kubernetesNode : news.kubernetesNode;
    return node !== undefined && (goesDown || takesDown(plan, olds));
}

/**
 * Why a change of a machine is refused: it erases data or causes downtime, and the program forbids that. A change that
 * a preview does not know yet is refused by the update, before anything is changed.
 *
 * @param plan made by `diff` from the state, or by `update` from the machine in the cloud
 */
export function refusalOf(name: string, plan: Plan, olds: Outputs, news: Inputs): string | undefined {
    const certain = certainly(plan);
    const line = describePlan(name, certain, olds, news);
    if (line === undefined) return undefined;
    if (erasesRootDisk(certain, olds) && !mayErase(news, true)) {
        const why = "allowDataLoss is false, as it is by default in a MachineGroup whose machines change all at once";
        return lossRefused(line, why);
    }
    if (takesDown(certain, olds) && news.allowRestart === false)
        return `${line}. That takes it down, and allowRestart is false: allow it for this change, or undo the change.`;
    return undefined;
}

function stops(plan: Plan, olds: Outputs, isCertain: boolean): string {
    if (olds.running !== true) return isCertain ? "changes while it is stopped" : "may change while it is stopped";
    if (plan.power === "stop") return "stops";
    return isCertain ? "stops and starts" : "may stop and start";
}

function rootDisk(name: string, olds: Outputs) {
    const property = olds.rootDiskSizeGiB === undefined ? "template" : "rootDiskSizeGiB";
    const sizeGiB: unknown = olds.rootDiskSizeGiB ?? olds.templateSizeGiB;
    return {
        what: `root disk of ${name}`,
        ...(typeof sizeGiB === "number" && isShown(property, olds) ? { sizeGiB } : {}),
    };
}
