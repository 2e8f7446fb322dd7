/** Objects as one YAML text, a document each. Key order is the objects' own, so the same input gives the same text. */
export function documents(...objects: readonly object[]): string {
    // js-yaml takes 40 ms to load: programs that only have it imported need not pay.
    const { dump } = require("js-yaml") as typeof import("js-yaml");
    return objects.map((object) => dump(object, { lineWidth: -1, noRefs: true })).join("---\n");
}
