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

/** Long: they disturb or kill what is at work, call by call. `npm run test:faults` runs them, `npm test` does not. */
const faults = ["contract/faults", "e2e/kill", "e2e/drift"].map((file) => `<rootDir>/tests/${file}.test.ts`);
const withEngine = { setupFilesAfterEnv: ["<rootDir>/tests/e2e/support/timeout.ts"], testPathIgnorePatterns: faults };
/** Real machines: root, Linux and the host's tools, which the start of the run looks for. */
const machines = {
    globalSetup: "<rootDir>/tests/machines/support/setup.ts",
    setupFilesAfterEnv: ["<rootDir>/tests/machines/support/timeout.ts"],
};

module.exports = {
    projects: [
        project("unit"),
        project("contract", withEngine),
        project("e2e", withEngine),
        project("machines", machines),
        project("faults", { ...withEngine, testMatch: faults, testPathIgnorePatterns: [] }),
    ],
    reporters: ["default", "<rootDir>/tests/reporter.cjs"],
    // An end-to-end test runs an engine, a program and a plugin beside itself.
    maxWorkers: 2,
};
