import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";
import { warnBeforeEnd } from "./expiry";
import { authorityWarningDays } from "./validity";

/** Arguments of {@link CertificateAuthority}. */
export interface CertificateAuthorityArgs {
    /** The authority's name, 1 to 64 characters. @example "etcd of production" */
    commonName: pulumi.Input<string>;
    /**
     * Whether an existing authority keeps its name when `commonName` changes: for names that contain the stack's name,
     * which may be renamed.
     * @default false
     */
    keepCommonName?: pulumi.Input<boolean>;
    /** Its organization. @default none */
    organization?: pulumi.Input<string>;
    /** The validity in days. @default 7300 */
    validityDays?: pulumi.Input<number>;
    /**
     * The number of the newest key and certificate. Increase it by one to create new ones; the previous ones are kept
     * until they are dropped.
     * @default 1
     */
    generation?: pulumi.Input<number>;
    /** The generation that signs certificates. @default generation */
    signingGeneration?: pulumi.Input<number>;
    /**
     * The oldest generation in `bundle`; older ones are deleted. @default the one before `signingGeneration`
     */
    oldestTrustedGeneration?: pulumi.Input<number>;
}

/**
 * A private certificate authority: an ECDSA P-256 key, which is only stored in the stack's (encrypted) state, and a
 * self-signed certificate, which may only sign leaf certificates.
 *
 * It is not renewed automatically. In the last year of its validity, every preview and every `pulumi up` shows a
 * warning.
 *
 * An authority is replaced without an outage in three steps. Each step is one `pulumi up`, and must have reached every
 * machine before the next one:
 * 1. `generation: 2, signingGeneration: 1`: a second authority is created and trusted, but does not sign yet;
 * 2. `generation: 2`: the second authority signs, and every certificate is issued again;
 * 3. `generation: 2, oldestTrustedGeneration: 2`: the first authority is no longer trusted.
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
    /** All trusted certificates, the signing one first: PEM. Machines use it as their list of trusted authorities. */
    declare readonly bundle: pulumi.Output<string>;
    /** When the signing certificate expires, in ISO 8601. */
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

/** The arguments of a `Certificate` that is signed by this authority. */
export function signedBy(authority: CertificateAuthority) {
    return { caCertificate: authority.certificate, caPrivateKey: authority.privateKey };
}
