"use strict";

/** `npm run bench`: measures the performance of the package and writes docs/performance.md. */

const help = `Usage: npm run bench [-- --real]

Measures the package with the real engine and the embedded cloud, prints tables and writes them to docs/performance.md.
Takes about fifteen minutes. Results are more accurate on a computer without other load.

  --real    measure only with the timing of a real server: about four minutes`;

require("../support/typescript");

if (process.argv.includes("--help")) console.log(help);
else if (process.argv.includes("--real")) require("./bench").benchAtRealPace();
else require("./bench").bench();
