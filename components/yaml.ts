/** An object as YAML. Keys keep the order of the object, so that the same input gives the same text. */
export function toYaml(object: object): string {
    // Loaded on demand: js-yaml takes 40 ms to load.
    const { dump } = require("js-yaml") as typeof import("js-yaml");
    return dump(object, { lineWidth: -1, noRefs: true });
}

/** Objects as YAML documents in one text. */
export function toYamlDocuments(...objects: readonly object[]): string {
    return objects.map(toYaml).join("---\n");
}
