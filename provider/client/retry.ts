import type { HttpAnswer } from "./transport";

/** The wait before the next attempt, in milliseconds: 0.25 s, doubling up to 8 s; half of it is random. */
export function backoff(attempt: number, random: number): number {
    const full = Math.min(8_000, 250 * 2 ** attempt);
    return full / 2 + (random * full) / 2;
}

/**
 * The wait that a response requests, in milliseconds. CloudStack's rate limit says "… please retry after [x] ms.",
 * proxies and load balancers send `Retry-After` (seconds or a date).
 */
export function requestedWait(answer: HttpAnswer, now: number): number | undefined {
    const inText = /retry after \[?(\d+)\]?\s*ms/i.exec(answer.body)?.[1];
    if (inText !== undefined) {
        return Number(inText);
    }
    const header = answer.headers["retry-after"]?.trim();
    if (!header) {
        return undefined;
    }
    const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
    return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** Limits how many pieces of work run concurrently. Urgent ones are started before the others that wait. */
export class ConcurrencyLimit {
    private free: number;
    private readonly waiting: (() => void)[] = [];

    constructor(limit: number) {
        this.free = limit;
    }

    async run<T>(work: () => Promise<T>, urgent = false): Promise<T> {
        if (this.free > 0) {
            this.free--;
        } else {
            await new Promise<void>((enter) => (urgent ? this.waiting.unshift(enter) : this.waiting.push(enter)));
        }
        try {
            return await work();
        } finally {
            const next = this.waiting.shift();
            if (next) {
                next();
            } else {
                this.free++;
            }
        }
    }
}
