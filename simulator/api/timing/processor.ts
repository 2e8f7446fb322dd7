/** The processor of the server that this cloud imitates: work that wants it at the same time takes longer. */

/** How many cores it has. */
const CORES = 2;

/** How long one piece of work keeps a core before the next one has its turn, in seconds. */
const SLICE = 0.02;

interface Piece {
    left: number;
    readonly done: () => void;
}

export class Processor {
    /** Waits for so many seconds, and tells how many it were. */
    private readonly pause: (seconds: number) => Promise<number>;
    private readonly waiting: Piece[] = [];
    private busy = 0;

    constructor(pause: (seconds: number) => Promise<number>) {
        this.pause = pause;
    }

    /** Resolves when the work has had `seconds` of a core. */
    run(seconds: number): Promise<void> {
        if (seconds <= 0) return Promise.resolve();
        return new Promise((done) => {
            this.waiting.push({ left: seconds, done });
            if (this.busy < CORES) void this.core();
        });
    }

    private async core(): Promise<void> {
        this.busy += 1;
        for (let piece = this.waiting.shift(); piece !== undefined; piece = this.waiting.shift()) {
            // Alone, it need not be cut into slices.
            const turn = this.waiting.length === 0 ? Math.min(piece.left, 5 * SLICE) : Math.min(piece.left, SLICE);
            piece.left -= await this.pause(turn);
            if (piece.left > 0) this.waiting.push(piece);
            else piece.done();
        }
        this.busy -= 1;
    }
}
