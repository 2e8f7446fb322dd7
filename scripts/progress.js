"use strict";

/** Without a terminal, a line of progress is printed only this often. */
const lineMilliseconds = 15_000;

/** Says on one line how far a long step is: rewritten in place on a terminal, now and then a new line elsewhere. */
class Progress {
    #last = 0;
    #width = 0;
    #started = Date.now();

    /**
     * @param {string} what the step, as its first line says it
     * @param {NodeJS.WriteStream} [out] default: standard output
     */
    constructor(what, out = process.stdout) {
        this.what = what;
        this.out = out;
        this.out.write(`${what} …\n`);
    }

    /**
     * Shows how far the step is.
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
     * Ends the step with a line that says what came of it and how long it took.
     *
     * @param {string} result
     */
    done(result) {
        this.#clear();
        this.out.write(`  ${result} (${seconds(Date.now() - this.#started)})\n`);
    }

    /**
     * Ends a step that did not work out.
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
