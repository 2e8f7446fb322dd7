/**
 * When the machines of an etcd cluster may bootstrap it, over several runs of the real engine, and what the error says
 * if the cluster is never healthy.
 */
import { gunzipSync } from "node:zlib";
import { type RunningCloud, startCloud } from "../../simulator";
import { Client } from "../contract/simulator/client";
import { cloudEnvironment } from "./support/mainProject";
import { Project } from "./support/project";

const names = ["dev-db-etcd-a", "dev-db-etcd-b", "dev-db-etcd-c"];
const program = (args = "", keys = ["a", "b", "c"]) => `
import * as cloudstack from "pulumi-cloudstack";
new cloudstack.EtcdCluster("db", {
    members: ${JSON.stringify(Object.fromEntries(keys.map((key) => [key, `10.1.1.${key.charCodeAt(0) - 66}`])))}, serviceOffering: "Small Instance", template: "Debian 12",
    bootstrapWindowSeconds: 120, ${args}
});
`;

let cloud: RunningCloud;
let project: Project;
let user: Client;
/** How far the cloud's clock is ahead of that of the computer on which `pulumi` runs, in seconds. */
let ahead: number;
const now = () => Math.floor(Date.now() / 1000) + ahead;

beforeEach(async () => {
    ahead = -300;
    cloud = await startCloud({ now: () => Date.now() + ahead * 1000 });
    user = new Client(cloud, cloud.accounts.expunger);
    const { apiKey, secretKey } = cloud.accounts.expunger;
    const environment = { ...cloudEnvironment(cloud), CLOUDSTACK_API_KEY: apiKey, CLOUDSTACK_SECRET_KEY: secretKey };
    project = new Project({ program: program(), config: { "cloudstack:zone": "sandbox" }, environment });
});

afterEach(async () => {
    project.dispose();
    await cloud.close();
});

async function machines(): Promise<{ id: string; name: string }[]> {
    return user.list("listVirtualMachines", { listall: true });
}

/** When the window closes according to each machine's user data: seconds from now, by the cloud's clock. */
async function windows(): Promise<number[]> {
    const ends = (await machines()).map(async ({ id }) => {
        const { virtualmachineuserdata } = await user.ok("getVirtualMachineUserData", { virtualmachineid: id });
        const text = gunzipSync(Buffer.from(virtualmachineuserdata.userdata, "base64")).toString();
        return Number(/WINDOW_END=(\d+)/.exec(text)![1]) - now();
    });
    return Promise.all(ends);
}

async function lose(lost: readonly string[]): Promise<void> {
    for (const { id, name } of await machines())
        if (lost.includes(name)) await user.done("destroyVirtualMachine", { id, expunge: true });
}

/** The window in the stack's state. */
async function founding(): Promise<object> {
    const { outputs } = (await project.exportResources()).find(({ type }) => type.endsWith(":EtcdFounding"));
    return outputs;
}

const isOver =
    /etcd dev-db: most of its founders' machines do not exist.*bootstrapWindowSeconds: (\d+) opens the window again/;

test("the window opens with the run that creates the first machine, by the cloud's clock, and never again", async () => {
    cloud.fault({ kind: "refuse", command: "deployVirtualMachine", count: 0, text: "out of luck" });
    expect((await project.up({ mayFail: true })).code).not.toBe(0);
    cloud.clearFaults();
    ahead += 150;
    expect((await project.up()).infos).toEqual([]);
    const made = await windows();
    expect(made).toHaveLength(3);
    for (const left of made) expect([left > 60, left <= 120]).toEqual([true, true]);
    // After a run that saw all machines, they are lost with their data.
    await project.up();
    await project.expectNoChanges();
    await lose(names);
    ahead += 150;
    expect((await project.up({ args: ["--refresh"] })).changes).toMatchObject({ create: 3 });
    for (const left of await windows()) expect(left).toBeLessThan(0);
});

test("machines that are recreated because all were lost do not bootstrap a second cluster, even if no other run has seen the first ones", async () => {
    await project.up();
    await lose(names);
    ahead += 150;
    expect((await project.up({ args: ["--refresh"] })).infos.join("\n")).toMatch(isOver);
    for (const left of await windows()) expect(left).toBeLessThan(0);
});

test("a run without a refresh does not open the window for a cluster whose machines are lost", async () => {
    await project.up();
    await lose(names);
    ahead += 150;
    // The state still has the machines.
    await project.up({ mayFail: true });
    expect((await project.up({ args: ["--refresh"] })).infos.join("\n")).toMatch(isOver);
    const left = await windows();
    expect(left).toHaveLength(3);
    for (const each of left) expect(each).toBeLessThan(0);
});

test("if most founders are created after the window closed, the run says so and how to open it again", async () => {
    cloud.fault({ kind: "refuse", command: "deployVirtualMachine", count: 0, skip: 1, text: "out of luck" });
    expect((await project.up({ mayFail: true })).code).not.toBe(0);
    cloud.clearFaults();
    ahead += 150;
    const { infos } = await project.up();
    expect(infos.join("\n")).toMatch(isOver);
    for (const left of await windows()) expect(left).toBeLessThan(0);
    const seconds = isOver.exec(infos.join("\n"))![1];
    project.program(program().replace("120", seconds));
    await project.up();
    for (const left of await windows()) expect(left).toBeGreaterThan(600);
});

test("a cluster that was renamed, or whose founders were all replaced, has no drift", async () => {
    await project.up();
    const renamed = 'name: "renamed", authorities: { generation: 2 },';
    for (const text of [program(renamed), program(renamed, ["d", "e", "f"])]) {
        project.program(text);
        await project.up();
        const before = await founding();
        expect(Object.keys((await project.refresh()).changes)).toEqual(["same"]);
        expect(await founding()).toEqual(before);
        await project.expectNoChanges();
    }
});

test("progress is shown as a status only; the error for a cluster that does not become healthy says what to do", async () => {
    project.program(program('operatorCidrs: ["192.0.2.0/24"], waitForTimeoutSeconds: 10,'));
    const { code, errors, infos, warnings, stdout } = await project.up({ mayFail: true });
    expect(code).not.toBe(0);
    expect([infos, warnings]).toEqual([[], []]);
    expect(errors.join("\n")).toMatch(
        /etcd cluster dev-db is not healthy.*increase bootstrapWindowSeconds, which starts at \d{4}-.*pulumi up --refresh/s,
    );
    // The engine shows a status in the resource's row, and does not write it to its log of events.
    expect(stdout.slice(0, stdout.indexOf("Diagnostics:"))).toMatch(/EtcdHealth db.*0 of 3 members are healthy/);
});
