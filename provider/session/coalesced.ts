/**
 * Reads of one kind of thing that go out together. What is asked for in the same moment is answered by one list; a single question asks
 * for its own id. A list stays good for the questions of the next moments, until this process changes something of that kind: a refresh
 * of three hundred machines then costs a handful of calls.
 *
 * What a list lacks is asked for by its id once more before it counts as gone: nothing is forgotten because of a list that was cut short.
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
     * @param readOne one by its id; `undefined` where it is gone
     * @param windowMs how long a question waits for others where no list is fresh, in milliseconds
     * @param freshMs how long a list answers questions, in milliseconds
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

    /** The thing with this id as the cloud has it now, or `undefined` where it is gone. */
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
     * Whether a list that is made now lacks the thing. Of those that are asked for in the same moment one list tells, and it is believed:
     * for things whose removal is known to have ended.
     */
    async isMissing(id: string): Promise<boolean> {
        this.changed();
        // All others of this moment have had their say by then, and share the list that the first one makes.
        await Promise.resolve();
        return !(await this.fresh()).has(id);
    }

    /**
     * Everything of this kind as it was when this process first asked: for questions about what others, or an interrupted run, made
     * before. Changes of this process do not make them ask again.
     */
    async before(): Promise<T[]> {
        this.first ??= this.fresh();
        this.first.catch(() => (this.first = undefined));
        return [...(await this.first).values()];
    }

    /** To be called after every change of something of this kind, before its result is read back. */
    changed(): void {
        this.snapshot = undefined;
    }

    /** Answers the questions that come until the window closes. */
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
