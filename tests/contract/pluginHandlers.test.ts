/**
 * The package's own handlers in the SDK's plugin, loaded by the text that every resource class writes into the state:
 * from the folder of a program, with the compiled package.
 */
import { X509Certificate } from "node:crypto";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type RunningCloud, startCloud } from "../../simulator";
import { built } from "../support/built";
import { PluginProcess, type Properties, secret } from "./plugin/process";

/**
 * The value of `__provider` in the state of every stack, byte by byte. Another text would show as a change of every
 * resource, and one that loads something else could not destroy what earlier releases created.
 */
const texts: Record<string, string> = {
    VirtualMachine: textOf("virtualMachine"),
    SecurityGroup: textOf("securityGroup"),
    SecurityGroupRules: textOf("securityGroupRules"),
    SshKeyPair: textOf("sshKeyPair"),
    AffinityGroup: textOf("affinityGroup"),
    Volume: textOf("volume"),
    Network: textOf("network"),
    PublicIpAddress: textOf("publicIpAddress"),
    FirewallRules: textOf("firewallRules"),
    EgressFirewallRules: textOf("egressFirewallRules"),
    PortForwardingRule: textOf("portForwardingRule"),
    CertificateAuthority: textOf("certificateAuthority"),
    Certificate: textOf("certificate"),
    RandomSecret: textOf("randomSecret"),
    SigningKeyPair: textOf("signingKeyPair"),
    ClusterToken: textOf("clusterToken"),
    EtcdQuorum: textOf("etcdQuorum"),
    EtcdMember: textOf("etcdMember"),
    EtcdHealth: textOf("etcdHealth"),
    EtcdFounding: textOf("etcdFounding"),
    EtcdDataGuard: textOf("etcdDataGuard"),
    KubernetesSettings: textOf("kubernetesSettings"),
    KubernetesReady: textOf("kubernetesReady"),
    KubernetesUserData: textOf("kubernetesUserData"),
};

function textOf(key: string): string {
    return (
        'exports.handler = () => require("module").createRequire(process.cwd() + "/_")("pulumi-cloudstack/dynamic/v1").' +
        key
    );
}

const folder = path.resolve(__dirname, "../../examples/kubernetes");
let cloud: RunningCloud;
let plugin: PluginProcess;

beforeAll(async () => {
    await built();
    cloud = await startCloud();
    plugin = await start();
});

/** The process of one run of the engine: every command starts another. */
function start(): Promise<PluginProcess> {
    return PluginProcess.start(
        {
            "cloudstack:endpoint": cloud.endpoint,
            "cloudstack:apiKey": cloud.accounts.user.apiKey,
            "cloudstack:secretKey": secret(cloud.accounts.user.secretKey),
            "cloudstack:zone": "sandbox",
        },
        folder,
    );
}

afterAll(async () => {
    await plugin?.stop();
    await cloud?.close();
});

/** Every resource class, exported or internal, as its instances are registered: inputs by kind. */
async function registered(): Promise<Record<string, Properties>> {
    const found: Record<string, Properties> = {};
    const mocks: pulumi.runtime.Mocks = {
        newResource: ({ type, inputs }) => {
            found[type.replace("pulumi-nodejs:dynamic/cloudstack:", "")] = inputs;
            return { id: "x", state: inputs };
        },
        call: () => ({}),
    };
    await pulumi.runtime.setMocks(mocks, "project", "stack", false, "org");
    const all = {
        ...require("../../index"),
        ...require("../../provider/etcd/resources"),
        ...require("../../provider/kubernetes/resources"),
        ...require("../../provider/kubernetesSettings"),
    };
    const { CloudStackResource } = require("../../provider/resource");
    const classes = Object.values(all).filter((one: any) => one?.prototype instanceof CloudStackResource);
    const resources = classes.map((one: any) => new one("a", {}) as pulumi.CustomResource);
    await Promise.all(resources.map(({ urn }) => new Promise((resolve) => urn.apply(resolve))));
    return found;
}

test("every resource class writes the same text for its kind as in every release", async () => {
    const found = await registered();
    expect(Object.fromEntries(Object.entries(found).map(([kind, inputs]) => [kind, inputs.__provider]))).toEqual(texts);
});

test.each(Object.entries(texts))("the text of %s loads a complete handler", async (_kind, text) => {
    const methods = `exports.inner = {}; new Function("exports", "require", ${JSON.stringify(text)})(exports.inner, require);
        exports.handler = () => ({ create: async () => ({ id: "x", outs: { methods: Object.entries(exports.inner.handler())
            .filter(([, method]) => typeof method === "function").map(([name]) => name).sort() } }) });`;
    expect((await plugin.create({ __provider: methods })).outputs.methods).toEqual([
        "check",
        "configure",
        "create",
        "delete",
        "diff",
        "read",
        "update",
    ]);
});

test("dynamic/v1 exports nothing that no class uses", () => {
    const keys = Object.values(texts).map((text) => text.slice(text.lastIndexOf(".") + 1));
    expect(Object.keys(require("../../provider/v1")).sort()).toEqual(keys.sort());
});

test("a certificate authority is created, updated and deleted through the plugin", async () => {
    const given = { commonName: "etcd", __provider: texts.CertificateAuthority };
    const { inputs, failures } = await plugin.check({}, given);
    expect(failures).toEqual([]);
    expect(inputs).toMatchObject({ ...given, validityDays: 7300, generation: 1, signingGeneration: 1 });

    const { id, outputs } = await plugin.create(inputs);
    const certificate = new X509Certificate(outputs.certificate);
    expect(certificate.subject).toBe("CN=etcd");
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(outputs).toMatchObject(inputs);

    const found = await plugin.read(id, { outputs, inputs });
    expect(found).toMatchObject({ id, outputs });
    expect(await plugin.diff(id, found.outputs, inputs)).toMatchObject({ changes: false, replaces: [] });

    const { inputs: raised } = await plugin.check(inputs, { ...given, generation: 2, signingGeneration: 1 });
    // The engine compares arguments that differ.
    expect(await plugin.diff(id, outputs, raised)).toMatchObject({ changes: undefined, replaces: [] });
    const updated = await plugin.update(id, outputs, raised);
    expect(updated.certificate).toBe(outputs.certificate);
    expect(updated.bundle.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(updated.__provider).toBe(texts.CertificateAuthority);

    await plugin.delete(id, updated);
});

test("all problems of a certificate authority are reported together", async () => {
    const wrong = { commonName: "", validityDays: 0, __provider: texts.CertificateAuthority };
    const { failures } = await plugin.check({}, wrong);
    expect(failures.map(({ property }) => property)).toEqual(expect.arrayContaining(["commonName", "validityDays"]));
});

test("resources that are created simultaneously all find the stack's configuration", async () => {
    const names = ["one", "two", "three", "four", "five"];
    const __provider = texts.AffinityGroup;
    const made = await Promise.all(
        names.map(async (name) => {
            const given = { name, type: "host anti-affinity", owner: `org/project/stack/${name}`, __provider };
            const { inputs, failures } = await plugin.check({}, given);
            expect(failures).toEqual([]);
            return plugin.create(inputs);
        }),
    );
    expect(made.map(({ outputs }) => outputs.cloud.endpoint)).toEqual(names.map(() => cloud.endpoint));
    const next = await start();
    try {
        await Promise.all(made.map(({ id, outputs }) => next.delete(id, outputs)));
        for (const { id, outputs } of made) expect((await next.read(id, { outputs })).id).toBe("");
    } finally {
        await next.stop();
    }
});
