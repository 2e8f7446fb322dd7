import { startCloud } from "../../../simulator";
import { type Plugin, type Resource, World, failure, named } from "./support";

/** A reference is a name or an id: two spellings of the same object. Unchanged references are not looked up again. */

let world: World;

beforeAll(async () => void (world = new World(await startCloud())));
afterAll(() => world.cloud.close());

const idOf = async (command: string, name: string, more: object = {}): Promise<string> =>
    (await world.api.admin.list(command, { name, ...more })).find((item) => item.name === name).id;

/** Two templates share the name: the newest one is used. */
async function newestTemplate(name: string): Promise<string> {
    const found = await world.api.admin.list("listTemplates", { name, templatefilter: "executable" });
    return found.sort((a, b) => (a.created < b.created ? 1 : -1))[0].id;
}

/** Every reference of every kind, with its name and its id. */
async function spellings(): Promise<Record<string, [name: string, id: string]>> {
    return {
        zone: ["sandbox", await idOf("listZones", "sandbox")],
        template: ["Debian 12", await newestTemplate("Debian 12")],
        network: ["shared", await idOf("listNetworks", "shared")],
        serviceOffering: ["Small Instance", await idOf("listServiceOfferings", "Small Instance")],
        diskOffering: ["Small", await idOf("listDiskOfferings", "Small")],
    };
}

const USED = {
    virtualMachine: ["zone", "template", "network", "serviceOffering"],
    volume: ["zone", "diskOffering"],
} as const;

/** The commands that check whether a resource of a kind exists. */
const LISTS = { virtualMachine: "listVirtualMachines", volume: "listVolumes" } as const;

async function make(plugin: Plugin, kind: keyof typeof USED, spelling: 0 | 1): Promise<Resource> {
    const all = await spellings();
    return plugin.create(kind, {
        ...named("spelt"),
        ...Object.fromEntries(USED[kind].map((property) => [property, all[property][spelling]])),
    });
}

/** The state as 0.1.0 wrote it: without ids among the inputs. */
function asOf010({ inputs, outputs, ...rest }: Resource): Resource {
    const { referenceIds: _inputs, ...oldInputs } = inputs;
    const { referenceIds: _outputs, diskOfferingId: _offering, ...oldOutputs } = outputs;
    return { ...rest, inputs: oldInputs, outputs: oldOutputs };
}

describe.each(Object.keys(USED) as (keyof typeof USED)[])("a %s", (kind) => {
    test.each([
        ["by name, then by id", 0, 1],
        ["by id, then by name", 1, 0],
    ] as const)("that is referred to %s is the same", async (_how, first, second) => {
        const plugin = world.plugin();
        const made = await make(plugin, kind, first);
        const all = await spellings();
        for (const property of USED[kind]) {
            const news = { ...made.inputs, [property]: all[property][second] };
            expect((await world.plugin().plan(kind, news, made)).diff).toMatchObject({ changes: false, replaces: [] });
            const respelt = await plugin.up(made, news);
            expect(await plugin.drifted(respelt)).toBe(false);
            expect((await plugin.plan(kind, made.inputs, respelt)).diff).toMatchObject({ changes: false });
        }
        await plugin.delete(made);
    });

    test("causes no request but the check for existence if nothing changes", async () => {
        const made = await make(world.plugin(), kind, 0);
        const next = world.plugin();
        world.cloud.clearCalls();
        expect((await next.plan(kind, made.inputs, made)).diff).toMatchObject({ changes: false });
        expect(world.calls()).toEqual({ [LISTS[kind]]: 1 });
        const state = asOf010(made);
        expect((await next.plan(kind, state.inputs, state)).diff).toMatchObject({ changes: false });
        await world.plugin().delete(made);
    });

    test.each(["renamed", "retired"])("keeps its objects when they are %s by the operator", async (how) => {
        const made = await make(world.plugin(), kind, 0);
        const all = await spellings();
        const { operator } = world.cloud;
        const offering = kind === "volume" ? "diskOffering" : "serviceOffering";
        operator.rename(`${offering}s`, all[offering][0], "renamed");
        operator.rename("zones", "sandbox", "elsewhere");
        for (const what of [`${offering}s`, "zones"] as const)
            if (how === "retired") operator.retire(what, what === "zones" ? "elsewhere" : "renamed");
        try {
            // For the disk offering, 0.1.0 recorded only the name, which cannot distinguish a new name from another
            // offering.
            for (const state of kind === "volume" ? [made] : [made, asOf010(made)]) {
                const plugin = world.plugin();
                expect((await plugin.plan(kind, state.inputs, state)).diff).toMatchObject({ changes: false });
                const read = (await plugin.read(state))!;
                expect(read.outputs).toMatchObject({ zone: "sandbox", [offering]: all[offering][0] });
                expect((await plugin.plan(kind, state.inputs, read)).diff).toMatchObject({ changes: false });
                // Another change does not look it up either.
                const change = kind === "volume" ? { timeoutSeconds: { create: 1000 } } : { tags: { a: "b" } };
                const changed = await plugin.up(read, { ...state.inputs, ...change });
                expect((await plugin.plan(kind, changed.inputs, changed)).diff).toMatchObject({ changes: false });
            }
        } finally {
            for (const what of [`${offering}s`, "zones"] as const)
                operator.retire(what, what === "zones" ? "elsewhere" : "renamed", false);
            operator.rename(`${offering}s`, "renamed", all[offering][0]);
            operator.rename("zones", "elsewhere", "sandbox");
        }
        await world.plugin().delete(made);
    });

    test("stays in its zone if the program no longer names one, whatever the stack's zone is", async () => {
        const made = await make(world.plugin(), kind, 0);
        const { zone: _zone, referenceIds: _ids, ...news } = made.inputs;
        for (const zone of [undefined, "core"]) {
            const plugin = world.plugin("user", { "cloudstack:zone": zone });
            const { inputs, diff } = await plugin.plan(kind, news, made);
            expect(diff).toMatchObject({ changes: false });
            expect(inputs.zone).toBe("sandbox");
        }
        await world.plugin().delete(made);
    });
});

test("a template that is registered later under the same name does not change existing machines", async () => {
    const plugin = world.plugin();
    const made = await make(plugin, "virtualMachine", 0);
    const id = world.cloud.operator.repeat("templates", "Debian 12");
    expect((await world.plugin().plan("virtualMachine", made.inputs, made)).diff).toMatchObject({ changes: false });
    world.cloud.operator.remove("templates", id);
    await plugin.delete(made);
});

test("a name that two objects share is an error at preview that lists their ids", async () => {
    const { operator } = world.cloud;
    const base = { ...named("two"), serviceOffering: "Small Instance", template: "Debian 12" };
    for (const [kind, property, what, name, news] of [
        ["volume", "diskOffering", "diskOfferings", "Small", { ...named("two"), diskOffering: "Small" }],
        ["virtualMachine", "serviceOffering", "serviceOfferings", "Small Instance", base],
        ["virtualMachine", "network", "networks", "shared", { ...base, network: "shared" }],
        ["volume", "zone", "zones", "sandbox", { ...named("two"), diskOffering: "Small" }],
    ] as const) {
        const second = operator.repeat(what, name);
        const error = await failure(world.plugin().plan(kind, news));
        expect(error.message).toMatch(
            new RegExp(
                `${property}: 2 (zone|network|(disk|service) offering)s are named "${name}".*give the id of one`,
            ),
        );
        expect(error.message).toContain((await spellings())[property][1]);
        expect(error.message).toContain(second);
        await world
            .plugin()
            .plan(kind, { ...news, [property]: second, ...(what === "zones" ? {} : { zone: "sandbox" }) });
        operator.remove(what, second);
    }
});
