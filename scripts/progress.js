"use strict";

/** The interval of progress lines where there is no terminal. */
const lineMilliseconds = 15_000;

/**
 * Reports the progress of a long step: on one line that is rewritten on a terminal, otherwise on a new line at
 * intervals.
 */
class Progress {
    #last = 0;
    #width = 0;
    #started = Date.now();

    /**
     * @param {string} what the step, for its first line
     * @param {NodeJS.WriteStream} [out] default: standard output
     */
    constructor(what, out = process.stdout) {
        this.what = what;
        this.out = out;
        this.out.write(`${what} …\n`);
    }

    /**
     * Reports the progress of the step.
     *
     * @param {string} state for example `312 of 1686 packages`
     */
    show(state) {
        const now = Date.now();
        const terminal = this.out.isTTY;
        if (now - this.#last < (terminal ? 100 : lineMilliseconds)) {
            return;
        }
        this.#last = now;
        const line = `  ${state}, ${seconds(now - this.#started)}`;
        if (terminal) {
            const text = line.slice(0, (this.out.columns || 80) - 1);
            this.out.write(`\r${text.padEnd(this.#width)}`);
            this.#width = text.length;
        } else {
            this.out.write(`${line}\n`);
        }
    }

    /**
     * Ends the step with a line that has its result and duration.
     *
     * @param {string} result
     */
    done(result) {
        this.#clear();
        this.out.write(`  ${result} (${seconds(Date.now() - this.#started)})\n`);
    }

    /**
     * Ends a failed step.
     *
     * @param {string} reason
     */
    failed(reason) {
        this.#clear();
        this.out.write(`  ${reason.trim().replaceAll("\n", "\n  ")}\n`);
    }

    #clear() {
        if (this.#width) {
            this.out.write(`\r${" ".repeat(this.#width)}\r`);
            this.#width = 0;
        }
    }
}

/** @param {number} milliseconds */
function seconds(milliseconds) {
    const s = Math.round(milliseconds / 1000);
    return s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
}

module.exports = { Progress, seconds };
