/** Conformance tests that do not run here: a part of the name, and why, such as the image that is missing. */
export const LEFT_OUT: ReadonlyMap<string, string> = new Map();
