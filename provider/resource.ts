import * as crypto from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

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

/** Outputs under other names that repeat an argument: where that is a secret, they are. */
const REPEATED: Record<string, readonly string[]> = {
    name: ["displayName"],
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
            `pulumi-nodejs:dynamic/cloudstack:${kind}`,
            name,
            {
                ...seeds,
                ...inputs,
                ...(secrets === undefined ? {} : { secretArguments: secrets }),
                __provider: providerText(handler),
            },
            options,
        );
        Error.stackTraceLimit = limit;
    }
}

/** The mark that says which resource of which stack made something: `<organization>/<project>/<stack>/<resource>`. */
export function ownerMark(name: string): string {
    return [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack(), name].join("/");
}

/** `given`, or a name made of the stack's and the resource's: the same in every run, and another one in every stack. */
export function nameOrDefault(
    given: pulumi.Input<string | undefined> | undefined,
    resourceName: string,
): pulumi.Input<string> {
    const fallback = defaultName(pulumi.getStack(), resourceName);
    if (given === undefined) return fallback;
    return typeof given === "string" ? given : pulumi.output(given).apply((name) => name ?? fallback);
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
