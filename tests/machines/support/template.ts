/** The template that machines in tests are made from, unless a test is about templates. */
export const TEMPLATE = "Debian 13";

/** The version of Kubernetes that the machines run. */
export const NEWEST = "1.36.4";

/** A version from which a cluster can be upgraded to it. */
export const PREVIOUS = "1.35.8";
