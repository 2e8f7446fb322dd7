import { startCloud } from "../../../simulator";
import { World, failure, named, type Resource } from "./support";

/** Machines with lost answers, failing jobs, interruptions, and changes made outside the program. */

let world: World;

beforeAll(async () => void (world = new World(await startCloud())));
afterAll(() => world.cloud.close());
afterEach(() => world.cloud.clearFaults());

const small = { serviceOffering: "Small Instance", template: "Debian 12" };
const PROVIDER = { __provider: "the text of virtualMachine" };

const machinesNamed = async (name: string, account: "user" | "expunger" = "user") =>
    (await world.api[account].list("listVirtualMachines")).filter((machine) => machine.name === name);

/** The resource as the engine stores it after a failure that has an id. */
function kept(error: any, inputs: Record<string, any>): Resource {
    expect(error).toMatchObject({ id: expect.any(String), properties: PROVIDER, reasons: [error.message] });
    return { kind: "virtualMachine", id: error.id, inputs: { ...inputs, ...PROVIDER }, outputs: error.properties };
}

describe("creating a machine", () => {
    test.each(["drop", "cut"] as const)("with a lost answer (%s) creates one machine", async (kind) => {
        const args = { ...named("lost"), ...small, tags: { k: "v" } };
        world.fault(kind, "deployVirtualMachine");
        world.fault(kind, "createTags");
        const made = await world.plugin().create("virtualMachine", args);
        expect(await machinesNamed(args.name)).toMatchObject([
            { id: made.id, state: "Running", tags: [{ key: "k", value: "v" }] },
        ]);
        expect(await world.plugin().drifted(made)).toBe(false);
    });

    test.each(["throttle", "unavailable"] as const)("waits while the API is busy (%s)", async (kind) => {
        const args = { ...named("busy"), ...small };
        world.fault(kind, "deployVirtualMachine");
        const made = await world.plugin().create("virtualMachine", args);
        expect(await machinesNamed(args.name)).toMatchObject([{ id: made.id }]);
    });

    test.each(["user", "expunger"] as const)(
        "with a failed job leaves nothing of the account %s: the name can be used immediately",
        async (account) => {
            const args = { ...named("failing"), ...small };
            world.fault("failJob", "deployVirtualMachine", { status: 533, text: "No host has room" });
            const error = await failure(world.plugin(account).create("virtualMachine", args));
            expect(error.message).toMatch(/No host has room.*job .*no free capacity/s);
            expect(error).not.toHaveProperty("id");
            expect((await world.belongings(account)).filter((name) => name.startsWith(args.name))).toEqual([]);
            expect((await world.plugin(account).create("virtualMachine", args)).outputs.name).toBe(args.name);
        },
    );

    test("with a failed first start does not block the next run, whatever the account may do", async () => {
        for (const account of ["user", "expunger"] as const) {
            const args = { ...named("unstarted"), ...small };
            const command = account === "user" ? "startVirtualMachine" : "deployVirtualMachine";
            world.fault("failJob", command, { status: 533, text: "No host has room" });
            const error = await failure(world.plugin(account).create("virtualMachine", args));
            expect(error.message).toContain("No host has room");
            world.cloud.clearCalls();
            const left = account === "user" ? kept(error, { ...args, zone: "sandbox" }) : undefined;
            const made = await (left === undefined
                ? world.plugin(account).create("virtualMachine", args)
                : world.plugin(account).update(left, left.inputs));
            expect(made.outputs).toMatchObject({ name: args.name, state: "Running" });
            expect(world.calls()).toMatchObject({ [command]: 1 });
            expect(await machinesNamed(args.name, account)).toMatchObject([{ id: made.id, state: "Running" }]);
        }
    });

    test("with a failed first start frees the name if the program drops the machine", async () => {
        const args = { ...named("unstarted"), ...small, ipAddress: "10.1.1.99" };
        world.fault("failJob", "startVirtualMachine", { text: "No host has room" });
        const error = await failure(world.plugin().create("virtualMachine", args));
        await world.plugin().delete(kept(error, { ...args, zone: "sandbox" }));
        const made = await world.plugin().create("virtualMachine", args);
        expect(made.outputs).toMatchObject({ name: args.name, ipAddress: args.ipAddress, state: "Running" });
        await world.plugin().delete(made);
    });

    test("keeps remains that cannot be removed in the state, and the next run replaces them", async () => {
        const args = { ...named("failing"), ...small };
        world.fault("failJob", "deployVirtualMachine", { text: "First" });
        world.fault("failJob", "destroyVirtualMachine", { text: "Second" });
        const error = await failure(world.plugin("expunger").create("virtualMachine", args));
        expect(error.message).toMatch(/First.*could not be removed yet: .*Second/s);
        const left = kept(error, { ...args, zone: "sandbox" });
        expect((await failure(world.plugin("expunger").update(left, left.inputs))).message).toMatch(
            /run `pulumi refresh`, then `pulumi up` replaces it/,
        );
        const found = (await world.plugin("expunger").read(left))!;
        const made = await world.plugin("expunger").up(found, args);
        expect(made.outputs).toMatchObject({ name: args.name, state: "Running" });
    });

    test("that times out keeps the machine in the state, and the next run continues", async () => {
        const args = {
            ...named("slow"),
            ...small,
            onUserDataChange: "reinstall",
            userData: "x",
            timeoutSeconds: { create: 1 },
        };
        world.fault("jobSeconds", "deployVirtualMachine", { seconds: 3 });
        const error = await failure(world.plugin().create("virtualMachine", args));
        expect(error.message).toMatch(/still runs after 1 s.*a longer timeoutSeconds waits for it/s);
        const left = kept(error, { ...args, zone: "sandbox" });
        expect(left.outputs).not.toHaveProperty("userData");
        await world.cloud.idle();
        const calls = world.cloud.calls().length;
        const made = await world.plugin().update(left, left.inputs);
        expect(made.outputs).toMatchObject({ state: "Running", ipAddress: expect.stringMatching(/^10\./) });
        expect(
            world.cloud
                .calls()
                .slice(calls)
                .map(({ command }) => command),
        ).not.toContain("restoreVirtualMachine");
        expect(await world.plugin().drifted(made)).toBe(false);
    });

    test("with a failed later step keeps the machine in the state, and the next run continues", async () => {
        const args = { ...named("half"), ...small, tags: { k: "v" } };
        world.fault("failJob", "createTags", { text: "No such luck" });
        const error = await failure(world.plugin().create("virtualMachine", args));
        expect(error.message).toContain("No such luck");
        const left = kept(error, { ...args, zone: "sandbox" });
        const made = await world.plugin().update(left, left.inputs);
        expect(await machinesNamed(args.name)).toMatchObject([{ id: error.id, tags: [{ key: "k" }] }]);
        expect(await world.plugin().drifted(made)).toBe(false);
    });

    test("takes over what an interrupted run left, and updates it to the current arguments", async () => {
        const args = { ...named("left"), ...small };
        const first = await world.plugin().create("virtualMachine", args);
        const adopted = await world
            .plugin()
            .create("virtualMachine", { ...args, serviceOffering: "Large Instance", displayName: "New" });
        expect(adopted.id).toBe(first.id);
        expect(await machinesNamed(args.name)).toMatchObject([
            { state: "Running", serviceofferingname: "Large Instance", displayname: "New" },
        ]);
        expect(await world.plugin().drifted(adopted)).toBe(false);
    });

    test("takes over a machine that is still being created", async () => {
        const args = { ...named("left"), ...small };
        world.fault("jobSeconds", "deployVirtualMachine", { seconds: 1 });
        const running = world.plugin().create("virtualMachine", args);
        while (!(await machinesNamed(args.name)).length) await new Promise((resolve) => setTimeout(resolve, 10));
        const adopted = await world.plugin().create("virtualMachine", args);
        expect(adopted.id).toBe((await running).id);
        expect(adopted.outputs.state).toBe("Running");
    });

    test("that starts a machine at the same time as another run accepts the other's start", async () => {
        const args = { ...named("twice"), ...small };
        const stopped = await world.plugin().create("virtualMachine", { ...args, running: false });
        // Both have read that the machine is stopped before the first start is executed, even on a slow host.
        world.fault("delay", "startVirtualMachine", { seconds: 1.5, count: 2 });
        world.cloud.clearCalls();
        const started = await Promise.all([1, 2].map(() => world.plugin().update(stopped, { ...args, running: true })));
        expect(started.map(({ id, outputs }) => [id, outputs.state])).toEqual([
            [stopped.id, "Running"],
            [stopped.id, "Running"],
        ]);
        expect(world.cloud.calls().filter(({ command }) => command === "startVirtualMachine")).toHaveLength(2);
    });

    test("gives a machine that it takes over a new password, and outputs it", async () => {
        const args = { ...named("left"), ...small, template: "Debian 12 with password" };
        await world.plugin().create("virtualMachine", args);
        const adopted = await world.plugin().create("virtualMachine", args);
        expect(adopted.outputs).toMatchObject({ password: expect.stringMatching(/\S{6,}/), state: "Running" });
    });

    test("takes over neither machines of others nor machines in the state", async () => {
        const args = { ...named("theirs"), ...small };
        const theirs = await world.plugin().create("virtualMachine", args);
        const error = await failure(
            world.plugin().create("virtualMachine", { ...args, owner: "org/project/other/stack" }),
        );
        expect(error.failures).toEqual([
            {
                property: "name",
                reason: expect.stringContaining(`is taken by machine ${theirs.id}, created by ${args.owner}`),
            },
        ]);
        const plugin = world.plugin();
        const { inputs } = await plugin.plan("virtualMachine", args);
        await plugin.read(theirs);
        expect((await failure(plugin.createChecked("virtualMachine", inputs))).message).toMatch(
            /is taken in its network/,
        );
    });
});

describe("a failed change of a machine", () => {
    const args = () => ({ ...named("change"), ...small, userData: "one" });
    const change = { serviceOffering: "Large Instance" };

    test.each(["stopVirtualMachine", "scaleVirtualMachine", "startVirtualMachine"])(
        "at %s leaves the machine running, and the next run continues",
        async (command) => {
            const before = args();
            const made = await world.plugin().create("virtualMachine", before);
            world.fault("failJob", command, { text: "No such luck" });
            const error = await failure(world.plugin().up(made, { ...before, ...change }));
            expect(error.message).toContain("No such luck");
            expect(await world.machine(made.id)).toMatchObject({ state: "Running" });
            const left = kept(error, { ...before, ...change, zone: "sandbox" });
            const changed = await world.plugin().update(left, left.inputs);
            expect(await world.machine(made.id)).toMatchObject({
                state: "Running",
                serviceofferingname: "Large Instance",
            });
            expect(await world.plugin().drifted(changed)).toBe(false);
        },
    );

    test("restores the old size if the machine does not start with the new one", async () => {
        const before = args();
        const made = await world.plugin().create("virtualMachine", before);
        world.fault("failJob", "startVirtualMachine", { count: 2, status: 533, text: "No host has room" });
        const error = await failure(world.plugin().up(made, { ...before, ...change }));
        expect(error.message).toMatch(/No host has room.*was started again with its previous size/s);
        expect(await world.machine(made.id)).toMatchObject({ state: "Running", serviceofferingname: "Small Instance" });
        expect(error.properties).toMatchObject({ serviceOffering: "Small Instance", state: "Running" });
    });

    test("reports a machine that does not start at all, and the next run starts it", async () => {
        const before = args();
        const made = await world.plugin().create("virtualMachine", before);
        world.fault("failJob", "startVirtualMachine", { count: 3 });
        const error = await failure(world.plugin().up(made, { ...before, ...change }));
        expect(error.message).toMatch(/could not be started again/);
        const left = kept(error, { ...before, ...change, zone: "sandbox" });
        await world.plugin().update(left, left.inputs);
        expect(await world.machine(made.id)).toMatchObject({ state: "Running", serviceofferingname: "Large Instance" });
    });

    test("because of a name in use leaves the machine running with its own name", async () => {
        const before = args();
        const made = await world.plugin().create("virtualMachine", before);
        const other = await world.plugin().create("virtualMachine", args());
        const error = await failure(world.plugin().up(made, { ...before, name: other.outputs.name }));
        expect(error.message).toMatch(/already exists in the network/);
        expect(await world.machine(made.id)).toMatchObject({ state: "Running", name: before.name });
    });

    test("during a reinstallation is repeated by the next run", async () => {
        const before = { ...args(), onUserDataChange: "reinstall" };
        const made = await world.plugin().create("virtualMachine", before);
        world.fault("failJob", "restoreVirtualMachine");
        const wanted = { ...before, userData: "two" };
        const left = kept(await failure(world.plugin().up(made, wanted)), { ...wanted, zone: "sandbox" });
        expect(await world.machine(made.id)).toMatchObject({ state: "Running" });
        world.cloud.clearCalls();
        const done = await world.plugin().update(left, left.inputs);
        expect(world.calls()).toMatchObject({ restoreVirtualMachine: 1 });
        expect((await world.plugin().plan("virtualMachine", wanted, done)).diff).toMatchObject({ changes: false });
    });

    test.each(["drop", "cut"] as const)("with lost answers (%s) still succeeds", async (kind) => {
        const before = args();
        const made = await world.plugin().create("virtualMachine", before);
        for (const command of [
            "stopVirtualMachine",
            "updateVirtualMachine",
            "scaleVirtualMachine",
            "startVirtualMachine",
        ])
            world.fault(kind, command);
        const changed = await world.plugin().up(made, { ...before, ...change, displayName: "New" });
        expect(await world.machine(made.id)).toMatchObject({
            state: "Running",
            serviceofferingname: "Large Instance",
            displayname: "New",
        });
        expect(await world.plugin().drifted(changed)).toBe(false);
    });

    test("after a kill that follows the stop is completed by the next run, which starts the machine", async () => {
        const before = args();
        const made = await world.plugin().create("virtualMachine", before);
        await world.api.user.done("stopVirtualMachine", { id: made.id });
        // The state is the old one: the engine received no answer.
        const changed = await world.plugin().up(made, { ...before, ...change });
        expect(await world.machine(made.id)).toMatchObject({ state: "Running", serviceofferingname: "Large Instance" });
        expect(await world.plugin().drifted(changed)).toBe(false);
    });
});

describe("drift", () => {
    const idOf = async (command: string, name: string) => (await world.api.user.list(command, { name }))[0].id;

    /** A change made outside the program, and how the machine looks after the repair. */
    const drifts: [string, (id: string, group: Resource) => Promise<void>][] = [
        ["stopped", async (id) => void (await world.api.user.done("stopVirtualMachine", { id }))],
        [
            "resized",
            async (id) => {
                await world.api.user.done("stopVirtualMachine", { id });
                await world.api.user.done("scaleVirtualMachine", {
                    id,
                    serviceofferingid: await idOf("listServiceOfferings", "Large Instance"),
                });
                await world.api.user.done("startVirtualMachine", { id });
            },
        ],
        [
            "put into other groups",
            async (id, group) => {
                await world.api.user.done("stopVirtualMachine", { id });
                await world.api.user.ok("updateVirtualMachine", { id, securitygroupids: group.id });
                await world.api.user.done("startVirtualMachine", { id });
            },
        ],
        [
            "renamed for people",
            async (id) =>
                void (await world.api.user.ok("updateVirtualMachine", { id, displayname: "Theirs", group: "theirs" })),
        ],
        [
            "given other user data",
            async (id) => void (await world.api.user.ok("updateVirtualMachine", { id, userdata: "AAAA" })),
        ],
        [
            "protected",
            async (id) => void (await world.api.user.ok("updateVirtualMachine", { id, deleteprotection: true })),
        ],
        [
            "deprived of a tag",
            async (id) =>
                void (await world.api.user.done("deleteTags", {
                    resourceids: id,
                    resourcetype: "UserVm",
                    "tags[0].key": "k",
                })),
        ],
    ];
    test.each(drifts)(
        "a machine that somebody %s: a refresh finds it, the next run repairs it",
        async (_what, disturb) => {
            const plugin = world.plugin();
            const [ours, other] = [
                await plugin.create("securityGroup", named("sg")),
                await plugin.create("securityGroup", named("sg")),
            ];
            const args = {
                ...named("drift"),
                ...small,
                userData: "x",
                tags: { k: "v" },
                group: "ours",
                securityGroups: [ours.id],
            };
            const made = await plugin.create("virtualMachine", args);
            const before = await world.machine(made.id);
            await disturb(made.id, other);
            expect(await world.plugin().drifted(made)).toBe(true);
            const repaired = await world.plugin().up((await world.plugin().read(made))!, args);
            expect(repaired.id).toBe(made.id);
            const {
                lastupdated: _before,
                tags: [tag],
                ...rest
            } = before;
            expect(await world.machine(made.id)).toMatchObject({ ...rest, tags: [{ key: tag.key, value: tag.value }] });
            expect(await world.plugin().drifted(repaired)).toBe(false);
            expect(repaired.outputs).toEqual(made.outputs);
        },
    );

    test("a machine that somebody destroyed is reported as gone by a read, and created again", async () => {
        for (const account of ["user", "expunger"] as const) {
            const args = { ...named("drift"), ...small };
            const made = await world.plugin(account).create("virtualMachine", args);
            await world.api[account].done("destroyVirtualMachine", {
                id: made.id,
                ...(account === "expunger" ? { expunge: true } : {}),
            });
            expect(await world.plugin(account).read(made)).toBeUndefined();
            expect((await failure(world.plugin(account).update(made, made.inputs))).message).toMatch(
                /no longer exists: run `pulumi refresh`/,
            );
            if (account === "expunger")
                expect((await world.plugin(account).create("virtualMachine", args)).id).not.toBe(made.id);
            // An account that may not expunge cannot use the name again before the cloud purges it; the error says why.
            else
                expect((await failure(world.plugin().create("virtualMachine", args))).message).toMatch(
                    /CloudStack holds name and address of a destroyed machine/,
                );
        }
    });
});

describe("a cloud or account that differs from the state's", () => {
    test("is refused with both named, and nothing is changed", async () => {
        const kinds: [Resource["kind"], Record<string, unknown>][] = [
            ["securityGroup", named("sg")],
            ["virtualMachine", { ...named("here"), ...small }],
            ["sshKeyPair", named("key")],
            ["affinityGroup", named("ag")],
            ["volume", { ...named("data"), diskOffering: "Small" }],
        ];
        const elsewhere = new World(await startCloud());
        for (const [kind, args] of kinds) {
            const made = await world.plugin().create(kind, args);
            for (const plugin of [() => elsewhere.plugin(), () => world.plugin("expunger")]) {
                const attempts = [
                    () => plugin().read(made),
                    () => plugin().update(made, made.inputs),
                    () => plugin().delete(made),
                ];
                for (const attempt of attempts) {
                    const { message } = await failure(attempt());
                    expect(message).toContain(
                        `belongs to ${world.cloud.endpoint}, account user (${world.cloud.accounts.user.accountId})`,
                    );
                    expect(message).toMatch(
                        /but this run is configured for http.*account (user|expunger) .*cloudstack:endpoint.*Nothing was changed/,
                    );
                }
            }
            expect(elsewhere.calls()).not.toHaveProperty("destroyVirtualMachine");
            expect(await world.plugin().drifted(made)).toBe(false);
        }
        await elsewhere.cloud.close();
    });
});
