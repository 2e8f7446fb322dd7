/** What a new cluster gets where the program does not say it. */

/** Kubernetes' version. */
export const defaultKubernetesVersion = "1.36.4";
/** The domain of names of services and pods. */
export const defaultDnsDomain = "cluster.local";
/** Networks of pods and services. */
export const defaultCidrs = { podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16" } as const;
