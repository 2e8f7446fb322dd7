import { Client } from "../contract/simulator/client";
import { type RunningCloud, startCloud } from "../../simulator";
import { cloudEnvironment } from "./support/mainProject";
import { Project, type Result } from "./support/project";

/**
 * Every resource option of Pulumi on a machine, a group and a volume, with the real engine. The program has a set of
 * the three per option; the tests depend on their order.
 */

const SETS = ["alias", "ignore", "protect", "replace", "retain", "times", "moulded", "bound"] as const;
type SetName = (typeof SETS)[number];
const KINDS = ["machine", "group", "volume"] as const;

/**
 * A group in use, and a zone given by its name; later neither the group nor the argument that used it, and the zone by
 * its id.
 */
const ONCE = `
const held = new cloudstack.SecurityGroup("held");
new cloudstack.VirtualMachine("holder", { serviceOffering: "Small Instance", template: "Debian 12", securityGroups: [held.id] });
new cloudstack.Volume("spelt", { diskOffering: "Small", zone: "sandbox" });
`;
const AFTERWARDS = `
new cloudstack.VirtualMachine("holder", { serviceOffering: "Small Instance", template: "Debian 12" });
new cloudstack.Volume("spelt", { diskOffering: "Small", zone: cloudstack.getZoneOutput({ name: "sandbox" }).id });
`;

/** @param more per set, parts of the program as text: options, arguments of machines, rules and sizes */
function program(
    sets: readonly SetName[],
    more: Partial<Record<SetName, { opts?: string; changed?: boolean; as?: string }>> = {},
): string {
    const parts = sets.map((set) => {
        const { opts = "{}", changed = false, as = set } = more[set] ?? {};
        return `
{
    const opts = ${opts};
    const of = (kind) => (typeof opts === "function" ? opts(kind) : opts);
    const group = new cloudstack.SecurityGroup("${as}-group", {
        name: "${set}-group", ingress: [{ ports: "${changed ? 81 : 80}", cidrs: ["0.0.0.0/0"] }],
    }, of("group"));
    const machine = new cloudstack.VirtualMachine("${as}-machine", {
        name: "${set}-machine", serviceOffering: "Small Instance", template: "Debian 12", displayName: "${changed ? "second" : "first"}",
    }, of("machine"));
    new cloudstack.Volume("${as}-volume", {
        name: "${set}-volume", diskOffering: "Custom", sizeGiB: ${changed ? 2 : 1}, ${set === "bound" ? "" : "virtualMachine: machine.id,"}
    }, { dependsOn: [group], ...of("volume") });
}`;
    });
    return `
import * as cloudstack from "pulumi-cloudstack";
const anchor = new cloudstack.AffinityGroup("anchor");
${more === FIRST ? ONCE : AFTERWARDS}
${parts.join("\n")}
`;
}

const FIRST = {
    times: { opts: '{ customTimeouts: { create: "20m", delete: "90s" } }' },
    moulded: {
        opts: `{ transformations: [({ type, props, opts }) => ({ opts, props: {
            ...props,
            ...(type.endsWith(":VirtualMachine") ? { displayName: "moulded" } : {}),
            ...(type.endsWith(":SecurityGroup") ? { description: "moulded" } : {}),
            ...(type.endsWith(":Volume") ? { sizeGiB: 3 } : {}),
        } })] }`,
    },
    protect: { opts: "{ protect: true }" },
    retain: { opts: "{ retainOnDelete: true }" },
    bound: { opts: "{ deletedWith: anchor }" },
};

const SECOND = {
    ...FIRST,
    alias: { as: "other", opts: '(kind) => ({ aliases: [{ name: "alias-" + kind }] })' },
    ignore: { changed: true, opts: '{ ignoreChanges: ["displayName", "ingress", "virtualMachine", "sizeGiB"] }' },
    replace: {
        changed: true,
        opts: '{ replaceOnChanges: ["displayName", "ingress", "sizeGiB"], deleteBeforeReplace: true }',
    },
};

let cloud: RunningCloud;
let user: Client;
let project: Project;

beforeAll(async () => {
    cloud = await startCloud();
    user = new Client(cloud, cloud.accounts.expunger);
    const { apiKey, secretKey } = cloud.accounts.expunger;
    const environment = { ...cloudEnvironment(cloud), CLOUDSTACK_API_KEY: apiKey, CLOUDSTACK_SECRET_KEY: secretKey };
    project = new Project({ program: program(SETS, FIRST), config: { "cloudstack:zone": "sandbox" }, environment });
    await project.up();
});

afterAll(async () => {
    project.dispose();
    await cloud.close();
});

type Set = Record<(typeof KINDS)[number], any>;

/** The resources of a set in the state. */
async function stateOf(set: string): Promise<Set> {
    const resources = await project.exportResources();
    return Object.fromEntries(
        KINDS.map((kind) => [kind, resources.find(({ urn }) => urn.endsWith(`::${set}-${kind}`))]),
    ) as Set;
}

const LISTS = { machine: "listVirtualMachines", group: "listSecurityGroups", volume: "listVolumes" };

/** The things of a set in the cloud. */
async function cloudOf(set: string): Promise<Set> {
    const found = await Promise.all(
        KINDS.map(async (kind) => (await user.list(LISTS[kind])).find(({ name }) => name.startsWith(`${set}-${kind}`))),
    );
    return Object.fromEntries(KINDS.map((kind, index) => [kind, found[index]])) as Set;
}

const idsOf = (set: Set) => KINDS.map((kind) => set[kind]?.id);
const operations = ({ steps }: Result, set: string) =>
    steps.filter(({ name }) => name === set || name.startsWith(`${set}-`)).map(({ op }) => op);

test("dependsOn sets the order, customTimeouts become timeoutSeconds, and transformations change arguments", async () => {
    const { volume, group } = await stateOf("alias");
    expect(volume.dependencies).toContain(group.urn);
    for (const { inputs } of Object.values(await stateOf("times")))
        expect(inputs.timeoutSeconds).toEqual({ create: 1200, delete: 90 });
    const moulded = await cloudOf("moulded");
    expect(moulded.machine.displayname).toBe("moulded");
    expect(moulded.group.description).toMatch(/^moulded /);
    expect(moulded.volume.size).toBe(3 * 2 ** 30);
});

test("aliases keep a resource, ignoreChanges keeps what was changed by hand, and replaceOnChanges replaces", async () => {
    const before = { alias: idsOf(await stateOf("alias")), replace: idsOf(await stateOf("replace")) };
    const { machine, group, volume } = await cloudOf("ignore");
    await user.ok("updateVirtualMachine", { id: machine.id, displayname: "by hand" });
    await user.done("revokeSecurityGroupIngress", { id: group.ingressrule[0].ruleid });
    await user.done("detachVolume", { id: volume.id });
    await project.refresh();
    project.program(program(SETS, SECOND));
    const result = await project.up();
    expect(idsOf(await stateOf("other"))).toEqual(before.alias);
    expect(await cloudOf("ignore")).toMatchObject({
        machine: { displayname: "by hand" },
        group: { ingressrule: [] },
        volume: { size: 2 ** 30 },
    });
    expect((await cloudOf("ignore")).volume.virtualmachineid).toBeUndefined();
    const after = idsOf(await stateOf("replace"));
    after.forEach((id, index) => expect(id).not.toBe(before.replace[index]));
    expect(idsOf(await cloudOf("replace"))).toEqual(after);
    expect([...new Set(operations(result, "moulded"))]).toEqual(["same"]);
    // Another notation of the same value is no change, and a group can be removed together with the argument that used
    // it.
    expect(operations(result, "spelt")).toEqual(["same"]);
    expect(operations(result, "held")).toEqual(["delete"]);
    const [holder] = await user.list("listVirtualMachines", { name: "dev-holder" });
    expect(holder.securitygroup.map(({ name }: any) => name)).toEqual(["default"]);
    await project.expectNoChanges();
});

test("protect keeps a resource that the program no longer has, and the run fails", async () => {
    const ids = idsOf(await stateOf("protect"));
    project.program(
        program(
            SETS.filter((set) => set !== "protect"),
            SECOND,
        ),
    );
    const { code, stdout } = await project.up({ mayFail: true });
    expect(code).not.toBe(0);
    expect(stdout).toMatch(/protect/);
    expect(idsOf(await cloudOf("protect"))).toEqual(ids);
    expect(idsOf(await stateOf("protect"))).toEqual(ids);
});

test("retainOnDelete removes a resource from the state and keeps it in the cloud; an import file takes it back", async () => {
    const retained = await stateOf("retain");
    const last = { ...SECOND, protect: { opts: "{ protect: false }" } };
    project.program(
        program(
            SETS.filter((set) => set !== "retain"),
            last,
        ),
    );
    await project.up();
    expect(idsOf(await stateOf("retain"))).toEqual([undefined, undefined, undefined]);
    expect(idsOf(await cloudOf("retain"))).toEqual(idsOf(retained));
    const resources = Object.values(retained).map(({ urn, type, id, inputs, outputs }) => ({
        ...{ name: urn.split("::").pop(), type, id, inputs, outputs },
    }));
    project.write("import.json", JSON.stringify({ resources }));
    const args = [
        "import",
        "--file",
        "import.json",
        "--generate-code=false",
        "--protect=false",
        "--yes",
        "--skip-preview",
    ];
    await project.run([...args, "--stack", project.stack]);
    project.program(program(SETS, { ...last, retain: {} }));
    await project.up();
    expect(idsOf(await stateOf("retain"))).toEqual(idsOf(retained));
    await project.expectNoChanges();
});

test("deletedWith skips the deletion of what is deleted with another resource", async () => {
    const bound = idsOf(await cloudOf("bound"));
    await project.destroy();
    expect(await project.exportResources()).toEqual([]);
    expect(idsOf(await cloudOf("bound"))).toEqual(bound);
    for (const set of SETS.filter((name) => name !== "bound"))
        expect(idsOf(await cloudOf(set))).toEqual([undefined, undefined, undefined]);
});
