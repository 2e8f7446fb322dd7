/**
 * A line on stderr that reports what is being waited for: rewritten on a terminal, otherwise repeated from time to
 * time.
 */

/** How long nothing is printed, in milliseconds: short waits need no message. */
const QUIET_TIME = 1_000;
/** Time between two lines where there is no terminal, in milliseconds. */
const INTERVAL = 10_000;

export class WaitingLine {
    private readonly started = Date.now();
    private readonly isTerminal = process.stderr.isTTY === true;
    private shownAt = 0;

    show(text: string): void {
        const now = Date.now();
        if (now - this.started < QUIET_TIME) return;
        if (!this.isTerminal && now - this.shownAt < INTERVAL) return;
        this.shownAt = now;
        const line = `${text} (${Math.round((now - this.started) / 1000)} s)`;
        // A line that is longer than the terminal is wide could not be rewritten.
        const shown = this.isTerminal ? `\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}` : `${line}\n`;
        process.stderr.write(shown);
    }

    /** Makes room for another line, or for the end; a later `show` continues. */
    clear(): void {
        if (this.isTerminal && this.shownAt > 0) process.stderr.write("\r\x1b[K");
    }
}

/** Waits until `isDone`, and reports meanwhile what for. Resolves to false once `keepWaiting` returns false. */
export async function waitFor(
    isDone: () => boolean,
    text: () => string,
    keepWaiting: () => boolean = () => true,
): Promise<boolean> {
    const waiting = new WaitingLine();
    try {
        while (!isDone()) {
            if (!keepWaiting()) return false;
            waiting.show(text());
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return true;
    } finally {
        waiting.clear();
    }
}
