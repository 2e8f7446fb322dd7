import type { Project } from "./support/project";
import { inSandbox } from "./support/sandbox";

/** `pulumi up --replace`, for which the engine asks nothing of the old resource before it makes the new one. */

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

/** Replaces one resource; what the state and the cloud say afterwards has to be one. */
async function replace(name: string): Promise<{ before: string; after: string }> {
    const resource = (await project.exportResources()).find(({ urn }) => urn.endsWith(`::${name}`));
    await project.up({ args: ["--replace", resource.urn] });
    const { changes } = await project.refresh();
    expect(changes).toEqual({ same: expect.any(Number) });
    await project.expectNoChanges();
    return { before: resource.id, after: await idOf(name) };
}

test("a machine is made anew, with its address, and keeps its volume", async () => {
    const volume = await idOf("volume");
    const { before, after } = await replace("machine");
    expect(after).not.toBe(before);
    expect(await idOf("volume")).toBe(volume);
});

test("a volume and a key pair are made anew", async () => {
    for (const name of ["volume", "key"]) {
        const { before, after } = await replace(name);
        expect(after).not.toBe(before);
    }
});

test("groups, which machines hold, stay what they are, and nothing is lost", async () => {
    for (const name of ["group", "spread"]) {
        const { before, after } = await replace(name);
        expect(after).toBe(before);
    }
});

test("everything can be taken down", async () => {
    await project.destroy();
    expect(await project.exportResources()).toEqual([]);
});
