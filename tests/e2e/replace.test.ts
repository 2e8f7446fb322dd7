import type { Project } from "./support/project";
import { inSandbox } from "./support/sandbox";

/** `pulumi up --replace`: the engine does not ask the provider about the old resource before it creates the new one. */

const PROGRAM = `
import * as cloudstack from "pulumi-cloudstack";
const group = new cloudstack.SecurityGroup("group", { ingress: [{ ports: "22", self: true }] });
const spread = new cloudstack.AffinityGroup("spread");
const key = new cloudstack.SshKeyPair("key");
const machine = new cloudstack.VirtualMachine("machine", {
    serviceOffering: "Small Instance", template: "Debian 12", ipAddress: "10.1.1.40",
    securityGroups: [group.id], affinityGroups: [spread.id], sshKeyPairs: [key.name],
});
new cloudstack.Volume("volume", { diskOffering: "Small", virtualMachine: machine.id });
`;

let project: Project;

inSandbox({ program: PROGRAM }, (sandbox) => ({ project } = sandbox));

async function idOf(name: string): Promise<string> {
    return (await project.exportResources()).find((resource) => resource.urn.endsWith(`::${name}`)).id;
}

/** Replaces one resource, and expects that the state and the cloud agree afterwards. */
async function replace(name: string): Promise<{ before: string; after: string }> {
    const resource = (await project.exportResources()).find(({ urn }) => urn.endsWith(`::${name}`));
    await project.up({ args: ["--replace", resource.urn] });
    const { changes } = await project.refresh();
    expect(changes).toEqual({ same: expect.any(Number) });
    await project.expectNoChanges();
    return { before: resource.id, after: await idOf(name) };
}

test("a replaced machine keeps its address and its volume", async () => {
    const volume = await idOf("volume");
    const { before, after } = await replace("machine");
    expect(after).not.toBe(before);
    expect(await idOf("volume")).toBe(volume);
});

test("a volume and a key pair can be replaced", async () => {
    for (const name of ["volume", "key"]) {
        const { before, after } = await replace(name);
        expect(after).not.toBe(before);
    }
});

test("a security group and an affinity group that a machine uses are kept", async () => {
    for (const name of ["group", "spread"]) {
        const { before, after } = await replace(name);
        expect(after).toBe(before);
    }
});

test("the stack can be destroyed afterwards", async () => {
    await project.destroy();
    expect(await project.exportResources()).toEqual([]);
});
