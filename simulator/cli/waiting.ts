/** A line that says what is being waited for: rewritten on a terminal, else said anew now and then. */

/** How long nothing is said, in milliseconds: who waits so briefly need not know. */
const SILENCE = 1_000;
/** Between two lines where there is no terminal, in milliseconds. */
const INTERVAL = 10_000;

export class Waiting {
    private readonly started = Date.now();
    private readonly isTerminal = process.stderr.isTTY === true;
    private said = 0;

    show(text: string): void {
        const now = Date.now();
        if (now - this.started < SILENCE) return;
        if (!this.isTerminal && now - this.said < INTERVAL) return;
        this.said = now;
        const line = `${text} (${Math.round((now - this.started) / 1000)} s)`;
        process.stderr.write(this.isTerminal ? `\r\x1b[K${line}` : `${line}\n`);
    }

    end(): void {
        if (this.isTerminal && this.said > 0) process.stderr.write("\r\x1b[K");
    }
}

/** Waits until it is so, and says meanwhile for what. False when `patience` says that it takes too long. */
export async function waitFor(
    isSo: () => boolean,
    text: () => string,
    patience: () => boolean = () => true,
): Promise<boolean> {
    const waiting = new Waiting();
    try {
        while (!isSo()) {
            if (!patience()) return false;
            waiting.show(text());
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return true;
    } finally {
        waiting.end();
    }
}
