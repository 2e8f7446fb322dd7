import { startCloud } from "../../../simulator";
import { type Kind, type Resource, World, failure, captureLog, named } from "./support";

/** Ownership: a mark identifies one resource, existing things keep name and mark, and a creation removes nothing. */

let world: World;

beforeAll(async () => void (world = new World(await startCloud())));
afterAll(() => world.cloud.close());
afterEach(() => world.cloud.clearFaults());

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHf2mQ8f0JbT3b1m0S8Vd1o3gV0c9zM0c9kYt9q2n5uK test";
const small = { serviceOffering: "Small Instance", template: "Debian 12" };

/** The arguments of each kind other than name and mark. */
const ARGS: [Kind, Record<string, unknown>][] = [
    ["virtualMachine", small],
    ["volume", { diskOffering: "Small" }],
    ["securityGroup", {}],
    ["affinityGroup", {}],
    ["sshKeyPair", {}],
];

const mark = (digest: string, stack = "stack") => `org/project/${stack}/app#${digest}`;
const volumes = async () => (await world.api.user.list("listVolumes")).filter(({ type }) => type === "DATADISK");

describe("two resources with the same name and different parents", () => {
    test("do not take over each other's machine", async () => {
        const { name } = named("app");
        const web = await world.plugin().create("virtualMachine", { name, ...small, owner: mark("11111111") });
        const db = { name, ...small, template: "Debian 12 with password", owner: mark("22222222") };
        expect((await failure(world.plugin().create("virtualMachine", db))).failures).toMatchObject([
            { property: "name", reason: expect.stringContaining(`taken by machine ${web.id}`) },
        ]);
        const { inputs } = await world.plugin().plan("virtualMachine", { ...db, name: "another" });
        await failure(world.plugin().createChecked("virtualMachine", { ...inputs, name }));
        expect(await world.machine(web.id)).toMatchObject({ name, state: "Running" });
    });

    test("have separate volumes", async () => {
        const { name } = named("data");
        const make = (digest: string) =>
            world.plugin().create("volume", { name, diskOffering: "Small", owner: mark(digest) });
        const [web, db] = [await make("11111111"), await make("22222222")];
        expect(db.id).not.toBe(web.id);
        await world.plugin().delete(db);
        expect((await volumes()).map(({ id }) => id)).toContain(web.id);
    });
});

describe("a creation that finds an object with its mark", () => {
    test.each(ARGS.filter(([kind]) => kind !== "sshKeyPair"))(
        "takes over a %s, as the preview announced",
        async (kind, args) => {
            const all = { ...named("left"), ...args };
            const left = await world.plugin().create(kind, all);
            const { logged } = await captureLog(() => world.plugin().plan(kind, all));
            expect(logged).toEqual([
                expect.stringMatching(`\\(${left.id}\\) has this resource's mark and will be adopted`),
            ]);
            expect((await world.plugin().create(kind, all)).id).toBe(left.id);
        },
    );

    test("refuses a machine that cannot be changed to the new arguments; the preview says why", async () => {
        const args = { ...named("left"), ...small };
        const left = await world.plugin().create("virtualMachine", args);
        const other = { ...args, template: "Debian 12 with password" };
        const reason = expect.stringMatching(
            `machine ${args.name} \\(${left.id}\\) has this resource's mark.*template Debian 12 -> `,
        );
        const { result: refused, logged } = await captureLog(() =>
            failure(world.plugin().create("virtualMachine", other)),
        );
        expect(logged).toEqual([reason]);
        expect(refused.message).toEqual(reason);
        expect(refused.message).toContain("is not removed automatically");
        expect(await world.machine(left.id)).toMatchObject({ name: args.name, state: "Running" });
    });

    test("leaves a volume attached that another machine uses", async () => {
        const machine = await world.plugin().create("virtualMachine", { ...named("holder"), ...small });
        const args = { ...named("data"), diskOffering: "Small" };
        const left = await world.plugin().create("volume", { ...args, virtualMachine: machine.id });
        const { message } = await failure(world.plugin().create("volume", args));
        expect(message).toContain(`is attached to machine ${machine.id}`);
        const found = (await volumes()).find(({ id }) => id === left.id);
        expect(found).toMatchObject({ virtualmachineid: machine.id });
    });

    test("takes over a key pair with the same public key, and leaves one with another key alone", async () => {
        const registered = { ...named("key"), publicKey: KEY };
        const first = await world.plugin().create("sshKeyPair", registered);
        const { result, logged } = await captureLog(() => world.plugin().create("sshKeyPair", registered));
        expect(result.id).toBe(first.id);
        expect(logged).toEqual([expect.stringContaining("will be adopted")]);
        const args = named("key");
        const left = await world.plugin().create("sshKeyPair", args);
        const reason = expect.stringMatching(`\\(${left.id}\\) has this resource's mark.*deleteSSHKeyPair`);
        const refused = await captureLog(() => failure(world.plugin().create("sshKeyPair", args)));
        expect(refused).toEqual({ result: expect.objectContaining({ message: reason }), logged: [reason] });
        expect((await world.api.user.list("listSSHKeyPairs")).map(({ id }) => id)).toContain(left.id);
        await world.plugin().delete(first);
    });

    test("puts a machine that never started into the state, and the next run replaces it", async () => {
        const args = { ...named("failing"), ...small };
        // The run was killed while CloudStack tried to start it.
        world.fault("failJob", "deployVirtualMachine");
        const { id } = await world.api.user.ok("deployVirtualMachine", {
            ...{ name: args.name, "details[0].owner": args.owner, ...(await world.api.user.catalogue()) },
        });
        await world.cloud.idle();
        const error = await failure(world.plugin().create("virtualMachine", args));
        expect(error).toMatchObject({ id, properties: { state: "Error" } });
        expect((await world.machine(id)).state).toBe("Error");
        const left = { kind: "virtualMachine" as const, id, inputs: args, outputs: error.properties };
        expect((await world.plugin().plan("virtualMachine", args, left)).diff).toMatchObject({
            replaces: expect.arrayContaining(["state"]),
        });
    });
});

test("reports a default name that a machine of another account has on the shared network, and what to do", async () => {
    const args = { ...named("app"), ...small };
    const theirs = await world.plugin("expunger").create("virtualMachine", args);
    const { message } = await failure(world.plugin().create("virtualMachine", args));
    expect(message).toMatch(
        /already exists in the network domain.*also among accounts.*give this machine another name \(argument name\)/s,
    );
    expect((await world.api.expunger.list("listVirtualMachines", { id: theirs.id }))[0]).toMatchObject({
        state: "Running",
    });
});

describe("defaults of an existing resource do not change", () => {
    test.each(ARGS)("for a %s under another name of the stack and the organization", async (kind, args) => {
        const { name } = named("old");
        const made = await world.plugin().create(kind, { ...args, name, nameIsDefault: true, owner: mark("33333333") });
        const renamed = { ...args, name: `new-${name}`, nameIsDefault: true, owner: "other/project/new/app#33333333" };
        const { inputs, diff } = await world.plugin().plan(kind, renamed, made);
        expect(inputs).toEqual(made.inputs);
        expect(diff).toMatchObject({ changes: false });
        // Marks of 0.1.0 have no digest.
        const before = {
            ...made,
            inputs: { ...made.inputs, owner: "org/project/stack/app" },
            outputs: { ...made.outputs, owner: "org/project/stack/app" },
        };
        const later = await world.plugin().plan(kind, renamed, before);
        expect(later.inputs).toMatchObject({ name: made.inputs.name, owner: "org/project/stack/app" });
        expect(later.diff).toMatchObject({ changes: false });
        // This includes a replacement, which the engine checks without the old inputs.
        const plugin = world.plugin();
        await plugin.plan(kind, renamed, made);
        const { name: kept, owner } = (await plugin.plan(kind, renamed)).inputs;
        if (kind !== "volume")
            expect({ name: kept, owner }).toEqual({ name: made.inputs.name, owner: mark("33333333") });
    });
});

describe("the mark of a resource that is renamed with an alias", () => {
    const rename = async (
        kind: Kind,
        args: Record<string, unknown>,
    ): Promise<[Resource, Resource, Record<string, unknown>]> => {
        const old = { ...args, name: named("app").name, nameIsDefault: true, owner: mark("44444444") };
        const made = await world.plugin().create(kind, old);
        const fresh = { ...args, name: "other", nameIsDefault: true, owner: "org/project/stack/other#55555555" };
        return [made, await world.plugin().up(made, fresh), old];
    };

    test.each(ARGS.slice(0, 3))(
        "is renamed for a %s: a new one with the old name does not take it over",
        async (kind, args) => {
            const [made, now, old] = await rename(kind, args);
            expect(now).toMatchObject({
                id: made.id,
                outputs: { name: made.outputs.name, owner: expect.stringMatching("#55555555$") },
            });
            expect(await world.plugin().drifted(now)).toBe(false);
            const again = await world
                .plugin()
                .create(kind, old)
                .catch((error) => error);
            expect(again.id).not.toBe(made.id);
            if (kind !== "volume") expect(again.failures[0].reason).toContain(`taken by`);
        },
    );

    test("does not prevent a replacement because of a conflict with its own name", async () => {
        const [made] = await rename("virtualMachine", { ...small, ipAddress: "10.1.1.77" });
        const args = {
            ...small,
            ipAddress: "10.1.1.77",
            name: "x",
            nameIsDefault: true,
            owner: "org/project/stack/third#66666666",
        };
        const replaced = await world.plugin().up(made, { ...args, template: "Debian 12 with password" });
        expect(replaced.id).not.toBe(made.id);
        expect(replaced.outputs).toMatchObject({ name: made.outputs.name, owner: args.owner, state: "Running" });
    });

    test.each(ARGS)(
        "a %s beside a new one of the old name in one run is a problem of whoever comes second",
        async (kind, args) => {
            const old = { ...args, name: named("app").name, owner: mark("77777777") };
            const made = await world.plugin().create(kind, old);
            const fresh = { ...old, owner: "org/project/stack/other#88888888" };
            for (const order of ["new first", "new last"]) {
                const plugin = world.plugin();
                const existing = () => plugin.plan(kind, fresh, made);
                const newcomer = () => plugin.plan(kind, { ...old, name: "elsewhere" });
                const [first, second] = order === "new first" ? [newcomer, existing] : [existing, newcomer];
                await first();
                const { failures } = await failure(second());
                expect(failures).toContainEqual({
                    property: "",
                    reason: expect.stringContaining("give the new resource another name"),
                });
            }
        },
    );
});
