import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningCloud, startCloud } from "../../simulator";
import { Project } from "./support/project";

const checkout = join(__dirname, "..", "..");
let cloud: RunningCloud;

beforeAll(async () => {
    cloud = await startCloud();
});

afterAll(() => cloud.close());

/** The program in the README is the example `webserver` (tests/contract/docs.test.ts compares them). */
function readmeProgram(): string {
    return /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(checkout, "README.md"), "utf8"))![1];
}

function example(name: string): string {
    return readFileSync(join(checkout, "examples", name, "index.ts"), "utf8");
}

/** Runs `pulumi up` on a program, expects no further changes, and destroys it. */
async function upAndDown(program: string, config: Record<string, string> = {}): Promise<Record<string, any>> {
    const { apiKey, secretKey } = cloud.accounts.user;
    const project = new Project({
        program,
        config: { "cloudstack:zone": "sandbox", ...config },
        environment: {
            CLOUDSTACK_ENDPOINT: cloud.endpoint,
            CLOUDSTACK_API_KEY: apiKey,
            CLOUDSTACK_SECRET_KEY: secretKey,
        },
    });
    try {
        await project.up();
        const outputs = await project.outputs();
        await project.expectNoChanges();
        await project.destroy();
        expect((await project.exportResources()).length).toBe(0);
        return outputs;
    } finally {
        project.dispose();
    }
}

test("the README's program runs unchanged", async () => {
    const outputs = await upAndDown(readmeProgram());
    expect(outputs.address).toMatch(/^10\.1\.1\.\d+$/);
    expect(outputs.privateKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
    expect(outputs.disk).toMatch(/^dev-data-[0-9a-f]{8}$/);
});

test("the example of an isolated network runs unchanged", async () => {
    const outputs = await upAndDown(example("isolatedNetwork"), { "cloudstack:zone": "sandbox-isolated" });
    expect(outputs.ip).toMatch(/^198\.18\.0\.\d+$/);
    expect(outputs.addresses).toEqual([expect.stringMatching(/^10\.60\.1\./), expect.stringMatching(/^10\.60\.1\./)]);
});

test("the example of an etcd cluster runs unchanged", async () => {
    const outputs = await upAndDown(example("etcd"), { allowDataLoss: "true" });
    expect(outputs.endpoints).toEqual(["https://10.1.1.11:2379", "https://10.1.1.12:2379", "https://10.1.1.13:2379"]);
    expect(outputs.clientKey).toMatch(/^-----BEGIN PRIVATE KEY-----/);
});
