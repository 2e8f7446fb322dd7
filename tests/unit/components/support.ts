import * as crypto from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import * as certificates from "../../../provider/certificates/handlers";
import { kubernetesSettings } from "../../../provider/kubernetesSettings/handler";
import type { Handler, Inputs } from "../../../provider/handler";

/** A program with a cluster takes half a second, more on a busy machine; a test runs several. */
jest.setTimeout(60_000);

/** A resource as a program registered it. */
export interface Made {
    /** The last part of its type: `VirtualMachine`. */
    kind: string;
    name: string;
    urn: string;
    parent: string;
    /** Its arguments, secrets in plain text, outputs that are still to come left out. */
    inputs: Record<string, any>;
    /** Names of the arguments that are secret. */
    secrets: string[];
    /** URNs of what it waits for. */
    dependencies: string[];
    protect: boolean;
}

export interface Run<T> {
    resources: Made[];
    /** What the program gave back. */
    result: T;
    /** One resource. */
    of(kind: string, name: string): Made;
    /** The names of all resources of a kind. */
    names(kind: string): string[];
}

const handlers: Record<string, Handler | undefined> = {
    Certificate: certificates.certificate,
    CertificateAuthority: certificates.certificateAuthority,
    ClusterToken: certificates.clusterToken,
    KubernetesSettings: kubernetesSettings,
    RandomSecret: certificates.randomSecret,
    SigningKeyPair: certificates.signingKeyPair,
};

/**
 * Runs a program as the engine would, on a cloud where everything succeeds at once. Certificates and keys are real:
 * they come from their own handlers. In a preview nothing is known but what the program says.
 */
export async function run<T>(program: () => T, { preview = false, stack = "dev" } = {}): Promise<Run<T>> {
    const resources: Made[] = [];
    const secretOutputs = new Map<string, string[]>();
    await pulumi.runtime.setMocks(
        {
            call: ({ inputs }) => inputs,
            newResource: async ({ type, name, inputs }) => {
                const kind = kindOf(type);
                const made = preview ? { id: "", outs: values(inputs) } : await create(kind, values(inputs));
                const secret = secretOutputs.get(`${type} ${name}`) ?? [];
                const state = Object.entries(made.outs).map(([key, value]) => [
                    key,
                    secret.includes(key) ? pulumi.secret(value) : value,
                ]);
                return { id: made.id, state: Object.fromEntries(state) };
            },
        },
        "test",
        stack,
        preview,
        "team",
    );
    const monitor: any = pulumi.runtime.getMonitor();
    const registerResource = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request: any, callback: (error: any, response: any) => void) => {
        const [type, name] = [request.getType(), request.getName()];
        secretOutputs.set(`${type} ${name}`, request.getAdditionalsecretoutputsList());
        registerResource(request, (error: any, response: any) => {
            if (!error) resources.push(toMade(request, response.getUrn()));
            callback(error, response);
        });
    };
    const result = program();
    // The SDK keeps its types for itself.
    await (pulumi.runtime as any).waitForRPCs();
    const names = (kind: string) => resources.filter((made) => made.kind === kind).map(({ name }) => name);
    return {
        resources,
        result,
        of(kind, name) {
            const found = resources.filter((made) => made.kind === kind && made.name === name);
            if (found.length !== 1) throw new Error(`${found.length} ${kind} ${name}; there are ${names(kind)}`);
            return found[0];
        },
        names,
    };
}

/** The value of an output, and whether it is known and secret. */
export async function look<T>(output: pulumi.Output<T>): Promise<{ value: T; known: boolean; secret: boolean }> {
    const inner = output as any;
    const [value, known, secret] = await Promise.all([inner.promise(true), inner.isKnown, inner.isSecret]);
    return { value, known, secret };
}

/** An output that nobody knows before it is made. */
export function unknown<T>(): pulumi.Output<T> {
    const no = Promise.resolve(false);
    return new (pulumi.Output as any)([], Promise.resolve(undefined), no, no, Promise.resolve(new Set()));
}

/** The problems that a program is stopped for, `path: problem`, before it has made anything. */
export async function problemsOf(program: () => unknown): Promise<string[]> {
    let problems: { path: string; problem: string; remedy: string }[] | undefined;
    const { resources } = await run(() => {
        try {
            program();
        } catch (error: any) {
            if (error.name !== "ArgumentError") throw error;
            problems = error.problems;
        }
    });
    if (problems === undefined) throw new Error("the program was not stopped");
    expect(resources).toEqual([]);
    for (const { remedy } of problems) expect(remedy).toMatch(/^[A-Z].*[^.]$/s);
    return problems.map(({ path, problem }) => `${path}: ${problem}`);
}

let address = 100;

async function create(kind: string, inputs: Record<string, any>) {
    const handler = handlers[kind];
    if (handler !== undefined) {
        const { inputs: checked, failures } = await handler.check({}, inputs);
        expect(failures).toEqual([]);
        const { id, outs } = await handler.create(checked as Inputs);
        return { id, outs };
    }
    const ipAddress = kind === "VirtualMachine" ? { ipAddress: inputs.ipAddress ?? `10.1.1.${address++}` } : {};
    return { id: crypto.randomUUID(), outs: { ...inputs, ...ipAddress } };
}

function toMade(request: any, urn: string): Made {
    const inputs: Record<string, any> = request.getObject()?.toJavaScript() ?? {};
    return {
        kind: kindOf(request.getType()),
        name: request.getName(),
        urn,
        parent: request.getParent(),
        inputs: values(inputs),
        secrets: Object.keys(inputs).filter((key) => inputs[key]?.[signature] === secretSignature),
        dependencies: request.getDependenciesList(),
        protect: request.getProtect(),
    };
}

function kindOf(type: string): string {
    return type.slice(type.lastIndexOf(":") + 1);
}

const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const unknownSignature = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Values without the marks of secrets, and without what is not known. */
function values(value: any): any {
    if (Array.isArray(value)) return value.map(values);
    if (typeof value !== "object" || value === null) return value;
    if (value[signature] === secretSignature) return values(value.value);
    const entries = Object.entries(value).filter(([key, item]) => key !== "__provider" && item !== unknownSignature);
    return Object.fromEntries(entries.map(([key, item]) => [key, values(item)]));
}
