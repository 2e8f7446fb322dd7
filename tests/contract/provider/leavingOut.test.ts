import { generateKeyPairSync } from "node:crypto";
import { LEAVING_OUT } from "../../../provider/leavingOut";
import { startCloud } from "../../../simulator";
import { type Kind, type Plugin, type Resource, World, failure, captureLog, named } from "./support";

/**
 * The effect of leaving an argument out, at creation and after it was set. Every cell of the table in
 * `provider/leavingOut.ts` is a case here.
 */

let world: World;

beforeAll(async () => void (world = new World(await startCloud())));
afterAll(() => world.cloud.close());

type Properties = Record<string, any>;

/** A case of the table. */
interface Case {
    /** The arguments before one is left out; a function, because it needs the running cloud. */
    give: (plugin: Plugin) => Promise<unknown> | unknown;
    /** Other arguments, of both programs. */
    with?: Properties;
    /** What the cloud shows of a resource that is created without the argument. */
    creation?: Properties;
    /** What the cloud shows of a resource that had the argument. Default: what it showed before. */
    afterwards?: Properties;
    /** The message of the preview about the removal. */
    says?: RegExp;
    /** The problem for which the preview refuses the removal. */
    refuses?: RegExp;
    /** Whether the resource is replaced. Default false. */
    replaced?: boolean;
}

const anything: Properties = {};
const groupOf = async (plugin: Plugin, kind: Kind) => [(await plugin.create(kind, named("group"))).id];
const defaultGroup = { securitygroup: [expect.objectContaining({ name: "default" })] };

const REQUIRED: Record<string, Properties> = {
    VirtualMachine: { serviceOffering: "Small Instance", template: "Debian 12" },
    Volume: { diskOffering: "Small" },
    SecurityGroup: {},
    SecurityGroupRules: {},
    AffinityGroup: {},
    SshKeyPair: {},
    Network: {},
    PublicIpAddress: {},
    FirewallRules: { rules: [{ ports: "80", cidrs: ["0.0.0.0/0"] }] },
    EgressFirewallRules: { rules: [{ ports: "80" }] },
    PortForwardingRule: { publicPorts: "8080" },
};

/** Resources of a zone without security groups. */
const ISOLATED = ["Network", "PublicIpAddress", "FirewallRules", "EgressFirewallRules", "PortForwardingRule"];

const pluginFor = (type: string): Plugin =>
    world.plugin("user", ISOLATED.includes(type) ? { "cloudstack:zone": "sandbox-isolated" } : {});

/** What a resource belongs to, where that is an argument. */
const TARGETS: Record<string, (plugin: Plugin) => Promise<Properties>> = {
    SecurityGroupRules: async (plugin) => ({ securityGroup: (await groupOf(plugin, "securityGroup"))[0] }),
    PublicIpAddress: async (plugin) => ({ network: await routedNetwork(plugin) }),
    FirewallRules: async (plugin) => ({ address: await addressIn(plugin, await routedNetwork(plugin)) }),
    PortForwardingRule: async (plugin) => {
        const network = await routedNetwork(plugin);
        const args = { ...named("inside"), ...REQUIRED.VirtualMachine, network };
        const { id } = await plugin.create("virtualMachine", args);
        return { address: await addressIn(plugin, network), virtualMachine: id };
    },
    EgressFirewallRules: async (plugin) => ({ network: await routedNetwork(plugin) }),
};

async function addressIn(plugin: Plugin, network: string): Promise<string> {
    return (await plugin.create("publicIpAddress", { ...named("ip"), network })).id;
}

/** A network that has a source NAT address from the beginning. */
async function routedNetwork(plugin: Plugin): Promise<string> {
    return (await plugin.create("network", { ...named("net"), networkOffering: "PersistentIsolatedNetwork" })).id;
}

/** The resource as shown by the cloud. */
const LISTED: Record<string, (resource: Resource) => Promise<any>> = {
    VirtualMachine: ({ id }) => world.machine(id),
    Volume: async ({ id }) => (await world.api.user.list("listVolumes", { id }))[0],
    SecurityGroup: async ({ id }) => (await world.api.user.list("listSecurityGroups", { id }))[0],
    SecurityGroupRules: async ({ outputs }) =>
        (await world.api.user.list("listSecurityGroups", { id: outputs.securityGroup }))[0],
    AffinityGroup: async ({ id }) => (await world.api.user.list("listAffinityGroups", { id }))[0],
    SshKeyPair: async ({ id }) => (await world.api.user.list("listSSHKeyPairs", { id }))[0],
    PublicIpAddress: async ({ id }) => {
        const [address] = await world.api.user.list("listPublicIpAddresses", { id });
        return { ...address, tags: address.tags.filter(({ key }: Properties) => key !== "pulumi-owner") };
    },
    FirewallRules: async ({ outputs }) =>
        (await world.api.user.list("listFirewallRules", { ipaddressid: outputs.address }))[0],
    PortForwardingRule: async ({ outputs }) =>
        (await world.api.user.list("listPortForwardingRules", { id: outputs.ruleId }))[0],
    EgressFirewallRules: async ({ outputs }) =>
        (await world.api.user.list("listEgressFirewallRules", { networkid: outputs.network }))[0],
    Network: async ({ id }) => (await world.api.user.list("listNetworks", { id }))[0],
};

const timeoutSeconds: Case = { give: () => ({ create: 901 }), creation: anything };
const zone: Case = { give: () => "sandbox", creation: { zonename: "sandbox" } };
const isolatedZone: Case = { give: () => "sandbox-isolated", creation: { zonename: "sandbox-isolated" } };
const tags: Case = { give: () => ({ a: "b" }), creation: { tags: [] }, afterwards: { tags: [] } };
const rules = { give: () => [{ ports: "80", cidrs: ["0.0.0.0/0"] }] };
const ingress: Case = { ...rules, creation: { ingressrule: [] }, afterwards: { ingressrule: [] } };
const egress: Case = { ...rules, creation: { egressrule: [] }, afterwards: { egressrule: [] } };
const description: Case = { give: () => "for people", says: /keeps its description "for people"/ };

const CASES: Record<keyof typeof LEAVING_OUT, Record<string, Case>> = {
    VirtualMachine: {
        displayName: { give: () => "The one", creation: anything, afterwards: anything },
        zone,
        network: { give: () => "shared", creation: { nic: [expect.objectContaining({ networkname: "shared" })] } },
        ipAddress: { give: () => "10.1.1.91", creation: { ipaddress: expect.any(String) } },
        securityGroups: {
            give: (plugin) => groupOf(plugin, "securityGroup"),
            ...{ creation: defaultGroup, afterwards: defaultGroup },
            says: /stops and starts: securityGroups \+default -group-\d+$/,
        },
        affinityGroups: {
            give: (plugin) => groupOf(plugin, "affinityGroup"),
            ...{ creation: { affinitygroup: [] }, afterwards: { affinitygroup: [] } },
            says: /stops and starts: affinityGroups -group-\d+$/,
        },
        sshKeyPairs: {
            give: async (plugin) => [(await plugin.create("sshKeyPair", named("key"))).outputs.name],
            says: /keeps the key pairs key-.*CloudStack cannot remove keys/,
        },
        userData: { give: () => "#cloud-config\n", afterwards: { userdata: undefined } },
        userDataBase64: {
            give: () => Buffer.from("#cloud-config\n").toString("base64"),
            afterwards: { userdata: undefined },
        },
        userDataMaxLength: { give: () => 40_000 },
        onUserDataChange: { give: () => "restart" },
        onTemplateChange: { give: () => "reinstall" },
        reinstallTrigger: { give: () => "1" },
        rollingGroup: { give: () => "all" },
        maxUnavailable: { give: () => 2 },
        rootDiskSizeGiB: { give: () => 9 },
        running: {
            give: () => false,
            ...{ creation: { state: "Running" }, afterwards: { state: "Running" } },
            says: /starts: it is Stopped/,
        },
        allowRestart: { give: () => false },
        allowDataLoss: { give: () => false },
        deleteProtection: {
            give: () => true,
            creation: { deleteprotection: false },
            afterwards: { deleteprotection: false },
        },
        group: { give: () => "front", afterwards: { group: undefined } },
        tags,
        details: {
            give: () => ({ rootDiskController: "virtio" }),
            afterwards: { details: expect.not.objectContaining({ rootDiskController: "virtio" }) },
        },
        timeoutSeconds,
    },
    Volume: {
        sizeGiB: { give: () => 2, with: { diskOffering: "Custom" }, refuses: /sizeGiB: is required/ },
        virtualMachine: {
            give: async (plugin) =>
                (await plugin.create("virtualMachine", { ...named("holder"), ...REQUIRED.VirtualMachine })).id,
            creation: { virtualmachineid: undefined },
            afterwards: { virtualmachineid: undefined },
        },
        deviceId: { give: () => 4 },
        allowDataLoss: { give: () => true },
        zone,
        timeoutSeconds,
    },
    SecurityGroup: { description, ingress, egress, exclusive: { give: () => true }, timeoutSeconds },
    SecurityGroupRules: { ingress, egress, timeoutSeconds },
    AffinityGroup: {
        type: { give: () => "host affinity", creation: { type: "host anti-affinity" } },
        description,
        timeoutSeconds,
    },
    SshKeyPair: { publicKey: { give: () => publicKey(), replaced: true, afterwards: anything } },
    Network: {
        displayText: { give: () => "for people", afterwards: { displaytext: expect.stringMatching(/^\[/) } },
        networkOffering: {
            give: () => "DefaultL2NetworkOffering",
            creation: { networkofferingname: "DefaultIsolatedNetworkOfferingWithSourceNatService" },
        },
        cidr: { give: () => "10.9.0.0/24", creation: { cidr: "10.1.1.0/24" } },
        gateway: { give: () => "10.9.0.254", with: { cidr: "10.9.0.0/24" }, creation: { gateway: "10.9.0.1" } },
        networkDomain: { give: () => "a.internal", creation: { networkdomain: "cs2cloud.internal" } },
        dns: { give: () => ["9.9.9.9"], creation: { dns1: "10.147.28.6" } },
        tags,
        zone: isolatedZone,
        timeoutSeconds,
    },
    PublicIpAddress: {
        ipAddress: { give: () => "198.18.0.240", creation: { ipaddress: expect.any(String) } },
        tags,
        timeoutSeconds,
    },
    FirewallRules: { exclusive: { give: () => true }, timeoutSeconds },
    EgressFirewallRules: { exclusive: { give: () => true }, timeoutSeconds },
    PortForwardingRule: {
        protocol: { give: () => "udp", replaced: true, afterwards: { protocol: "tcp" } },
        privatePorts: { give: () => "80", afterwards: { privateport: "8080" } },
        cidrs: { give: () => ["10.0.0.0/8"], afterwards: { cidrlist: "0.0.0.0/0" } },
        timeoutSeconds: { give: () => ({ create: 901 }) },
    },
};

/** Arguments for the place or the name of a resource: each has its own tests. */
const ELSEWHERE = ["name", "project", "profile"];

/** The compared fields, including those that the cloud leaves out. */
function parts(shown: Properties, expected: Properties): Properties {
    return Object.fromEntries(Object.keys(expected).map((key) => [key, shown[key]]));
}

function publicKey(): string {
    const { x } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
    const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
    return `ssh-ed25519 ${Buffer.concat([field(Buffer.from("ssh-ed25519")), field(Buffer.from(x!, "base64url"))]).toString("base64")}`;
}

test.each(Object.keys(LEAVING_OUT) as (keyof typeof LEAVING_OUT)[])("every argument of %s has a case", (kind) => {
    const arguments_ = Object.keys(LEAVING_OUT[kind]).filter((argument) => !ELSEWHERE.includes(argument));
    expect(Object.keys(CASES[kind]).sort()).toEqual(arguments_.sort());
});

const cells = Object.entries(CASES).flatMap(([kind, cases]) =>
    Object.entries(cases).map(([argument, cell]) => [kind, argument, cell] as const),
);

test.each(cells)("%s without %s", async (type, argument, cell) => {
    const kind = `${type[0].toLowerCase()}${type.slice(1)}` as Kind;
    const plugin = pluginFor(type);
    const target = await TARGETS[type]?.(plugin);
    const base = () => ({ ...named("left"), ...REQUIRED[type], ...target, ...cell.with });
    if (cell.creation !== undefined) {
        const without = await plugin.create(kind, base());
        expect(parts(await LISTED[type](without), cell.creation)).toMatchObject(cell.creation);
        expect(await plugin.drifted(without)).toBe(false);
        await plugin.delete(without);
    }

    const args = base();
    // Another process: what belongs to one target can be declared only once in each.
    const made = await pluginFor(type).create(kind, { ...args, [argument]: await cell.give(plugin) });
    const before = await LISTED[type](made);
    const next = pluginFor(type);
    if (cell.refuses !== undefined) {
        expect((await failure(next.plan(kind, args, made))).message).toMatch(cell.refuses);
        await next.delete(made);
        return;
    }
    const { result: after, logged } = await captureLog(() => next.up(made, args));
    if (cell.says !== undefined) expect(logged.join("\n")).toMatch(new RegExp(cell.says, "m"));
    else if (cell.replaced !== true) expect(logged).toEqual([]);
    expect(after.id === made.id).toBe(cell.replaced !== true);
    const expected = cell.afterwards ?? before;
    expect(parts(await LISTED[type](after), expected)).toMatchObject(expected);
    // Further runs do not change it.
    const last = pluginFor(type);
    expect(await last.drifted(after)).toBe(false);
    expect((await last.plan(kind, args, after)).diff).toMatchObject({ changes: false });
    await last.delete(after);
});
