import * as pulumi from "@pulumi/pulumi";
import { defaultName } from "../provider/resource";
import { CertificateAuthority, type CertificateAuthorityArgs } from "../provider/certificates";
import { known } from "./known";

/** The name of a cluster. */
export interface ClusterName {
    /** The given name, or the default name of a new cluster of this stack; used for checks in the program. */
    readonly likely: string;
    /** Whether the program sets it. */
    readonly given: boolean;
}

/**
 * The name of a cluster as far as it is known in the program. A default name does not change after the cluster's
 * creation.
 */
export function clusterName(given: string | undefined, resourceName: string): ClusterName {
    const name = known(given);
    return name === undefined
        ? { likely: defaultName(pulumi.getStack(), resourceName), given: false }
        : { likely: name, given: true };
}

/**
 * A certificate authority with the cluster's name in its subject, and that name. The name is read from the authority's
 * state, so that the cluster keeps it when the stack is renamed.
 *
 * @param suffix the part of the authority's common name that follows the cluster's name
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
