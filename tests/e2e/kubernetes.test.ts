/** The main program with the real engine: the repository's project and stacks, on the embedded cloud. */
import { planRules, type RuleOptions } from "../../components/kubernetesCluster/rules";
import { type RunningCloud, startCloud } from "../../simulator";
import { Client } from "../contract/simulator/client";
import type { Step } from "./support/events";
import { cloudEnvironment, editConfig, mainProject, type StackConfig, stackConfig } from "./support/mainProject";
import type { Project } from "./support/project";
import { type Machine, userDataTests } from "./support/userData";

let cloud: RunningCloud;
let project: Project;
let user: Client;

/** A stack's configuration for machines that do not boot, whose etcd and Kubernetes cannot be reached. */
const withoutBoots = (stack: string): StackConfig => {
    const config = stackConfig(stack);
    const etcd = { ...config["pulumi-cloudstack:etcd"], waitFor: "none" };
    return { ...config, "pulumi-cloudstack:etcd": etcd, "pulumi-cloudstack:waitFor": "none" };
};

/**
 * A stack's configuration, with the embedded cloud's names in place of the endpoint, zone and template of its own
 * cloud.
 */
const onTheEmbeddedCloud = (stack: string, changes: StackConfig = {}): StackConfig => {
    const { "cloudstack:endpoint": _endpoint, ...config } = withoutBoots(stack);
    return { ...config, "cloudstack:zone": "sandbox", "pulumi-cloudstack:template": "Debian 12", ...changes };
};

beforeAll(async () => {
    cloud = await startCloud();
    project = mainProject("local", withoutBoots("local"), cloudEnvironment(cloud));
    user = new Client(cloud, cloud.accounts.user);
});

afterAll(async () => {
    project.dispose();
    await cloud.close();
});

/** The machines that exist, by name, without their usage figures. */
async function machines(stack = "local"): Promise<Record<string, any>> {
    const all = await user.list("listVirtualMachines", { listall: true });
    const own = all.filter(({ name }) => name.startsWith(`${stack}-`));
    return Object.fromEntries(
        own.map(({ id, name, state, lastupdated, nic, securitygroup, templatename, serviceofferingname }) => [
            name,
            { id, state, lastupdated, nic, securitygroup, templatename, serviceofferingname },
        ]),
    );
}

/**
 * The operations on the stack's resources, without `same`, such as `update VirtualMachine etcd-a`.
 */
function changesOf(steps: readonly Step[]): string[] {
    return steps
        .filter(({ op }) => op !== "same")
        .map(({ op, type, name }) => `${op} ${type.slice(type.lastIndexOf(":") + 1)} ${name}`)
        .sort();
}

/** The commands that changed a machine since the calls were last cleared, such as `stopVirtualMachine local-etcd-a`. */
function machineCommands(byName: Record<string, any>): string[] {
    const nameOf = Object.fromEntries(Object.entries(byName).map(([name, { id }]) => [id, name]));
    return cloud
        .calls()
        .filter(({ command }) => /VirtualMachine$/.test(command) && !/^(list|get)/.test(command))
        .map(({ command, parameters }) => `${command} ${nameOf[parameters.id] ?? parameters.name ?? parameters.id}`);
}

/** Every rule of the stack's groups in the cloud, by group, one line each: `tcp 2379-2379 <source>`. */
async function rulesInCloud(stack: string): Promise<Record<string, string[]>> {
    const groups = (await user.list("listSecurityGroups")).filter(({ name }) => name.startsWith(`${stack}-`));
    return Object.fromEntries(
        groups.map(({ name, ingressrule, egressrule }) => {
            expect(egressrule).toEqual([]);
            const lines = ingressrule.map((rule: any) => {
                const what =
                    rule.protocol === "icmp"
                        ? `${rule.icmptype}/${rule.icmpcode}`
                        : `${rule.startport}-${rule.endport}`;
                return `${rule.protocol} ${what} ${rule.cidr ?? rule.securitygroupname}`;
            });
            return [name, lines.sort()];
        }),
    );
}

/** The same lines from the table of least privilege. */
function rulesOfTable(stack: string, options: RuleOptions = {}): Record<string, string[]> {
    const names = { etcd: `${stack}-etcd`, controlPlane: `${stack}-control-plane`, workers: `${stack}-workers` };
    return Object.fromEntries(
        Object.entries(planRules(options)).map(([key, rules]) => {
            const lines = rules.flatMap(({ protocol, ports = "", icmpType, icmpCode, groups = [], cidrs = [] }) => {
                const [first, last = first] = ports.split("-");
                const what = protocol === "icmp" ? `${icmpType}/${icmpCode}` : `${first}-${last}`;
                return [...groups.map((group) => names[group]), ...cidrs].map(
                    (source) => `${protocol} ${what} ${source}`,
                );
            });
            return [names[key as keyof typeof names], lines.sort()];
        }),
    );
}

const addresses = {
    "local-etcd-a": "10.1.1.11",
    "local-etcd-b": "10.1.1.12",
    "local-etcd-c": "10.1.1.13",
    "local-control-a": "10.1.1.21",
};
const workers = [0, 1, 2, 3].map((number) => `local-worker-${number}`);

describe("stack local", () => {
    test("a preview shows what will be created, and creates nothing", async () => {
        const { steps, errors, warnings, infos } = await project.preview();
        expect([errors, warnings]).toEqual([[], []]);
        expect(infos).toEqual([
            expect.stringMatching(/^kubernetes local: with waitFor "none" nodes are neither drained/),
        ]);
        expect(changesOf(steps).filter((change) => change.startsWith("create VirtualMachine")).length).toBe(8);
        expect(new Set(steps.map(({ op }) => op))).toEqual(new Set(["create"]));
        expect(cloud.calls().filter(({ command }) => !/^(list|get|query)/.test(command))).toEqual([]);
        expect(await machines()).toEqual({});
    });

    test("up creates eight machines with their addresses and groups", async () => {
        const { warnings, infos } = await project.up();
        expect([warnings, infos]).toEqual([[], []]);
        const made = await machines();
        expect(Object.keys(made).sort()).toEqual([...Object.keys(addresses), ...workers].sort());
        for (const [name, machine] of Object.entries(made)) {
            expect([name, machine.state, machine.templatename]).toEqual([name, "Running", "Debian 13"]);
            const [, role] = /^local-(etcd|control|worker)/.exec(name)!;
            const group = { etcd: "local-etcd", control: "local-control-plane", worker: "local-workers" }[role];
            expect(machine.securitygroup.map((of: any) => of.name)).toEqual([group]);
        }
        expect(Object.fromEntries(Object.keys(addresses).map((name) => [name, made[name].nic[0].ipaddress]))).toEqual(
            addresses,
        );
        const volumes = await user.list("listVolumes", { type: "DATADISK" });
        expect(volumes.map(({ vmname, size }) => [vmname, size / 2 ** 30]).sort()).toEqual(
            ["a", "b", "c"].map((key) => [`local-etcd-${key}`, 2]),
        );
    });

    test("its outputs are what users need, and its keys are secret", async () => {
        const outputs = await project.outputs();
        expect(outputs.machines).toMatchObject(addresses);
        expect(Object.keys(outputs.machines).length).toBe(8);
        expect(outputs.etcdEndpoints).toEqual(["11", "12", "13"].map((host) => `https://10.1.1.${host}:2379`));
        expect(outputs.kubeconfig).toContain(`server: ${outputs.kubernetesEndpoint}`);
        expect(outputs.kubernetesEndpoint).toBe("https://10.1.1.21:6443");
        expect(outputs.etcdCertificates.key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
        const { stdout: state } = await project.run(["stack", "export", "--stack", "local"]);
        expect(state).toContain("BEGIN CERTIFICATE");
        expect(state).not.toContain("PRIVATE KEY");
        // User data contains keys, so it must be stored as a secret, too.
        const data = JSON.parse(state).deployment.resources.filter(
            ({ inputs }: any) => inputs?.userDataBase64 !== undefined,
        );
        expect(data.length).toBe(8);
        for (const { inputs, outputs: stored } of data)
            for (const { userDataBase64 } of [inputs, stored]) expect(typeof userDataBase64).not.toBe("string");
    });

    test("the groups in the cloud have the rules of the table, and no other", async () => {
        expect(await rulesInCloud("local")).toEqual(rulesOfTable("local"));
    });

    userDataTests(async () => {
        const made = Object.entries(await machines());
        const documents = await Promise.all(
            made.map(async ([name, { id, nic }]): Promise<Machine> => {
                const answer = await user.ok("getVirtualMachineUserData", { virtualmachineid: id });
                return { name, address: nic[0].ipaddress, base64: answer.virtualmachineuserdata.userdata };
            }),
        );
        return { machines: documents, resources: await project.exportResources() };
    });

    test("a second preview finds no changes, and a refresh finds no drift", async () => {
        await project.expectNoChanges();
        const { steps, changes } = await project.refresh();
        expect(changes.update).toBeUndefined();
        for (const { old, new: found, name } of steps) expect([name, found?.outputs]).toEqual([name, old?.outputs]);
        await project.expectNoChanges();
    });

    test("a rule is changed in place, and no machine is changed", async () => {
        const before = await machines();
        editConfig(project, "local", () => ({ operatorCidrs: ["192.0.2.0/24"] }));
        cloud.clearCalls();
        const { steps, infos } = await project.up();
        expect(changesOf(steps)).toEqual([
            "update SecurityGroupRules etcd",
            "update SecurityGroupRules kubernetes-control-plane",
        ]);
        expect(infos).toEqual([]);
        expect(machineCommands(before)).toEqual([]);
        expect(cloud.calls().filter(({ command }) => /^(authorize|revoke)/.test(command)).length).toBe(2);
        expect(await rulesInCloud("local")).toEqual(rulesOfTable("local", { operatorCidrs: ["192.0.2.0/24"] }));
        editConfig(project, "local", () => ({ operatorCidrs: [] }));
        await project.up();
        expect(await rulesInCloud("local")).toEqual(rulesOfTable("local"));
        expect(await machines()).toEqual(before);
    });

    test("a pool can grow and another one be added while the existing machines keep running", async () => {
        const before = await machines();
        editConfig(project, "local", () => ({
            pools: {
                worker: { count: 5, serviceOffering: "Medium Instance" },
                batch: { nodes: ["x", "y", "z"], serviceOffering: "Small Instance" },
            },
        }));
        cloud.clearCalls();
        const { steps } = await project.up();
        const created = ["batch-x", "batch-y", "batch-z", "worker-4"];
        expect(changesOf(steps).filter((change) => / (VirtualMachine|Certificate) /.test(change))).toEqual(
            [
                ...created.map((name) => `create Certificate kubernetes-${name}`),
                ...created.map((name) => `create VirtualMachine kubernetes-${name}`),
                // Control planes label the nodes of all pools.
                "update VirtualMachine kubernetes-control-plane-control-a",
            ].sort(),
        );
        const after = await machines();
        expect(machineCommands({ ...before, ...after }).sort()).toEqual(
            [
                // For an account that may not expunge, a machine is deployed stopped, then started.
                ...created.flatMap((name) => [
                    `deployVirtualMachine local-${name}`,
                    `startVirtualMachine local-${name}`,
                ]),
                "updateVirtualMachine local-control-a",
            ].sort(),
        );
        expect(Object.keys(after).length).toBe(12);
        for (const [name, { id, state }] of Object.entries(before))
            expect([after[name].id, after[name].state]).toEqual([id, state]);
    });

    test("a node in the middle of a pool can be removed, and no other node changes", async () => {
        const before = await machines();
        editConfig(project, "local", (config) => ({
            pools: {
                ...config["pulumi-cloudstack:pools"],
                batch: { nodes: ["x", "z"], serviceOffering: "Small Instance" },
            },
        }));
        cloud.clearCalls();
        const { steps } = await project.up();
        expect(changesOf(steps)).toEqual([
            "delete Certificate kubernetes-batch-y",
            "delete VirtualMachine kubernetes-batch-y",
            "update KubernetesReady kubernetes",
            "update VirtualMachine kubernetes-control-plane-control-a",
        ]);
        const touched = new Set(machineCommands(before).map((line) => line.split(" ")[1]));
        expect(touched).toEqual(new Set(["local-batch-y", "local-control-a"]));
        const after = await machines();
        const { "local-batch-y": _gone, ...rest } = before;
        expect(Object.keys(after).sort()).toEqual(Object.keys(rest).sort());
        await project.expectNoChanges();
    });

    test("members of etcd change their size one after the other, by a stop and a start", async () => {
        const before = await machines();
        editConfig(project, "local", (config) => ({
            etcd: { ...config["pulumi-cloudstack:etcd"], serviceOffering: "Medium Instance" },
        }));
        const preview = await project.preview();
        const members = ["a", "b", "c"].map((key) => `local-etcd-${key}`);
        for (const member of members)
            expect(preview.infos.filter((line) => line.includes(member))).toEqual([
                expect.stringMatching(/stops and starts.*Small Instance.*Medium Instance/),
            ]);
        expect(preview.infos.length).toBe(3);
        cloud.clearCalls();
        const { steps } = await project.up();
        expect(changesOf(steps)).toEqual([
            "update EtcdHealth etcd",
            ...["a", "b", "c"].map((key) => `update EtcdMember etcd-${key}`),
            "update EtcdQuorum etcd",
            ...["a", "b", "c"].map((key) => `update VirtualMachine etcd-${key}`),
        ]);
        expect(machineCommands(before)).toEqual(
            members.flatMap((name) => [
                `stopVirtualMachine ${name}`,
                expect.stringMatching(new RegExp(`^(scale|changeServiceFor)VirtualMachine ${name}$`)),
                `startVirtualMachine ${name}`,
            ]),
        );
        const after = await machines();
        for (const name of members) {
            const { id, state, serviceofferingname, nic } = after[name];
            expect([id, state, serviceofferingname]).toEqual([before[name].id, "Running", "Medium Instance"]);
            expect(nic[0].ipaddress).toBe(before[name].nic[0].ipaddress);
        }
    });

    test("errors in the configuration are all reported at once, by the names of the arguments", async () => {
        const right = withoutBoots("local");
        editConfig(project, "local", (config) => ({
            etcd: { ...config["pulumi-cloudstack:etcd"], dataVolme: {}, members: { a: "10.1.1.400" } },
        }));
        const { code, errors, steps } = await project.preview({ mayFail: true });
        expect(code).not.toBe(0);
        expect(errors).toEqual([
            'EtcdCluster "etcd": 2 problems\n' +
                "  dataVolme: is not a known argument. Use dataVolume.\n" +
                '  members.a: "10.1.1.400" is not an IPv4 address. Use a free address of the network, such as 10.1.1.11.',
        ]);
        expect(changesOf(steps)).toEqual([]);
        const { "pulumi-cloudstack:etcd": etcd } = right;
        editConfig(project, "local", () => ({ etcd: { ...etcd, serviceOffering: "Medium Instance" } }));
    });
});

describe("a second stack beside the first", () => {
    const dev = { stack: "dev" };

    test("stack dev is created in the same account, with its own rules", async () => {
        const before = await machines();
        const config = onTheEmbeddedCloud("dev");
        config["pulumi-cloudstack:etcd"] = {
            ...config["pulumi-cloudstack:etcd"],
            ...{ members: { a: "10.1.1.31" }, allowDataLoss: true },
        };
        config["pulumi-cloudstack:controlPlane"] = {
            ...config["pulumi-cloudstack:controlPlane"],
            members: { "control-a": "10.1.1.41" },
        };
        await project.addStack("dev", config);
        const { errors, warnings } = await project.up(dev);
        expect([errors, warnings]).toEqual([[], []]);
        const made = await machines("dev");
        expect(Object.keys(made).sort()).toEqual(["dev-control-a", "dev-etcd-a", "dev-worker-0", "dev-worker-1"]);
        const cidrs = ["10.0.0.0/8"];
        expect(await rulesInCloud("dev")).toEqual(
            rulesOfTable("dev", { operatorCidrs: cidrs, nodePortCidrs: cidrs, sshCidrs: cidrs }),
        );
        expect(await machines()).toEqual(before);
        expect(await rulesInCloud("local")).toEqual(rulesOfTable("local"));
    });

    test("neither stack changes the other", async () => {
        await project.expectNoChanges();
        await project.expectNoChanges(dev);
        const before = await machines();
        await project.destroy(dev);
        expect([await machines("dev"), await rulesInCloud("dev")]).toEqual([{}, {}]);
        expect(await machines()).toEqual(before);
        expect(await rulesInCloud("local")).toEqual(rulesOfTable("local"));
    });
});

test("destroy leaves nothing behind, even for a user who may not expunge", async () => {
    await project.destroy();
    expect(await project.exportResources()).toEqual([]);
    expect(await user.list("listVirtualMachines", { listall: true })).toEqual([]);
    expect(await user.list("listVolumes", { type: "DATADISK" })).toEqual([]);
    expect((await user.list("listSecurityGroups")).map(({ name }) => name)).toEqual(["default"]);
    for (const command of ["listAffinityGroups", "listSSHKeyPairs"]) expect(await user.list(command)).toEqual([]);
    const left = await new Client(cloud, cloud.accounts.admin).list("listVirtualMachines", { listall: true });
    expect(left.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(
        Array.from({ length: 16 }, () => expect.stringMatching(/^(local|dev)-.*-gone-[0-9a-f]+ Destroyed$/)),
    );
    // Another cluster can use the names and addresses at once.
    const taken = left.flatMap(({ nic }) => nic.map(({ ipaddress }: any) => ipaddress));
    expect(taken.filter((address) => Object.values(addresses).includes(address))).toEqual([]);
});

describe("the other stacks can be previewed on a cloud with their network", () => {
    test.each([
        ["staging", "10.30.0.0/24", 9],
        ["prod", "10.40.0.0/24", 14],
    ])("stack %s in %s has %i machines", async (stack, cidr, count) => {
        const theirs = await startCloud({ cidr });
        try {
            const config = onTheEmbeddedCloud(stack);
            const { dataVolume } = config["pulumi-cloudstack:etcd"];
            config["pulumi-cloudstack:etcd"].dataVolume = { ...dataVolume, diskOffering: "Custom" };
            await project.addStack(stack, config);
            const { steps, errors, warnings } = await project.preview({ stack, environment: cloudEnvironment(theirs) });
            expect([errors, warnings]).toEqual([[], []]);
            expect(new Set(steps.map(({ op }) => op))).toEqual(new Set(["create"]));
            const made = steps.filter(({ type }) => type.endsWith(":VirtualMachine"));
            expect(made.length).toBe(count);
            const volumes = steps.filter(({ type }) => type.endsWith(":Volume"));
            expect(volumes.map(({ new: volume }) => volume?.protect ?? false)).toEqual(Array(3).fill(stack === "prod"));
        } finally {
            await theirs.close();
        }
    });
});
