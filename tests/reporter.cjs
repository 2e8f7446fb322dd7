"use strict";

/** Ends a run with the names of skipped tests and one plain line that counts: `N passed, N failed, N skipped`. */
class CountingReporter {
    /**
     * @param {Set<unknown>} _contexts
     * @param {import("@jest/reporters").AggregatedResult} results
     */
    onRunComplete(_contexts, results) {
        const skipped = results.testResults.flatMap((file) =>
            file.testResults
                .filter(({ status }) => ["pending", "skipped", "todo", "disabled"].includes(status))
                .map(({ fullName }) => fullName),
        );
        // A file that does not even load has no tests, and is a failure all the same.
        const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
        this.ranNone = results.numPassedTests + failed === 0;
        skipped.forEach((name) => console.log(`skipped: ${name}`));
        if (this.ranNone) {
            console.log("no test ran: that is a failure"); // jest fails without a word
        }
        // Jest prints its own summary after all reporters: ours is the run's last line.
        process.once("exit", () =>
            console.log(`${results.numPassedTests} passed, ${failed} failed, ${skipped.length} skipped`),
        );
    }

    /** An error here makes jest fail: a run without a test has proved nothing. */
    getLastError() {
        return this.ranNone ? new Error("no test ran") : undefined;
    }
}

module.exports = CountingReporter;
