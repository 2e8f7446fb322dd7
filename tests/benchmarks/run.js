"use strict";

/** `npm run bench`: what the package costs, printed and written to docs/performance.md. */

const help = `Usage: npm run bench

Measures the package with the real engine against the embedded cloud, prints one table and writes it to docs/performance.md.
Takes about ten minutes, and gives truer figures on a machine that does nothing else.`;

require("../support/typescript");

if (process.argv.includes("--help")) console.log(help);
else require("./bench").bench();
