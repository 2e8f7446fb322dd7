import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import type { Fault, RunningCloud } from "../../../simulator";
import { Client } from "../simulator/client";

/**
 * The handlers as the plugin calls them, against the embedded cloud. `World` plays the engine's part for one resource
 * at a time: check, diff, then create or update, with the old outputs as state.
 */

export type Kind =
    "virtualMachine" | "securityGroup" | "securityGroupRules" | "sshKeyPair" | "affinityGroup" | "volume";

export type AccountName = "user" | "expunger" | "admin";

type Properties = Record<string, any>;

/** A resource as the engine's state has it. */
export interface Resource {
    kind: Kind;
    id: string;
    inputs: Properties;
    outputs: Properties;
}

/** What the engine would refuse a resource with. */
export class CheckError extends Error {
    readonly failures: { property: string; reason: string }[];

    constructor(failures: { property: string; reason: string }[]) {
        super(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"));
        this.failures = failures;
    }
}

/** One process of the plugin: modules of its own, so that nothing is remembered from the one before. */
export class Plugin {
    private readonly handlers: Record<Kind, Required<dynamic.ResourceProvider>>;

    constructor(config: Record<string, string | undefined>) {
        let handlers: any;
        jest.isolateModules(() => (handlers = require("../../../provider/v1")));
        this.handlers = handlers;
        // As the plugin does it: it does not wait for what `configure` promises.
        const get = (key: string) => config[key];
        for (const handler of Object.values(this.handlers)) void handler.configure({ config: { get } as any });
    }

    /** What a preview does: the checked inputs, and what `diff` says where there is something to compare with. */
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
        // Where a handler leaves it open, the engine compares the arguments.
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

    /** An update, or where `diff` asks for it a replacement; the old one where nothing changes. */
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

    /** `undefined` where it is gone. */
    async read(old: Resource): Promise<Resource | undefined> {
        const { id, props, inputs = old.inputs } = await this.handlers[old.kind].read(old.id, clean(old.outputs));
        if (!id) return undefined;
        expectPlain(props);
        expectPlain(inputs);
        const { __provider } = old.inputs;
        return { ...old, id, inputs: { ...inputs, __provider }, outputs: { ...props, __provider } };
    }

    /** What a refresh asks: is what was read what was asked for? */
    async drifted(old: Resource): Promise<boolean> {
        const found = await this.read(old);
        if (found === undefined) return true;
        return (await this.handlers[old.kind].diff(old.id, clean(found.outputs), clean(old.inputs))).changes === true;
    }

    delete(old: Resource): Promise<void> {
        return this.handlers[old.kind].delete(old.id, clean(old.outputs));
    }
}

/** A cloud and the accounts that work on it. */
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

    /** Everything that an account has, by name: what a destroy leaves behind. */
    async belongings(account: AccountName = "user"): Promise<string[]> {
        const lists = [
            "listVirtualMachines",
            "listSecurityGroups",
            "listSSHKeyPairs",
            "listAffinityGroups",
            "listVolumes",
        ];
        const found = await Promise.all(lists.map((command) => this.api[account].list(command)));
        // A destroyed machine keeps its root disk until it is expunged.
        const counts = ({ name, state, type }: any) =>
            name !== "default" && !["Destroyed", "Expunging"].includes(state) && type !== "ROOT";
        return found
            .flat()
            .filter(counts)
            .map(({ name }) => name);
    }
}

/** A copy as it comes out of the engine. */
function clean<T>(value: T): T {
    return JSON.parse(JSON.stringify(value));
}

/** The plugin can encode nothing but JSON: no `undefined`, at any depth. */
function expectPlain(value: unknown): void {
    expect(value).toStrictEqual(clean(value));
}

let numbers = 0;

/** A name that no other test uses, and the mark that goes with it. */
export function named(prefix: string): { name: string; owner: string } {
    const name = `${prefix}-${++numbers}`;
    return { name, owner: `org/project/stack/${name}` };
}

/** The name that a volume or key pair gets: with the hash of its owner. */
export function marked({ name, owner }: { name: string; owner: string }): string {
    return `${name}-${createHash("sha256").update(owner).digest("hex").slice(0, 8)}`;
}

// What handlers say is for the engine's display.
beforeEach(() => void jest.spyOn(console, "log").mockImplementation(() => undefined));

/** What a promise is rejected with. */
export async function failure(work: Promise<unknown>): Promise<any> {
    return work.then(
        () => {
            throw new Error("it did not fail");
        },
        (error) => error,
    );
}

/** Runs something and gives back what was said meanwhile, a line each. */
export async function listening<T>(work: () => Promise<T>): Promise<{ result: T; said: string[] }> {
    const said: string[] = [];
    const spy = jest.spyOn(console, "log").mockImplementation((line) => void said.push(line));
    try {
        return { result: await work(), said };
    } finally {
        spy.mockImplementation(() => undefined);
    }
}
