import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";

/** Arguments of {@link RandomSecret}. */
export interface RandomSecretArgs {
    /** How many random bytes, 8 to 1024. @default 32 */
    bytes?: pulumi.Input<number>;
    /** `base64`, `base64url` or `hex`. @default "base64" */
    encoding?: pulumi.Input<string>;
    /** Any values. A change creates a new secret. @default none @example { rotation: "2027" } */
    keepers?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
}

/**
 * Random bytes that are generated once, such as the key for Kubernetes' encryption at rest.
 *
 * @example
 * ```ts
 * const key = new RandomSecret("encryption");
 * ```
 */
export class RandomSecret extends CloudStackResource {
    /** The bytes, encoded. Secret. */
    declare readonly value: pulumi.Output<string>;

    constructor(name: string, args: RandomSecretArgs = {}, opts?: pulumi.CustomResourceOptions) {
        super("RandomSecret", "randomSecret", name, { ...args }, ["value"], opts, ["value"]);
    }
}
