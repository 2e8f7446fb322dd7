/**
 * A cluster's data is destroyed only after allowDataLoss was set: other deletions and reinstallations fail before they
 * change anything.
 */
import type { RunningCloud } from "../../simulator";
import type { Project } from "./support/project";
import { inSandbox } from "./support/sandbox";

const program = (args: string, more = "") => `
import * as cloudstack from "pulumi-cloudstack";
const small = { serviceOffering: "Small Instance", template: "Debian 12" };
const etcd = new cloudstack.EtcdCluster("db", {
    members: { a: "10.1.1.31", b: "10.1.1.32", c: "10.1.1.33" }, ...small, ${args}
});
const kubernetes = new cloudstack.KubernetesCluster("k8s", {
    etcd, template: "Debian 12", networkCidr: "10.1.1.0/24",
    controlPlane: { members: { a: "10.1.1.41" }, serviceOffering: "Medium Instance" },
});
// A machine of the user's that depends on the clusters.
new cloudstack.VirtualMachine("app", { ...small, userData: etcd.endpoints.apply(String) }, { dependsOn: [etcd, kubernetes] });
${more}
`;
const other = `
import * as cloudstack from "pulumi-cloudstack";
new cloudstack.AffinityGroup("other");
`;

let cloud: RunningCloud;
let project: Project;

inSandbox({ program: program("") }, (sandbox) => ({ cloud, project } = sandbox));

/** The commands that changed something, since the cloud started. */
function changes(): string[] {
    const calls = cloud.calls().map(({ command }) => command);
    return calls.filter((command) =>
        /^(deploy|destroy|expunge|stop|restore|detach|delete|revoke|update)/.test(command),
    );
}

async function refused(action: () => Promise<{ code: number | null; errors: string[] }>): Promise<string> {
    const before = changes().length;
    const { code, errors } = await action();
    expect(code).not.toBe(0);
    expect(changes().slice(before)).toEqual([]);
    return errors.join("\n");
}

test("deleting a cluster without allowDataLoss fails before anything that depends on it is changed, with and without a preview", async () => {
    const released = /EtcdDataGuard::db-needs-allowDataLoss.*cannot be deleted\s+because it is protected/;
    const preview = () => project.run(["destroy", "--preview-only", "--stack", project.stack], { mayFail: true });
    expect((await preview()).stdout + (await preview()).stderr).toMatch(released);
    expect(await refused(() => project.destroy({ mayFail: true }))).toMatch(released);
    project.program(other);
    expect(await refused(() => project.preview({ mayFail: true }))).toMatch(released);
    // Without a preview, new resources are created, but nothing is deleted.
    expect(await refused(() => project.up({ mayFail: true }))).toMatch(released);
});

test("a change that erases the root disks of all members without a dataVolume is refused without allowDataLoss", async () => {
    project.program(program('template: "Debian 13 with password",'));
    const text =
        /etcd dev-db would lose all of its data: the root disks of dev-db-etcd-a, .*-c are erased.*template Debian 12 -> Debian 13/s;
    expect(await refused(() => project.preview({ mayFail: true }))).toMatch(text);
    expect(await refused(() => project.up({ mayFail: true }))).toMatch(text);
    project.program(program('template: "Debian 13 with password", allowDataLoss: true,'));
    const { infos, errors } = await project.preview();
    expect(errors).toEqual([]);
    expect(infos.join("\n")).toMatch(/the root disks of .* are erased, with etcd's data, since there is no dataVolume/);
});

test("targeted runs work, a dependent can be deleted alone, and the cluster can be deleted once allowDataLoss was applied", async () => {
    project.program(program("", 'new cloudstack.AffinityGroup("x"); new cloudstack.AffinityGroup("y");'));
    const { changes: made } = await project.up({ args: ["--target", "**AffinityGroup::x"] });
    expect(made.create).toBe(1);
    project.program(program("").replace(/.*VirtualMachine.*\n/, ""));
    expect((await project.up()).changes).toMatchObject({ delete: 3 });
    project.program(program("allowDataLoss: true,"));
    await project.up();
    await project.destroy();
    expect(await project.exportResources()).toEqual([]);
});
