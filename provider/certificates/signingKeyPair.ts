import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";

/** Arguments of {@link SigningKeyPair}. */
export interface SigningKeyPairArgs {
    /** Any values; a change of one makes a new pair. @default none @example { rotation: "2027" } */
    keepers?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
}

/**
 * A pair of keys without a certificate, ECDSA P-256, such as Kubernetes signs its service accounts' tokens with.
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
