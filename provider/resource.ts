import * as crypto from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { markOf } from "./marks";
import { type OperationTimeouts, secondsOfOption } from "./timeouts";

/**
 * The text that Pulumi's Node plugin evaluates for every resource of a kind. It is a constant, so it never causes a
 * diff. It loads the handler from the installed package, so a new version of the package also applies to existing
 * resources. The package is resolved from the program's folder, which is the plugin's working directory.
 */
function providerText(handler: string): string {
    return `exports.handler = () => require("module").createRequire(process.cwd() + "/_")("pulumi-cloudstack/dynamic/v1").${handler}`;
}

/**
 * Disables stack traces. The SDK records one, mapped to sources, for every property of every resource, to report
 * promises that never settle (https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/runtime/debuggable.ts). With
 * hundreds of machines this takes most of a program's time, and the traces are only shown with
 * PULUMI_DEBUG_PROMISE_LEAKS.
 *
 * @returns the previous limit
 */
function withoutTraces(): number {
    const limit = Error.stackTraceLimit;
    if (limit > 0 && process.env.PULUMI_DEBUG_PROMISE_LEAKS === undefined) {
        Error.stackTraceLimit = 0;
        // Restores the limit if the constructor throws.
        queueMicrotask(() => (Error.stackTraceLimit = limit));
    }
    return limit;
}

function typeOf(kind: string): string {
    return `pulumi-nodejs:dynamic/cloudstack:${kind}`;
}

/** Outputs that contain the value of an argument under another name. They are secret if the argument is. */
const REPEATED: Record<string, readonly string[]> = {
    name: ["displayName", "managedRules"],
    ingress: ["managedRules", "unmanagedRules"],
    egress: ["managedRules", "unmanagedRules"],
    rules: ["managedRules", "unmanagedRules"],
    ipAddress: ["networkInterfaces"],
    network: ["networkInterfaces"],
    zone: ["zoneId"],
    project: ["cloud"],
    template: ["templateId"],
    serviceOffering: ["serviceOfferingId"],
    diskOffering: ["diskOfferingId"],
    networkOffering: ["networkOfferingId"],
};

/**
 * The names of the arguments that the program marks as secret; `undefined` if there are none. The handler receives
 * plain values and must not print these. The result has no dependencies.
 *
 * @param secretOutputs receives the outputs that contain a secret. The SDK reads this list after all inputs are
 * resolved, and the result of this function is one of them
 */
function secretArguments(
    inputs: Record<string, unknown>,
    outputs: readonly string[],
    secretOutputs: string[],
): pulumi.Output<string[] | undefined> | undefined {
    const later = Object.entries(inputs).filter(([, value]) => value !== null && typeof value === "object");
    if (later.length === 0) return undefined;
    const names = later.map(async ([name, value]) => {
        // A rejected input is reported where it is used.
        const isSecret = await pulumi.isSecret(pulumi.output(value)).catch(() => false);
        return isSecret ? [name] : [];
    });
    return pulumi.output(
        Promise.all(names).then((lists) => {
            const secret = lists.flat().sort();
            const repeated = secret.flatMap((name) => REPEATED[name] ?? []);
            secretOutputs.push(...repeated.filter((name) => outputs.includes(name) && !secretOutputs.includes(name)));
            return secret.length === 0 ? undefined : secret;
        }),
    );
}

/** The base of all resources of this package. Not for use in programs. */
export abstract class CloudStackResource extends pulumi.CustomResource {
    /**
     * @param kind the resource type that the user sees, such as `VirtualMachine`
     * @param handler the handler's key in `dynamic/v1`
     * @param inputs the resource's arguments
     * @param outputs the names of properties that the handler computes
     * @param secretOutputs the secret ones among them
     */
    protected constructor(
        kind: string,
        handler: string,
        name: string,
        inputs: Record<string, unknown>,
        outputs: readonly string[],
        opts?: pulumi.CustomResourceOptions,
        secretOutputs: readonly string[] = [],
    ) {
        const seeds = Object.fromEntries(outputs.map((output) => [output, undefined]));
        const limit = withoutTraces();
        const options = pulumi.mergeOptions(opts, { additionalSecretOutputs: [...secretOutputs] });
        const secrets = secretArguments(inputs, outputs, options.additionalSecretOutputs!);
        super(
            typeOf(kind),
            name,
            {
                ...seeds,
                ...withTimeouts(kind, inputs, opts),
                ...(secrets === undefined ? {} : { secretArguments: secrets }),
                __provider: providerText(handler),
            },
            options,
        );
        Error.stackTraceLimit = limit;
    }
}

/** Kinds that have the argument `timeoutSeconds`. */
const TIMED = [
    "VirtualMachine",
    "Volume",
    "SecurityGroup",
    "SecurityGroupRules",
    "AffinityGroup",
    "Network",
    "PublicIpAddress",
    "FirewallRules",
    "EgressFirewallRules",
    "PortForwardingRule",
];

/** Copies the option `customTimeouts` to an argument, because dynamic providers do not receive it. */
function withTimeouts(
    kind: string,
    inputs: Record<string, unknown>,
    opts: pulumi.CustomResourceOptions | undefined,
): Record<string, unknown> {
    if (opts?.customTimeouts === undefined || !TIMED.includes(kind)) return inputs;
    const fromOption = secondsOfOption(opts.customTimeouts);
    const given = pulumi.output(inputs.timeoutSeconds as pulumi.Input<OperationTimeouts | undefined>);
    return { ...inputs, timeoutSeconds: given.apply((argument) => ({ ...fromOption, ...argument })) };
}

/** The common inputs of all resources with an owner mark: see `keepIdentity`. */
export interface IdentityInputs {
    /** The owner mark: which resource of which stack created the entity. */
    owner: pulumi.Output<string>;
    /** The name that the program sets, or the default name. */
    name?: pulumi.Input<string>;
    /** Whether it is the default name, which is only used for a resource that has none. */
    nameIsDefault?: pulumi.Input<boolean | undefined>;
}

/** The owner mark of a resource: see `provider/marks.ts`. */
export function identity(kind: string, name: string, opts: pulumi.CustomResourceOptions | undefined): IdentityInputs {
    const urn = withoutDependencies(pulumi.createUrn(name, typeOf(kind), opts?.parent));
    const [organization, project, stack] = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()];
    return { owner: urn.apply((text) => markOf(organization, project, stack, name, text)) };
}

/** The same with a name: the program's, or a default that is used if the state has none. */
export function namedIdentity(
    kind: string,
    name: string,
    args: { name?: pulumi.Input<string | undefined> },
    opts: pulumi.CustomResourceOptions | undefined,
): IdentityInputs {
    const { owner } = identity(kind, name, opts);
    const given = args.name;
    const fallback = defaultName(pulumi.getStack(), name);
    if (given === undefined) return { owner, name: fallback, nameIsDefault: true };
    if (typeof given === "string") return { owner, name: given };
    const later = pulumi.output(given);
    return {
        owner,
        name: later.apply((text) => text ?? fallback),
        nameIsDefault: later.apply((text) => (text === undefined ? true : undefined)),
    };
}

/**
 * The value without its dependencies. A child that depends on its parent's URN would wait for all other children,
 * because a dependency on a component is one on all of its children (https://github.com/pulumi/pulumi/issues/1743).
 */
function withoutDependencies<T>(value: pulumi.Output<T>): pulumi.Output<T> {
    return pulumi.output(new Promise<T>((resolve) => value.apply(resolve))) as pulumi.Output<T>;
}

/**
 * A valid host name made of a stack's and a resource's name: letters, digits and hyphens, a letter first, at most 63
 * characters. If the name had to be changed or shortened, a hash of the original is added, so that different names stay
 * different.
 */
export function defaultName(stack: string, resourceName: string): string {
    const wanted = `${stack}-${resourceName}`;
    let name = wanted
        .toLowerCase()
        .replace(/[^a-z0-9-]+/g, "-")
        .replace(/^[^a-z]+/, "")
        .replace(/-+$/, "");
    if (name === wanted && name.length <= 63) return name;
    const hash = crypto.createHash("sha256").update(wanted).digest("hex").slice(0, 6);
    name = name.slice(0, 56).replace(/-+$/, "") || "x";
    return `${name}-${hash}`;
}
