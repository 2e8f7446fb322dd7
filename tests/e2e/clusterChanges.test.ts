import { type RunningCloud, startCloud } from "../../simulator";
import { Client } from "../contract/simulator/client";
import { Project } from "./support/project";

/** Which changes a running cluster applies, one machine after another, and which it refuses. */

const jobSeconds = 1;

const program = `
import * as pulumi from "@pulumi/pulumi";
import * as cloudstack from "pulumi-cloudstack";

const config = new pulumi.Config();
const template = config.get("template") ?? "Debian 12";
const pem = (what: string) => "-----BEGIN " + what + "-----\\nAAAA\\n-----END " + what + "-----\\n";
new cloudstack.KubernetesCluster("k8s", {
    etcd: {
        endpoints: ["https://10.1.1.11:2379"],
        caCertificate: pem("CERTIFICATE"), clientCertificate: pem("CERTIFICATE"), clientKey: pem("PRIVATE KEY"),
    },
    template,
    kubernetesVersion: config.get("kubernetesVersion"),
    podCidr: config.get("podCidr"),
    controlPlane: { members: { a: "10.1.1.21", b: "10.1.1.22" }, serviceOffering: "Medium Instance" },
    pools: {
        general: { count: 2, serviceOffering: "Medium Instance" },
        batch: { nodes: ["x", "y"], serviceOffering: "Medium Instance" },
    },
    spread: "none",
});
new cloudstack.MachineGroup("web", {
    machines: cloudstack.machineKeys(3), serviceOffering: "Small Instance", template, spread: "none", rollingGroup: "web",
});
if (config.getBoolean("clash"))
    new cloudstack.VirtualMachine("clash", { serviceOffering: "Small Instance", template, ipAddress: "10.1.1.21" });
`;

let cloud: RunningCloud;
let project: Project;

beforeAll(async () => {
    cloud = await startCloud({ jobSeconds });
    const { apiKey, secretKey } = cloud.accounts.expunger;
    project = new Project({
        program,
        config: { "cloudstack:zone": "sandbox" },
        environment: {
            CLOUDSTACK_ENDPOINT: cloud.endpoint,
            CLOUDSTACK_API_KEY: apiKey,
            CLOUDSTACK_SECRET_KEY: secretKey,
        },
    });
});

afterAll(async () => {
    project.dispose();
    await cloud.close();
});

/** The calls of a command in their order: when each arrived, in seconds, and the machine it is for. */
function calls(command: string, nameOf: (parameters: Record<string, string>) => string) {
    return cloud
        .calls()
        .filter((call) => call.command === command)
        .map(({ at, parameters }) => ({ seconds: at / 1000, name: nameOf(parameters) }));
}

async function namesById(): Promise<Record<string, string>> {
    const all = await new Client(cloud, cloud.accounts.expunger).list("listVirtualMachines");
    return Object.fromEntries(all.map(({ id, name }) => [id, name]));
}

const workers = /^dev-k8s-(general|batch)-/;
const controlPlanes = /^dev-k8s-[ab]$/;

test("two machines of one program with the same address are an error at preview that names both", async () => {
    await project.setConfig("clash", "true");
    const { errors } = await project.preview({ mayFail: true });
    expect(errors.join("\n")).toMatch(/10\.1\.1\.21 is also the address of machine dev-(k8s-a|clash) in this program/);
    await project.run(["config", "rm", "clash", "--stack", "dev"]);
});

test("machines of one kind are created in parallel", async () => {
    await project.up();
    const deploys = calls("deployVirtualMachine", ({ name }) => name);
    expect(deploys).toHaveLength(9);
    for (const kind of [workers, controlPlanes, /^dev-web-/]) {
        const times = deploys.filter(({ name }) => kind.test(name)).map(({ seconds }) => seconds);
        expect(times.length).toBeGreaterThan(1);
        expect(Math.max(...times) - Math.min(...times)).toBeLessThan(jobSeconds);
    }
});

test("changes that a running cluster cannot apply are refused at preview, each with the old and the new value", async () => {
    await project.setConfig("podCidr", "10.99.0.0/16");
    await project.setConfig("kubernetesVersion", "1.35.8");
    cloud.clearCalls();
    const { code, errors, steps } = await project.preview({ mayFail: true });
    expect(code).not.toBe(0);
    const text = errors.join("\n");
    expect(text).toContain("10.244.0.0/16 -> 10.99.0.0/16: the cluster cannot change this");
    expect(text).toContain("1.36.4 -> 1.35.8: Kubernetes cannot go back");
    expect(steps.filter(({ op, type }) => op !== "same" && /VirtualMachine/.test(type))).toEqual([]);
    for (const key of ["podCidr", "kubernetesVersion"]) await project.run(["config", "rm", key, "--stack", "dev"]);
    await project.expectNoChanges();
});

test("a changed template takes down one machine of a kind at a time: control planes, workers of all pools, replaced machines", async () => {
    await project.setConfig("template", "Debian 13");
    const names = await namesById();
    cloud.clearCalls();
    const { changes, infos } = await project.up();
    expect(changes).toMatchObject({ update: 6, replace: 3 });
    // Only before a change that takes nodes down: the expectNoChanges at the end shows the rest.
    expect(infos).toContainEqual(expect.stringMatching(/with waitFor "none" nodes are neither drained/));
    const restores = calls("restoreVirtualMachine", ({ virtualmachineid }) => names[virtualmachineid]);
    expect(restores).toHaveLength(6);
    for (const kind of [workers, controlPlanes]) {
        const times = restores.filter(({ name }) => kind.test(name)).map(({ seconds }) => seconds);
        const gaps = times.slice(1).map((time, index) => time - times[index]);
        expect(Math.min(...gaps)).toBeGreaterThanOrEqual(jobSeconds);
    }
    // All control planes are reinstalled before the first worker.
    expect(restores.slice(0, 2).every(({ name }) => controlPlanes.test(name))).toBe(true);
    const replaced = [
        ...calls("destroyVirtualMachine", ({ id }) => names[id]),
        ...calls("deployVirtualMachine", ({ name }) => name),
    ].sort((a, b) => a.seconds - b.seconds);
    const turns = replaced.map(({ name }) => name);
    expect(turns).toHaveLength(6);
    for (const turn of [0, 2, 4]) {
        expect(turns[turn]).toBe(turns[turn + 1]);
        // A machine is destroyed only after the one before it was deployed.
        if (turn > 0) expect(replaced[turn].seconds - replaced[turn - 1].seconds).toBeGreaterThanOrEqual(jobSeconds);
    }
    await project.expectNoChanges();
    expect((await project.preview()).infos).toEqual([]);
});
