/** The defaults of a new cluster. */

/** The version of Kubernetes. */
export const defaultKubernetesVersion = "1.36.4";
/** The DNS domain of services and pods. */
export const defaultDnsDomain = "cluster.local";
/** The networks of pods and services. */
export const defaultCidrs = { podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16" } as const;
