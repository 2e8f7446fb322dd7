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

const withEngine = { setupFilesAfterEnv: ["<rootDir>/tests/e2e/support/timeout.ts"] };
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
        project("machines", { ...machines, testMatch: ["<rootDir>/tests/machines/*.test.ts"] }),
        // Long: `npm run test:machines` runs them too, `npm test` does not.
        project("machines-long", { ...machines, testMatch: ["<rootDir>/tests/machines/long/*.test.ts"] }),
        // Hours: neither runs them, `npm run test:conformance` does.
        project("conformance", { ...machines, setupFilesAfterEnv: ["<rootDir>/tests/conformance/timeout.ts"] }),
    ],
    reporters: ["default", "<rootDir>/tests/reporter.cjs"],
    // An end-to-end test runs an engine, a program and a plugin beside itself.
    maxWorkers: 2,
};
