import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCloud } from "../../../simulator";
import { World, failure, named, type Kind } from "./support";

/** Every mistake is reported before anything is created: all mistakes of a resource together, with path and remedy. */

let world: World;

beforeAll(async () => void (world = new World(await startCloud())));
afterAll(() => world.cloud.close());
afterEach(() => world.cloud.clearFaults());

const small = { serviceOffering: "Small Instance", template: "Debian 12" };
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The reported problems, as path and reason. */
async function problems(kind: Kind, args: Record<string, unknown>): Promise<Record<string, string>> {
    const { failures, message } = await failure(world.plugin().create(kind, args));
    if (failures === undefined) throw new Error(`no check found it: ${message}`);
    return Object.fromEntries(failures.map(({ property, reason }: any) => [property, reason]));
}

describe("check of a machine", () => {
    test("reports all problems of its arguments together", async () => {
        const found = await problems("virtualMachine", {
            ...named("x"),
            name: "-not a host name",
            serviceOffering: "Smal Instance",
            template: "Debain 12",
            network: "shraed",
            ipAddress: "10.1.1",
            securityGroups: ["web"],
            affinityGroups: "spread",
            userData: "a".repeat(30_000),
            userDataBase64: "not base64!",
            onUserDataChange: "reboot",
            onTemplateChange: "reboot",
            rootDiskSizeGiB: 1.5,
            running: "yes",
            tags: { count: 3 },
            displayName: "a\tb",
            timeoutSeconds: { creation: 5, update: 0 },
        });
        expect(Object.fromEntries(Object.entries(found).sort())).toMatchInlineSnapshot(`
{
  "affinityGroups": "must be a list of ids",
  "displayName": "contains a control character (a tab counts as one), which CloudStack rejects",
  "ipAddress": ""10.1.1" is not an IPv4 address",
  "name": ""-not a host name" is not a host name: 1 to 63 letters, digits and hyphens, a letter first, no hyphen last",
  "network": "there is no network "shraed" in zone sandbox: did you mean "shared"?",
  "onTemplateChange": ""reboot" is not one of replace, reinstall",
  "onUserDataChange": ""reboot" is not one of ignore, update, restart, reinstall, replace",
  "rootDiskSizeGiB": "1.5 is not a whole number of GiB from 1 to 65536",
  "running": ""yes" must be true or false",
  "securityGroups[0]": ""web" is not an id: give the id of a SecurityGroup (group.id), or getSecurityGroupOutput({ name }).id",
  "serviceOffering": "there is no service offering "Smal Instance": did you mean "Small Instance", "Large Instance", "XLarge Instance"?",
  "tags.count": "must be a string, not 3",
  "template": "there is no template "Debain 12" in zone sandbox: did you mean "Debian 12", "Debian 13", "Debian 12 with password"?",
  "timeoutSeconds.creation": "must be create, update or delete",
  "timeoutSeconds.update": "0 is not a whole number of seconds from 1 to 86400",
  "userDataBase64": "is not base64",
}
`);
    });

    test("reports the nearest names for an unknown zone, and the other problems", async () => {
        const found = await problems("virtualMachine", { ...named("x"), ...small, zone: "sandbx", name: "no_host" });
        expect(found).toEqual({
            zone: expect.stringMatching(/there is no zone "sandbx": did you mean "sandbox"/),
            name: expect.stringContaining("is not a host name"),
        });
    });

    test("lists the zones if none is given, and says how to set one for all resources", async () => {
        const { failures } = await failure(
            world
                .plugin("user", { "cloudstack:zone": undefined })
                .create("virtualMachine", { ...named("x"), ...small }),
        );
        expect(failures).toEqual([
            {
                property: "zone",
                reason: expect.stringMatching(/"sandbox", "sandbox-isolated".*pulumi config set cloudstack:zone/),
            },
        ]);
    });

    test("reports a missing offering and template together", async () => {
        const found = await problems("virtualMachine", named("x"));
        expect(found).toEqual({
            serviceOffering: expect.stringContaining("is required"),
            template: expect.stringContaining("is required"),
        });
    });

    test("reports sizes of a custom offering that are missing or out of bounds", async () => {
        const custom = { ...named("x"), template: "Debian 12", serviceOffering: "Custom Constrained" };
        expect(await problems("virtualMachine", custom)).toEqual({
            details: expect.stringContaining("must set cpuNumber and memory"),
        });
        expect(await problems("virtualMachine", { ...custom, details: { cpuNumber: "64", memory: "1" } })).toEqual({
            "details.cpuNumber": expect.stringContaining("from 1 to 8"),
            "details.memory": expect.stringContaining("from 512 to 16384"),
        });
        expect(
            await problems("virtualMachine", {
                ...custom,
                serviceOffering: "Custom",
                details: { cpuNumber: "1", memory: "512" },
            }),
        ).toEqual({
            details: expect.stringContaining("cpuSpeed"),
        });
    });

    test("reports by how much user data is too long and what to do, unless the cloud's limit is set higher", async () => {
        const long = { ...named("x"), ...small, userData: "a".repeat(24_577) };
        expect(await problems("virtualMachine", long)).toEqual({
            userData: expect.stringMatching(
                /is 32772 characters of base64, but CloudStack allows at most 32768.*gzip it.*raise userDataMaxLength/,
            ),
        });
        await world.plugin().plan("virtualMachine", { ...long, userDataMaxLength: 40_000 });
    });

    test("reports a disk that is too small or an impossible address", async () => {
        expect(await problems("virtualMachine", { ...named("x"), ...small, rootDiskSizeGiB: 1 })).toEqual({
            rootDiskSizeGiB: expect.stringContaining('is less than the size of template "Debian 12", 2 GiB'),
        });
        const at = (ipAddress: string) =>
            problems("virtualMachine", { ...named("x"), ...small, network: "shared", ipAddress });
        expect(await at("10.2.0.1")).toEqual({
            ipAddress: expect.stringContaining("is outside of network shared (10.1.1.0/24)"),
        });
        expect(await at("10.1.1.1")).toEqual({ ipAddress: expect.stringContaining("is the gateway") });
    });

    test("reports a name, an address or groups that others use", async () => {
        const args = { ...named("x"), ...small, ipAddress: "10.1.1.30" };
        const machine = await world.plugin().create("virtualMachine", args);
        expect(
            await problems("virtualMachine", { ...named("y"), ...small, name: args.name, ipAddress: args.ipAddress }),
        ).toEqual({
            name: expect.stringContaining(`is taken by machine ${machine.id}`),
            ipAddress: expect.stringContaining(`is the address of machine ${args.name}`),
        });
        // Resources of another account are not visible before the update, which is refused with an explanation.
        const name = await failure(
            world.plugin("expunger").create("virtualMachine", { ...args, owner: "o/p/s/other", ipAddress: undefined }),
        );
        expect(name.message).toMatch(/^the name ".*" is taken in its network/);
        const address = await failure(
            world.plugin("expunger").create("virtualMachine", { ...named("z"), ...small, ipAddress: args.ipAddress }),
        );
        expect(address.message).toMatch(/The usual cause is the requested address: 10\.1\.1\.30 is in use/);
        const missing = { ...named("y"), ...small, sshKeyPairs: ["nobody"] };
        expect((await failure(world.plugin().create("virtualMachine", missing))).message).toMatch(
            /Not all specified keypairs exist.*nobody/s,
        );
        const group = { ...named("y"), ...small, securityGroups: [machine.id] };
        expect((await failure(world.plugin().create("virtualMachine", group))).message).toContain(machine.id);
        await world.plugin().delete(machine);
    });

    test("reports nothing about values that a preview does not know yet", async () => {
        const names = [
            "name",
            "zone",
            "serviceOffering",
            "template",
            "network",
            "ipAddress",
            "userData",
            "displayName",
            "tags",
            "details",
            "securityGroups",
        ];
        const args = { ...named("x"), ...small, ...Object.fromEntries(names.map((name) => [name, UNKNOWN])) };
        await world
            .plugin()
            .plan("virtualMachine", { ...args, sshKeyPairs: [UNKNOWN], running: UNKNOWN, rootDiskSizeGiB: UNKNOWN });
    });
});

describe("account limits", () => {
    const types = { user_vm: 0, volume: 2, cpu: 8, memory: 9, primary_storage: 10 };
    const set = (type: keyof typeof types, max: number) =>
        world.api.admin.ok("updateResourceLimit", {
            account: "user",
            domainid: DOMAIN(),
            resourcetype: types[type],
            max,
        });
    let domainId = "";
    const DOMAIN = () => domainId;
    const defaults: [keyof typeof types, number][] = [
        ["user_vm", 500],
        ["volume", 1000],
        ["cpu", 2000],
        ["memory", 2_000_000],
        ["primary_storage", 100_000],
    ];

    beforeAll(async () => void (domainId = (await world.api.user.list("listAccounts"))[0].domainid));
    afterEach(async () => {
        for (const [type, max] of defaults) await set(type, max);
    });

    test.each([
        ["user_vm", 2, "machines"],
        ["cpu", 2, "processors"],
        ["memory", 1200, "MiB of memory"],
    ] as const)("of %s are told at preview, where the third machine is one too many", async (type, max, words) => {
        await set(type, max);
        const plugin = world.plugin();
        for (const _ of [1, 2]) await plugin.plan("virtualMachine", { ...named("x"), ...small });
        const { failures } = await failure(plugin.plan("virtualMachine", { ...named("x"), ...small }));
        expect(failures).toEqual([
            {
                property: "",
                reason: expect.stringMatching(
                    new RegExp(
                        `this run needs \\d+ ${words}, but account user can have only ${max} more .*ask the cloud's administrator`,
                    ),
                ),
            },
        ]);
    });

    test("on volumes count root disks and data disks together", async () => {
        const { volumetotal, primarystoragetotal } = (await world.api.user.list("listAccounts"))[0];
        await set("volume", volumetotal + 2);
        const plugin = world.plugin();
        await plugin.plan("virtualMachine", { ...named("x"), ...small });
        await plugin.plan("volume", { ...named("v"), diskOffering: "Small" });
        const { failures } = await failure(plugin.plan("volume", { ...named("v"), diskOffering: "Small" }));
        expect(failures[0].reason).toMatch(
            /needs 3 volumes \(root disks included\), but account user can have only 2 more/,
        );
        await set("volume", 1000);
        await set("primary_storage", primarystoragetotal + 6);
        const { failures: large } = await failure(
            world.plugin().plan("volume", { ...named("v"), diskOffering: "Custom", sizeGiB: 7 }),
        );
        expect(large[0].reason).toMatch(/needs 7 GiB of disks, but account user can have only 6 more/);
    });

    test("do not prevent changes and replacements of existing resources, nor taking over a machine", async () => {
        const args = { ...named("x"), ...small };
        const made = await world.plugin().create("virtualMachine", args);
        const { volumetotal, primarystoragetotal } = (await world.api.user.list("listAccounts"))[0];
        await set("user_vm", 1);
        await set("cpu", 1);
        await set("memory", 512);
        // The disk of a destroyed machine counts until it is expunged, so the replacement needs one more.
        await set("volume", volumetotal + 1);
        await set("primary_storage", primarystoragetotal + 2);
        const adopted = await world.plugin().create("virtualMachine", args);
        const replaced = await world.plugin().up(adopted, { ...args, template: "Debian 12 with password" });
        expect([adopted.id === made.id, replaced.id === made.id]).toEqual([true, false]);
        await world.plugin().delete(replaced);
    });

    test("that only the update reports leave nothing behind", async () => {
        const plugin = world.plugin();
        const { inputs } = await plugin.plan("virtualMachine", { ...named("x"), ...small });
        await set("user_vm", 0);
        const error = await failure(plugin.createChecked("virtualMachine", inputs));
        expect(error.message).toMatch(
            /Maximum amount of resources of Type = 'user_vm'.*error 535.*an administrator can raise it/s,
        );
    });
});

describe("a group's rules", () => {
    test("are checked together, each problem with its path", async () => {
        const found = await problems("securityGroup", {
            ...named("x"),
            ingress: [
                { ports: "99999", cidrs: ["10.0.0.0/33"] },
                { protocol: "tpc", cidrs: ["0.0.0.0/0"] },
                { protocol: "icmp", ports: "1", self: true },
                { ports: "22" },
                { ports: "22", icmpType: 8, groups: [""], cidrs: "10.0.0.0/8" },
            ],
            egress: "all",
        });
        expect(found).toEqual({
            egress: expect.stringContaining("must be a list"),
            "ingress[0].ports": expect.stringContaining("neither a port"),
            "ingress[0].cidrs[0]": expect.stringContaining("is not a CIDR"),
            "ingress[1].protocol": expect.stringContaining("is not tcp, udp, icmp, all"),
            "ingress[2].ports": expect.stringContaining("leave it out"),
            "ingress[3]": expect.stringContaining("has no source"),
            "ingress[4].icmpType": expect.stringContaining("is only valid with protocol icmp"),
            "ingress[4].groups[0]": expect.stringContaining("name of a security group"),
            "ingress[4].cidrs": expect.stringContaining("must be a list"),
        });
    });
});

describe("other resources", () => {
    test("report a private or invalid key, a group named default, and a volume whose machine does not exist", async () => {
        expect(
            await problems("sshKeyPair", { ...named("x"), publicKey: "-----BEGIN OPENSSH PRIVATE KEY-----" }),
        ).toEqual({
            publicKey: expect.stringContaining("this is a private key: give the file that ends in .pub"),
        });
        expect(await problems("securityGroup", { ...named("x"), name: "default" })).toEqual({
            name: expect.stringContaining("choose another name"),
        });
        expect(
            await problems("volume", { ...named("x"), diskOffering: "Smal", virtualMachine: "web", deviceId: 0 }),
        ).toEqual({
            diskOffering: expect.stringContaining('did you mean "Small"'),
            "virtualMachine[0]": expect.stringContaining("the id of a VirtualMachine"),
            deviceId: expect.stringContaining("from 1 to 63"),
        });
        expect(await problems("securityGroupRules", { owner: "o/p/s/r" })).toEqual({
            securityGroup: expect.stringContaining("is required"),
        });
    });
});

describe("the provider's configuration", () => {
    const machine = () => ({ ...named("x"), ...small });
    const fail = async (more: Record<string, string | undefined>) => {
        const { failures } = await failure(world.plugin("user", more).create("virtualMachine", machine()));
        expect(failures).toHaveLength(1);
        return failures[0].reason as string;
    };

    test("reports every missing value, and where it can be set", async () => {
        const reason = await fail({
            "cloudstack:endpoint": undefined,
            "cloudstack:apiKey": undefined,
            "cloudstack:secretKey": undefined,
        });
        expect(reason).toMatch(/is not configured/);
        expect(reason).toMatch(/CLOUDSTACK_ENDPOINT.*CLOUDSTACK_API_KEY.*CLOUDSTACK_SECRET_KEY/s);
    });

    test("with a wrong key names the start and the source of the key, never the secret", async () => {
        const reason = await fail({ "cloudstack:secretKey": "a-wrong-secret" });
        expect(reason).toMatch(/error 401.*Check the keys \(API key .{4}… from stack configuration cloudstack:apiKey/s);
        expect(reason).not.toContain("a-wrong-secret");
    });

    test("reports an endpoint that does not listen or is not the API", async () => {
        expect(await fail({ "cloudstack:endpoint": "http://127.0.0.1:9/client/api" })).toMatch(
            /cannot reach http:\/\/127\.0\.0\.1:9\/client\/api.*connection refused.*cloudstack-local start/s,
        );
        const page = createServer((_request, response) => response.end("<html><title>It works</title></html>"));
        await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve));
        const { port } = page.address() as { port: number };
        expect(await fail({ "cloudstack:endpoint": `http://127.0.0.1:${port}` })).toMatch(
            /is not a CloudStack API: it answered HTTP 200 "It works"/,
        );
        page.closeAllConnections();
        await new Promise((resolve) => page.close(resolve));
    });

    test("explains how to trust a certificate of an unknown authority", async () => {
        const folder = mkdtempSync(join(tmpdir(), "tls-"));
        const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
        execFileSync(
            "openssl",
            [
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-keyout",
                key,
                "-out",
                cert,
                "-days",
                "2",
                "-subj",
                "/CN=127.0.0.1",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
            ],
            { stdio: "ignore" },
        );
        const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) =>
            response.end("Hello"),
        );
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const { port } = server.address() as { port: number };
        const endpoint = `https://127.0.0.1:${port}/client/api`;
        expect(await fail({ "cloudstack:endpoint": endpoint })).toMatch(
            /authority that is not trusted.*caFile \(CLOUDSTACK_CA_FILE\)/s,
        );
        expect(await fail({ "cloudstack:endpoint": endpoint, "cloudstack:caFile": cert })).toMatch(
            /is not a CloudStack API/,
        );
        expect(await fail({ "cloudstack:endpoint": endpoint, "cloudstack:caFile": join(folder, "none.pem") })).toMatch(
            /caFile/,
        );
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        rmSync(folder, { recursive: true });
    });

    test("names a key whose value has the wrong type", async () => {
        expect(await fail({ "cloudstack:httpTimeoutSeconds": "soon" })).toMatch(/httpTimeoutSeconds/);
    });

    test("lists the existing projects if the given one does not exist", async () => {
        expect(await fail({ "cloudstack:project": "sandbxo" })).toMatch(
            /there is no project "sandbxo".*There are: sandbox/,
        );
    });
});

test("nothing is left of the refused resources", async () => {
    for (const account of ["user", "expunger"] as const) expect(await world.belongings(account)).toEqual([]);
});

describe("values that only one resource of a run can have", () => {
    const asked = async (...resources: [kind: Kind, args: Record<string, unknown>][]) => {
        const plugin = world.plugin();
        const found: (Record<string, string> | undefined)[] = [];
        for (const [kind, args] of resources) {
            const { failures = [] } = await failure(plugin.plan(kind, args)).catch(() => ({}) as any);
            found.push(Object.fromEntries(failures.map(({ property, reason }: any) => [property, reason])));
        }
        return found;
    };

    test("an address: the problem names both machines", async () => {
        const at = (name: string, more = {}) => ({ ...named(name), name, ...small, ipAddress: "10.1.1.77", ...more });
        const network = (await world.api.user.list("listNetworks")).find(({ name }) => name === "shared");
        const first = at("etcd-a");
        expect(
            await asked(
                ["virtualMachine", first],
                ["virtualMachine", at("control-a")],
                ["virtualMachine", at("control-b", { network: "shared" })],
                ["virtualMachine", at("control-c", { network: network.id })],
                ["virtualMachine", first],
            ),
        ).toEqual([
            {},
            { ipAddress: "10.1.1.77 is also the address of machine etcd-a in this program: give each its own" },
            { ipAddress: expect.stringContaining("machine etcd-a") },
            { ipAddress: expect.stringContaining("machine etcd-a") },
            { ipAddress: expect.stringContaining("machine control-a") },
        ]);
    });

    test("a name, for each kind of resource whose names are unique", async () => {
        for (const kind of ["virtualMachine", "securityGroup", "affinityGroup"] as const) {
            const of = (owner: string) => ({
                ...(kind === "virtualMachine" ? small : {}),
                ...named(owner),
                name: "twice",
            });
            expect(await asked([kind, of("first")], [kind, of("second")])).toEqual([
                {},
                {
                    name: expect.stringMatching(
                        /^twice is also the .*name of resource .*first-\d+ in this program: give each its own$/,
                    ),
                },
            ]);
        }
    });
});

test("a project or profile that is not known yet is not reported, but the other problems are", async () => {
    const plugin = world.plugin();
    const wrong: [kind: Kind, args: Record<string, unknown>, property: string][] = [
        ["virtualMachine", { ...small, name: "no_host" }, "name"],
        ["volume", { diskOffering: "Small", sizeGiB: 0 }, "sizeGiB"],
        ["securityGroup", { ingress: [{ ports: "0-99999" }] }, "ingress[0].ports"],
        ["securityGroupRules", { securityGroup: UNKNOWN, ingress: [{ protocol: "x" }] }, "ingress[0].protocol"],
        ["sshKeyPair", { publicKey: "x" }, "publicKey"],
        ["affinityGroup", { name: "a\tb" }, "name"],
    ];
    for (const place of ["project", "profile"])
        for (const [kind, args, property] of wrong) {
            const { failures } = await failure(plugin.plan(kind, { ...named("x"), ...args, [place]: UNKNOWN }));
            expect([kind, failures.map((each: any) => each.property)]).toEqual([
                kind,
                expect.arrayContaining([property]),
            ]);
            for (const { reason } of failures) expect(reason).not.toMatch(/project|profile|04da6b54/);
        }
});
