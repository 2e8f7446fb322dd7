import { startCloud } from "../../../simulator";
import { type Resource, World, named } from "./support";

/**
 * The arguments that a refresh returns: with `ignoreChanges` the engine takes the value of an argument from them, so
 * changes made by hand are kept.
 */

let world: World;

beforeAll(async () => void (world = new World(await startCloud())));
afterAll(() => world.cloud.close());

const small = { serviceOffering: "Small Instance", template: "Debian 12" };

/** The engine's treatment of `ignoreChanges`: these arguments are taken from the state. */
function ignoring(resource: Resource, news: Record<string, any>, ignored: string[]): Record<string, any> {
    const result = { ...news };
    for (const property of ignored) {
        if (property in resource.inputs) result[property] = resource.inputs[property];
        else delete result[property];
    }
    return result;
}

const idOf = async (command: string, name: string) =>
    (await world.api.user.list(command, { name })).find((item) => item.name === name).id;

/** A change made by hand, and the argument that it affects. */
const BY_HAND: readonly [argument: string, work: (made: Resource) => Promise<unknown>][] = [
    ["displayName", ({ id }) => world.api.user.ok("updateVirtualMachine", { id, displayname: "By hand" })],
    ["group", ({ id }) => world.api.user.ok("updateVirtualMachine", { id, group: "by-hand" })],
    ["deleteProtection", ({ id }) => world.api.user.ok("updateVirtualMachine", { id, deleteprotection: true })],
    ["running", ({ id }) => world.api.user.done("stopVirtualMachine", { id })],
    [
        "userData",
        ({ id }) =>
            world.api.user.ok("updateVirtualMachine", { id, userdata: Buffer.from("by hand").toString("base64") }),
    ],
    [
        "tags",
        async ({ id }) => {
            const of = { resourceids: id, resourcetype: "UserVm" };
            await world.api.user.done("deleteTags", { ...of, "tags[0].key": "a" });
            await world.api.user.done("createTags", { ...of, "tags[0].key": "a", "tags[0].value": "by hand" });
        },
    ],
    [
        "serviceOffering",
        async ({ id }) => {
            const serviceofferingid = await idOf("listServiceOfferings", "Large Instance");
            await world.api.user.done("stopVirtualMachine", { id });
            await world.api.user.done("scaleVirtualMachine", { id, serviceofferingid });
            await world.api.user.done("startVirtualMachine", { id });
        },
    ],
];

test.each(BY_HAND)(
    "%s of a machine that was changed by hand stays where it is ignored, else not",
    async (argument, work) => {
        const plugin = world.plugin();
        const args = { ...named("hand"), ...small, userData: "#cloud-config\n", tags: { a: "b" }, group: "front" };
        const made = await plugin.create("virtualMachine", args);
        const same = (await plugin.read(made))!;
        expect(same.inputs).toEqual(made.inputs);
        await work(made);
        const next = world.plugin();
        const found = (await next.read(made))!;
        // All other arguments are those of the program.
        const others = ({ inputs }: Resource) => Object.fromEntries(Object.keys(args).map((key) => [key, inputs[key]]));
        expect({ ...others(found), [argument]: 0 }).toEqual({ ...others(made), [argument]: 0 });
        const { diff } = await next.plan("virtualMachine", ignoring(found, args, [argument]), found);
        expect(diff).toMatchObject({ changes: false });
        expect((await next.plan("virtualMachine", args, found)).diff).toMatchObject({ changes: true, replaces: [] });
        await world.api.user.ok("updateVirtualMachine", { id: made.id, deleteprotection: false });
        await world.plugin().delete(made);
    },
);

test.each([false, true])(
    "rules of a group (exclusive: %s) that were changed by hand stay where they are ignored",
    async (exclusive) => {
        const plugin = world.plugin();
        const ingress = [
            { ports: "80", cidrs: ["0.0.0.0/0", "10.0.0.0/8"] },
            { protocol: "icmp", icmpType: 8, self: true },
        ];
        const args = { ...named("hand"), exclusive, ingress };
        const made = await plugin.create("securityGroup", args);
        const [group] = await world.api.user.list("listSecurityGroups", { id: made.id });
        const rule = group.ingressrule.find(({ cidr }: any) => cidr === "0.0.0.0/0");
        await world.api.user.done("revokeSecurityGroupIngress", { id: rule.ruleid });
        await world.api.user.done("authorizeSecurityGroupIngress", {
            ...{ securitygroupid: made.id, protocol: "udp", startport: 53, endport: 53, cidrlist: "10.0.0.0/8" },
        });
        const count = async () =>
            (await world.api.user.list("listSecurityGroups", { id: made.id }))[0].ingressrule.length;
        const next = world.plugin();
        const found = (await next.read(made))!;
        expect(await count()).toBe(3);
        const kept = await next.up(found, ignoring(found, args, ["ingress"]));
        expect(await count()).toBe(3);
        expect((await next.plan("securityGroup", ignoring(kept, args, ["ingress"]), kept)).diff).toMatchObject({
            changes: false,
        });
        await next.up(found, args);
        expect(await count()).toBe(exclusive ? 3 : 4);
        const [now] = await world.api.user.list("listSecurityGroups", { id: made.id });
        expect(now.ingressrule.some(({ cidr }: any) => cidr === "0.0.0.0/0")).toBe(true);
    },
);

test("a volume that was detached by hand stays detached if the argument is ignored", async () => {
    const plugin = world.plugin();
    const machine = await plugin.create("virtualMachine", { ...named("holder"), ...small });
    const args = { ...named("disk"), diskOffering: "Custom", sizeGiB: 1, virtualMachine: machine.id };
    const made = await plugin.create("volume", args);
    await world.api.user.done("detachVolume", { id: made.id });
    const next = world.plugin();
    const found = (await next.read(made))!;
    expect((await next.plan("volume", ignoring(found, args, ["virtualMachine"]), found)).diff).toMatchObject({
        changes: false,
    });
    expect((await next.plan("volume", args, found)).diff).toMatchObject({ changes: true });
});
