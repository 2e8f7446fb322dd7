import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";
import { warnBeforeEnd } from "./expiry";
import { authorityWarningDays } from "./validity";

/** Arguments of {@link CertificateAuthority}. */
export interface CertificateAuthorityArgs {
    /** The authority's name, 1 to 64 characters. @example "etcd of production" */
    commonName: pulumi.Input<string>;
    /**
     * Whether an authority in use keeps the name that it has, whatever `commonName` is by now: for names that are made
     * of the stack's, which may be renamed. @default false
     */
    keepCommonName?: pulumi.Input<boolean>;
    /** Its organization. @default none */
    organization?: pulumi.Input<string>;
    /** How long it is good for, in days. @default 7300 */
    validityDays?: pulumi.Input<number>;
    /**
     * The number of the newest key and certificate. Raise it by one to make new ones; those before stay until they are
     * dropped. @default 1
     */
    generation?: pulumi.Input<number>;
    /** The generation that signs certificates. @default generation */
    signingGeneration?: pulumi.Input<number>;
    /**
     * The oldest generation in `bundle`; older ones are forgotten for good. @default the one before `signingGeneration`
     */
    oldestTrustedGeneration?: pulumi.Input<number>;
}

/**
 * A certificate authority of one's own: an ECDSA P-256 key that never leaves the stack's (encrypted) state and a
 * self-signed certificate that may sign leaves only.
 *
 * It is never renewed by itself: in the last year of its life every preview and every `pulumi up` warns.
 *
 * An authority is replaced without an outage in three steps, each one `pulumi up` and a wait until every machine has
 * the result:
 * 1. `generation: 2, signingGeneration: 1`: a second authority is made, and everybody learns to trust it;
 * 2. `generation: 2`: it signs, every certificate is issued again;
 * 3. `generation: 2, oldestTrustedGeneration: 2`: the first one is no longer trusted.
 *
 * @example
 * ```ts
 * const authority = new CertificateAuthority("etcd", { commonName: "etcd of my cluster" });
 * ```
 */
export class CertificateAuthority extends CloudStackResource {
    /** The authority's name. */
    declare readonly commonName: pulumi.Output<string>;
    /** The certificate that signs: PEM. */
    declare readonly certificate: pulumi.Output<string>;
    /** The key that signs: PEM, PKCS#8. Secret. */
    declare readonly privateKey: pulumi.Output<string>;
    /** All trusted certificates, the signing one first: PEM. What machines get as their trusted authorities. */
    declare readonly bundle: pulumi.Output<string>;
    /** When the signing certificate ends, in ISO 8601. */
    declare readonly notAfter: pulumi.Output<string>;

    constructor(name: string, args: CertificateAuthorityArgs, opts?: pulumi.CustomResourceOptions) {
        super(
            "CertificateAuthority",
            "certificateAuthority",
            name,
            { ...args },
            ["certificate", "privateKey", "bundle", "notAfter", "generations"],
            opts,
            ["privateKey", "generations"],
        );
        warnBeforeEnd(this, authorityWarningDays, "replace the authority by increasing its generation");
    }
}

/** The authority among the arguments of a `Certificate`. */
export function signedBy(authority: CertificateAuthority) {
    return { caCertificate: authority.certificate, caPrivateKey: authority.privateKey };
}
