/**
 * Combines reads of one kind of entity. Concurrent reads share one list; a single read requests only its id. A list is
 * reused for a few seconds, until this process changes an entity of that kind. A refresh of three hundred machines
 * therefore needs only a few calls.
 *
 * An entity that is missing in a list is also read by its id before it counts as deleted, in case the list is
 * incomplete.
 */
export class CoalescedReads<T extends { id: string }> {
    private waiting = new Set<string>();
    private batch: Promise<(id: string) => Promise<T | undefined>> | undefined;
    private snapshot: { taken: number; all: Promise<Map<string, T>> } | undefined;
    private first: Promise<Map<string, T>> | undefined;
    private readonly listAll: () => Promise<T[]>;
    private readonly readOne: (id: string) => Promise<T | undefined>;
    private readonly windowMs: number;
    private readonly freshMs: number;

    /**
     * @param listAll everything of this kind that the account owns
     * @param readOne reads one by its id; `undefined` if it does not exist
     * @param windowMs how long a read waits for others if there is no current list, in milliseconds
     * @param freshMs how long a list is reused, in milliseconds
     */
    constructor(
        listAll: () => Promise<T[]>,
        readOne: (id: string) => Promise<T | undefined>,
        windowMs = 10,
        freshMs = 3000,
    ) {
        this.listAll = listAll;
        this.readOne = readOne;
        this.windowMs = windowMs;
        this.freshMs = freshMs;
    }

    /** The current entity with this id; `undefined` if it does not exist. */
    async get(id: string): Promise<T | undefined> {
        if (this.isFresh()) return this.found(id, this.fresh());
        this.waiting.add(id);
        return (await this.nextBatch())(id);
    }

    /** Everything of this kind that the account owns. */
    async all(): Promise<T[]> {
        return [...(await this.fresh()).values()];
    }

    /**
     * Whether the entity is missing in a new list, which concurrent calls share. It is not also read by its id: this is
     * for entities whose deletion is known to have ended.
     */
    async isMissing(id: string): Promise<boolean> {
        this.changed();
        // Concurrent calls have discarded the old list by then, and share the new one.
        await Promise.resolve();
        return !(await this.fresh()).has(id);
    }

    /**
     * Everything of this kind that existed when this process first listed it, for example from an interrupted run. It
     * is not listed again after changes of this process.
     */
    async before(): Promise<T[]> {
        this.first ??= this.fresh();
        this.first.catch(() => (this.first = undefined));
        return [...(await this.first).values()];
    }

    /** To be called after every change of an entity of this kind, before it is read again. */
    changed(): void {
        this.snapshot = undefined;
    }

    /** Collects the reads of the current window. */
    private nextBatch(): Promise<(id: string) => Promise<T | undefined>> {
        this.batch ??= new Promise((resolve) => setTimeout(resolve, this.windowMs)).then(async () => {
            const asked = this.waiting;
            this.waiting = new Set();
            this.batch = undefined;
            if (asked.size > 1 || this.isFresh()) {
                const all = this.fresh();
                return (id) => this.found(id, all);
            }
            const [one] = [...asked].map((id) => this.readOne(id));
            return () => one;
        });
        return this.batch;
    }

    private async found(id: string, all: Promise<Map<string, T>>): Promise<T | undefined> {
        return (await all).get(id) ?? this.readOne(id);
    }

    private isFresh(): boolean {
        return this.snapshot !== undefined && Date.now() - this.snapshot.taken < this.freshMs;
    }

    private fresh(): Promise<Map<string, T>> {
        if (this.isFresh()) return this.snapshot!.all;
        const all = this.listAll().then((items) => new Map(items.map((item) => [item.id, item])));
        const snapshot = { taken: Date.now(), all };
        this.snapshot = snapshot;
        all.catch(() => {
            if (this.snapshot === snapshot) this.snapshot = undefined;
        });
        return all;
    }
}
