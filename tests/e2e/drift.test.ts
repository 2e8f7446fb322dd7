import { survey } from "../contract/faults/program";
import type { Client } from "../contract/simulator/client";
import { type RunningCloud, startCloud } from "../../simulator";
import type { Step } from "./support/events";
import { cloudEnvironment } from "./support/mainProject";
import { Project, type Result } from "./support/project";
import { inSandbox } from "./support/sandbox";

/**
 * Changes made outside Pulumi, with the real engine: `refresh` shows them and changes nothing, `up` repairs them, and
 * the cloud is as it was. (For a stopped machine and a removed rule: `resources.test.ts`.)
 */

const PROGRAM = `
import * as cloudstack from "pulumi-cloudstack";
const open = new cloudstack.SecurityGroup("open", { ingress: [{ ports: "80", cidrs: ["0.0.0.0/0"] }] });
const shut = new cloudstack.SecurityGroup("shut", { exclusive: true, ingress: [{ ports: "22", groups: [open.name] }] });
const machine = new cloudstack.VirtualMachine("web", {
    serviceOffering: "Small Instance",
    template: "Debian 12",
    ipAddress: "10.1.1.50",
    securityGroups: [open.id],
});
new cloudstack.Volume("data", { diskOffering: "Small", virtualMachine: machine.id });
`;

let cloud: RunningCloud;
let user: Client;
let admin: Client;
let project: Project;

inSandbox({ program: PROGRAM }, (sandbox) => ({ cloud, user, admin, project } = sandbox));

const machine = async () => (await user.list("listVirtualMachines", { name: "dev-web" }))[0];
const group = async (name: string) => (await user.list("listSecurityGroups", { securitygroupname: name }))[0];
const volume = async () => (await user.list("listVolumes", { type: "DATADISK" }))[0];
const idOf = async (command: string, name: string) => (await user.list(command, { name }))[0].id;

/** Names of the resources in which a refresh found a change. */
function changed({ steps }: { steps: Step[] }): string[] {
    const different = (step: Step) => JSON.stringify(step.old?.outputs) !== JSON.stringify(step.new?.outputs);
    return [...new Set(steps.filter(different).map(({ name }) => name))].sort();
}

/** A change of a machine that requires it to be stopped. */
async function whileStopped(id: string, work: () => Promise<unknown>): Promise<void> {
    await user.done("stopVirtualMachine", { id });
    await work();
    await user.done("startVirtualMachine", { id });
}

/** A change made outside Pulumi, and the resources in which a refresh then finds a change. */
const DRIFTS: readonly [what: string, disturb: () => Promise<unknown>, found: string[]][] = [
    [
        // By an administrator: a machine that a user destroys keeps its name and address until the cloud expunges it.
        "a machine is deleted",
        async () => admin.done("destroyVirtualMachine", { id: (await machine()).id, expunge: true }),
        ["data", "web"],
    ],
    [
        "a machine is resized",
        async () => {
            const { id } = await machine();
            const serviceofferingid = await idOf("listServiceOfferings", "Large Instance");
            await whileStopped(id, () => user.done("scaleVirtualMachine", { id, serviceofferingid }));
        },
        ["web"],
    ],
    [
        "a machine is put into another group",
        async () => {
            const { id } = await machine();
            const securitygroupids = (await group("dev-shut")).id;
            await whileStopped(id, () => user.ok("updateVirtualMachine", { id, securitygroupids }));
        },
        ["web"],
    ],
    [
        "a rule is added to a group that is the program's alone",
        async () =>
            user.done("authorizeSecurityGroupIngress", {
                ...{ securitygroupid: (await group("dev-shut")).id, protocol: "tcp" },
                ...{ startport: 1, endport: 65_535, cidrlist: "0.0.0.0/0" },
            }),
        ["shut"],
    ],
    [
        "a group is renamed by an administrator",
        async () => admin.ok("updateSecurityGroup", { id: (await group("dev-open")).id, name: "theirs" }),
        // A rule of the other group has it as its source.
        ["open", "open-ingress", "shut"],
    ],
    ["a volume is detached", async () => user.done("detachVolume", { id: (await volume()).id }), ["data"]],
];

test.each(DRIFTS)("%s: a refresh shows the change, and an up repairs it", async (_what, disturb, found) => {
    const { things } = await survey(user);
    await disturb();
    expect((await survey(user)).things).not.toEqual(things);
    cloud.clearCalls();
    expect(changed(await project.refresh())).toEqual(found);
    expect(cloud.calls().filter(({ command }) => !/^(list|query)/.test(command))).toEqual([]);
    await project.up();
    expect((await survey(user)).things).toEqual(things);
    await project.expectNoChanges();
});

test("a rule that others added to a group without exclusive is kept and reported", async () => {
    const { id } = await group("dev-open");
    const rule = { protocol: "tcp", startport: 8080, endport: 8080, cidrlist: "10.0.0.0/8" };
    await user.done("authorizeSecurityGroupIngress", { securitygroupid: id, ...rule });
    const refreshed = await project.refresh();
    expect(changed(refreshed)).toEqual(["open"]);
    expect(refreshed.infos.join("\n")).toMatch(
        /dev-open has rules that the stack does not manage; they are left alone.*8080/,
    );
    await project.up();
    expect((await group("dev-open")).ingressrule).toHaveLength(2);
});

test("a stack whose endpoint is another cloud than that of its state changes nothing, and the error names both", async () => {
    const elsewhere = await startCloud();
    try {
        const before = await survey(user);
        const state = await project.exportResources();
        const commands: (() => Promise<Result>)[] = [
            () => project.refresh({ environment: cloudEnvironment(elsewhere), mayFail: true }),
            () => project.destroy({ environment: cloudEnvironment(elsewhere), mayFail: true }),
            () => {
                project.program(PROGRAM.replace("Small Instance", "Large Instance"));
                return project.up({ environment: cloudEnvironment(elsewhere), mayFail: true });
            },
        ];
        for (const command of commands) {
            const { code, stdout } = await command();
            expect(code).not.toBe(0);
            expect(stdout).toContain(`belongs to ${cloud.endpoint}, account user`);
            expect(stdout).toContain(`but this run is configured for ${elsewhere.endpoint}, account user`);
            expect(stdout).toContain("Nothing was changed");
        }
        expect(elsewhere.calls().filter(({ command }) => !/^(list|query)/.test(command))).toEqual([]);
        expect(await survey(user)).toEqual(before);
        const ids = (resources: any[]) => resources.map(({ urn, id }) => `${urn} ${id}`).sort();
        expect(ids(await project.exportResources())).toEqual(ids(state));
        project.program(PROGRAM);
    } finally {
        await elsewhere.close();
    }
});

test("an account that may not expunge can destroy a machine and create one with the same name and address", async () => {
    const before = await machine();
    await project.destroy();
    expect((await survey(user)).ids).toEqual([]);
    await project.up();
    const now = await machine();
    expect(now).toMatchObject({ name: before.name, ipaddress: before.ipaddress, state: "Running" });
    expect(now.id).not.toBe(before.id);
});
