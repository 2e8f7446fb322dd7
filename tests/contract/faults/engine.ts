import type { Kind, Plugin, Resource } from "../provider/support";

/** One resource of a program; its arguments may depend on the resources before it. */
export interface Declared {
    readonly name: string;
    readonly kind: Kind;
    readonly args: (of: (name: string) => Record<string, any>) => Record<string, any>;
}

interface Entry extends Resource {
    /** A failed creation or update that has an id: the next run updates it, whatever `diff` says. */
    unfinished?: boolean;
}

/**
 * Pulumi's engine as handlers see it: a program and its state, one resource after the other. It is fast enough to
 * disturb every request of a run hundreds of times a minute. `tests/e2e/kill.test.ts` uses the real engine.
 *
 * As in the engine, the state changes when a handler has answered. It can be copied at any time.
 */
export class Engine {
    readonly state: Map<string, Entry>;
    private readonly replaced: Entry[];

    constructor(from?: Engine) {
        this.state = new Map(structuredClone([...(from?.state ?? [])]));
        this.replaced = structuredClone(from?.replaced ?? []);
    }

    /** `pulumi up` */
    async up(plugin: Plugin, program: readonly Declared[]): Promise<void> {
        for (const declared of program) await this.step(plugin, declared);
        await this.removeReplaced(plugin);
    }

    /** `pulumi destroy` */
    async destroy(plugin: Plugin, program: readonly Declared[]): Promise<void> {
        await this.removeReplaced(plugin);
        for (const { name } of [...program].reverse()) if (this.state.has(name)) await this.remove(plugin, name);
    }

    /** Names of the resources that a preview or a refresh would show as changed. */
    async changes(plugin: Plugin): Promise<string[]> {
        const drifted = await Promise.all([...this.state.values()].map((entry) => plugin.drifted(entry)));
        return [...this.state.keys()].filter((_, index) => drifted[index]);
    }

    private async step(plugin: Plugin, { name, kind, args }: Declared): Promise<void> {
        const old = this.state.get(name);
        const of = (other: string) => ({ ...this.state.get(other)!.outputs, id: this.state.get(other)!.id });
        const { inputs, diff } = await plugin.plan(kind, { ...args(of), owner: `org/faults/dev/${name}` }, old);
        if (old === undefined) return this.keep(name, kind, inputs, () => plugin.createChecked(kind, inputs));
        if (diff!.replaces?.length) {
            if (diff!.deleteBeforeReplace) await this.remove(plugin, name);
            const fresh = diff!.deleteBeforeReplace ? (await plugin.plan(kind, inputs)).inputs : inputs;
            const aside = diff!.deleteBeforeReplace ? undefined : old;
            await this.keep(name, kind, fresh, () => plugin.createChecked(kind, fresh), aside);
        } else if (diff!.changes || old.unfinished) {
            await this.keep(name, kind, inputs, () => plugin.update(old, inputs));
        } else {
            this.state.set(name, { ...old, inputs });
        }
    }

    private async removeReplaced(plugin: Plugin): Promise<void> {
        while (this.replaced.length > 0) {
            await plugin.delete(this.replaced.at(-1)!);
            this.replaced.pop();
        }
    }

    private async remove(plugin: Plugin, name: string): Promise<void> {
        await plugin.delete(this.state.get(name)!);
        this.state.delete(name);
    }

    /**
     * Stores the result, also that of a failure with an id.
     *
     * @param aside the resource that the new one replaces, to be deleted at the end
     */
    private async keep(
        name: string,
        kind: Kind,
        inputs: Record<string, any>,
        work: () => Promise<Resource>,
        aside?: Entry,
    ): Promise<void> {
        const put = (entry: Entry) => {
            this.state.set(name, entry);
            if (aside !== undefined) this.replaced.push(aside);
        };
        try {
            put(await work());
        } catch (error) {
            const { id, properties } = error as { id?: string; properties?: Record<string, any> };
            if (id !== undefined) put({ kind, id, inputs, outputs: properties!, unfinished: true });
            throw error;
        }
    }
}
