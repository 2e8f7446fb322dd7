import * as crypto from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { markOf } from "./marks";
import { type OperationTimeouts, secondsOfOption } from "./timeouts";

/**
 * The text that Pulumi's Node plugin evaluates for every resource of a kind. It is a constant: it captures nothing, it never makes a
 * diff, and since the handler is loaded from the installed package, a fix reaches existing stacks at once. The folder of the running
 * program decides which installation that is (the plugin's working directory is the program's), and package self-reference works too.
 */
function providerText(handler: string): string {
    return `exports.handler = () => require("module").createRequire(process.cwd() + "/_")("pulumi-cloudstack/dynamic/v1").${handler}`;
}

/**
 * The SDK notes a stack trace, mapped to sources, for every property of every resource, to tell of promises that never end. With hundreds of
 * machines that takes most of a program's time, and it is shown with PULUMI_DEBUG_PROMISE_LEAKS only.
 *
 * @returns what the limit was
 */
function withoutTraces(): number {
    const limit = Error.stackTraceLimit;
    if (limit > 0 && process.env.PULUMI_DEBUG_PROMISE_LEAKS === undefined) {
        Error.stackTraceLimit = 0;
        // A constructor that throws leaves it to this.
        queueMicrotask(() => (Error.stackTraceLimit = limit));
    }
    return limit;
}

function typeOf(kind: string): string {
    return `pulumi-nodejs:dynamic/cloudstack:${kind}`;
}

/** Outputs under other names that repeat an argument: where that is a secret, they are. */
const REPEATED: Record<string, readonly string[]> = {
    name: ["displayName", "managedRules"],
    ingress: ["managedRules", "unmanagedRules"],
    egress: ["managedRules", "unmanagedRules"],
    ipAddress: ["networkInterfaces"],
    network: ["networkInterfaces"],
    zone: ["zoneId"],
    project: ["cloud"],
    template: ["templateId"],
    serviceOffering: ["serviceOfferingId"],
    diskOffering: ["diskOfferingId"],
};

/**
 * The names of the arguments that are secrets of the program, for the handler, which gets plain values and must not print these; `undefined`
 * without any. It carries no dependencies, and costs nothing for plain values.
 *
 * @param secretOutputs gets the outputs that repeat a secret. The SDK reads the list once all inputs are resolved, of which this is one
 */
function secretArguments(
    inputs: Record<string, unknown>,
    outputs: readonly string[],
    secretOutputs: string[],
): pulumi.Output<string[] | undefined> | undefined {
    const later = Object.entries(inputs).filter(([, value]) => value !== null && typeof value === "object");
    if (later.length === 0) return undefined;
    const names = later.map(async ([name, value]) => {
        // An input that fails is reported where it is used.
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
     * @param kind what the user sees, such as `VirtualMachine`
     * @param handler the handler's key in `dynamic/v1`
     * @param inputs the resource's arguments
     * @param outputs the names of properties that only the handler knows
     * @param secretOutputs those among them that are secret
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
const TIMED = ["VirtualMachine", "Volume", "SecurityGroup", "SecurityGroupRules", "AffinityGroup"];

/** The option `customTimeouts` as an argument: the engine does not hand it on to dynamic providers. */
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

/** What the inputs of every marked resource begin with: see `keepIdentity`, which takes care of it. */
export interface IdentityInputs {
    /** The mark that says which resource of which stack made something. */
    owner: pulumi.Output<string>;
    /** The name that the program gives, or the default one. */
    name?: pulumi.Input<string>;
    /** Whether it is the default one, which is only for what has none yet. */
    nameIsDefault?: pulumi.Input<boolean | undefined>;
}

/** The mark of a resource: see `provider/marks.ts`. */
export function identity(kind: string, name: string, opts: pulumi.CustomResourceOptions | undefined): IdentityInputs {
    const urn = withoutDependencies(pulumi.createUrn(name, typeOf(kind), opts?.parent));
    const [organization, project, stack] = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()];
    return { owner: urn.apply((text) => markOf(organization, project, stack, name, text)) };
}

/** The same with a name: the given one, or a default that holds until there is one in the state. */
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
 * The value without the resources that it comes from. The URN of a parent would make its child wait for all the other
 * children: whoever depends on a component depends on everything in it.
 */
function withoutDependencies<T>(value: pulumi.Output<T>): pulumi.Output<T> {
    return pulumi.output(new Promise<T>((resolve) => value.apply(resolve))) as pulumi.Output<T>;
}

/**
 * A valid host name of a stack's and a resource's name: letters, digits and hyphens, a letter first, at most 63 characters. Names that
 * had to be changed or cut get a hash of the original, so that two that differ never become one.
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
