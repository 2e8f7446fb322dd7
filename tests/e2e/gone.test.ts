import { type RunningCloud, startCloud } from "../../simulator";
import type { Client } from "../contract/simulator/client";
import { cloudEnvironment } from "./support/mainProject";
import type { Project, Result, Running } from "./support/project";
import { inSandbox } from "./support/sandbox";

/**
 * Resources that are in the state but no longer in the cloud: a run without a refresh warns about them and says what to
 * run.
 */

const PROGRAM = `
import * as cloudstack from "pulumi-cloudstack";
const small = { serviceOffering: "Small Instance", template: "Debian 12" };
const first = new cloudstack.VirtualMachine("first", small);
new cloudstack.Volume("data", { diskOffering: "Small", virtualMachine: first.id });
for (const name of ["second", "third", "fourth"]) new cloudstack.VirtualMachine(name, { ...small, tags: { after: first.id } });
`;

let cloud: RunningCloud;
let user: Client;
let admin: Client;
let project: Project;
/** Called as soon as the connection of a request was cut. */
let onCut: (() => void) | undefined;

inSandbox(
    { program: PROGRAM, cloud: { log: (line) => / cut /.test(line) && onCut?.() } },
    (sandbox) => ({ cloud, user, admin, project } = sandbox),
);

const machinesOfState = async () =>
    (await project.exportResources()).filter(({ type }) => type.endsWith(":VirtualMachine"));
const running = async () =>
    (await user.list("listVirtualMachines")).filter(({ state }) => state === "Running").map(({ id }) => id);
/** The warnings of a run without a refresh about machines that no longer exist. */
const expectedWarnings = (machines: any[]) =>
    machines.map(
        ({ id, outputs }) =>
            `machine ${outputs.name} (${id}) is in the stack's state, but no longer in the cloud: run \`pulumi up --refresh\` to create it again`,
    );
const goneWarnings = ({ warnings }: Result) =>
    warnings.filter((line) => line.includes("no longer in the cloud")).sort();

/** Kills the engine and its plugin as soon as a second machine is destroyed. */
async function killedDestroy(): Promise<void> {
    cloud.fault({ kind: "drop", command: "destroyVirtualMachine", skip: 1 });
    const command: Running = await project.start("destroy");
    onCut = () => command.kill9("all");
    expect((await command.finished).code).not.toBe(0);
    onCut = undefined;
    cloud.clearFaults();
    await project.cancel();
}

test("after a destroy that was killed half-way, a plain up names the machines that are gone, and an up with refresh creates them again", async () => {
    await killedDestroy();
    const left = await running();
    const gone = (await machinesOfState()).filter(({ id }) => !left.includes(id));
    expect(left).not.toEqual([]);
    expect(gone).not.toEqual([]);
    expect(goneWarnings(await project.preview())).toEqual(expectedWarnings(gone).sort());
    expect(goneWarnings(await project.up())).toEqual(expectedWarnings(gone).sort());
    const repaired = await project.up({ args: ["--refresh"] });
    expect(goneWarnings(repaired)).toEqual([]);
    expect(await running()).toHaveLength(4);
    cloud.clearCalls();
    expect(goneWarnings(await project.expectNoChanges())).toEqual([]);
    // One list per kind is enough for all resources of the kind.
    for (const command of ["listVirtualMachines", "listVolumes"])
        expect(cloud.calls().filter((call) => call.command === command)).toHaveLength(1);
});

test("a volume that is gone is named, and so is a machine, before a change of it and in the error of that change", async () => {
    const [volume] = (await user.list("listVolumes", { type: "DATADISK" })).filter(({ state }) => state === "Ready");
    await user.done("detachVolume", { id: volume.id });
    await user.ok("deleteVolume", { id: volume.id });
    const machine = (await machinesOfState()).find(({ urn }) => urn.endsWith("::second"));
    await admin.done("destroyVirtualMachine", { id: machine.id, expunge: true });
    const lost =
        `volume ${volume.name} (${volume.id}) is in the stack's state, but no longer in the cloud: ` +
        "run `pulumi up --refresh` to create a new, empty one";
    expect(goneWarnings(await project.preview())).toEqual([...expectedWarnings([machine]), lost]);
    project.program(PROGRAM.replace("{ after: first.id }", `{ after: first.id, more: "yes" }`));
    const changed = await project.up({ mayFail: true });
    expect(changed.errors.join("\n")).toContain(
        `machine ${machine.outputs.name} (${machine.id}) no longer exists: run \`pulumi refresh\``,
    );
    expect(goneWarnings(changed)).toEqual([...expectedWarnings([machine]), lost]);
});

test("if the cloud does not answer, or is another cloud, a preview succeeds and reports nothing as gone", async () => {
    project.program(PROGRAM);
    await project.up({ args: ["--refresh"] });
    const machine = (await machinesOfState()).find(({ urn }) => urn.endsWith("::second"));
    await admin.done("destroyVirtualMachine", { id: machine.id, expunge: true });
    for (const kind of ["refuse", "unavailable"] as const) {
        cloud.fault({ kind, command: "listV*", count: 0, status: 401, text: "unable to verify user credentials" });
        const { errors, warnings } = await project.preview();
        expect([errors, warnings]).toEqual([[], []]);
        cloud.clearFaults();
    }
    const elsewhere = await startCloud();
    try {
        expect(goneWarnings(await project.preview({ environment: cloudEnvironment(elsewhere) }))).toEqual([]);
    } finally {
        await elsewhere.close();
    }
    expect(goneWarnings(await project.preview())).toEqual(expectedWarnings([machine]));
});
