type Suite = (name: string, body: () => void) => void;

/** What needs machines is skipped where the host runs none, and its name says why: it never passes. */
export const withMachines = unless(process.env.NO_MACHINES);

/** What needs Kubernetes as well is skipped where the mirror has none. */
export const withKubernetes = unless(process.env.NO_KUBERNETES);

/** Kubernetes' own tests are skipped where the mirror has none. */
export const withConformance = unless(process.env.NO_CONFORMANCE);

function unless(reason: string | undefined): Suite {
    return reason ? (name, body) => describe.skip(`${name} (skipped: ${reason})`, body) : describe;
}
