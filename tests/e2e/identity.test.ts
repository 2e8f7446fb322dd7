import { Client } from "../contract/simulator/client";
import { type Call, type RunningCloud, startCloud } from "../../simulator";
import { cloudEnvironment } from "./support/mainProject";
import { Project } from "./support/project";

/**
 * Which resource a thing in the cloud belongs to, with the real engine: neither its name nor the stack's and
 * organization's name decides that.
 */

let cloud: RunningCloud;
let user: Client;
const projects: Project[] = [];

beforeAll(async () => {
    cloud = await startCloud();
    user = new Client(cloud, cloud.accounts.user);
});

afterAll(async () => {
    for (const project of projects) project.dispose();
    await cloud.close();
});

function newProject(name: string, program: string): Project {
    const config = { "cloudstack:zone": "sandbox" };
    projects.push(new Project({ name, program, config, environment: cloudEnvironment(cloud) }));
    return projects.at(-1)!;
}

/** Expects that a run changes nothing in the cloud except marks. */
async function marksOnly(work: () => Promise<unknown>): Promise<void> {
    cloud.clearCalls();
    await work();
    const changes = cloud
        .calls()
        .map(({ command }) => command)
        .filter((command) => !/^(list|query|get)/.test(command));
    expect(
        [...new Set(changes)].filter(
            (command) => !["updateVirtualMachine", "createTags", "deleteTags"].includes(command),
        ),
    ).toEqual([]);
}

const twins = (more: string) => `
import * as pulumi from "@pulumi/pulumi";
import * as cloudstack from "pulumi-cloudstack";
class Part extends pulumi.ComponentResource {
    constructor(type, name, host) {
        super(\`test:index:\${type}\`, name);
        const common = { serviceOffering: "Small Instance", template: "Debian 12" };
        const machine = new cloudstack.VirtualMachine("app", { ...common, name: host }, { parent: this });
        new cloudstack.Volume("data", { diskOffering: "Small", name: "data" }, { parent: this });
    }
}
new Part("Web", "web", "web-app");
${more}
`;

test("creating a component leaves another one with children of the same names unchanged, even with targets", async () => {
    const project = newProject("twins", twins(""));
    await project.up();
    const [machine] = await user.list("listVirtualMachines", { name: "web-app" });
    const [disk] = (await user.list("listVolumes", { type: "DATADISK" })).filter(({ name }) =>
        name.startsWith("data-"),
    );
    // With the host name of the first component it is refused; with another one everything is created, and the first
    // component is kept.
    project.program(twins(`new Part("Db", "db", "web-app");`));
    const targets = ["--target", `urn:pulumi:dev::twins::test:index:Db$**`, "--target", "**test:index:Db::db"];
    const refused = await project.up({ args: targets, mayFail: true });
    expect(refused.errors.join("\n")).toContain(`"web-app" is taken by machine ${machine.id}`);
    project.program(twins(`new Part("Db", "db", "db-app");`));
    await project.up({ args: targets });
    expect((await user.list("listVirtualMachines", { id: machine.id }))[0]).toMatchObject({
        name: "web-app",
        state: "Running",
    });
    const ids = (await project.exportResources()).filter(({ type }) => /dynamic/.test(type)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(4);
    project.program(twins(""));
    await project.up();
    expect(await user.list("listVolumes", { id: disk.id })).toHaveLength(1);
    await project.destroy();
});

/**
 * A key pair, an affinity group and a machine that uses them: the resources' name, their parent, and their name in the
 * cloud.
 */
type Part = [name: string, under?: string, named?: string];
const keysAndGroups = (...parts: Part[]) => `
import * as pulumi from "@pulumi/pulumi";
import * as cloudstack from "pulumi-cloudstack";
const common = { serviceOffering: "Small Instance", template: "Debian 12" };
${parts
    .map(
        ([resource, under, named]) => `{
    const parent = ${under === undefined ? "undefined" : `new pulumi.ComponentResource("test:index:Part", "${under}")`};
    const name = ${JSON.stringify(named)};
    const key = new cloudstack.SshKeyPair("${resource}", { name }, { parent });
    const spread = new cloudstack.AffinityGroup("${resource}", { name }, { parent });
    new cloudstack.VirtualMachine("${under ?? "top"}-user", { ...common, sshKeyPairs: [key.name], affinityGroups: [spread.id] });
}`,
    )
    .join("\n")}
`;
const KINDS = ["SshKeyPair", "AffinityGroup"];

test("a run with targets leaves key pairs and affinity groups alone that were renamed or have the same name under another parent", async () => {
    const project = newProject("pairs", keysAndGroups(["old"]));
    await project.up();
    const own = async () =>
        (await project.exportResources()).filter(({ type }) => KINDS.some((kind) => type.endsWith(`:${kind}`)));
    const inCloud = async () =>
        [...(await user.list("listSSHKeyPairs")), ...(await user.list("listAffinityGroups"))].map(
            ({ id, name }) => `${id} ${name}`,
        );
    const first = await own();
    const before = await inCloud();
    const taken = `taken by affinity group ${first.find(({ type }) => type.endsWith(":AffinityGroup")).id}`;
    const above = KINDS.map((kind) => `**:${kind}::new`);
    const below = ["**test:index:Part::db", ...KINDS.map((kind) => `**:${kind}::old`)];
    const steps: [parts: Part[], targets: string[], error: string | undefined][] = [
        [[["new", undefined, "dev-old"]], above, taken],
        [[["new"]], above, undefined],
        [[["new"], ["old", "db"]], below, taken],
        [[["new"], ["old", "db", "db-old"]], below, undefined],
    ];
    for (const [parts, targets, error] of steps) {
        project.program(keysAndGroups(...parts));
        cloud.clearCalls();
        const { errors } = await project.up({ args: targets.flatMap((target) => ["--target", target]), mayFail: true });
        if (error === undefined) expect(errors).toEqual([]);
        else expect(errors.join("\n")).toContain(error);
        // A key pair that was created beside a refused group in the previous step has another name since then: the old
        // one is deleted, and belongs to nobody else.
        const isOthers = ({ parameters: { id, name } }: Call) =>
            before.some((one) => [id, name].some((part) => one.split(" ").includes(part!)));
        expect(removals().filter(isOthers)).toEqual([]);
        expect(await inCloud()).toEqual(expect.arrayContaining(before));
        const ids = (await own()).map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids).toEqual(expect.arrayContaining(first.map(({ id }) => id)));
    }
    expect(await own()).toHaveLength(6);
    await project.up();
    expect(await own()).toHaveLength(4);
    await project.expectNoChanges();
    await project.destroy();
});

const everything = (name: string, opts = "") => `
import * as cloudstack from "pulumi-cloudstack";
const opts = ${opts === "" ? "{}" : opts};
const key = new cloudstack.SshKeyPair("${name}", {}, opts);
const spread = new cloudstack.AffinityGroup("${name}", {}, opts);
const group = new cloudstack.SecurityGroup("${name}", { ingress: [{ ports: "22", self: true }] }, opts);
const machine = new cloudstack.VirtualMachine("${name}", {
    serviceOffering: "Small Instance", template: process.env.TEMPLATE ?? "Debian 12",
    securityGroups: [group.id], affinityGroups: [spread.id], sshKeyPairs: [key.name],
}, opts);
new cloudstack.Volume("${name}", { diskOffering: "Small", virtualMachine: machine.id }, opts);
new cloudstack.MachineGroup("group", { machines: cloudstack.machineKeys(1), serviceOffering: "Small Instance", template: "Debian 12", dataVolume: { diskOffering: "Small" } });
const etcd = new cloudstack.EtcdCluster("etcd", {
    members: { a: "10.1.1.211" }, serviceOffering: "Small Instance", template: "Debian 12", allowDataLoss: true,
});
new cloudstack.KubernetesCluster("kubernetes", {
    etcd, template: "Debian 12", networkCidr: "10.1.1.0/24",
    controlPlane: { members: { "control-a": "10.1.1.212" }, serviceOffering: "Medium Instance" },
    pools: { worker: { count: 1, serviceOffering: "Medium Instance" } },
});
`;

test("resources survive a rename of the stack, and a rename of the resources with aliases", async () => {
    const project = newProject("kept", everything("thing"));
    await project.up();
    const before = (await project.exportResources())
        .map(({ id }) => id)
        .filter((id) => id !== undefined)
        .sort();
    await project.run(["stack", "rename", "renamed", "--stack", "dev"]);
    const stack = "renamed";
    await project.expectNoChanges({ stack });
    // Marks are updated to the new names.
    project.program(everything("other", `{ aliases: [{ name: "thing" }] }`));
    await marksOnly(() => project.up({ stack }));
    await project.expectNoChanges({ stack });
    const after = (await project.exportResources({ stack }))
        .map(({ id }) => id)
        .filter((id) => id !== undefined)
        .sort();
    expect(after).toEqual(before);
    // A renamed resource can be replaced: the machine with its name is its own.
    await project.up({ stack, environment: { TEMPLATE: "Debian 12 with password" } });
    await project.destroy({ stack });
});

const small = `
import * as cloudstack from "pulumi-cloudstack";
const key = new cloudstack.SshKeyPair("key");
const machine = new cloudstack.VirtualMachine("app", { serviceOffering: "Small Instance", template: "Debian 12", sshKeyPairs: [key.name] });
new cloudstack.Volume("data", { diskOffering: "Small", virtualMachine: machine.id });
`;
const removals = () => cloud.calls().filter(({ command }) => /^(destroy|expunge|delete|stop|detach)/.test(command));

test("resources that were deleted from the state are adopted, and nothing of them is deleted in the cloud", async () => {
    const project = newProject("edited", small);
    await project.up();
    const before = (await project.exportResources()).filter(({ type }) => /:(VirtualMachine|Volume)$/.test(type));
    for (const { urn } of before.reverse()) await project.run(["state", "delete", urn, "--yes", "--stack", "dev"]);
    cloud.clearCalls();
    const preview = await project.preview();
    for (const { id } of before) expect(preview.infos.join("\n")).toMatch(new RegExp(`${id}\\).* will be adopted`));
    await project.up();
    expect(removals()).toEqual([]);
    const after = (await project.exportResources()).filter(({ type }) => /:(VirtualMachine|Volume)$/.test(type));
    expect(after.map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort());
    // A resource that is excluded from the run is not touched either.
    cloud.clearCalls();
    const [machine] = after.filter(({ type }) => type.endsWith(":VirtualMachine"));
    project.program(small.replace('"Small Instance"', '"Large Instance"'));
    await project.up({ args: ["--exclude", machine.urn, "--exclude-dependents"] });
    expect(removals()).toEqual([]);
    await project.destroy();
});

test("two simultaneous runs of one stack from two backends delete nothing of each other's", async () => {
    const runs = [1, 2].map(() => newProject("side", small));
    cloud.clearCalls();
    await Promise.all(runs.map((project) => project.up({ mayFail: true })));
    expect(removals()).toEqual([]);
    const machines = await user.list("listVirtualMachines", { name: "dev-app" });
    expect(machines).toMatchObject([{ state: "Running" }]);
    expect(
        (await user.list("listVolumes", { type: "DATADISK" })).filter(({ name }) => name.startsWith("dev-data")),
    ).not.toHaveLength(0);
    await runs[0].destroy({ mayFail: true });
    await runs[1].destroy({ mayFail: true });
});
