import * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";
import { warnBeforeEnd } from "./expiry";
import { warningDays } from "./validity";

/** Arguments of {@link Certificate}. */
export interface CertificateArgs {
    /** The signing authority's certificate: `authority.certificate`. Another one makes a new key and certificate. */
    caCertificate: pulumi.Input<string>;
    /** The signing authority's key: `authority.privateKey`. */
    caPrivateKey: pulumi.Input<string>;
    /** Whom it is for, 1 to 64 characters; Kubernetes reads the user's name from it. @example "etcd-a" */
    commonName: pulumi.Input<string>;
    /** Kubernetes reads the user's groups from them. @default none @example ["system:masters"] */
    organizations?: pulumi.Input<pulumi.Input<string>[]>;
    /** Names that a server is called by. @default none @example ["etcd-a", "localhost"] */
    dnsNames?: pulumi.Input<pulumi.Input<string>[]>;
    /** Addresses that a server is called by. @default none @example ["10.1.1.11", "127.0.0.1"] */
    ipAddresses?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * `server`, `client`, or `peer` for both. etcd's server certificate needs `peer`: it calls itself with it.
     *
     * @example ["server", "client"]
     */
    usages: pulumi.Input<pulumi.Input<string>[]>;
    /** How long it is good for, in days, though never longer than its authority. @default 1825 */
    validityDays?: pulumi.Input<number>;
    /** So many days before its end `pulumi up` renews it. @default the last quarter of its life */
    renewBeforeDays?: pulumi.Input<number>;
}

/**
 * A certificate for a server, a client or both, signed by a {@link CertificateAuthority}; ECDSA P-256. In the window
 * before its end it is renewed in place by the next `pulumi up` (`pulumi preview` says so), with the same key. From 90 days
 * before its end on, every preview says when that is.
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
