/**
 * The interface to real machines: which action of the API calls which function of the hypervisor, and what a failure of
 * it leaves behind.
 */
import { startCloud, type RunningCloud } from "../../../simulator";
import type { Hypervisor, MachinePlan } from "../../../simulator/hypervisors/hypervisor";
import { Client } from "./client";

/** The requests, in order. */
const asked: string[] = [];
let last: MachinePlan | undefined;
/** The action that fails. */
let broken: string | undefined;

async function note(action: string, machine?: MachinePlan): Promise<void> {
    asked.push(action);
    last = machine ?? last;
    if (action === broken) throw new Error(`${action} is broken`);
}

const hypervisor: Hypervisor = {
    name: "noting",
    start: (machine) => note("start", machine),
    stop: (machine, forced) => note(forced ? "stop by force" : "stop", machine),
    reboot: (machine) => note("reboot", machine),
    reinstall: (machine) => note("reinstall", machine),
    expunge: (machine) => note("expunge", machine),
    attach: (machine, volume) => note(`attach at ${volume.deviceId}`, machine),
    detach: (machine, volume) => note(`detach at ${volume.deviceId}`, machine),
    resize: (volume, machine) => note(`resize to ${volume.sizeGiB}`, machine),
    deleteVolume: () => note("delete volume"),
    updateMetadata: (machine) => note("describe", machine),
    console: () => "",
    hostAddress: () => undefined,
    watch: () => undefined,
    close: () => Promise.resolve(),
    cutPower: () => undefined,
    filter: () => note("filter"),
};

let cloud: RunningCloud;
let user: Client;
let base: Awaited<ReturnType<Client["catalogue"]>>;

beforeAll(async () => {
    cloud = await startCloud({ hypervisor });
    user = new Client(cloud, cloud.accounts.expunger);
    base = await user.catalogue();
});

afterAll(() => cloud.close());

/** The final answer of a job, and its requests to the hypervisor. */
async function run(command: string, parameters: Record<string, unknown>): Promise<{ job: any; asked: string[] }> {
    asked.length = 0;
    const job = await user.run(command, parameters);
    return { job, asked: [...asked] };
}

const state = async (id: string) => (await user.list("listVirtualMachines", { id }))[0].state;

test("every action on a machine calls the hypervisor", async () => {
    const key = (await user.ok("createSSHKeyPair", { name: "k" })).keypair;
    expect(key.privatekey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
    const userdata = Buffer.from("#cloud-config\n").toString("base64");
    const deployed = await run("deployVirtualMachine", { ...base, name: "m", keypair: "k", userdata });
    expect(deployed.asked).toEqual(["filter", "start"]);
    const vm = deployed.job.jobresult.virtualmachine;
    expect(last).toMatchObject({
        id: vm.id,
        name: "m",
        templateName: "Debian 12",
        cpuNumber: 1,
        cpuSpeed: 1000,
        memoryMiB: 1024,
        zoneName: "sandbox",
        nics: [
            {
                address: vm.ipaddress,
                netmask: "255.255.255.0",
                gateway: "10.1.1.1",
                mac: vm.nic[0].macaddress,
                isDefault: true,
            },
        ],
        rootVolume: { sizeGiB: 2, deviceId: 0 },
        dataVolumes: [],
        publicKeys: [expect.stringMatching(/^ssh-rsa AAAA/)],
    });
    expect(last!.userData!.toString()).toBe("#cloud-config\n");

    const [offering] = await user.list("listDiskOfferings", { name: "Custom" });
    const made = await run("createVolume", { name: "v", zoneid: base.zoneid, diskofferingid: offering.id, size: 1 });
    const { id } = made.job.jobresult.volume;
    expect((await run("attachVolume", { id, virtualmachineid: vm.id })).asked).toEqual(["attach at 1"]);
    expect((await run("resizeVolume", { id, size: 2 })).asked).toEqual(["resize to 2"]);
    expect(last!.dataVolumes).toMatchObject([{ id, deviceId: 1 }]);
    expect((await run("detachVolume", { id })).asked).toEqual(["detach at 1"]);
    await run("attachVolume", { id, virtualmachineid: vm.id });
    expect((await run("rebootVirtualMachine", { id: vm.id })).asked).toEqual(["reboot"]);
    expect((await run("restoreVirtualMachine", { virtualmachineid: vm.id })).asked).toEqual([
        "stop",
        "reinstall",
        "start",
    ]);
    expect((await run("stopVirtualMachine", { id: vm.id, forced: true })).asked).toEqual(["stop by force"]);
    expect((await run("startVirtualMachine", { id: vm.id })).asked).toEqual(["filter", "start"]);
    const destroyed = await run("destroyVirtualMachine", { id: vm.id, expunge: true });
    expect(destroyed.asked).toEqual(["stop", "detach at 1", "expunge", "filter"]);
    asked.length = 0;
    await user.ok("deleteVolume", { id });
    expect(asked).toEqual(["delete volume"]);
});

test("changed rules are passed to the hypervisor's filter", async () => {
    const group = (await user.ok("createSecurityGroup", { name: "g" })).securitygroup;
    const rule = { securitygroupid: group.id, protocol: "tcp", startport: 1, endport: 1, cidrlist: "10.0.0.0/8" };
    const authorized = await run("authorizeSecurityGroupIngress", rule);
    expect(authorized.asked).toEqual(["filter"]);
    const { ruleid } = authorized.job.jobresult.securitygroup.ingressrule[0];
    expect((await run("revokeSecurityGroupIngress", { id: ruleid })).asked).toEqual(["filter"]);
});

test("a failure of the hypervisor fails the job with its message, and the machine is unchanged", async () => {
    broken = "start";
    const unlucky = (await run("deployVirtualMachine", { ...base, name: "unlucky" })).job;
    expect(unlucky.jobresult).toEqual({ errorcode: 530, errortext: "start is broken" });
    expect(await state(unlucky.jobinstanceid)).toBe("Error");
    broken = undefined;
    await user.done("destroyVirtualMachine", { id: unlucky.jobinstanceid, expunge: true });

    const { id } = (await user.done("deployVirtualMachine", { ...base, name: "m" })).virtualmachine;
    for (const [action, command, more] of [
        ["stop", "stopVirtualMachine", {}],
        ["reinstall", "restoreVirtualMachine", { virtualmachineid: id }],
        ["expunge", "destroyVirtualMachine", { expunge: true }],
    ] as const) {
        broken = action;
        const { job } = await run(command, { id, ...more });
        expect([command, job.jobstatus, job.jobresult.errortext]).toEqual([command, 2, `${action} is broken`]);
        expect(await state(id)).toBe("Running");
    }
    broken = undefined;
    await user.done("destroyVirtualMachine", { id, expunge: true });
});
