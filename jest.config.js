"use strict";

/** Types are checked by `npm run lint`; the tests only transpile, which keeps a run fast. */
const project = (name, more = {}) => ({
    displayName: name,
    testEnvironment: "node",
    testMatch: [`<rootDir>/tests/${name}/**/*.test.ts`],
    transform: { "^.+\\.ts$": ["ts-jest", { diagnostics: false }] },
    // Folders with copies of this package would confuse jest's map of modules.
    modulePathIgnorePatterns: ["<rootDir>/dist/", "<rootDir>/.tools/"],
    ...more,
});

module.exports = {
    projects: [
        project("unit"),
        project("contract", { setupFilesAfterEnv: ["<rootDir>/tests/e2e/support/timeout.ts"] }),
        project("e2e", { setupFilesAfterEnv: ["<rootDir>/tests/e2e/support/timeout.ts"] }),
    ],
    reporters: ["default", "<rootDir>/tests/reporter.cjs"],
    // An end-to-end test runs an engine, a program and a plugin beside itself.
    maxWorkers: 2,
};
