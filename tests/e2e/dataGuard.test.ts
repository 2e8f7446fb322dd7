/** No change destroys a cluster's data unasked: deletions and reinstallations fail before anything is touched. */
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
// A machine of the user that depends on the database.
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

/** The commands that changed something since the last look. */
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

test("a cluster's data is guarded before anything that depends on it is touched, with a preview and without", async () => {
    const released = /EtcdDataGuard::db-needs-allowDataLoss.*cannot be deleted\s+because it is protected/;
    const preview = () => project.run(["destroy", "--preview-only", "--stack", project.stack], { mayFail: true });
    expect((await preview()).stdout + (await preview()).stderr).toMatch(released);
    expect(await refused(() => project.destroy({ mayFail: true }))).toMatch(released);
    project.program(other);
    expect(await refused(() => project.preview({ mayFail: true }))).toMatch(released);
    // Without a preview: what is new is made, and nothing is deleted.
    expect(await refused(() => project.up({ mayFail: true }))).toMatch(released);
});

test("a change that erases all members' root disks at once is refused where nobody looks after them", async () => {
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

test("a run for some resources alone goes on, a dependent alone can go, and all of it once allowDataLoss says so", async () => {
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
