"use strict";

/** Types are checked by `npm run lint`; the tests only transpile, which keeps a run fast. */
const project = (name, folder = name) => ({
    displayName: name,
    testEnvironment: "node",
    testMatch: [`<rootDir>/tests/${folder}/**/*.test.ts`],
    transform: { "^.+\\.ts$": ["ts-jest", { diagnostics: false }] },
});

module.exports = { projects: ["unit", "contract", "e2e"].map((name) => project(name)) };
