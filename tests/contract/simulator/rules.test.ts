/** Rules of the embedded cloud beyond the recorded calls: other orders, other arguments, other accounts. */
import { startCloud, type RunningCloud } from "../../../simulator";
import { Client, type Reply } from "./client";

let cloud: RunningCloud;
let user: Client;
let expunger: Client;
let admin: Client;
let base: Awaited<ReturnType<Client["catalogue"]>>;
let offset = 0;

beforeAll(async () => {
    cloud = await startCloud({ expungeSeconds: 3600, now: () => Date.now() + offset });
    [user, expunger, admin] = [cloud.accounts.user, cloud.accounts.expunger, cloud.accounts.admin].map(
        (credentials) => new Client(cloud, credentials),
    );
    base = await user.catalogue();
});

afterAll(() => cloud.close());

const text = (reply: Reply) => `${reply.status}/${reply.answer.cserrorcode} ${reply.answer.errortext}`;

async function failure(client: Client, command: string, parameters: Record<string, unknown>): Promise<string> {
    const job = await client.run(command, parameters);
    expect(job.jobstatus).toBe(2);
    expect(job.jobresult.errorcode).toBe(job.jobresultcode);
    return `${job.jobresult.errorcode} ${job.jobresult.errortext}`;
}

/** A running machine. */
async function deploy(client: Client, name: string, more: Record<string, unknown> = {}): Promise<any> {
    return (await client.done("deployVirtualMachine", { ...base, name, ...more })).virtualmachine;
}

const machine = async (client: Client, id: string, more: Record<string, unknown> = {}) =>
    (await client.list("listVirtualMachines", { id, ...more }))[0];

describe("requests", () => {
    test("are GET or POST, with names in any case, and only JSON", async () => {
        expect((await user.send("listZones", {}, { method: "GET" })).status).toBe(200);
        const [zone] = await user.list("listZones");
        expect((await user.send("listZones", { ID: zone.id })).answer.count).toBe(1);
        expect(text(await user.send("listZones", { response: "xml" }))).toBe(
            "430/9999 This cloud answers in JSON only: add response=json (asked for: xml)",
        );
        const put = await fetch(cloud.endpoint, { method: "PUT" });
        expect(put.status).toBe(405);
        expect((await fetch(`${cloud.url}/`)).status).toBe(404);
    });

    test("have an expiry in one of several formats; a past or missing one is refused", async () => {
        const soon = new Date(Date.now() + 60_000).toISOString();
        for (const expires of [soon, soon.replace(/\.\d+Z/, "Z"), soon.replace(/\.\d+Z/, "+0000")]) {
            expect((await user.send("listZones", {}, { expires })).status).toBe(200);
        }
        for (const expires of ["", "yesterday", "2020-01-01T00:00:00+0000"])
            expect((await user.send("listZones", {}, { expires })).status).toBe(401);
    });

    test("have their parameters checked one after the other", async () => {
        const { serviceofferingid, ...without } = base;
        expect(text(await user.send("deployVirtualMachine", without))).toBe(
            "431/9999 Unable to execute API command deployvirtualmachine due to missing parameter serviceofferingid",
        );
        expect(text(await user.send("deployVirtualMachine", { serviceofferingid }))).toBe(
            "431/9999 Unable to execute API command deployvirtualmachine due to missing parameter zoneid",
        );
        expect(text(await user.send("createVolume", { name: "v", size: "big" }))).toBe(
            "431/9999 Unable to execute API command createvolume due to invalid value big for parameter size",
        );
        expect(text(await user.send("createSecurityGroup", { name: "g".repeat(256) }))).toMatch(
            /^431\/9999 .*Value greater than max allowed length 255 for param: name$/,
        );
        expect(text(await user.send("startVirtualMachine", { id: base.zoneid }))).toMatch(
            /^431\/9999 .*Invalid parameter id value=/,
        );
        expect(text(await user.send("deployVirtualMachine", { ...base, name: "1st" }))).toMatch(
            /can't start with digit$/,
        );
    });

    test("for a page need both paging parameters", async () => {
        for (const name of ["p-1", "p-2", "p-3"]) await user.ok("createSecurityGroup", { name });
        const second = await user.ok("listSecurityGroups", { keyword: "p-", page: 2, pagesize: 2 });
        expect(second.count).toBe(3);
        expect(second.securitygroup.map((group: any) => group.name)).toEqual(["p-3"]);
        expect(await user.ok("listSecurityGroups", { keyword: "p-", page: 3, pagesize: 2 })).toEqual({});
        expect((await user.send("listSecurityGroups", { page: 1 })).status).toBe(431);
        expect((await user.send("listSecurityGroups", { pagesize: 10 })).status).toBe(431);
        expect(text(await user.send("listSecurityGroups", { page: 1, pagesize: 501 }))).toBe(
            "431/4350 Page size can't exceed max allowed page size value: 500",
        );
        for (const name of ["p-1", "p-2", "p-3"])
            expect(await user.ok("deleteSecurityGroup", { name })).toEqual({ success: true });
    });

    test("for commands that a User may not call are accepted from the administrator", async () => {
        const group = (await user.ok("createSecurityGroup", { name: "old" })).securitygroup;
        expect((await user.send("updateSecurityGroup", { id: group.id, name: "new" })).status).toBe(432);
        expect((await admin.ok("updateSecurityGroup", { id: group.id, name: "new" })).securitygroup.name).toBe("new");
        const names = async (client: Client) => (await client.ok("listApis")).api.map((api: any) => api.name);
        expect(await names(user)).not.toContain("updateSecurityGroup");
        expect(await names(admin)).toContain("updateSecurityGroup");
        expect(text(await user.send("createVPC", {}))).toMatch(
            /^432\/9999 The API \[createVPC\] does not exist .* this embedded cloud does not\)$/,
        );
        await user.ok("deleteSecurityGroup", { id: group.id });
    });

    test("for listApis return parameters and fields", async () => {
        const [api] = (await user.ok("listApis", { name: "deployVirtualMachine" })).api;
        expect(api).toMatchObject({ name: "deployVirtualMachine", isasync: true });
        expect(api.params).toContainEqual({
            name: "userdata",
            description: "",
            type: "string",
            length: 1048576,
            required: false,
        });
        expect(
            api.response.find((field: any) => field.name === "nic").response.map((field: any) => field.name),
        ).toContain("macaddress");
    });
});

describe("answers", () => {
    /** Fields of an answer that the API's own description does not list, with their paths. */
    function unknownFields(answer: any, fields: any[], path: string): string[] {
        if (Array.isArray(answer)) return answer.flatMap((item) => unknownFields(item, fields, path));
        if (answer === null || typeof answer !== "object") return [];
        return Object.entries(answer).flatMap(([name, value]) => {
            const field = fields.find((known) => known.name === name);
            if (field === undefined) return [`${path}.${name}`];
            return field.response === undefined ? [] : unknownFields(value, field.response, `${path}.${name}`);
        });
    }

    test("have no field that CloudStack does not have", async () => {
        const { api } = await admin.ok("listApis");
        const projectid = cloud.projectId;
        const vm = await deploy(user, "described", { group: "some", projectid, "details[0].a": "b" });
        const [offering] = await user.list("listDiskOfferings", { name: "Custom" });
        await user.done("createVolume", {
            name: "v",
            zoneid: base.zoneid,
            diskofferingid: offering.id,
            size: 1,
            projectid,
        });
        await user.done("createTags", {
            resourceids: vm.id,
            resourcetype: "UserVm",
            "tags[0].key": "k",
            "tags[0].value": "v",
        });
        await user.ok("createSSHKeyPair", { name: "described", projectid });
        await user.done("createAffinityGroup", {
            name: "described",
            type: "host affinity",
            description: "d",
            projectid,
        });
        const [{ id: zoneid }] = await user.list("listZones", { name: "sandbox-isolated" });
        const [{ id: networkofferingid }] = await user.list("listNetworkOfferings", { guestiptype: "Isolated" });
        const { network } = await user.ok("createNetwork", { name: "described", zoneid, networkofferingid, projectid });
        const { ipaddress } = await user.done("associateIpAddress", { networkid: network.id });
        await user.done("createFirewallRule", { ipaddressid: ipaddress.id, protocol: "icmp" });
        const isolated = await user.catalogue("sandbox-isolated");
        const inside = { ...isolated, projectid, networkids: network.id, name: "inside" };
        const { virtualmachine } = await user.done("deployVirtualMachine", inside);
        await user.done("createPortForwardingRule", {
            ...{ ipaddressid: ipaddress.id, protocol: "tcp", publicport: 22, privateport: 22 },
            virtualmachineid: virtualmachine.id,
        });
        await user.done("createEgressFirewallRule", { networkid: network.id, protocol: "tcp", startport: 443 });
        const lists: Record<string, object> = {
            listTemplates: { templatefilter: "all" },
            listNics: { virtualmachineid: vm.id },
        };
        const names = [...api.map((command: any) => command.name)].filter(
            (name) => name.startsWith("list") && name !== "listApis",
        );
        for (const name of names) {
            const { response, params } = api.find((command: any) => command.name === name);
            const inProject = params.some((p: any) => p.name === "projectid") ? { projectid } : {};
            const { count: _, ...answer } = await admin.ok(name, { listall: true, ...inProject, ...lists[name] });
            const [shown] = Object.values(answer);
            expect([name, [...new Set(unknownFields(shown, response, ""))]]).toEqual([name, []]);
            // No job is pending; every other command must have returned something.
            expect([name, shown === undefined]).toEqual([name, name === "listAsyncJobs"]);
        }
        await user.done("destroyVirtualMachine", { id: virtualmachine.id });
        await admin.done("expungeVirtualMachine", { id: virtualmachine.id });
        await user.done("deleteNetwork", { id: network.id });
        await user.done("destroyVirtualMachine", { id: vm.id });
        await admin.done("expungeVirtualMachine", { id: vm.id });
    });
});

describe("accounts", () => {
    test("only one of the two users may expunge and recover", async () => {
        const may = async (client: Client) =>
            (await client.ok("listCapabilities")).capability.allowuserexpungerecovervm;
        expect([await may(user), await may(expunger), await may(admin)]).toEqual([false, true, true]);

        const vm = await deploy(expunger, "short-lived");
        expect((await expunger.done("destroyVirtualMachine", { id: vm.id })).virtualmachine.state).toBe("Destroyed");
        expect((await expunger.ok("recoverVirtualMachine", { id: vm.id })).virtualmachine.state).toBe("Stopped");
        await expunger.done("destroyVirtualMachine", { id: vm.id, expunge: true });
        expect(await admin.list("listVirtualMachines", { id: vm.id, listall: true })).toEqual([]);
        // Its name and address can be used again.
        const again = await deploy(expunger, "short-lived", { ipaddress: vm.ipaddress });
        expect(again.ipaddress).toBe(vm.ipaddress);
        await expunger.done("destroyVirtualMachine", { id: again.id, expunge: true });
        expect(text(await expunger.send("startVirtualMachine", { id: vm.id }))).toBe(
            `431/4350 Unable to find a virtual machine with id ${vm.id}`,
        );
    });

    test("a user can neither see nor change what belongs to another", async () => {
        const vm = await deploy(user, "mine");
        expect(await expunger.list("listVirtualMachines")).toEqual([]);
        expect(await expunger.list("listVirtualMachines", { listall: true, id: vm.id })).toEqual([]);
        expect((await expunger.send("stopVirtualMachine", { id: vm.id })).status).toBe(531);
        expect((await expunger.send("listVirtualMachines", { account: "user" })).status).toBe(531);
        expect((await machine(admin, vm.id, { listall: true })).instancename).toMatch(/^i-\d+-\d+-VM$/);
        await user.done("destroyVirtualMachine", { id: vm.id });
        await admin.done("expungeVirtualMachine", { id: vm.id });
    });

    test("resources of a project belong to it, with every command", async () => {
        const { projectId: projectid } = cloud;
        expect((await user.list("listProjects"))[0]).toMatchObject({ id: projectid, name: "sandbox" });
        const group = (await user.ok("createSecurityGroup", { name: "shared-group", projectid })).securitygroup;
        expect(group).toMatchObject({ projectid, project: "sandbox" });
        expect(group.account).toBeUndefined();
        // A project has an account of its own, which rules name; neither the project's nor a member's name can replace
        // it.
        const authorize = (account: string) =>
            user.run("authorizeSecurityGroupIngress", {
                securitygroupid: group.id,
                protocol: "tcp",
                startport: 1,
                endport: 1,
                "usersecuritygrouplist[0].account": account,
                "usersecuritygrouplist[0].group": "shared-group",
            });
        const account = "PrjAcct-sandbox-1";
        expect((await user.list("listProjects"))[0].projectaccountname).toBe(account);
        expect((await authorize(account)).jobresult.securitygroup.ingressrule).toMatchObject([
            { securitygroupname: "shared-group", account },
        ]);
        expect((await authorize("sandbox")).jobresult.errortext).toContain("Nonexistent account: sandbox when trying");
        expect((await authorize("user")).jobresult.errortext).toContain(
            "Nonexistent group shared-group for account user/",
        );
        const vm = await deploy(user, "of-the-project", { projectid, securitygroupids: group.id });
        expect(vm).toMatchObject({ projectid, project: "sandbox" });
        expect(await user.list("listVirtualMachines")).toEqual([]);
        expect(await user.list("listVirtualMachines", { projectid })).toHaveLength(1);
        expect(await user.list("listVirtualMachines", { projectid: "-1" })).toHaveLength(1);
        // The other member can see and change it.
        expect((await machine(expunger, vm.id, { projectid })).name).toBe("of-the-project");
        expect((await expunger.done("stopVirtualMachine", { id: vm.id })).virtualmachine.state).toBe("Stopped");
        expect((await user.ok("createSSHKeyPair", { name: "k", projectid })).keypair.projectid).toBe(projectid);
        expect(await user.list("listSSHKeyPairs")).toEqual([]);
        await user.ok("deleteSSHKeyPair", { name: "k", projectid });
        await expunger.done("destroyVirtualMachine", { id: vm.id, expunge: true });
        await admin.done("deleteAccountFromProject", { projectid, account: "expunger" });
        expect((await expunger.send("listVirtualMachines", { projectid })).status).toBe(531);
        await admin.done("addAccountToProject", { projectid, account: "expunger" });
    });

    test("limits are set by the administrator and cause errors with code 535", async () => {
        const limit = (resourcetype: number, max: number) =>
            admin.ok("updateResourceLimit", { account: "user", domainid: undefined, resourcetype, max });
        expect((await limit(0, 1)).resourcelimit).toMatchObject({
            resourcetypename: "user_vm",
            max: 1,
            account: "user",
        });
        const vm = await deploy(user, "the-only-one");
        expect(text(await user.send("deployVirtualMachine", { ...base, name: "one-more" }))).toMatch(
            /^535\/9999 Maximum amount of resources of Type = 'user_vm' for Account Name = 'user' in Domain Id = '.*' is exceeded: Account Resource Limit = 1, Current Account Resource Amount = 1, Current Account Resource Reservation = 0, Requested Resource Amount = 1\.$/,
        );
        // A network's limit causes another code and another text.
        await limit(6, 0);
        const zoneid = (await user.list("listZones", { name: "sandbox-isolated" }))[0].id;
        const [{ id: networkofferingid }] = await user.list("listNetworkOfferings", { guestiptype: "Isolated" });
        expect(
            text(await user.send("createNetwork", { name: "n", displaytext: "n", zoneid, networkofferingid })),
        ).toMatch(
            /^535\/4370 Maximum amount of resources of Type = 'network' .*Current Account Resource Amount = 0, Requested Resource Amount = 1\.$/,
        );
        await limit(6, -1);
        await limit(0, -1);
        await limit(9, 1500);
        expect(text(await user.send("deployVirtualMachine", { ...base, name: "one-more" }))).toMatch(/Type = 'memory'/);
        expect((await user.list("listResourceLimits", { resourcetype: 9 }))[0].max).toBe(1500);
        expect((await user.list("listAccounts"))[0]).toMatchObject({
            vmtotal: 1,
            vmlimit: "Unlimited",
            memoryavailable: "476",
        });
        expect((await user.send("updateResourceLimit", { resourcetype: 0, max: 9 })).status).toBe(432);
        await limit(9, -1);
        await user.done("destroyVirtualMachine", { id: vm.id });
    });
});

describe("a machine", () => {
    test("is expunged after the delay, and frees name, address and groups", async () => {
        const group = (await user.ok("createSecurityGroup", { name: "held" })).securitygroup;
        const vm = await deploy(user, "held", { securitygroupids: group.id });
        await user.done("destroyVirtualMachine", { id: vm.id });
        expect(text(await user.send("deleteSecurityGroup", { id: group.id }))).toBe(
            "536/9999 Cannot delete group when it's in use by virtual machines",
        );
        expect(text(await user.send("deployVirtualMachine", { ...base, ipaddress: vm.ipaddress }))).toBe(
            "530/0 Internal error executing command, please contact your system administrator",
        );
        offset += 3_601_000;
        for (let tries = 0; tries < 40 && (await machine(admin, vm.id, { listall: true })) !== undefined; tries += 1)
            await new Promise((resolve) => setTimeout(resolve, 100));
        expect(await user.ok("deleteSecurityGroup", { id: group.id })).toEqual({ success: true });
        expect((await deploy(user, "held", { ipaddress: vm.ipaddress })).ipaddress).toBe(vm.ipaddress);
    });

    test("can be retired: renamed, moved to another address, removed from its groups, then destroyed", async () => {
        const group = (await user.ok("createSecurityGroup", { name: "retired" })).securitygroup;
        const vm = await deploy(user, "retired", { securitygroupids: group.id, ipaddress: "10.1.1.99" });
        const [nic] = vm.nic;
        expect(await failure(user, "updateVmNicIp", { nicid: nic.id })).toBe(
            "431 VM is not Stopped, unable to update the vm nic having the specified id",
        );
        await user.done("stopVirtualMachine", { id: vm.id });
        expect(await failure(user, "updateVmNicIp", { nicid: nic.id, ipaddress: "10.1.1.251" })).toMatch(
            /^431 Allocating ip to guest nic .* failed, please choose another ip$/,
        );
        const moved = await user.done("updateVmNicIp", { nicid: nic.id });
        expect(moved.virtualmachine.nic[0].ipaddress).not.toBe("10.1.1.99");
        expect(
            (await user.ok("updateVirtualMachine", { id: vm.id, name: "retired-gone-1", securitygroupids: "" }))
                .virtualmachine.securitygroup,
        ).toEqual([]);
        await user.done("destroyVirtualMachine", { id: vm.id });
        await user.ok("deleteSecurityGroup", { id: group.id });
        const successor = await deploy(user, "retired", { ipaddress: "10.1.1.99" });
        expect(successor.ipaddress).toBe("10.1.1.99");
        await user.done("destroyVirtualMachine", { id: successor.id });
    });

    test("whose first start fails is in state Error: it cannot be changed, and keeps its name when it is destroyed", async () => {
        cloud.fault({ kind: "failJob", command: "deployVirtualMachine", text: "No host" });
        const { id, jobid } = await user.ok("deployVirtualMachine", { ...base, name: "failing" });
        expect((await user.job(jobid)).jobstatus).toBe(2);
        expect(await machine(user, id)).toMatchObject({ state: "Error", details: { deployvm: "true" } });
        for (const change of [{ name: "failing-gone" }, { displayname: "other" }])
            expect(text(await user.send("updateVirtualMachine", { id, ...change }))).toMatch(
                /^530\/4250 Internal error/,
            );
        const destroyed = await user.done("destroyVirtualMachine", { id });
        expect(destroyed.virtualmachine.state).toBe("Expunging");
        expect(await machine(user, id)).toBeUndefined();
        expect(await machine(admin, id, { listall: true })).toMatchObject({ state: "Expunging", name: "failing" });
        expect(text(await user.send("deployVirtualMachine", { ...base, name: "failing" }))).toMatch(
            /^431\/4350 The vm with hostName failing already exists/,
        );
        offset += 3_601_000;
        for (let tries = 0; tries < 40 && (await machine(admin, id, { listall: true })) !== undefined; tries += 1)
            await new Promise((resolve) => setTimeout(resolve, 100));
        await user.done("destroyVirtualMachine", { id: (await deploy(user, "failing")).id });
    });

    test("that is created stopped stays stopped when its start fails, can be renamed, and gets its password when it starts", async () => {
        const [template] = await user.list("listTemplates", {
            templatefilter: "executable",
            name: "Debian 12 with password",
            zoneid: base.zoneid,
        });
        const made = await deploy(user, "stopped", { startvm: false, templateid: template.id });
        expect(made).toMatchObject({ state: "Stopped", passwordenabled: true });
        expect(made.password).toBeUndefined();
        cloud.fault({ kind: "failJob", command: "startVirtualMachine", text: "No host" });
        expect(await failure(user, "startVirtualMachine", { id: made.id })).toBe("530 No host");
        expect((await machine(user, made.id)).state).toBe("Stopped");
        await user.ok("updateVirtualMachine", { id: made.id, name: "stopped-gone" });
        const started = await user.done("startVirtualMachine", { id: made.id });
        expect(started.virtualmachine.password).toMatch(/^[A-Za-z2-9]{8}$/);
        await user.done("stopVirtualMachine", { id: made.id });
        expect((await user.done("startVirtualMachine", { id: made.id })).virtualmachine.password).toBeUndefined();
        await user.done("destroyVirtualMachine", { id: made.id });
    });

    test("accepts changes only in the states that CloudStack allows", async () => {
        const vm = await deploy(user, "changing");
        const [large] = await user.list("listServiceOfferings", { name: "Large Instance" });
        const affinity = await user.done("createAffinityGroup", { name: "apart", type: "host anti-affinity" });
        expect(
            (await user.send("updateVirtualMachine", { id: vm.id, securitygroupids: vm.securitygroup[0].id })).status,
        ).toBe(530);
        expect(
            await failure(user, "updateVMAffinityGroup", { id: vm.id, affinitygroupids: affinity.affinitygroup.id }),
        ).toMatch(/^431 .*in state Running; make sure the virtual machine is stopped$/);
        expect(await failure(user, "startVirtualMachine", { id: vm.id })).toMatch(/^431 .* is already running$/);
        await user.done("stopVirtualMachine", { id: vm.id });
        expect((await user.done("stopVirtualMachine", { id: vm.id })).virtualmachine.state).toBe("Stopped");
        expect(await failure(user, "rebootVirtualMachine", { id: vm.id })).toBe("530 Failed to reboot vm instance");
        await user.done("updateVMAffinityGroup", { id: vm.id, affinitygroupids: affinity.affinitygroup.id });
        expect(
            (await user.done("scaleVirtualMachine", { id: vm.id, serviceofferingid: large.id })).virtualmachine,
        ).toMatchObject({ cpunumber: 2, memory: 2048, affinitygroup: [{ name: "apart" }] });
        expect((await user.list("listAffinityGroups"))[0].virtualmachineIds).toEqual([vm.id]);
        await user.done("deleteAffinityGroup", { name: "apart" });
        expect((await machine(user, vm.id)).affinitygroup).toEqual([]);
        await user.done("destroyVirtualMachine", { id: vm.id });
    });

    test("of a custom offering has the size in its details, within bounds", async () => {
        const [offering] = await user.list("listServiceOfferings", { name: "Custom Constrained" });
        expect(offering).toMatchObject({
            iscustomized: true,
            cpuspeed: 1000,
            serviceofferingdetails: { mincpunumber: "1", maxcpunumber: "8", minmemory: "512", maxmemory: "16384" },
        });
        const parameters = { ...base, serviceofferingid: offering.id };
        expect(text(await user.send("deployVirtualMachine", parameters))).toBe(
            "431/4350 Invalid CPU cores value, specify a value between 1 and 8",
        );
        expect(
            (
                await user.send("deployVirtualMachine", {
                    ...parameters,
                    "details[0].cpuNumber": 9,
                    "details[0].memory": 1024,
                })
            ).status,
        ).toBe(431);
        const vm = await deploy(user, "custom", {
            serviceofferingid: offering.id,
            "details[0].cpuNumber": 3,
            "details[0].memory": 1536,
            "details[0].owner": "me",
        });
        expect(vm).toMatchObject({
            cpunumber: 3,
            memory: 1536,
            details: { owner: "me", cpuNumber: "3", memory: "1536" },
        });
        await user.done("destroyVirtualMachine", { id: vm.id });
    });

    test("keeps details, user data and tags as they were set", async () => {
        const userdata = Buffer.from("#cloud-config\n").toString("base64");
        const vm = await deploy(user, "kept", {
            userdata: encodeURIComponent(userdata.replace(/=+$/, "")),
            "details[0].owner": "o/p/s/kept",
        });
        expect(
            (await user.ok("getVirtualMachineUserData", { virtualmachineid: vm.id })).virtualmachineuserdata.userdata,
        ).toBe(userdata);
        await user.ok("updateVirtualMachine", { id: vm.id, userdata: "" });
        expect(
            (await user.ok("getVirtualMachineUserData", { virtualmachineid: vm.id })).virtualmachineuserdata.userdata,
        ).toBeUndefined();
        expect((await machine(user, vm.id)).details).toEqual({ owner: "o/p/s/kept" });
        expect(
            text(await user.send("updateVirtualMachine", { id: vm.id, "details[0].rootDiskController": "scsi" })),
        ).toMatch(/read-only setting: rootDiskController$/);
        expect(
            text(await user.send("deployVirtualMachine", { ...base, userdata: "A".repeat(5000) }, { method: "GET" })),
        ).toMatch(/too long for an http GET request$/);
        const tag = { resourceids: vm.id, resourcetype: "UserVm", "tags[0].key": "a", "tags[0].value": "1" };
        await user.done("createTags", tag);
        expect(await failure(user, "createTags", tag)).toBe(`530 tag a already on UserVm with id ${vm.id}`);
        expect(await user.list("listVirtualMachines", { "tags[0].key": "a", "tags[0].value": "2" })).toEqual([]);
        await user.done("deleteTags", tag);
        expect(await failure(user, "deleteTags", tag)).toBe(
            "431 Unable to find any tags which conform to specified delete parameters.",
        );
        await user.done("destroyVirtualMachine", { id: vm.id });
    });

    test("is reinstalled in place, also from another template, and gets a password if the template supports it", async () => {
        const templates = await user.list("listTemplates", { templatefilter: "featured", zoneid: base.zoneid });
        const [older, newer, withPassword] = templates;
        expect([older.name, newer.name]).toEqual(["Debian 12", "Debian 12"]);
        expect(older.created < newer.created).toBe(true);
        const vm = await deploy(user, "again", { templateid: older.id });
        const rootBefore = (await user.list("listVolumes", { virtualmachineid: vm.id, type: "ROOT" }))[0].id;
        const restored = (
            await user.done("restoreVirtualMachine", { virtualmachineid: vm.id, templateid: withPassword.id })
        ).virtualmachine;
        expect(restored).toMatchObject({
            id: vm.id,
            name: vm.name,
            ipaddress: vm.ipaddress,
            state: "Running",
            templateid: withPassword.id,
            passwordenabled: true,
        });
        expect(restored.password).toMatch(/^[A-Za-z2-9]{8}$/);
        expect((await user.list("listVolumes", { virtualmachineid: vm.id, type: "ROOT" }))[0].id).not.toBe(rootBefore);
        expect((await machine(user, vm.id)).password).toBeUndefined();
        await user.done("stopVirtualMachine", { id: vm.id });
        expect((await user.done("restoreVirtualMachine", { virtualmachineid: vm.id })).virtualmachine.state).toBe(
            "Stopped",
        );
        expect(
            (await user.done("resetPasswordForVirtualMachine", { id: vm.id })).virtualmachine.password,
        ).toBeDefined();
        await user.done("destroyVirtualMachine", { id: vm.id });
    });

    test("with a customjobid that is in use fails after a stopped machine was created; other commands are refused", async () => {
        const customjobid = "4f3c6c1e-8a55-4d0e-b8d5-0e7e0b7f7a01";
        const vm = (await user.ok("deployVirtualMachine", { ...base, name: "once", customjobid })).id;
        await user.job(customjobid);
        expect((await user.ok("queryAsyncJobResult", { jobid: customjobid })).jobinstanceid).toBe(vm);
        expect(text(await user.send("deployVirtualMachine", { ...base, name: "twice", customjobid }))).toMatch(
            /^530\/9999 Internal error/,
        );
        const [left] = await user.list("listVirtualMachines", { name: "twice" });
        expect(left).toMatchObject({ state: "Stopped", details: { deployvm: "true" } });
        expect((await user.done("startVirtualMachine", { id: left.id })).virtualmachine.details).toEqual({});
        expect((await user.send("stopVirtualMachine", { id: vm, customjobid })).status).toBe(530);
        expect((await machine(user, vm)).state).toBe("Running");
        expect((await user.send("stopVirtualMachine", { id: vm, customjobid: "no uuid" })).status).toBe(431);
        for (const id of [vm, left.id]) await user.done("destroyVirtualMachine", { id });
    });
});

describe("volumes", () => {
    test("are kept when their machine is deleted, in any way", async () => {
        const [custom] = await expunger.list("listDiskOfferings", { name: "Custom" });
        const volume = (
            await expunger.done("createVolume", {
                name: "data",
                zoneid: base.zoneid,
                diskofferingid: custom.id,
                size: 2,
            })
        ).volume;
        for (const expunge of [true, false]) {
            const vm = await deploy(expunger, `holder-${expunge}`);
            expect(
                (await expunger.done("attachVolume", { id: volume.id, virtualmachineid: vm.id })).volume,
            ).toMatchObject({ deviceid: 1, vmname: vm.name, state: "Ready" });
            expect(await failure(expunger, "attachVolume", { id: volume.id, virtualmachineid: vm.id })).toBe(
                "431 Please specify a volume that is not attached to any VM.",
            );
            expect(text(await expunger.send("deleteVolume", { id: volume.id }))).toBe(
                "431/4350 Please specify a volume that is not attached to any VM.",
            );
            await expunger.done("destroyVirtualMachine", { id: vm.id, expunge });
            const [kept] = await expunger.list("listVolumes", { id: volume.id });
            expect(kept).toMatchObject({ state: "Ready", name: "data" });
            expect(kept.virtualmachineid).toBeUndefined();
        }
        expect(await failure(expunger, "resizeVolume", { id: volume.id, size: 1 })).toMatch(
            /^431 Going from existing size of 2147483648 to size of 1073741824 would shrink the volume/,
        );
        expect((await expunger.done("resizeVolume", { id: volume.id, size: 5 })).volume.size).toBe(5 * 2 ** 30);
        expect(await failure(expunger, "resizeVolume", { id: volume.id, size: 2000 })).toMatch(/out of allowed range/);
        expect(await failure(expunger, "detachVolume", { id: volume.id })).toBe(
            "431 The specified volume is not attached to a VM.",
        );
        expect(await expunger.ok("deleteVolume", { id: volume.id })).toEqual({ success: true });
    });

    test("are created and deleted with their machine if requested", async () => {
        const [small] = await expunger.list("listDiskOfferings", { name: "Small" });
        const vm = await deploy(expunger, "with-disk", { diskofferingid: small.id, rootdisksize: 8 });
        const volumes = await expunger.list("listVolumes", { virtualmachineid: vm.id });
        expect(volumes.map((v) => [v.type, v.size / 2 ** 30, v.state])).toEqual([
            ["ROOT", 8, "Ready"],
            ["DATADISK", 5, "Ready"],
        ]);
        await expunger.done("destroyVirtualMachine", { id: vm.id, expunge: true, volumeids: volumes[1].id });
        expect(await expunger.list("listVolumes", { ids: volumes.map((v) => v.id).join(",") })).toEqual([]);
        expect(text(await expunger.send("deployVirtualMachine", { ...base, rootdisksize: 1 }))).toMatch(/^431\/4350 /);
    });
});

describe("networks", () => {
    test("an isolated network is created on demand or by hand, and has no groups", async () => {
        const isolated = await expunger.catalogue("sandbox-isolated");
        const vm = (await expunger.done("deployVirtualMachine", { ...isolated, name: "inside" })).virtualmachine;
        expect(vm.securitygroup).toEqual([]);
        const [own] = await expunger.list("listNetworks", { zoneid: isolated.zoneid });
        expect(own).toMatchObject({ type: "Isolated", state: "Implemented", account: "expunger" });
        expect(await user.list("listNetworks", { zoneid: isolated.zoneid })).toEqual([]);
        const [offering] = await expunger.list("listNetworkOfferings", { guestiptype: "Isolated" });
        const made = (
            await expunger.ok("createNetwork", {
                name: "second",
                zoneid: isolated.zoneid,
                networkofferingid: offering.id,
                gateway: "192.168.7.1",
                netmask: "255.255.255.0",
            })
        ).network;
        expect(made).toMatchObject({ cidr: "192.168.7.0/24", state: "Allocated", displaytext: "second" });
        // The same name may be used in another network.
        const twin = (await expunger.done("deployVirtualMachine", { ...isolated, networkids: made.id, name: "inside" }))
            .virtualmachine;
        expect(twin.ipaddress).toMatch(/^192\.168\.7\./);
        expect(
            await expunger
                .done("addNicToVirtualMachine", { virtualmachineid: twin.id, networkid: own.id })
                .catch((error) => String(error)),
        ).toMatch(/already exists in the network domain/);
        expect(await failure(expunger, "deleteNetwork", { id: made.id })).toBe("530 Failed to delete network");
        await expunger.done("destroyVirtualMachine", { id: twin.id, expunge: true });
        await expunger.done("deleteNetwork", { id: made.id });
        expect(text(await expunger.send("deployVirtualMachine", { ...isolated, networkids: made.id }))).toBe(
            `431/4350 Unable to find network by id ${made.id}`,
        );
        await expunger.done("destroyVirtualMachine", { id: vm.id, expunge: true });
    });

    test("interfaces are added and removed, but the first one cannot be removed", async () => {
        const isolated = await expunger.catalogue("sandbox-isolated");
        const [offering] = await expunger.list("listNetworkOfferings", { guestiptype: "Isolated" });
        const other = (
            await expunger.ok("createNetwork", {
                name: "third",
                zoneid: isolated.zoneid,
                networkofferingid: offering.id,
                gateway: "192.168.8.1",
                netmask: "255.255.255.0",
            })
        ).network;
        const [first] = await expunger.list("listNetworks", { zoneid: isolated.zoneid });
        const vm = (
            await expunger.done("deployVirtualMachine", { ...isolated, networkids: first.id, name: "two-legs" })
        ).virtualmachine;
        const added = (await expunger.done("addNicToVirtualMachine", { virtualmachineid: vm.id, networkid: other.id }))
            .virtualmachine;
        expect(added.nic.map((nic: any) => [nic.networkname, nic.isdefault, nic.deviceid])).toEqual([
            [first.name, true, "0"],
            ["third", false, "1"],
        ]);
        expect(
            await failure(expunger, "removeNicFromVirtualMachine", { virtualmachineid: vm.id, nicid: added.nic[0].id }),
        ).toBe("431 Unable to remove the default nic of a VM");
        await expunger.done("removeNicFromVirtualMachine", { virtualmachineid: vm.id, nicid: added.nic[1].id });
        expect(await expunger.list("listNics", { virtualmachineid: vm.id })).toHaveLength(1);
        await expunger.done("destroyVirtualMachine", { id: vm.id, expunge: true });
    });
});

describe("events and jobs", () => {
    test("events are listed, newest first, for the account that they concern", async () => {
        await user.ok("createSecurityGroup", { name: "noted" });
        const [event] = await user.list("listEvents", { page: 1, pagesize: 1 });
        expect(event).toMatchObject({ type: "SG.CREATE", level: "INFO", account: "user", state: "Completed" });
        await failure(user, "authorizeSecurityGroupIngress", {
            securitygroupname: "noted",
            protocol: "tcp",
            cidrlist: "10.0.0.0/8",
        });
        expect((await user.list("listEvents", { level: "ERROR" }))[0].type).toBe("SG.AUTH.INGRESS");
        expect(await expunger.list("listEvents", { type: "SG.AUTH.INGRESS" })).toEqual([]);
    });

    test("jobs of one machine run one after the other; pending ones are listed", async () => {
        const vm = await deploy(user, "busy");
        cloud.fault({ kind: "jobSeconds", command: "*VirtualMachine", seconds: 0.3, count: 3 });
        const jobs = [];
        for (const command of ["stopVirtualMachine", "startVirtualMachine", "rebootVirtualMachine"])
            jobs.push((await user.ok(command, { id: vm.id })).jobid);
        expect((await user.list("listAsyncJobs")).map((job) => job.jobid)).toEqual(jobs);
        expect(await expunger.list("listAsyncJobs")).toEqual([]);
        expect((await admin.list("listAsyncJobs", { listall: true })).length).toBe(3);
        expect((await machine(user, vm.id)).state).toBe("Stopping");
        for (const jobid of jobs) expect((await user.job(jobid)).jobstatus).toBe(1);
        expect(await user.list("listAsyncJobs")).toEqual([]);
        expect((await machine(user, vm.id)).state).toBe("Running");
        await user.done("destroyVirtualMachine", { id: vm.id });
    });
});
