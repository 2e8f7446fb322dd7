import * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";
import { warnBeforeEnd } from "./expiry";
import { warningDays } from "./validity";

/** Arguments of {@link Certificate}. */
export interface CertificateArgs {
    /** The signing authority's certificate: `authority.certificate`. A change creates a new key and certificate. */
    caCertificate: pulumi.Input<string>;
    /** The signing authority's key: `authority.privateKey`. */
    caPrivateKey: pulumi.Input<string>;
    /** The common name, 1 to 64 characters. Kubernetes uses it as the user name. @example "etcd-a" */
    commonName: pulumi.Input<string>;
    /** The organizations. Kubernetes uses them as the user's groups. @default none @example ["system:masters"] */
    organizations?: pulumi.Input<pulumi.Input<string>[]>;
    /** The DNS names of a server. @default none @example ["etcd-a", "localhost"] */
    dnsNames?: pulumi.Input<pulumi.Input<string>[]>;
    /** The IP addresses of a server. @default none @example ["10.1.1.11", "127.0.0.1"] */
    ipAddresses?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * `server`, `client`, or `peer` for both. etcd's server certificate needs `peer`, because etcd also uses it as a
     * client.
     *
     * @example ["server", "client"]
     */
    usages: pulumi.Input<pulumi.Input<string>[]>;
    /** The validity in days, limited by that of its authority. @default 1825 */
    validityDays?: pulumi.Input<number>;
    /**
     * `pulumi up` renews the certificate this many days before it expires.
     * @default the last quarter of its validity
     */
    renewBeforeDays?: pulumi.Input<number>;
}

/**
 * A certificate for a server, a client or both, signed by a {@link CertificateAuthority}; ECDSA P-256. In the renewal
 * window before it expires, the next `pulumi up` renews it in place with the same key, and `pulumi preview` announces
 * this. From 90 days before it expires, every preview shows the date.
 *
 * @example
 * ```ts
 * const server = new Certificate("etcd-a", {
 *     caCertificate: authority.certificate,
 *     caPrivateKey: authority.privateKey,
 *     commonName: "etcd-a",
 *     dnsNames: ["etcd-a", "localhost"],
 *     ipAddresses: ["10.1.1.11", "127.0.0.1"],
 *     usages: ["peer"],
 * });
 * ```
 */
export class Certificate extends CloudStackResource {
    /** PEM. */
    declare readonly certificate: pulumi.Output<string>;
    /** PEM, PKCS#8. Secret. */
    declare readonly privateKey: pulumi.Output<string>;
    /** In ISO 8601. */
    declare readonly notBefore: pulumi.Output<string>;
    /** In ISO 8601. */
    declare readonly notAfter: pulumi.Output<string>;
    /** Hexadecimal. */
    declare readonly serialNumber: pulumi.Output<string>;
    /** SHA-256 of the certificate, hexadecimal. */
    declare readonly fingerprint: pulumi.Output<string>;

    constructor(name: string, args: CertificateArgs, opts?: pulumi.CustomResourceOptions) {
        super(
            "Certificate",
            "certificate",
            name,
            { ...args, caPrivateKey: pulumi.secret(args.caPrivateKey) },
            ["certificate", "privateKey", "notBefore", "notAfter", "serialNumber", "fingerprint"],
            opts,
            ["privateKey"],
        );
        warnBeforeEnd(
            this,
            warningDays,
            "it is not renewed, since its authority expires with it or renewBeforeDays prevents that",
        );
    }
}
