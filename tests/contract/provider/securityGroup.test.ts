import { startCloud } from "../../../simulator";
import { World, failure, captureLog, named, type Plugin, type Resource } from "./support";

let world: World;

beforeAll(async () => void (world = new World(await startCloud())));
afterAll(() => world.cloud.close());
afterEach(() => world.cloud.clearFaults());

async function expectNoChange(plugin: Plugin, resource: Resource): Promise<void> {
    expect(await plugin.drifted(resource)).toBe(false);
    expect((await plugin.plan(resource.kind, resource.inputs, resource)).diff).toMatchObject({ changes: false });
}

/** The rules of a group in the cloud, as one text each. */
async function rulesOf(id: string): Promise<string[]> {
    const [group] = await world.api.user.list("listSecurityGroups", { id });
    const say = (direction: string) => (rule: any) => {
        const what =
            rule.protocol === "icmp"
                ? `${rule.icmptype}/${rule.icmpcode}`
                : `${rule.startport ?? 0}-${rule.endport ?? 0}`;
        return `${direction} ${rule.protocol} ${what} ${rule.cidr ?? rule.securitygroupname}`;
    };
    return [...group.ingressrule.map(say("in")), ...group.egressrule.map(say("out"))].sort();
}

const authorizeTheirs = (id: string, port: number) =>
    world.api.user.done("authorizeSecurityGroupIngress", {
        securitygroupid: id,
        protocol: "tcp",
        startport: port,
        endport: port,
        cidrlist: "192.0.2.0/24",
    });

describe("a group", () => {
    test("has the given rules of every kind, and no differences afterwards", async () => {
        const other = await world.plugin().create("securityGroup", named("other"));
        const args = {
            ...named("rules"),
            description: "Everything that there is",
            ingress: [
                { ports: "443", cidrs: ["10.0.0.0/8", "2001:DB8::/32"] },
                { protocol: "udp", ports: "8000-8100", groups: [other.outputs.name] },
                { protocol: "icmp", icmpType: 8, icmpCode: 0, cidrs: ["0.0.0.0/0"] },
                { protocol: "all", self: true },
                { protocol: "112", cidrs: ["10.1.1.0/24"] },
                { cidrs: ["198.51.100.0/24"] },
            ],
            egress: [
                { protocol: "tcp", ports: "53", cidrs: ["0.0.0.0/0"] },
                { protocol: "icmp", cidrs: ["::/0"] },
            ],
        };
        const made = await world.plugin().create("securityGroup", args);
        expect(await rulesOf(made.id)).toHaveLength(9);
        expect(await rulesOf(made.id)).toEqual(
            expect.arrayContaining([
                expect.stringMatching(/^in tcp 443-443 10\.0\.0\.0\/8$/),
                expect.stringMatching(/^in tcp 443-443 2001:db8::\/32$/i),
                `in udp 8000-8100 ${other.outputs.name}`,
                "in icmp 8/0 0.0.0.0/0",
                expect.stringMatching(new RegExp(`^in all 0-0 ${args.name}$`)),
                "in tcp 1-65535 198.51.100.0/24",
                "out tcp 53-53 0.0.0.0/0",
                "out icmp -1/-1 ::/0",
            ]),
        );
        const [group] = await world.api.user.list("listSecurityGroups", { id: made.id });
        expect(group.description).toBe(`Everything that there is [${args.owner}]`);
        await expectNoChange(world.plugin(), made);
        // Other spellings of the same rules are no change.
        const same = {
            ...args,
            ingress: args.ingress.map((rule) => (rule.protocol === "udp" ? { ...rule, protocol: "17" } : rule)),
        };
        expect((await world.plugin().plan("securityGroup", same, made)).diff).toMatchObject({ changes: false });
    });

    test("authorises and revokes only the rules that differ, with one call for the sources of one range", async () => {
        const args = {
            ...named("diff"),
            ingress: [
                { ports: "22", cidrs: ["10.0.0.0/8", "10.9.0.0/16"] },
                { ports: "80", cidrs: ["0.0.0.0/0"] },
            ],
        };
        const made = await world.plugin().create("securityGroup", args);
        world.cloud.clearCalls();
        const changed = await world.plugin().up(made, {
            ...args,
            ingress: [{ ports: "22", cidrs: ["10.0.0.0/8", "10.8.0.0/16", "10.7.0.0/16"] }, args.ingress[1]],
        });
        expect(world.calls()).toMatchObject({ authorizeSecurityGroupIngress: 1, revokeSecurityGroupIngress: 1 });
        expect(await rulesOf(made.id)).toEqual([
            "in tcp 22-22 10.0.0.0/8",
            "in tcp 22-22 10.7.0.0/16",
            "in tcp 22-22 10.8.0.0/16",
            "in tcp 80-80 0.0.0.0/0",
        ]);
        await expectNoChange(world.plugin(), changed);
    });

    test("reports rules that others added and keeps them, or revokes them if it is exclusive", async () => {
        const args = { ...named("theirs"), ingress: [{ ports: "22", cidrs: ["10.0.0.0/8"] }] };
        const made = await world.plugin().create("securityGroup", args);
        await authorizeTheirs(made.id, 9999);
        const { logged, result } = await captureLog(() => world.plugin().read(made));
        const found = result!;
        expect(found.outputs.unmanagedRules).toEqual(["ingress tcp 9999 from 192.0.2.0/24"]);
        expect(logged).toEqual([
            expect.stringMatching(
                /has rules that the stack does not manage; they are left alone.*tcp 9999 from 192\.0\.2\.0\/24/,
            ),
        ]);
        expect((await world.plugin().plan("securityGroup", args, found)).diff).toMatchObject({ changes: false });
        expect((await captureLog(() => world.plugin().read(found))).logged).toEqual([]);
        const exclusive = await world.plugin().up(found, { ...args, exclusive: true });
        expect(await rulesOf(made.id)).toEqual(["in tcp 22-22 10.0.0.0/8"]);
        expect(exclusive.outputs.unmanagedRules).toEqual([]);
    });

    test("gets a rule back that somebody removed", async () => {
        const args = {
            ...named("removed"),
            ingress: [
                { ports: "22", cidrs: ["10.0.0.0/8"] },
                { ports: "80", cidrs: ["10.0.0.0/8"] },
            ],
        };
        const made = await world.plugin().create("securityGroup", args);
        const [group] = await world.api.user.list("listSecurityGroups", { id: made.id });
        await world.api.user.done("revokeSecurityGroupIngress", { id: group.ingressrule[0].ruleid });
        const found = (await world.plugin().read(made))!;
        expect(await world.plugin().drifted(made)).toBe(true);
        await world.plugin().up(found, args);
        expect(await rulesOf(made.id)).toHaveLength(2);
        // Without a refresh before it, another change repairs the rule, too.
        const [again] = await world.api.user.list("listSecurityGroups", { id: made.id });
        await world.api.user.done("revokeSecurityGroupIngress", { id: again.ingressrule[0].ruleid });
        await world.plugin().up(made, { ...args, egress: [{ ports: "53", cidrs: ["0.0.0.0/0"] }] });
        expect(await rulesOf(made.id)).toHaveLength(3);
    });

    test("that somebody renamed is recognised and replaced under its own name", async () => {
        const args = named("mine");
        const made = await world.plugin().create("securityGroup", args);
        await world.api.admin.ok("updateSecurityGroup", { id: made.id, name: named("yours").name });
        const found = (await world.plugin().read(made))!;
        const { diff } = await world.plugin().plan("securityGroup", args, found);
        expect(diff).toMatchObject({ changes: true, replaces: ["name"] });
        const replaced = await world.plugin().up(found, args);
        expect(replaced.outputs.name).toBe(args.name);
        expect(replaced.id).not.toBe(made.id);
    });

    test("that somebody deleted is reported as gone by a read", async () => {
        const made = await world.plugin().create("securityGroup", named("deleted"));
        await world.api.user.ok("deleteSecurityGroup", { id: made.id });
        expect(await world.plugin().read(made)).toBeUndefined();
        const error = await failure(world.plugin().update(made, made.inputs));
        expect(error.message).toContain("no longer exists: run `pulumi refresh`, then `pulumi up` to create it again");
    });

    test("keeps its description, and the preview says so", async () => {
        const args = { ...named("text"), description: "one" };
        const made = await world.plugin().create("securityGroup", args);
        const { logged, result } = await captureLog(() =>
            world.plugin().plan("securityGroup", { ...args, description: "two" }, made),
        );
        expect(result.diff).toMatchObject({ changes: false });
        expect(logged[0]).toContain('keeps its description "one": CloudStack cannot change it');
    });

    test("in a project is created there, and can name groups of the project, whose account CloudStack reports", async () => {
        const project = { project: "sandbox" };
        const source = await world.plugin().create("securityGroup", { ...named("source"), ...project });
        const ingress = [{ ports: "22", cidrs: ["10.0.0.0/8"], groups: [source.outputs.name], self: true }];
        const group = await world.plugin().create("securityGroup", { ...named("one"), ...project, ingress });
        const [found] = await world.api.user.list("listSecurityGroups", {
            projectid: world.cloud.projectId,
            id: group.id,
        });
        const [{ projectaccountname }] = await world.api.user.list("listProjects");
        const sources = found.ingressrule.map(({ cidr, account, securitygroupname }: any) =>
            cidr === undefined ? `${account}/${securitygroupname}` : cidr,
        );
        expect(sources.sort()).toEqual(
            ["10.0.0.0/8", ...[source, group].map(({ outputs }) => `${projectaccountname}/${outputs.name}`)].sort(),
        );
        await expectNoChange(world.plugin(), group);
        const egress = [{ ports: "22", groups: ["none"] }];
        const error = await failure(world.plugin().up(group, { ...group.inputs, egress }));
        expect(error.message).toMatch(new RegExp(`Nonexistent group none for account ${projectaccountname}/`));
        for (const resource of [group, source]) await world.plugin().delete(resource);
    });
});

describe("separate rules of a group", () => {
    test("let two groups name each other, and are distinguished from the rules of others", async () => {
        const api = await world.plugin().create("securityGroup", named("api"));
        const worker = await world.plugin().create("securityGroup", named("worker"));
        await authorizeTheirs(api.id, 9999);
        const toApi = await world.plugin().create("securityGroupRules", {
            owner: named("r").owner,
            securityGroup: api.id,
            ingress: [{ ports: "6443", groups: [worker.outputs.name] }],
        });
        const toWorker = await world.plugin().create("securityGroupRules", {
            owner: named("r").owner,
            securityGroup: worker.id,
            ingress: [
                { ports: "10250", groups: [api.outputs.name] },
                { protocol: "all", self: true },
            ],
        });
        expect(await rulesOf(worker.id)).toEqual(
            [`in all 0-0 ${worker.outputs.name}`, `in tcp 10250-10250 ${api.outputs.name}`].sort(),
        );
        for (const resource of [toApi, toWorker, api, worker]) await expectNoChange(world.plugin(), resource);
        // A group without its own rules ignores those of others, so a refresh finds no change.
        expect((await world.plugin().read(api))!.outputs).toEqual(api.outputs);
        const changed = await world
            .plugin()
            .up(toApi, { ...toApi.inputs, ingress: [{ ports: "6444", groups: [worker.outputs.name] }] });
        expect(await rulesOf(api.id)).toEqual([
            `in tcp 6444-6444 ${worker.outputs.name}`,
            "in tcp 9999-9999 192.0.2.0/24",
        ]);
        await world.plugin().delete(changed);
        expect(await rulesOf(api.id)).toEqual(["in tcp 9999-9999 192.0.2.0/24"]);
        for (const resource of [toWorker, worker, api]) await world.plugin().delete(resource);
        await world.plugin().delete(toApi);
    });

    test("that somebody removed are authorised again", async () => {
        const group = await world.plugin().create("securityGroup", named("bare"));
        const rules = await world.plugin().create("securityGroupRules", {
            owner: named("r").owner,
            securityGroup: group.id,
            ingress: [{ ports: "22", cidrs: ["10.0.0.0/8"] }],
        });
        const [found] = await world.api.user.list("listSecurityGroups", { id: group.id });
        await world.api.user.done("revokeSecurityGroupIngress", { id: found.ingressrule[0].ruleid });
        const read = (await world.plugin().read(rules))!;
        expect(await world.plugin().drifted(rules)).toBe(true);
        await world.plugin().up(read, rules.inputs);
        expect(await rulesOf(group.id)).toHaveLength(1);
    });
});

describe("a rule that several resources have", () => {
    const one = { ports: "22", cidrs: ["10.0.0.0/8"] };
    const rulesOn = (group: Resource, ...ingress: object[]) => ({ ...named("r"), securityGroup: group.id, ingress });

    test("is authorised again by the resource that keeps it if the other revoked it first", async () => {
        const group = await world.plugin().create("securityGroup", named("shared"));
        const leaves = await world.plugin().create("securityGroupRules", rulesOn(group, one));
        const keeps = await world.plugin().create("securityGroupRules", rulesOn(group, one));
        const plugin = world.plugin();
        await plugin.up(leaves, { ...leaves.inputs, ingress: [] });
        expect(await rulesOf(group.id)).toEqual([]);
        await plugin.up(keeps, keeps.inputs);
        expect(await rulesOf(group.id)).toHaveLength(1);
        await expectNoChange(world.plugin(), keeps);
    });

    test("is not reported as another's by a refresh, in whichever order the resources are read", async () => {
        const args = { ...named("read"), ingressApart: true, egress: [{ ports: "53", cidrs: ["0.0.0.0/0"] }] };
        const group = await world.plugin().create("securityGroup", args);
        const rules = await world.plugin().create("securityGroupRules", rulesOn(group, one));
        for (const order of [
            [group, rules],
            [rules, group],
        ]) {
            const plugin = world.plugin();
            const { logged, result } = await captureLog(() =>
                Promise.all(order.map((resource) => plugin.read(resource))),
            );
            expect(logged).toEqual([]);
            expect(result.map((found) => found!.outputs)).toEqual(order.map(({ outputs }) => outputs));
        }
        await authorizeTheirs(group.id, 9999);
        const plugin = world.plugin();
        const { logged } = await captureLog(() => Promise.all([group, rules].map((resource) => plugin.read(resource))));
        expect(logged).toEqual([expect.stringMatching(/left alone \(.*\): ingress tcp 9999 from 192\.0\.2\.0\/24$/)]);
    });
});

describe("the rules of a stack of 0.1.0, which the group managed itself", () => {
    test.each([[false], [true]])(
        "are taken over by the separate resource, with a change of them in the same run: %s",
        async (changed) => {
            const ingress = [
                { ports: "22", cidrs: ["10.0.0.0/8"] },
                { ports: "80", cidrs: ["10.0.0.0/8"] },
            ];
            const args = named("older");
            const old = await world.plugin().create("securityGroup", { ...args, ingress });
            const plugin = world.plugin();
            world.cloud.clearCalls();
            const group = await plugin.up(old, { ...args, ingressApart: true });
            const wanted = changed ? [ingress[0], { ports: "443", cidrs: ["10.0.0.0/8"] }] : ingress;
            const rules = await plugin.create("securityGroupRules", {
                ...named("r"),
                securityGroup: group.id,
                ofGroup: true,
                ingress: wanted,
            });
            expect(await rulesOf(group.id)).toEqual(
                wanted.map(({ ports }) => `in tcp ${ports}-${ports} 10.0.0.0/8`).sort(),
            );
            const { revokeSecurityGroupIngress = 0, authorizeSecurityGroupIngress = 0 } = world.calls();
            expect([revokeSecurityGroupIngress, authorizeSecurityGroupIngress]).toEqual(changed ? [1, 1] : [0, 0]);
            const next = world.plugin();
            for (const [resource, inputs] of [
                [group, { ...args, ingressApart: true }],
                [rules, rules.inputs],
            ] as const)
                expect((await next.plan(resource.kind, inputs, resource)).diff).toMatchObject({ changes: false });
        },
    );
});

describe("faults", () => {
    const args = () => ({
        ...named("faulty"),
        ingress: [
            { ports: "22", cidrs: ["10.0.0.0/8"] },
            { ports: "80", self: true },
        ],
    });

    test.each(["drop", "cut"] as const)("%s: neither the group nor its rules are created twice", async (kind) => {
        for (const command of ["createSecurityGroup", "authorizeSecurityGroupIngress"]) {
            const wanted = args();
            world.fault(kind, command);
            const made = await world.plugin().create("securityGroup", wanted);
            expect(await rulesOf(made.id)).toHaveLength(2);
            expect(
                (await world.api.user.list("listSecurityGroups")).filter(({ name }) => name === wanted.name),
            ).toHaveLength(1);
            await expectNoChange(world.plugin(), made);
            world.fault(kind, "deleteSecurityGroup");
            await world.plugin().delete(made);
            expect(
                (await world.api.user.list("listSecurityGroups")).filter(({ name }) => name === wanted.name),
            ).toEqual([]);
        }
    });

    test("a rule that fails keeps the group and its other rules in the state, and the next run continues", async () => {
        const wanted = args();
        world.fault("failJob", "authorizeSecurityGroupIngress", { skip: 1, text: "No such luck" });
        const error = await failure(world.plugin().create("securityGroup", wanted));
        expect(error.message).toContain("No such luck");
        expect(error.properties).toMatchObject({ name: wanted.name, __provider: "the text of securityGroup" });
        expect(await rulesOf(error.id)).toHaveLength(1);
        const left: Resource = {
            kind: "securityGroup",
            id: error.id,
            inputs: { ...wanted, __provider: "the text of securityGroup" },
            outputs: error.properties,
        };
        const made = await world.plugin().update(left, left.inputs);
        expect(await rulesOf(made.id)).toHaveLength(2);
        await expectNoChange(world.plugin(), made);
    });

    test("a rule that cannot be revoked stays in the state and is revoked by the next run", async () => {
        const wanted = args();
        const made = await world.plugin().create("securityGroup", wanted);
        world.fault("failJob", "revokeSecurityGroupIngress");
        const less = { ...wanted, ingress: [wanted.ingress[1]], __provider: "the text of securityGroup" };
        const error = await failure(world.plugin().up(made, less));
        const left = { ...made, inputs: less, outputs: error.properties };
        expect(error.id).toBe(made.id);
        await world.plugin().update(left, less);
        expect(await rulesOf(made.id)).toHaveLength(1);
    });

    test("what an interrupted run left is taken over, what others created is not", async () => {
        const wanted = args();
        const first = await world.plugin().create("securityGroup", wanted);
        // Killed before the engine received the answer: a new process without state.
        const adopted = await world.plugin().create("securityGroup", { ...wanted, ingress: [wanted.ingress[0]] });
        expect(adopted.id).toBe(first.id);
        const error = await failure(
            world.plugin().create("securityGroup", { ...wanted, owner: "org/project/other/stack" }),
        );
        expect(error.failures).toEqual([
            { property: "name", reason: expect.stringMatching(/is taken by security group .*choose another name/) },
        ]);
    });
});
