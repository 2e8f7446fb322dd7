import { type ChildProcess, spawn } from "node:child_process";
import * as path from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import * as calls from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";

export type Properties = Record<string, any>;

/** How the engine marks a secret value on the wire (sdk/go/common/resource, `SigKey` and `SecretSig`). */
export const secret = (value: unknown) => ({
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    value,
});

/** A failed call as the engine sees it. */
export class PluginError extends Error {
    readonly code: grpc.status;
    /** Set if the resource exists despite the failure: the engine keeps its id and properties in the state. */
    readonly partial?: { id: string; properties: Properties; reasons: string[] };

    constructor(error: grpc.ServiceError) {
        super(error.details);
        this.code = error.code;
        const [bytes] = error.metadata.get("grpc-status-details-bin") as Buffer[];
        if (bytes === undefined) return;
        const detail = Status.deserializeBinary(bytes)
            .getDetailsList()[0]
            .unpack(messages.ErrorResourceInitFailed.deserializeBinary, "pulumirpc.ErrorResourceInitFailed");
        if (detail === null) throw new Error("the status has details of another type");
        this.partial = {
            id: detail.getId(),
            properties: detail.getProperties()!.toJavaScript(),
            reasons: detail.getReasonsList(),
        };
    }
}

/**
 * The SDK's plugin for dynamic resources, in a separate process as the engine starts it: from the folder of the
 * program, with the engine's address as its argument; it prints the port on which it listens. Properties are sent as
 * protobuf structs.
 */
export class PluginProcess {
    /** Everything that it printed to standard error. */
    stderr = "";
    private readonly child: ChildProcess;
    private readonly client: calls.ResourceProviderClient;

    private constructor(child: ChildProcess, port: number) {
        this.child = child;
        child.stderr!.setEncoding("utf8").on("data", (text) => (this.stderr += text));
        this.client = new calls.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    }

    /**
     * @param config the stack's configuration, which the engine sends first
     * @param folder of the program: the working directory
     * @param engine the address of the engine; by default an address where nothing listens
     */
    static async start(
        config: Properties,
        folder = path.resolve(__dirname, "../../.."),
        engine = "127.0.0.1:1",
    ): Promise<PluginProcess> {
        const foreign = /^(PULUMI_|CLOUDSTACK_|HTTPS?_PROXY$|https?_proxy$|NODE_OPTIONS$)/;
        const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
        const child = spawn(process.execPath, [require.resolve("@pulumi/pulumi/cmd/dynamic-provider"), engine], {
            cwd: folder,
            env: { ...env, PULUMI_NODEJS_PROJECT: "project", PULUMI_PROJECT: "project" },
            stdio: ["ignore", "pipe", "pipe"],
        });
        const port = await new Promise<number>((resolve, reject) => {
            createInterface(child.stdout!).once("line", (line) => resolve(Number(line)));
            child.once("exit", (code) => reject(new Error(`the plugin ended with ${code} before it printed its port`)));
        });
        const plugin = new PluginProcess(child, port);
        await plugin.configure(config);
        return plugin;
    }

    private async configure(config: Properties): Promise<void> {
        const request = new messages.ConfigureRequest();
        request.setArgs(Struct.fromJavaScript(config));
        request.setAcceptsecrets(true);
        const response = await this.call<messages.ConfigureResponse>("configure", request);
        expect(response.getAcceptsecrets()).toBe(false); // so secrets reach handlers as plain values
        expect(response.getSupportspreview()).toBe(false); // so create and update are not called in a preview
    }

    async check(olds: Properties, news: Properties) {
        const request = new messages.CheckRequest();
        request.setOlds(Struct.fromJavaScript(olds));
        request.setNews(Struct.fromJavaScript(news));
        const response = await this.call<messages.CheckResponse>("check", request);
        return {
            inputs: response.getInputs()!.toJavaScript() as Properties,
            failures: response.getFailuresList().map((failure) => failure.toObject()),
        };
    }

    /** The result of a diff as the engine receives it, without fields that have no value. */
    async diff(id: string, olds: Properties, news: Properties) {
        const request = new messages.DiffRequest();
        request.setId(id);
        request.setOlds(Struct.fromJavaScript(olds));
        request.setNews(Struct.fromJavaScript(news));
        const response = await this.call<messages.DiffResponse>("diff", request);
        const { DIFF_SOME, DIFF_NONE } = messages.DiffResponse.DiffChanges;
        return {
            changes:
                response.getChanges() === DIFF_SOME ? true : response.getChanges() === DIFF_NONE ? false : undefined,
            replaces: response.getReplacesList(),
            deleteBeforeReplace: response.getDeletebeforereplace(),
            stables: response.getStablesList(),
            diffs: response.getDiffsList(),
            hasDetailedDiff: response.getHasdetaileddiff(),
        };
    }

    async create(properties: Properties) {
        const request = new messages.CreateRequest();
        request.setProperties(Struct.fromJavaScript(properties));
        const response = await this.call<messages.CreateResponse>("create", request);
        return { id: response.getId(), outputs: response.getProperties()!.toJavaScript() as Properties };
    }

    /** A refresh gives both, `.get()` the inputs alone, an import neither. */
    async read(id: string, { outputs, inputs }: { outputs?: Properties; inputs?: Properties }) {
        const request = new messages.ReadRequest();
        request.setId(id);
        if (outputs) request.setProperties(Struct.fromJavaScript(outputs));
        if (inputs) request.setInputs(Struct.fromJavaScript(inputs));
        const response = await this.call<messages.ReadResponse>("read", request);
        return {
            id: response.getId(),
            outputs: response.getProperties()?.toJavaScript() as Properties,
            inputs: response.getInputs()?.toJavaScript() as Properties | undefined,
        };
    }

    async update(id: string, olds: Properties, news: Properties): Promise<Properties> {
        const request = new messages.UpdateRequest();
        request.setId(id);
        request.setOlds(Struct.fromJavaScript(olds));
        request.setNews(Struct.fromJavaScript(news));
        return (await this.call<messages.UpdateResponse>("update", request)).getProperties()!.toJavaScript();
    }

    async delete(id: string, outputs: Properties): Promise<void> {
        const request = new messages.DeleteRequest();
        request.setId(id);
        request.setProperties(Struct.fromJavaScript(outputs));
        await this.call("delete", request);
    }

    /** Resolves when the process has ended, with its exit code; `null` where a signal ended it. */
    async waitForExit(): Promise<number | null> {
        if (this.child.exitCode === null && this.child.signalCode === null)
            await new Promise((resolve) => this.child.once("exit", resolve));
        return this.child.exitCode;
    }

    async stop(): Promise<void> {
        this.client.close();
        this.child.kill("SIGKILL");
        await this.waitForExit();
    }

    private call<T>(method: string, request: object): Promise<T> {
        return new Promise((resolve, reject) => {
            (this.client as any)[method](request, (error: grpc.ServiceError | null, response: T) =>
                error ? reject(new PluginError(error)) : resolve(response),
            );
        });
    }
}
