import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import type { Fault, RunningCloud } from "../../../simulator";
import { Client } from "../simulator/client";

/**
 * The handlers as the plugin calls them, with the embedded cloud. `World` acts as the engine for one resource at a
 * time: check, diff, then create or update, with the old outputs as state.
 */

export type Kind =
    | "virtualMachine"
    | "securityGroup"
    | "securityGroupRules"
    | "sshKeyPair"
    | "affinityGroup"
    | "volume"
    | "network"
    | "publicIpAddress"
    | "firewallRules"
    | "egressFirewallRules"
    | "portForwardingRule";

export type AccountName = "user" | "expunger" | "admin";

type Properties = Record<string, any>;

/** A resource as stored in the engine's state. */
export interface Resource {
    kind: Kind;
    id: string;
    inputs: Properties;
    outputs: Properties;
}

/** The problems for which the engine would refuse a resource. */
export class CheckError extends Error {
    readonly failures: { property: string; reason: string }[];

    constructor(failures: { property: string; reason: string }[]) {
        super(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"));
        this.failures = failures;
    }
}

/** One process of the plugin: it loads modules of its own, so that it shares no memory with an earlier process. */
export class Plugin {
    private readonly handlers: Record<Kind, Required<dynamic.ResourceProvider>>;

    constructor(config: Record<string, string | undefined>) {
        let handlers: any;
        jest.isolateModules(() => (handlers = require("../../../provider/v1")));
        this.handlers = handlers;
        // As in the plugin, which does not await the promise of `configure`.
        const get = (key: string) => config[key];
        for (const handler of Object.values(this.handlers)) void handler.configure({ config: { get } as any });
    }

    /** A preview: the checked inputs, and the result of `diff` if there is an old resource. */
    async plan(
        kind: Kind,
        news: Properties,
        old?: Resource,
    ): Promise<{ inputs: Properties; diff?: dynamic.DiffResult }> {
        const given = clean({ ...news, __provider: `the text of ${kind}` });
        const { inputs, failures } = await this.handlers[kind].check(old?.inputs ?? {}, given);
        expectPlain(inputs);
        if (failures?.length) throw new CheckError(failures);
        if (old === undefined) return { inputs };
        const diff = await this.handlers[kind].diff(old.id, clean(old.outputs), clean(inputs));
        // If a handler does not decide, the engine compares the arguments.
        return {
            inputs,
            diff: { ...diff, changes: diff.changes ?? !isDeepStrictEqual(clean(old.inputs), clean(inputs)) },
        };
    }

    async create(kind: Kind, news: Properties): Promise<Resource> {
        const { inputs } = await this.plan(kind, news);
        return this.createChecked(kind, inputs);
    }

    async createChecked(kind: Kind, inputs: Properties): Promise<Resource> {
        const { id, outs } = await this.handlers[kind].create(clean(inputs));
        expectPlain(outs);
        return { kind, id, inputs, outputs: { ...outs, __provider: inputs.__provider } };
    }

    /** An update, or a replacement if `diff` requests one; the old resource if nothing changes. */
    async up(old: Resource, news: Properties): Promise<Resource> {
        const { inputs, diff } = await this.plan(old.kind, news, old);
        if (diff!.changes !== true) return { ...old, inputs };
        if (diff!.replaces?.length) {
            const fresh = await this.plan(old.kind, news);
            if (diff!.deleteBeforeReplace) await this.delete(old);
            const replacement = await this.createChecked(old.kind, fresh.inputs);
            if (!diff!.deleteBeforeReplace) await this.delete(old);
            return replacement;
        }
        return this.update(old, inputs);
    }

    async update(old: Resource, inputs: Properties): Promise<Resource> {
        const { outs } = await this.handlers[old.kind].update(old.id, clean(old.outputs), clean(inputs));
        expectPlain(outs);
        return { ...old, inputs, outputs: { ...outs, __provider: inputs.__provider } };
    }

    /** `undefined` if the resource is gone. */
    async read(old: Resource): Promise<Resource | undefined> {
        const { id, props, inputs = old.inputs } = await this.handlers[old.kind].read(old.id, clean(old.outputs));
        if (!id) return undefined;
        expectPlain(props);
        expectPlain(inputs);
        const { __provider } = old.inputs;
        return { ...old, id, inputs: { ...inputs, __provider }, outputs: { ...props, __provider } };
    }

    /** Whether a refresh finds a difference between the resource and its inputs. */
    async drifted(old: Resource): Promise<boolean> {
        const found = await this.read(old);
        if (found === undefined) return true;
        return (await this.handlers[old.kind].diff(old.id, clean(found.outputs), clean(old.inputs))).changes === true;
    }

    delete(old: Resource): Promise<void> {
        return this.handlers[old.kind].delete(old.id, clean(old.outputs));
    }
}

/** A cloud and clients for its accounts. */
export class World {
    readonly cloud: RunningCloud;
    readonly api: Record<AccountName, Client>;

    constructor(cloud: RunningCloud) {
        this.cloud = cloud;
        const accounts = Object.entries(cloud.accounts);
        this.api = Object.fromEntries(accounts.map(([name, keys]) => [name, new Client(cloud, keys)])) as any;
    }

    /** A new process of the plugin, configured by the stack. */
    plugin(account: AccountName = "user", more: Record<string, string | undefined> = {}): Plugin {
        const { apiKey, secretKey } = this.cloud.accounts[account];
        return new Plugin({
            "cloudstack:endpoint": this.cloud.endpoint,
            "cloudstack:apiKey": apiKey,
            "cloudstack:secretKey": secretKey,
            "cloudstack:zone": "sandbox",
            ...more,
        });
    }

    fault(kind: Fault["kind"], command: string, more: Partial<Fault> = {}): void {
        this.cloud.fault({ kind, command, ...more });
    }

    /** How often each command was called since `cloud.clearCalls()`, without polls. */
    calls(): Record<string, number> {
        const counts: Record<string, number> = {};
        for (const { command } of this.cloud.calls()) {
            if (!/AsyncJob/.test(command)) counts[command] = (counts[command] ?? 0) + 1;
        }
        return counts;
    }

    async machine(id: string): Promise<any> {
        return (await this.api.admin.list("listVirtualMachines", { id, listall: true, userdata: true }))[0];
    }

    /** The names of everything that an account has; used to find what a destroy leaves behind. */
    async belongings(account: AccountName = "user"): Promise<string[]> {
        const lists = [
            "listVirtualMachines",
            "listSecurityGroups",
            "listSSHKeyPairs",
            "listAffinityGroups",
            "listVolumes",
            "listNetworks",
            "listPublicIpAddresses",
        ];
        const found = await Promise.all(lists.map((command) => this.api[account].list(command)));
        // A destroyed machine keeps its root disk until it is expunged.
        const counts = ({ name, state, type }: any) =>
            !["default", "shared"].includes(name) && !["Destroyed", "Expunging"].includes(state) && type !== "ROOT";
        return found
            .flat()
            .filter(counts)
            .map(({ name, ipaddress }) => name ?? ipaddress);
    }
}

/** A copy as received from the engine. */
function clean<T>(value: T): T {
    return JSON.parse(JSON.stringify(value));
}

/** Fails unless the value is JSON without `undefined` at any depth, which is all that the plugin can encode. */
function expectPlain(value: unknown): void {
    expect(value).toStrictEqual(clean(value));
}

let numbers = 0;

/** A name that no other test uses, and its mark. */
export function named(prefix: string): { name: string; owner: string } {
    const name = `${prefix}-${++numbers}`;
    return { name, owner: `org/project/stack/${name}` };
}

/** The name that a volume or key pair gets: it contains the hash of its owner. */
export function marked({ name, owner }: { name: string; owner: string }): string {
    return `${name}-${createHash("sha256").update(owner).digest("hex").slice(0, 8)}`;
}

// Messages of handlers are for the engine's display.
beforeEach(() => void jest.spyOn(console, "log").mockImplementation(() => undefined));

/** The error with which a promise is rejected. */
export async function failure(work: Promise<unknown>): Promise<any> {
    return work.then(
        () => {
            throw new Error("it did not fail");
        },
        (error) => error,
    );
}

/** Runs `work` and returns the lines that were logged meanwhile. */
export async function captureLog<T>(work: () => Promise<T>): Promise<{ result: T; logged: string[] }> {
    const logged: string[] = [];
    const spy = jest.spyOn(console, "log").mockImplementation((line) => void logged.push(line));
    try {
        return { result: await work(), logged };
    } finally {
        spy.mockImplementation(() => undefined);
    }
}
