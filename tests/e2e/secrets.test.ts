import { LEAVING_OUT } from "../../provider/leavingOut";
import { type RunningCloud, startCloud } from "../../simulator";
import { cloudEnvironment } from "./support/mainProject";
import { Project, type Result } from "./support/project";

/**
 * Every argument of every resource given as a secret, with the real engine: no output of a command contains its value,
 * and the state contains it encrypted only.
 */

/**
 * Values that are easy to recognise, where CloudStack lets the program choose; otherwise names of the embedded cloud.
 */
const FIRST = {
    zone: "sandbox",
    network: "shared",
    serviceOffering: "Small Instance",
    template: "Debian 12",
    diskOffering: "Custom",
    ipAddress: "10.1.1.77",
    cidr: "198.51.100.77/32",
    port: "54321",
    word: "hush1",
    icmpType: 8,
    dns: "198.51.100.79",
};
const SECOND: typeof FIRST = {
    ...FIRST,
    serviceOffering: "Large Instance",
    cidr: "198.51.100.78/32",
    port: "54322",
    dns: "198.51.100.80",
    word: "hush2",
};

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5nO0Q4m0xv3Z3m0pOe4nq0Gv1c1S2o7x4bT0b0Wf3k";

/** The arguments of a machine in the isolated network. */
const INSIDE: Record<string, string> = {
    zone: '"sandbox-isolated"',
    serviceOffering: '"Small Instance"',
    template: '"Debian 12"',
    network: "network.id",
};

/** The arguments of each resource, as text of a program; `word` is in all values that can be chosen freely. */
function argumentsOf({
    zone,
    network,
    serviceOffering,
    template,
    diskOffering,
    ipAddress,
    cidr,
    port,
    word,
    icmpType,
    dns,
}: typeof FIRST) {
    const text = JSON.stringify;
    const rules = `[{ protocol: "tcp", ports: "${port}", cidrs: ["${cidr}"] }, { protocol: "icmp", icmpType: ${icmpType}, icmpCode: 0, self: true }]`;
    const timeoutSeconds = "{ create: 901 }";
    return {
        AffinityGroup: {
            name: text("affinity-hush"),
            type: text("host anti-affinity"),
            description: text(`affinity-${word}`),
            timeoutSeconds,
        },
        SshKeyPair: { name: text("key-hush"), publicKey: text(publicKey) },
        SecurityGroup: {
            name: text("group-hush"),
            description: text("group-hush1"),
            ingress: rules,
            egress: rules,
            exclusive: "false",
            timeoutSeconds,
        },
        SecurityGroupRules: { securityGroup: "other.id", ingress: rules, egress: rules, timeoutSeconds },
        VirtualMachine: {
            name: text("machine-hush"),
            displayName: text(`display-${word}`),
            zone: text(zone),
            network: text(network),
            ipAddress: text(ipAddress),
            serviceOffering: text(serviceOffering),
            template: text(template),
            securityGroups: "[group.id]",
            affinityGroups: "[affinity.id]",
            sshKeyPairs: "[key.name]",
            userData: text(`#cloud-config\n# ${word}\n`),
            userDataMaxLength: "32768",
            onUserDataChange: text("restart"),
            onTemplateChange: text("reinstall"),
            reinstallTrigger: text(`trigger-${word}`),
            rollingGroup: text(`rolling-${word}`),
            maxUnavailable: "1",
            rootDiskSizeGiB: "9",
            running: "true",
            allowRestart: "true",
            allowDataLoss: "true",
            deleteProtection: "false",
            group: text(`group-${word}`),
            tags: `{ ${text(`key-${word}`)}: ${text(`tag-${word}`)} }`,
            details: `{ note: ${text(`detail-${word}`)} }`,
            timeoutSeconds,
        },
        Volume: {
            name: text("volume-hush"),
            zone: text(zone),
            diskOffering: text(diskOffering),
            sizeGiB: "2",
            deviceId: "4",
            virtualMachine: "machine.id",
            allowDataLoss: "false",
            timeoutSeconds,
        },
        Network: {
            name: text(`network-${word}`),
            displayText: text(`network-${word}`),
            networkOffering: text("DefaultIsolatedNetworkOfferingWithSourceNatService"),
            cidr: text("10.77.0.0/24"),
            gateway: text("10.77.0.254"),
            networkDomain: text(`${word}.internal`),
            dns: text([dns]),
            tags: `{ ${text(`key-${word}`)}: ${text(`tag-${word}`)} }`,
            zone: text("sandbox-isolated"),
            timeoutSeconds,
        },
        PublicIpAddress: {
            network: "network.id",
            ipAddress: text("198.18.0.77"),
            tags: `{ ${text(`key-${word}`)}: ${text(`tag-${word}`)} }`,
            timeoutSeconds,
        },
        FirewallRules: {
            address: "address.id",
            rules: `[{ ports: "${port}", cidrs: ["${cidr}"] }]`,
            exclusive: "true",
            timeoutSeconds,
        },
        PortForwardingRule: {
            address: "address.id",
            protocol: text("udp"),
            publicPorts: text(port),
            privatePorts: text(port),
            virtualMachine: `new cloudstack.VirtualMachine("inside", { ${[
                "zone",
                "serviceOffering",
                "template",
                "network",
            ]
                .map((argument) => `${argument}: pulumi.secret(${INSIDE[argument]})`)
                .join(", ")} } as any).id`,
            cidrs: `["${cidr}"]`,
            timeoutSeconds,
        },
        EgressFirewallRules: {
            network: "network.id",
            rules: `[{ ports: "${port}", destinationCidrs: ["${cidr}"] }]`,
            exclusive: "true",
            timeoutSeconds,
        },
    };
}

const VARIABLES = {
    AffinityGroup: "affinity",
    SshKeyPair: "key",
    SecurityGroup: "group",
    SecurityGroupRules: "rules",
    VirtualMachine: "machine",
    Volume: "volume",
    Network: "network",
    PublicIpAddress: "address",
    FirewallRules: "firewall",
    EgressFirewallRules: "egress",
    PortForwardingRule: "forwarding",
};

/** Arguments that are not tried here: a domain or account, and arguments that exclude others. */
const LEFT_OUT = ["project", "profile", "userDataBase64"];

const program = (values: typeof FIRST) => `
import * as cloudstack from "pulumi-cloudstack";
import * as pulumi from "@pulumi/pulumi";
const other = new cloudstack.SecurityGroup("other");
${Object.entries(argumentsOf(values))
    .map(([kind, given]) => {
        const list = Object.entries(given).map(([argument, value]) => `${argument}: pulumi.secret(${value})`);
        const variable = VARIABLES[kind as keyof typeof VARIABLES];
        return `const ${variable} = new cloudstack.${kind}("a${variable}", { ${list.join(", ")} } as any);`;
    })
    .join("\n")}
`;

let cloud: RunningCloud;
let project: Project;

beforeAll(async () => {
    cloud = await startCloud();
    project = new Project({ program: program(FIRST), environment: cloudEnvironment(cloud) });
});

afterAll(async () => {
    project.dispose();
    await cloud.close();
});

/**
 * Texts that no output may contain. Short numbers could match by chance; for those the state's own marks of secrets are
 * checked.
 */
const SECRETS = [
    /hush/,
    /198\.51\.100\./,
    /5432[12]/,
    /10\.1\.1\.77/,
    /\bsandbox\b/,
    /\bSmall Instance\b|\bLarge Instance\b/,
    /\bDebian 12\b/,
    /AAAAC3NzaC1lZDI1NTE5AAAAIJ5n/,
    /\bshared\b/,
];

function expectNoSecretsIn(what: string, text: string): void {
    for (const secret of SECRETS) {
        const at = text.search(secret);
        // Shows the text around the value, to find where it comes from.
        const found = at < 0 ? "" : `${what}: …${text.slice(Math.max(0, at - 160), at + 80)}…`;
        expect(found).toBe("");
    }
}

/**
 * Checks the output of a command, but not the engine's log of events, which contains secrets in plain text whatever a
 * provider does.
 */
function expectQuiet(what: string, { stdout, stderr }: Result): void {
    expectNoSecretsIn(`${what}, output`, stdout);
    expectNoSecretsIn(`${what}, errors`, stderr);
}

async function expectQuietState(): Promise<void> {
    const { stdout } = await project.run(["stack", "export", "--stack", project.stack]);
    const resources: { urn: string; inputs?: object; outputs?: object }[] = JSON.parse(stdout).deployment.resources;
    for (const { urn, inputs, outputs } of resources) {
        const name = urn.split("::").at(-1);
        expectNoSecretsIn(`inputs of ${name}`, JSON.stringify(inputs ?? {}));
        expectNoSecretsIn(`outputs of ${name}`, JSON.stringify(outputs ?? {}));
    }
}

test("every argument is given as a secret", () => {
    for (const [kind, given] of Object.entries(argumentsOf(FIRST))) {
        const all = Object.keys(LEAVING_OUT[kind as keyof typeof LEAVING_OUT]).filter(
            (name) => !LEFT_OUT.includes(name),
        );
        expect(Object.keys(given)).toEqual(expect.arrayContaining(all));
    }
});

test("a preview, a creation and the state do not reveal them", async () => {
    expectQuiet("preview", await project.preview({ args: ["--diff"] }));
    expectQuiet("up", await project.up({ args: ["--diff"] }));
    await expectQuietState();
    expectQuiet("preview without changes", await project.expectNoChanges());
});

test("a change of every argument that can change does not reveal them", async () => {
    project.program(program(SECOND));
    expectQuiet("preview", await project.preview({ args: ["--diff"] }));
    expectQuiet("up", await project.up({ args: ["--diff"] }));
    await expectQuietState();
    expectQuiet("refresh", await project.refresh({ args: ["--diff"] }));
    await expectQuietState();
});

test("errors at preview do not reveal them", async () => {
    const wrong = {
        ...SECOND,
        ipAddress: "10.1.1.77 hush",
        cidr: "198.51.100.79/99",
        zone: "hush-zone",
        template: "hush-template",
    };
    project.program(program(wrong));
    const refused = await project.preview({ mayFail: true });
    expect(refused.code).not.toBe(0);
    expectQuiet("preview", refused);
});

test("errors of CloudStack that quote them do not reveal them", async () => {
    project.program(program({ ...SECOND, word: "hush3" }));
    cloud.fault({
        kind: "refuse",
        command: "updateVirtualMachine",
        count: 0,
        status: 431,
        text: "cannot take group group-hush3 of machine-hush",
    });
    const failed = await project.up({ mayFail: true });
    expect(failed.code).not.toBe(0);
    expectQuiet("up", failed);
    cloud.clearFaults();
    await expectQuietState();
    project.program(program(SECOND));
    expectQuiet("destroy", await project.destroy());
});
