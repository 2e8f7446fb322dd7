import type { Client } from "../contract/simulator/client";
import type { Project, Result } from "./support/project";
import { inSandbox } from "./support/sandbox";

/**
 * What a preview shows: a change that is known is refused or announced; one that depends on unknown values is
 * announced, and decided at the update.
 */

interface Wanted {
    tag?: string;
    address?: string;
    zone?: string;
    template?: string;
    steady?: string;
    volumeLoss?: boolean;
}

const program = ({
    tag = "1",
    address,
    zone,
    template = "Debian 12",
    steady = "Debian 12",
    volumeLoss,
}: Wanted = {}) => `
import * as cloudstack from "pulumi-cloudstack";
const small = { serviceOffering: "Small Instance", template: "Debian 12" };
const first = new cloudstack.VirtualMachine("first", { ...small, tags: { revision: "${tag}" }, ipAddress: ${JSON.stringify(address)} });
new cloudstack.VirtualMachine("second", {
    ...small, allowRestart: false, onUserDataChange: "restart",
    userData: first.networkInterfaces.apply(([nic]) => "peer: " + nic.ipAddress + " " + nic.macAddress),
});
new cloudstack.VirtualMachine("steady", { ...small, template: "${steady}", allowRestart: false });
new cloudstack.MachineGroup("web", { ...small, machines: cloudstack.machineKeys(2), template: "${template}", spread: "none" });
new cloudstack.Volume("data", { diskOffering: "Custom", sizeGiB: 2, zone: ${JSON.stringify(zone)}, allowDataLoss: ${volumeLoss} });
export const address = first.ipAddress;
`;

let api: Client;
let project: Project;

inSandbox({ program: program() }, (sandbox) => ({ project, user: api } = sandbox));

/** Fields of a machine that every restart, reinstallation and replacement would change. */
const core = ({ id, state, lastupdated, templateid }: any) => ({ id, state, lastupdated, templateid });
const machines = async () => (await api.list("listVirtualMachines")).map(core);
const machine = async (name: string) => (await api.list("listVirtualMachines", { name: `dev-${name}` }))[0];

/** The operations other than `same`. */
const changed = ({ steps }: Result) => steps.filter(({ op }) => op !== "same").map(({ op, name }) => `${op} ${name}`);

/** The arguments that `--diff` prints as changed, from the lines below the resource's URN. */
const shownArguments = ({ stdout }: Result) => [...stdout.matchAll(/^ {6}([+~-] \w+) *:/gm)].map(([, line]) => line);

/** The error of the preview, after checking that an `up` without a preview fails as well and changes nothing. */
async function refused(wanted: Wanted): Promise<string> {
    const before = await machines();
    project.program(program(wanted));
    const preview = await project.preview({ mayFail: true });
    const up = await project.up({ mayFail: true });
    expect([preview.code, up.code]).not.toContain(0);
    expect(await machines()).toEqual(before);
    return preview.errors.join("\n");
}

test("outputs that an update in place does not change stay known at preview", async () => {
    project.program(program({ tag: "2" }));
    const preview = await project.preview({ args: ["--diff"] });
    // Outputs that stay known are shown once as added, and only those that other resources use.
    expect(shownArguments(preview)).toEqual([
        "+ addressIsFixed",
        "+ ipAddress",
        "+ networkInterfaces",
        "~ tags",
        "+ zoneId",
    ]);
    expect(changed(preview)).toEqual(["update first"]);
    expect(preview.infos.join("\n")).not.toMatch(/second/);
    expect(changed(await project.up())).toEqual(["update first"]);
    expect(await machine("second")).toMatchObject({ state: "Running" });
    // The address that CloudStack chose does not become an argument of the program.
    await project.expectNoChanges();
    const first = (await project.exportResources()).find(({ urn }) => urn.endsWith("::first"));
    expect([first.inputs.ipAddress, first.outputs.addressIsFixed]).toEqual([first.outputs.ipAddress, false]);
    project.program(program({ tag: "3" }));
    expect(shownArguments(await project.preview({ args: ["--diff"] }))).toEqual(["~ tags"]);
});

test("a loss of data or a restart that is not allowed is an error at preview, which says what to do", async () => {
    expect(await refused({ tag: "2", steady: "Debian 12 with password" })).toContain(
        "dev-steady is replaced, and the root disk of dev-steady (2 GiB) is erased: template Debian 12 -> Debian 12 with password. " +
            "That takes it down, and allowRestart is false: allow it for this change, or undo the change.",
    );
    expect(await refused({ tag: "2", template: "Debian 12 with password" })).toMatch(
        new RegExp(
            /(dev-web-\d) is replaced, and the root disk of \1 \(2 GiB\) is erased: template Debian 12 -> Debian 12 with password\. /
                .source +
                "allowDataLoss is false, as it is by default in a MachineGroup whose machines change all at once: " +
                "undo the change, or set allowDataLoss: true for this change\\.",
        ),
    );
    expect(await refused({ tag: "2", zone: "sandbox-isolated" })).toMatch(
        /volume dev-data-\w{8} \(2 GiB\) is erased: zone sandbox -> sandbox-isolated. allowDataLoss is false, as it is by default for a volume: /,
    );
    project.program(program({ tag: "2", zone: "sandbox-isolated", volumeLoss: true }));
    const allowed = await project.preview();
    expect(allowed.infos.join("\n")).toMatch(
        /volume dev-data-\w{8} \(2 GiB\) is erased: zone sandbox -> sandbox-isolated/,
    );
});

test("a restart that depends on an unknown value is announced at preview, and refused by the update before it changes the machine", async () => {
    const before = core(await machine("second"));
    project.program(program({ tag: "2", address: "10.1.1.99" }));
    const preview = await project.preview();
    expect(preview.infos).toContain("dev-second may stop and start: userData may change (value not known yet)");
    const up = await project.up({ mayFail: true });
    expect(up.errors.join("\n")).toContain(
        "dev-second stops and starts: userData changes. That takes it down, and allowRestart is false",
    );
    expect(core(await machine("second"))).toEqual(before);
});
