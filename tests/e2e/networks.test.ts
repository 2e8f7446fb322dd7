import { startCloud, type RunningCloud } from "../../simulator";
import { Client } from "../contract/simulator/client";
import { cloudEnvironment } from "./support/mainProject";
import { Project } from "./support/project";
import type { Step } from "./support/events";

/** Isolated networks with the real engine: one program through its whole life, by an account that may not expunge. */

interface Wanted {
    ports?: string;
    cidr?: string;
    text?: string;
}

const program = ({ ports = "443", cidr = "10.50.0.0/24", text = "The application" }: Wanted = {}) => `
import * as cloudstack from "pulumi-cloudstack";

const network = new cloudstack.Network("app", {
    cidr: "${cidr}", displayText: "${text}", networkDomain: "app.internal", tags: { team: "a" },
});
const flat = new cloudstack.Network("flat", { networkOffering: "DefaultL2NetworkOffering" });
const machines = ["web-1", "web-2"].map((name) => new cloudstack.VirtualMachine(name, {
    serviceOffering: "Small Instance", template: "Debian 12", network: network.id,
    ipAddress: network.cidr.apply((range) => range!.replace(/0\\/.*/, name === "web-1" ? "11" : "12")),
}));
// Beside the first machines of a network that has no router yet.
const address = new cloudstack.PublicIpAddress("public", { network: network.id, tags: { team: "a" } });
new cloudstack.FirewallRules("public", {
    address: address.id,
    rules: [{ ports: "${ports}", cidrs: ["0.0.0.0/0"] }, { protocol: "icmp", cidrs: ["192.0.2.0/24"] }],
});
machines.forEach((machine, index) => new cloudstack.PortForwardingRule("ssh-" + (index + 1), {
    address: address.id, publicPorts: 2201 + index, privatePorts: "22", virtualMachine: machine.id,
}));
new cloudstack.EgressFirewallRules("app", { network: network.id, rules: [{ ports: "443" }] });
export const publicAddress = address.ipAddress;
export const addresses = machines.map((machine) => machine.ipAddress);
export const gateway = network.gateway;
`;

let cloud: RunningCloud;
let api: Client;
let project: Project;

beforeAll(async () => {
    cloud = await startCloud({ timing: 0.2 });
    api = new Client(cloud, cloud.accounts.user);
    const config = { "cloudstack:zone": "sandbox-isolated" };
    project = new Project({ program: program(), config, environment: cloudEnvironment(cloud) });
});
afterAll(async () => {
    project.dispose();
    await cloud.close();
});

const done = (steps: Step[]) =>
    steps
        .filter(({ op }) => op !== "same")
        .map(({ op, name }) => `${op} ${name}`)
        .sort();

const networkOf = async (name: string) => (await api.list("listNetworks", { keyword: name }))[0];

test("one up creates everything; a preview and a refresh afterwards find no changes", async () => {
    const { changes, infos } = await project.up();
    expect(changes).toMatchObject({ create: 10 });
    expect(infos.filter((line) => line.includes("may not expunge"))).toHaveLength(1);
    expect(await project.outputs()).toEqual({
        ...{ addresses: ["10.50.0.11", "10.50.0.12"], gateway: "10.50.0.1" },
        publicAddress: expect.stringMatching(/^198\.18\.0\./),
    });
    expect((await api.list("listPublicIpAddresses")).filter(({ issourcenat }) => issourcenat)).toHaveLength(1);
    expect(await networkOf("dev-app")).toMatchObject({
        state: "Implemented",
        displaytext: expect.stringMatching(/^The application \[.*\/test\/dev\/app#[0-9a-f]{8}\]$/),
    });
    await project.expectNoChanges();
    const { steps } = await project.refresh();
    expect(
        steps
            .filter((step) => JSON.stringify(step.old?.outputs) !== JSON.stringify(step.new?.outputs))
            .map(({ name }) => name),
    ).toEqual([]);
});

test("changes in place change nothing else; changes by hand are repaired", async () => {
    project.program(program({ text: "Another text" }));
    expect(done((await project.up()).steps)).toEqual(["update app"]);
    project.program(program({ text: "Another text", ports: "8443" }));
    cloud.clearCalls();
    expect(done((await project.up()).steps)).toEqual(["update public"]);
    const commands = cloud.calls().map(({ command }) => command);
    expect(commands.filter((command) => /^(create|update|delete)/.test(command))).toEqual([
        ...["createFirewallRule", "deleteFirewallRule"],
    ]);
    await api.done("updateNetwork", { id: (await networkOf("dev-app")).id, name: "by-hand" });
    await project.refresh();
    expect(done((await project.up()).steps)).toEqual(["update app"]);
    expect(await networkOf("dev-app")).toMatchObject({ displaytext: expect.stringMatching(/^Another text \[/) });
    await project.expectNoChanges();
});

test("destroy ends well although CloudStack keeps the network, and says what has to wait", async () => {
    const { infos } = await project.destroy();
    expect(infos.join("\n")).toMatch(
        /network dev-app \(.*\) stays until CloudStack has expunged its destroyed machines/,
    );
    expect(await project.exportResources()).toEqual([]);
    expect(await api.list("listNetworks", { zoneid: (await networkOf("dev-app")).zoneid })).toHaveLength(1);
});
