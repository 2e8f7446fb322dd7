/** What a run of Kubernetes' conformance tests has shown: pure functions over Ginkgo's report. */

/** The part of a spec in Ginkgo's JSON report that is used here. */
export interface Spec {
    readonly ContainerHierarchyTexts: readonly string[] | null;
    readonly LeafNodeType: string;
    readonly LeafNodeText: string;
    readonly State: string;
    /** In nanoseconds. */
    readonly RunTime: number;
    readonly Failure?: { readonly Message: string };
}

/** A test, and why it failed or did not run. */
export interface Remark {
    readonly name: string;
    readonly reason: string;
}

export interface Outcome {
    readonly passed: readonly string[];
    readonly failed: readonly Remark[];
    readonly skipped: readonly Remark[];
    /** What failed around the tests, such as the check of the cluster before the first one. */
    readonly broken: readonly Remark[];
}

export const nameOf = ({ ContainerHierarchyTexts: outer, LeafNodeText: text }: Spec) =>
    [...(outer ?? []), text].join(" ");

/** @param leftOut tests that were not to run, by a part of their names, and why */
export function outcomeOf(specs: readonly Spec[], leftOut: ReadonlyMap<string, string>): Outcome {
    const passed: string[] = [];
    const failed: Remark[] = [];
    const skipped: Remark[] = [];
    const broken: Remark[] = [];
    for (const spec of specs) {
        const name = nameOf(spec);
        const message = spec.Failure?.Message ?? "";
        if (spec.LeafNodeType !== "It") {
            if (spec.State !== "passed")
                broken.push({ name: `${spec.LeafNodeType} ${name}`.trim(), reason: message || spec.State });
            continue;
        }
        if (!name.includes("[Conformance]")) continue;
        const cause = [...leftOut].find(([part]) => name.includes(part))?.[1];
        if (spec.State === "passed") passed.push(name);
        else if (spec.State !== "skipped") failed.push({ name, reason: message || spec.State });
        // One that Ginkgo was told to leave out has no message; one that skips itself says why.
        else if (cause !== undefined || message !== "") skipped.push({ name, reason: cause ?? message });
    }
    return { passed, failed, skipped, broken };
}

/** The end of a run's output. */
export function tableOf({ passed, failed, skipped, broken }: Outcome): string {
    const list = (title: string, remarks: readonly Remark[]) =>
        remarks.length === 0
            ? []
            : ["", `${title}:`, ...remarks.flatMap(({ name, reason }) => [`  ${name}`, `      ${shortened(reason)}`])];
    return [
        `Kubernetes' conformance tests: ${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`,
        ...list("Failed", failed),
        ...list("Skipped", skipped),
        ...list("Around the tests", broken),
    ].join("\n");
}

const shortened = (text: string) => text.trim().split("\n").slice(0, 8).join("\n      ").slice(0, 1_500);
