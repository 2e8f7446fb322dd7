/** The names that this process knows, by id. Messages use them instead of ids. */
const names = new Map<string, string>();

/** Stores the name of an entity. */
export function noteName(id: string, name: unknown): void {
    if (typeof name === "string" && name !== "") names.set(id, name);
}

/** The name of an entity if this process knows it, else its id. */
export function nameOr(id: string): string {
    return names.get(id) ?? id;
}

/** Whether this process knows the name of an entity. */
export function isNamed(id: string): boolean {
    return names.has(id);
}
