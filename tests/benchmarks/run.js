"use strict";

/** `npm run bench`: measures the performance of the package and writes docs/performance.md. */

const help = `Usage: npm run bench [-- --real | --kubernetes]

Measures the package with the real engine and the embedded cloud, prints tables and writes them to docs/performance.md.
Takes about fifteen minutes. Results are more accurate on a computer without other load.

  --real          measure only with the timing of a real server: about four minutes
  --kubernetes    measure only a Kubernetes cluster on machines of the embedded cloud: about four minutes;
                  needs Linux and root`;

require("../support/typescript");

if (process.argv.includes("--help")) console.log(help);
else if (process.argv.includes("--real")) require("./bench").benchAtRealPace();
else if (process.argv.includes("--kubernetes")) require("./bench").benchKubernetes();
else require("./bench").bench();
