/** Each kind of fault: what the caller receives, and what the cloud does. */
import { startCloud, type RunningCloud } from "../../../simulator";
import { Client } from "./client";

let cloud: RunningCloud;
let user: Client;
let base: Awaited<ReturnType<Client["catalogue"]>>;

beforeAll(async () => {
    cloud = await startCloud();
    user = new Client(cloud, cloud.accounts.user);
    base = await user.catalogue();
});

afterEach(() => cloud.clearFaults());

afterAll(() => cloud.close());

const groups = async () =>
    (await user.list("listSecurityGroups")).map((group) => group.name).filter((name) => name !== "default");

test("refuse: returns the given error as often as requested, and does nothing", async () => {
    cloud.fault({ kind: "refuse", command: "createSecurityGroup", status: 533, text: "No capacity", count: 2 });
    for (let time = 0; time < 2; time += 1) {
        const { status, body } = await user.send("createSecurityGroup", { name: "refused" });
        expect(status).toBe(533);
        expect(body).toEqual({
            createsecuritygroupresponse: { uuidList: [], errorcode: 533, cserrorcode: 4250, errortext: "No capacity" },
        });
    }
    expect(await groups()).toEqual([]);
    expect((await user.send("createSecurityGroup", { name: "refused" })).status).toBe(200);
    await user.ok("deleteSecurityGroup", { name: "refused" });
});

test("skip lets the first calls pass; account and command select", async () => {
    cloud.fault({ kind: "throttle", command: "list*", account: "user", skip: 1 });
    const expunger = new Client(cloud, cloud.accounts.expunger);
    expect((await user.send("listZones")).status).toBe(200);
    expect((await expunger.send("listZones")).status).toBe(200);
    expect((await user.send("getVirtualMachineUserData")).status).toBe(431);
    const throttled = await user.send("listVolumes");
    expect([throttled.status, throttled.answer.cserrorcode]).toEqual([429, 4545]);
    expect((await user.send("listZones")).status).toBe(200);
    expect(cloud.faults()).toMatchObject([{ kind: "throttle", hits: 1, passed: 1 }]);
});

test("unavailable: 503 with a page that is not JSON", async () => {
    cloud.fault({ kind: "unavailable" });
    const reply = await user.send("listZones");
    expect(reply.status).toBe(503);
    expect(reply.body).toMatch(/^<html>/);
});

test("delay: the answer is late", async () => {
    cloud.fault({ kind: "delay", seconds: 0.15 });
    const start = performance.now();
    expect((await user.send("listZones")).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThan(140);
});

test("cut: no answer, not carried out; drop: no answer, but carried out", async () => {
    cloud.clearCalls();
    cloud.fault({ kind: "cut", command: "createSecurityGroup" });
    await expect(user.send("createSecurityGroup", { name: "cut" })).rejects.toThrow(/hang up|ECONNRESET/);
    expect(await groups()).toEqual([]);
    cloud.fault({ kind: "drop", command: "createSecurityGroup" });
    await expect(user.send("createSecurityGroup", { name: "dropped" })).rejects.toThrow(/hang up|ECONNRESET/);
    expect(await groups()).toEqual(["dropped"]);
    expect(cloud.calls().filter((call) => call.command === "createSecurityGroup")).toMatchObject([
        { status: 0, account: "user", parameters: { name: "cut" } },
        { status: 0, account: "user", parameters: { name: "dropped" } },
    ]);
    expect(JSON.stringify(cloud.calls())).not.toContain(cloud.accounts.user.apiKey);
    await user.ok("deleteSecurityGroup", { name: "dropped" });
});

test("failJob: a deploy leaves a machine in Error; other jobs change nothing", async () => {
    cloud.fault({ kind: "failJob", command: "deployVirtualMachine", text: "Unable to create a deployment" });
    const { id, jobid } = await user.ok("deployVirtualMachine", { ...base, name: "unlucky" });
    expect((await user.job(jobid)).jobresult).toEqual({ errorcode: 530, errortext: "Unable to create a deployment" });
    expect((await user.list("listVirtualMachines", { id }))[0].state).toBe("Error");
    await user.done("destroyVirtualMachine", { id });

    const vm = (await user.done("deployVirtualMachine", { ...base, name: "lucky" })).virtualmachine;
    const state = async () => (await user.list("listVirtualMachines", { id: vm.id }))[0].state;
    for (const [command, before] of [
        ["stopVirtualMachine", "Running"],
        ["destroyVirtualMachine", "Running"],
        ["restoreVirtualMachine", "Running"],
    ] as const) {
        cloud.fault({ kind: "failJob", command });
        expect((await user.run(command, { id: vm.id, virtualmachineid: vm.id })).jobstatus).toBe(2);
        expect(await state()).toBe(before);
    }
    await user.done("stopVirtualMachine", { id: vm.id });
    cloud.fault({ kind: "failJob", command: "startVirtualMachine", status: 533 });
    expect((await user.run("startVirtualMachine", { id: vm.id })).jobresultcode).toBe(533);
    expect(await state()).toBe("Stopped");

    await user.ok("createSecurityGroup", { name: "g" });
    const rule = { securitygroupname: "g", protocol: "tcp", startport: 1, endport: 1, cidrlist: "10.0.0.0/8" };
    const rules = async () => (await user.list("listSecurityGroups", { securitygroupname: "g" }))[0].ingressrule;
    cloud.fault({ kind: "failJob", command: "authorizeSecurityGroupIngress" });
    await user.run("authorizeSecurityGroupIngress", rule);
    expect(await rules()).toEqual([]);
    await user.done("authorizeSecurityGroupIngress", rule);
    cloud.fault({ kind: "failJob", command: "revoke*" });
    const before = await rules();
    await user.run("revokeSecurityGroupIngress", { id: before[0].ruleid });
    expect(await rules()).toEqual(before);
    cloud.fault({ kind: "failJob", command: "createVolume" });
    const [offering] = await user.list("listDiskOfferings", { name: "Small" });
    await user.run("createVolume", { name: "v", zoneid: base.zoneid, diskofferingid: offering.id });
    expect(await user.list("listVolumes", { name: "v" })).toEqual([]);
});

test("an invalid fault is refused with the reason", () => {
    expect(() => cloud.fault({ kind: "explode" as any })).toThrow(/kind must be one of/);
    expect(() => cloud.fault({ kind: "delay" })).toThrow(/seconds is required for delay/);
    expect(() => cloud.fault({ kind: "drop", count: -1 })).toThrow(/count must be a number/);
    expect(() => cloud.fault({ kind: "drop", cmd: "x" } as any)).toThrow(/Unknown field cmd/);
});

test("the control endpoint requires the token", async () => {
    const url = `${cloud.url}/control/faults`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { Authorization: "Bearer wrong" } })).status).toBe(401);
    const headers = { Authorization: `Bearer ${cloud.token}` };
    expect((await fetch(url, { method: "POST", headers, body: "{" })).status).toBe(400);
    expect((await fetch(url, { method: "POST", headers, body: '{"kind":"drop"}' })).status).toBe(200);
    expect(await (await fetch(url, { headers })).json()).toMatchObject({ faults: [{ kind: "drop", hits: 0 }] });
    expect(await (await fetch(url, { method: "DELETE", headers })).json()).toEqual({ cleared: 1 });
});
