import type { Kind, Plugin, Resource } from "../provider/support";

/** One resource of a program; its arguments may be made of what those before it have become. */
export interface Declared {
    readonly name: string;
    readonly kind: Kind;
    readonly args: (of: (name: string) => Record<string, any>) => Record<string, any>;
}

interface Entry extends Resource {
    /** A creation or update that failed after it had an id: it is updated next time, whatever `diff` says. */
    unfinished?: boolean;
}

/**
 * What Pulumi's engine does with a program and its state, one resource after the other, as far as handlers notice: so
 * that every request of a run can be disturbed hundreds of times a minute. `tests/e2e/kill.test.ts` asks the real one.
 *
 * The state changes when a handler has answered, as the engine's does; it can be copied at any time.
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
     * Keeps what comes out, also of a failure that carries an id.
     *
     * @param aside what the new one replaces, to be deleted at the end
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
