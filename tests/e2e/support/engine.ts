// `scripts` is plain JavaScript, which the compiler of the package does not read; these are its types here.
const {
    findEngine,
}: { findEngine(): { engine?: { folder: string; version: string } } } = require("../../../scripts/find");
const {
    engineEnvironment,
}: {
    engineEnvironment(engine: { folder: string }, base?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
} = require("../../../scripts/environment");

/** Variables of the tester's own shell that would steer the engine or the package away from what a test set up. */
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
 * The environment for an engine with a backend of its own: nothing of the tester's stacks, clouds and credentials
 * reaches it, and it looks for no plugin and no update on the internet. What the engine keeps for a user lies beside the
 * backend, in `BACKEND-home`.
 */
export function testEnvironment(backend: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
    const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
    return engineEnvironment(engine(), {
        ...own,
        PULUMI_HOME: `${backend}-home`,
        // Without it every write of the state has a second file beside it, which a kill may leave torn: "EOF" at the next run.
        PULUMI_BACKEND_URL: `file://${backend}?metadata=skip`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_DEBUG_COMMANDS: "true", // gives the commands their flag --event-log
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
        ...more,
    });
}
