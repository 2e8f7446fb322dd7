/** Names of things that this process came across, by their ids: for messages, which ids alone would make hard to read. */
const names = new Map<string, string>();

/** Remembers what something is called. */
export function noteName(id: string, name: unknown): void {
    if (typeof name === "string" && name !== "") names.set(id, name);
}

/** What something is called, as far as this process knows, else its id. */
export function nameOr(id: string): string {
    return names.get(id) ?? id;
}

/** Whether this process came across something of this id. */
export function isNamed(id: string): boolean {
    return names.has(id);
}
