// Types for modules of `scripts`, which are JavaScript outside of the package's compilation.
const {
    findEngine,
}: { findEngine(): { engine?: { folder: string; version: string } } } = require("../../../scripts/find");
const {
    engineEnvironment,
}: {
    engineEnvironment(engine: { folder: string }, base?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
} = require("../../../scripts/environment");

/** Variables in the tester's shell that would configure the engine or the package. */
const foreign = /^(PULUMI_(?!CLOUDSTACK_TOOLS$)|CLOUDSTACK_|CS_|HTTPS?_PROXY$|https?_proxy$|NODE_OPTIONS$)/;

let found: { folder: string; version: string } | undefined;

/** The engine that `npm run setup` found or installed. */
export function engine(): { folder: string; version: string } {
    found ??= findEngine().engine;
    if (!found) {
        throw new Error("There is no Pulumi engine; run: npm run setup -- --engine");
    }
    return found;
}

/**
 * The environment for an engine with its own backend: without the tester's stacks, clouds and credentials, and without
 * searches for plugins and updates on the internet. PULUMI_HOME is `BACKEND-home`.
 */
export function testEnvironment(backend: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
    const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
    return engineEnvironment(engine(), {
        ...own,
        PULUMI_HOME: `${backend}-home`,
        // Otherwise the engine writes a backup beside each file of state; a kill can leave it incomplete, and the next
        // command fails with "EOF".
        PULUMI_BACKEND_URL: `file://${backend}?metadata=skip`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_DEBUG_COMMANDS: "true", // enables the option --event-log
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
        ...more,
    });
}
