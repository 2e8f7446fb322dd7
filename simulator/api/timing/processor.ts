/** The processor of the simulated server: concurrent work takes longer. */

/** Number of cores. */
const CORES = 2;

/** Time slice of the round-robin scheduler, in seconds. */
const SLICE = 0.02;

interface Task {
    remaining: number;
    readonly done: () => void;
}

export class Processor {
    /** Sleeps, and returns how many seconds it slept. */
    private readonly pause: (seconds: number) => Promise<number>;
    private readonly waiting: Task[] = [];
    private busy = 0;

    constructor(pause: (seconds: number) => Promise<number>) {
        this.pause = pause;
    }

    /** Resolves when the task has used `seconds` of core time. */
    run(seconds: number): Promise<void> {
        if (seconds <= 0) return Promise.resolve();
        return new Promise((done) => {
            this.waiting.push({ remaining: seconds, done });
            if (this.busy < CORES) void this.runCore();
        });
    }

    private async runCore(): Promise<void> {
        this.busy += 1;
        for (let piece = this.waiting.shift(); piece !== undefined; piece = this.waiting.shift()) {
            // Without competitors the slices can be longer.
            const slice =
                this.waiting.length === 0 ? Math.min(piece.remaining, 5 * SLICE) : Math.min(piece.remaining, SLICE);
            piece.remaining -= await this.pause(slice);
            if (piece.remaining > 0) this.waiting.push(piece);
            else piece.done();
        }
        this.busy -= 1;
    }
}
