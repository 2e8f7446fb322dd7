type Suite = (name: string, body: () => void) => void;

/** Skips tests that need machines if the host cannot run them; the name of the test says why. */
export const withMachines = unless(process.env.NO_MACHINES);

/** Skips tests that need Kubernetes if the mirror does not have it. */
export const withKubernetes = unless(process.env.NO_KUBERNETES);

/** Kubernetes' own tests are skipped where the mirror has none. */
export const withConformance = unless(process.env.NO_CONFORMANCE);

function unless(reason: string | undefined): Suite {
    return reason ? (name, body) => describe.skip(`${name} (skipped: ${reason})`, body) : describe;
}
