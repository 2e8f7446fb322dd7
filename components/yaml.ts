/** An object as YAML. Key order is the object's own, so the same input gives the same text. */
export function toYaml(object: object): string {
    // Loaded on demand: js-yaml takes 40 ms to load.
    const { dump } = require("js-yaml") as typeof import("js-yaml");
    return dump(object, { lineWidth: -1, noRefs: true });
}

/** Objects as one YAML text, a document each. */
export function toYamlDocuments(...objects: readonly object[]): string {
    return objects.map(toYaml).join("---\n");
}
