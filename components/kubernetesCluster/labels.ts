import type * as pulumi from "@pulumi/pulumi";
import type { TaintArgs } from "./args";
import { known, type Report } from "../known";

const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/**
 * Whether a string is a label of a host name. CloudStack requires that it starts with a letter, DNS does not
 * (`digitFirst`).
 */
export function isHostLabel(text: string, digitFirst = false): boolean {
    return text.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text) && (digitFirst || /^[a-z]/.test(text));
}

/**
 * Checks labels by the rules of Kubernetes, https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/.
 */
export function checkLabels(
    labels: { [key: string]: pulumi.Input<string> } | undefined,
    path: string,
    report: Report,
): void {
    for (const [key, input] of Object.entries(labels ?? {})) {
        const at = `${path}[${JSON.stringify(key)}]`;
        checkKey(key, at, report);
        checkValue(known(input), at, report);
    }
}

/** Checks taints by the rules of Kubernetes; a key may occur once per effect. */
export function checkTaints(taints: pulumi.Input<TaintArgs>[] | undefined, path: string, report: Report): void {
    const seen = new Set<string>();
    (taints ?? []).forEach((input, index) => {
        const taint = known(input);
        if (taint === undefined) return;
        const at = `${path}[${index}]`;
        const [key, effect] = [known(taint.key), known(taint.effect)];
        if (key !== undefined) checkKey(key, `${at}.key`, report);
        checkValue(known(taint.value), `${at}.value`, report);
        if (effect !== undefined && !effects.includes(effect))
            report(
                `${at}.effect`,
                `${JSON.stringify(effect)} is unknown`,
                `Use ${effects[0]}, ${effects[1]} or ${effects[2]}`,
            );
        if (seen.has(`${key} ${effect}`))
            report(at, `${key} with effect ${effect} is a duplicate`, "Remove one of them");
        if (key !== undefined && effect !== undefined) seen.add(`${key} ${effect}`);
    });
}

function checkKey(key: string, path: string, report: Report): void {
    const slash = key.lastIndexOf("/");
    const [prefix, name] = slash < 0 ? [undefined, key] : [key.slice(0, slash), key.slice(slash + 1)];
    const prefixFits =
        prefix === undefined || (prefix.length <= 253 && prefix.split(".").every((part) => isHostLabel(part, true)));
    if (!prefixFits || !isName(name))
        report(
            path,
            `${JSON.stringify(key)} is not a valid key`,
            "Use a name, or example.org/name, of letters, digits, - _ . and at most 63 characters",
        );
}

function checkValue(value: string | undefined, path: string, report: Report): void {
    if (value !== undefined && value !== "" && !isName(value))
        report(
            path,
            `has the invalid value ${JSON.stringify(value)}`,
            "Use at most 63 letters, digits, - _ and ., a letter or digit first and last",
        );
}

function isName(text: string): boolean {
    return text.length <= 63 && /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(text);
}
