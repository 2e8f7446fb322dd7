/** What needs machines is skipped where the host runs none, and its name says why: it never passes. */
const reason = process.env.NO_MACHINES;

export const withMachines: (name: string, body: () => void) => void = reason
    ? (name, body) => describe.skip(`${name} (skipped: ${reason})`, body)
    : describe;
