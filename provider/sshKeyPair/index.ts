import * as pulumi from "@pulumi/pulumi";
import type { CloudIdentity } from "../session";
import { CloudStackResource, namedIdentity } from "../resource";

/** The arguments of an {@link SshKeyPair}. */
export interface SshKeyPairArgs {
    /**
     * The key pair's name. A short hash of stack, resource and public key is added to it, because CloudStack stores
     * nothing else that identifies the owner; the full name is the output `name`. A change replaces the key pair.
     *
     * @default `<stack>-<resource name>`
     */
    name?: pulumi.Input<string>;
    /**
     * The public key in OpenSSH's format. A change replaces the key pair and its name: machines that use it are
     * stopped, get the new key and are started again, which the preview announces.
     *
     * @default none: a key pair is generated (RSA, 3072 bits), and the private key becomes a secret output
     * @example fs.readFileSync("id_rsa.pub", "utf8")
     */
    publicKey?: pulumi.Input<string>;
    /** The name or id of the project. A change replaces the key pair. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
}

/**
 * An SSH key pair, registered or generated.
 *
 * @example Your own key
 * ```ts
 * const key = new cloudstack.SshKeyPair("admin", { publicKey: fs.readFileSync("id_ed25519.pub", "utf8") });
 * new cloudstack.VirtualMachine("web", { serviceOffering: "Small", template: "debian-13", sshKeyPairs: [key.name] });
 * ```
 *
 * @example A generated one
 * ```ts
 * const key = new cloudstack.SshKeyPair("ci");
 * export const privateKey = key.privateKey; // secret
 * ```
 */
export class SshKeyPair extends CloudStackResource {
    /** The full name, for `sshKeyPairs` of machines. */
    declare readonly name: pulumi.Output<string>;
    /** The MD5 fingerprint of the public key: pairs of hexadecimal digits, separated by colons. */
    declare readonly fingerprint: pulumi.Output<string>;
    /** The private key in PEM, if it was generated (secret). It is only stored in the state. */
    declare readonly privateKey: pulumi.Output<string | undefined>;
    /** The cloud and account that the key pair belongs to. */
    declare readonly cloud: pulumi.Output<CloudIdentity>;

    constructor(name: string, args: SshKeyPairArgs = {}, opts?: pulumi.CustomResourceOptions) {
        super(
            "SshKeyPair",
            "sshKeyPair",
            name,
            { ...args, ...namedIdentity("SshKeyPair", name, args, opts) },
            ["fingerprint", "privateKey", "cloud"],
            // The old pair is deleted first, also with `pulumi up --replace`, where `diff` is not called.
            pulumi.mergeOptions({ deleteBeforeReplace: true }, opts),
            ["privateKey"],
        );
    }
}
