import * as pulumi from "@pulumi/pulumi";
import { defaultName } from "../provider/resource";
import { CertificateAuthority, type CertificateAuthorityArgs } from "../provider/certificates";
import { known } from "./known";

/** What a cluster is called. */
export interface ClusterName {
    /** The given name, or the one that a new cluster of this stack gets: for checks in the program. */
    readonly likely: string;
    /** Whether the program gives it. */
    readonly given: boolean;
}

/** The name of a cluster as far as the program knows it: one that was not given is the one of the cluster's birth. */
export function clusterName(given: string | undefined, resourceName: string): ClusterName {
    const name = known(given);
    return name === undefined
        ? { likely: defaultName(pulumi.getStack(), resourceName), given: false }
        : { likely: name, given: true };
}

/**
 * An authority that is named after a cluster, and the cluster's name: a cluster whose stack is renamed keeps the one that
 * its authority has in the state.
 *
 * @param suffix what comes after the cluster's name in the authority's
 */
export function namingAuthority(
    resourceName: string,
    { likely, given }: ClusterName,
    suffix: string,
    args: Omit<CertificateAuthorityArgs, "commonName">,
    opts: pulumi.CustomResourceOptions,
): { authority: CertificateAuthority; cluster: pulumi.Output<string> } {
    const names = { commonName: `${likely}${suffix}`, ...(given ? {} : { keepCommonName: true }) };
    const authority = new CertificateAuthority(resourceName, { ...names, ...args }, opts);
    const cluster = given
        ? pulumi.output(likely)
        : authority.commonName.apply((text) => (text.endsWith(suffix) ? text.slice(0, -suffix.length) : likely));
    return { authority, cluster };
}
