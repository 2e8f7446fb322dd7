import { startCloud, type RunningCloud } from "../../simulator";
import { Client } from "../contract/simulator/client";
import { Project, type ProjectOptions } from "./support/project";
import type { Step } from "./support/events";

/** All resources with the real engine: one program through its whole life, on one cloud. */

interface Wanted {
    offering?: string;
    ports?: string;
    template?: string;
    allowRestart?: boolean;
    extra?: string;
}

/** Two machines, two groups that refer to each other, a generated key, an affinity group and a volume. */
const program = ({
    offering = "Small Instance",
    ports = "8080",
    template = "Debian 12",
    allowRestart = true,
    extra = "",
}: Wanted = {}) => `
import * as cloudstack from "pulumi-cloudstack";

const key = new cloudstack.SshKeyPair("key");
const spread = new cloudstack.AffinityGroup("spread");
const front = new cloudstack.SecurityGroup("front");
const back = new cloudstack.SecurityGroup("back", { description: "Databases" });
new cloudstack.SecurityGroupRules("front", { securityGroup: front.id, ingress: [{ ports: "443", cidrs: ["0.0.0.0/0"] }, { protocol: "icmp", groups: [back.name] }] });
new cloudstack.SecurityGroupRules("back", { securityGroup: back.id, ingress: [{ ports: ${JSON.stringify(ports)}, groups: [front.name] }, { protocol: "all", self: true }] });
const machine = (name: string, group: cloudstack.SecurityGroup, more: object) =>
    new cloudstack.VirtualMachine(name, {
        serviceOffering: "Small Instance",
        template: "Debian 12",
        securityGroups: [group.id],
        affinityGroups: [spread.id],
        sshKeyPairs: [key.name],
        userData: "#cloud-config\\n{}\\n",
        ...more,
    });
const web = machine("web", front, { serviceOffering: ${JSON.stringify(offering)}, allowRestart: ${allowRestart} });
const database = machine("database", back, { template: ${JSON.stringify(template)}, ipAddress: cloudstack.getNetworkOutput({ name: "shared" }).apply(() => process.env.DATABASE_ADDRESS!) });
const data = new cloudstack.Volume("data", { diskOffering: "Custom", sizeGiB: 3, virtualMachine: database.id });
${extra}
export const names = [web.name, database.name];
export const address = database.ipAddress;
export const privateKey = key.privateKey;
export const dataAt = data.virtualMachine;
`;

let cloud: RunningCloud;
let api: Client;
let project: Project;

beforeAll(async () => {
    // As on a real server: answers and jobs take time, and simultaneous changes of one row in the database wait for its
    // lock.
    cloud = await startCloud({ timing: 0.2 });
    api = new Client(cloud, cloud.accounts.user);
    project = new Project({ program: program(), config, environment: environment("10.1.1.40") });
});
afterAll(async () => {
    project.dispose();
    await cloud.close();
});

const config: ProjectOptions["config"] = { "cloudstack:zone": "sandbox" };
const environment = (address: string): Record<string, string> => ({
    CLOUDSTACK_ENDPOINT: cloud.endpoint,
    CLOUDSTACK_API_KEY: cloud.accounts.user.apiKey,
    CLOUDSTACK_SECRET_KEY: cloud.accounts.user.secretKey,
    DATABASE_ADDRESS: address,
});

/** The operations of a run, by resource, without `same`. */
const done = (steps: Step[]) =>
    steps
        .filter(({ op }) => op !== "same")
        .map(({ op, name }) => `${op} ${name}`)
        .sort();

const machineOf = async (name: string) => (await api.list("listVirtualMachines", { name, userdata: true }))[0];
const groupOf = async (name: string) => (await api.list("listSecurityGroups", { securitygroupname: name }))[0];

/** The summary of errors at the end of the engine's output. */
const diagnosticsOf = ({ stdout }: { stdout: string }) => stdout.slice(stdout.indexOf("Diagnostics:"));

/** Names of everything in the account, except root disks, which the cloud deletes when it expunges their machine. */
async function belongings(): Promise<string[]> {
    const lists = ["listVirtualMachines", "listSecurityGroups", "listSSHKeyPairs", "listAffinityGroups", "listVolumes"];
    const found = (await Promise.all(lists.map((command) => api.list(command)))).flat();
    return found.filter(({ name, type }) => name !== "default" && type !== "ROOT").map(({ name }) => name);
}

test("one up creates everything; a preview and a refresh afterwards find no changes", async () => {
    const { changes } = await project.up();
    expect(changes).toMatchObject({ create: 10 });
    const outputs = await project.outputs();
    expect(outputs).toMatchObject({
        names: ["dev-web", "dev-database"],
        address: "10.1.1.40",
        privateKey: expect.stringContaining("PRIVATE KEY"),
    });
    expect(await machineOf("dev-web")).toMatchObject({
        state: "Running",
        securitygroup: [{ name: "dev-front" }],
        affinitygroup: [{ name: "dev-spread" }],
    });
    expect((await groupOf("dev-back")).ingressrule).toHaveLength(2);
    await project.expectNoChanges();
    const { steps } = await project.refresh();
    expect(
        steps
            .filter((step) => JSON.stringify(step.old?.outputs) !== JSON.stringify(step.new?.outputs))
            .map(({ name }) => name),
    ).toEqual([]);
    await project.expectNoChanges();
});

test("secrets are encrypted in the state, and appear nowhere else", async () => {
    const { stdout } = await project.run(["stack", "export", "--stack", "dev"]);
    expect(stdout).not.toContain("PRIVATE KEY");
    expect(stdout).not.toContain(cloud.accounts.user.secretKey);
});

test("a changed rule is updated in place; the preview of another size says in one line that the machine stops", async () => {
    project.program(program({ ports: "9090", offering: "Large Instance" }));
    const preview = await project.preview();
    expect(done(preview.steps)).toEqual(["update back", "update web"]);
    expect(preview.infos.filter((line) => line.includes("stops and starts"))).toEqual([
        "dev-web stops and starts: serviceOffering Small Instance -> Large Instance",
    ]);
    const before = await machineOf("dev-web");
    cloud.clearCalls();
    expect(done((await project.up()).steps)).toEqual(["update back", "update web"]);
    const commands = cloud.calls().map(({ command }) => command);
    expect(
        commands.filter((command) => /^(stop|scale|start|authorize|revoke|destroy|deploy)/.test(command)).sort(),
    ).toEqual([
        "authorizeSecurityGroupIngress",
        "revokeSecurityGroupIngress",
        "scaleVirtualMachine",
        "startVirtualMachine",
        "stopVirtualMachine",
    ]);
    expect(await machineOf("dev-web")).toMatchObject({
        id: before.id,
        state: "Running",
        serviceofferingname: "Large Instance",
        ipaddress: before.ipaddress,
    });
    expect((await groupOf("dev-back")).ingressrule.map(({ startport }: any) => startport)).toContain(9090);
});

test("changes made outside Pulumi are shown by a refresh and repaired by the next up", async () => {
    await api.done("stopVirtualMachine", { id: (await machineOf("dev-web")).id });
    const [rule] = (await groupOf("dev-front")).ingressrule.filter(({ protocol }: any) => protocol === "tcp");
    await api.done("revokeSecurityGroupIngress", { id: rule.ruleid });
    const refreshed = await project.refresh();
    expect(refreshed.infos.join("\n")).not.toMatch(/starts|stops/);
    const changed = refreshed.steps.filter(
        (step) => JSON.stringify(step.old?.outputs) !== JSON.stringify(step.new?.outputs),
    );
    expect(changed.map(({ name }) => name).sort()).toEqual(["front", "web"]);
    const { steps, infos } = await project.up();
    expect(done(steps)).toEqual(["update front", "update web"]);
    expect(infos).toContain("dev-web starts: it is Stopped");
    expect(await machineOf("dev-web")).toMatchObject({ state: "Running" });
    expect((await groupOf("dev-front")).ingressrule).toHaveLength(2);
    await project.expectNoChanges();
});

test("with allowRestart false a change that needs a stop is an error at preview, reported together with all bad input", async () => {
    project.program(program({ ports: "9090", offering: "Small Instance", allowRestart: false }));
    const refused = await project.preview({ mayFail: true });
    expect(refused.code).not.toBe(0);
    const message =
        "dev-web stops and starts: serviceOffering Large Instance -> Small Instance. That takes it down, and allowRestart is false: allow it for this change, or undo the change.";
    expect(diagnosticsOf(refused).split(message)).toHaveLength(2);
    expect(refused.stdout + refused.stderr).not.toMatch(/^\s+at /m);

    const before = await belongings();
    const bad = `new cloudstack.VirtualMachine("bad", { serviceOffering: "Huge", template: "Debain 12", name: "no host", rootDiskSizeGiB: 0.5 });`;
    project.program(program({ ports: "9090", offering: "Large Instance", extra: bad }));
    const failed = await project.up({ mayFail: true });
    expect(failed.code).not.toBe(0);
    const diagnostics = diagnosticsOf(failed);
    for (const part of [
        'there is no service offering "Huge"',
        'did you mean "Debian 12"',
        '"no host" is not a host name',
        "0.5 is not a whole number of GiB",
    ]) {
        expect(diagnostics.split(part)).toHaveLength(2);
    }
    expect(diagnostics + failed.stderr).not.toMatch(/^\s+at /m);
    expect(await belongings()).toEqual(before);
});

test("a replaced machine keeps its name, address and volume", async () => {
    project.program(program({ ports: "9090", offering: "Large Instance", template: "Debian 12 with password" }));
    const [before, [volume]] = [await machineOf("dev-database"), await api.list("listVolumes", { type: "DATADISK" })];
    const { steps, infos } = await project.up();
    expect(done(steps)).toContain("create-replacement database");
    expect(infos).toContain(
        "dev-database is replaced, and the root disk of dev-database (2 GiB) is erased: template Debian 12 -> Debian 12 with password",
    );
    const now = await machineOf("dev-database");
    expect(now).toMatchObject({
        state: "Running",
        ipaddress: before.ipaddress,
        templatename: "Debian 12 with password",
    });
    expect(now.id).not.toBe(before.id);
    expect((await api.list("listVolumes", { type: "DATADISK" }))[0]).toMatchObject({
        id: volume.id,
        virtualmachineid: now.id,
    });
    await project.expectNoChanges();
});

test("a second stack in the same account is independent of the first; destroy leaves nothing behind", async () => {
    const other = { stack: "other", environment: { DATABASE_ADDRESS: "10.1.1.41" } };
    await project.addStack("other", config);
    const first = await belongings();
    await project.up(other);
    const both = await belongings();
    expect(both.filter((name) => name.startsWith("other-"))).toHaveLength(first.length);
    await project.expectNoChanges();
    await project.destroy({ stack: "dev" });
    expect((await belongings()).sort()).toEqual(both.filter((name) => name.startsWith("other-")).sort());
    await project.expectNoChanges(other);
    await project.destroy(other);
    expect(await belongings()).toEqual([]);
    expect(await project.exportResources()).toEqual([]);
});
