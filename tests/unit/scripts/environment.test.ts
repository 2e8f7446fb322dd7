import * as fs from "node:fs";
import * as path from "node:path";
import { withFolder } from "../../support/tools";
import { load, script, scripts } from "./support";

const nodeBin = path.resolve(scripts, "../node_modules/.bin");

/** The environment for an engine in `/engine`, computed in a new process with its own tool folder. */
function environmentOf(folder: string, base: Record<string, string>): NodeJS.ProcessEnv {
    const { engineEnvironment } = load("environment", { PULUMI_CLOUDSTACK_TOOLS: path.join(folder, "tools") });
    return engineEnvironment({ folder: "/engine" }, base);
}

test("by default the state and the passphrase are in the checkout, readable by their owner only", () =>
    withFolder((folder) => {
        const environment = environmentOf(folder, { PATH: "/usr/bin", HOME: "/home/me" });
        expect(environment).toEqual({
            HOME: "/home/me",
            PATH: `${nodeBin}:/engine:/usr/bin`,
            PULUMI_BACKEND_URL: `file://${folder}/tools/state?metadata=skip`,
            PULUMI_CONFIG_PASSPHRASE: expect.stringMatching(/^[\w-]{43}$/),
            PULUMI_SKIP_UPDATE_CHECK: "true",
        });
        const mode = (name: string) => fs.statSync(path.join(folder, "tools", name)).mode & 0o777;
        expect([mode("."), mode("state"), mode("passphrase")]).toEqual([0o700, 0o700, 0o600]);
    }));

test.each([
    [{ PULUMI_BACKEND_URL: "s3://states" }],
    [{ PULUMI_CONFIG_PASSPHRASE: "mine" }],
    [{ PULUMI_CONFIG_PASSPHRASE: "" }],
    [{ PULUMI_SKIP_UPDATE_CHECK: "false" }],
    [{ CLOUDSTACK_ENDPOINT: "https://cloud.example.org/client/api" }],
])("the user's %j is kept", (own) =>
    withFolder((folder) => {
        expect(environmentOf(folder, own)).toMatchObject(own);
    }),
);

test("a passphrase in the user's file is used", () =>
    withFolder((folder) => {
        const environment = environmentOf(folder, { PULUMI_CONFIG_PASSPHRASE_FILE: "/run/passphrase" });
        expect(environment.PULUMI_CONFIG_PASSPHRASE_FILE).toBe("/run/passphrase");
        expect(environment).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE");
        expect(fs.existsSync(path.join(folder, "tools", "passphrase"))).toBe(false);
    }));

test("npm's settings for its scripts are not passed on", () =>
    withFolder((folder) => {
        const environment = environmentOf(folder, {
            npm_config_prefix: "/x",
            npm_config_user_agent: "npm/11",
            npm_lifecycle_event: "pulumi",
            npm_package_name: "pulumi-cloudstack",
            npmless: "stays",
        });
        expect(Object.keys(environment).filter((name) => name.startsWith("npm"))).toEqual(["npmless"]);
    }));

test("processes that start at the same time use one passphrase", () =>
    withFolder(async (folder) => {
        const tools = path.join(folder, "tools");
        const text = 'process.stdout.write(require("./environment").passphrase())';
        const all = [1, 2, 3, 4].map(() => script(text, { PULUMI_CLOUDSTACK_TOOLS: tools }));
        const passphrases = await Promise.all(all.map(({ ended }) => ended));
        expect(passphrases[0]).toMatch(/^[\w-]{43}$/);
        expect(new Set(passphrases).size).toBe(1);
        expect(fs.readdirSync(tools)).toEqual(["passphrase"]);
    }));
