import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";

/** Arguments of {@link SigningKeyPair}. */
export interface SigningKeyPairArgs {
    /** Any values. A change creates a new pair. @default none @example { rotation: "2027" } */
    keepers?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
}

/**
 * An ECDSA P-256 key pair without a certificate, such as the one that signs Kubernetes' service account tokens.
 *
 * @example
 * ```ts
 * const serviceAccounts = new SigningKeyPair("service-accounts");
 * ```
 */
export class SigningKeyPair extends CloudStackResource {
    /** PEM, PKCS#8. Secret. */
    declare readonly privateKey: pulumi.Output<string>;
    /** PEM. */
    declare readonly publicKey: pulumi.Output<string>;

    constructor(name: string, args: SigningKeyPairArgs = {}, opts?: pulumi.CustomResourceOptions) {
        super("SigningKeyPair", "signingKeyPair", name, { ...args }, ["privateKey", "publicKey"], opts, ["privateKey"]);
    }
}
