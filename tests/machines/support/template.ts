/** The template of machines in tests, except in tests of templates. */
export const TEMPLATE = "Debian 13";

/** The version of Kubernetes on the machines. */
export const NEWEST = "1.36.4";
