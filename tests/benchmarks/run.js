"use strict";

/** `npm run bench`: what the package costs, printed and written to docs/performance.md. */

const help = `Usage: npm run bench [-- --real]

Measures the package with the real engine against the embedded cloud, prints tables and writes them to docs/performance.md.
Takes about fifteen minutes, and gives truer figures on a machine that does nothing else.

  --real    only what is measured at a real server's pace: about four minutes`;

require("../support/typescript");

if (process.argv.includes("--help")) console.log(help);
else if (process.argv.includes("--real")) require("./bench").benchAtRealPace();
else require("./bench").bench();
