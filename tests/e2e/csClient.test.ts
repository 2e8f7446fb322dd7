/**
 * A third-party client: the Python package `cs` manages a machine and a group through the embedded cloud, with only the
 * variables that `cloudstack-local env` prints. It is installed once, in the checkout's `.tools`.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { CommandLine } from "../contract/simulator/commandLine";

jest.setTimeout(120_000);

const VERSION = "5.2.0";
const FOLDER = path.resolve(__dirname, "../../.tools", `cs-${VERSION}`);
const CS = path.join(FOLDER, "bin", "cs");

/** Why the client cannot be installed on this computer; undefined if it is installed. */
function install(): string | undefined {
    if (fs.existsSync(CS)) return undefined;
    const steps = [
        ["python3", "-m", "venv", FOLDER],
        [path.join(FOLDER, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", `cs==${VERSION}`],
    ];
    for (const [command, ...args] of steps) {
        const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
        if (status === 0) continue;
        fs.rmSync(FOLDER, { recursive: true, force: true });
        return `${command} ${args.join(" ")}: ${error?.message ?? stderr.trim().split("\n").at(-1)}`;
    }
    return undefined;
}

const obstacle = install();
const where = obstacle === undefined ? "" : ` (skipped, cs cannot be installed: ${obstacle})`;

(obstacle === undefined ? describe : describe.skip)(`the Python client cs${where}`, () => {
    let command: CommandLine;
    let environment: Record<string, string>;

    beforeAll(() => {
        command = new CommandLine();
        command.ok("start", "--port", "0", "--job-seconds", "0.2");
        environment = command.environment();
    });

    afterAll(() => command.remove());

    /** What cs prints, parsed; it prints nothing for an empty answer. Without --async it waits for jobs. */
    function cs(...args: string[]): any {
        const env = { PATH: process.env.PATH, HOME: command.folder, CLOUDSTACK_POLL_INTERVAL: "0.1", ...environment };
        const { status, stdout, stderr } = spawnSync(CS, ["--quiet", ...args], { env, encoding: "utf8" });
        if (status !== 0) throw new Error(`cs ${args.join(" ")}: ${status} ${stdout}${stderr}`);
        return stdout === "" ? {} : JSON.parse(stdout);
    }

    test("deploys, lists, stops, starts and destroys a machine and a group", () => {
        const [zone] = cs("listZones", "name=sandbox").zone;
        const [template] = cs("listTemplates", "templatefilter=executable", `zoneid=${zone.id}`).template;
        const [offering] = cs("listServiceOfferings", "name=Small Instance").serviceoffering;

        const group = cs("--post", "createSecurityGroup", "name=from-cs", "description=made by cs").securitygroup;
        const authorized = cs(
            "authorizeSecurityGroupIngress",
            `securitygroupid=${group.id}`,
            "protocol=tcp",
            "startport=22",
            "endport=22",
            "cidrlist=192.0.2.0/24",
        );
        expect(authorized.securitygroup.ingressrule).toMatchObject([
            { protocol: "tcp", startport: 22, endport: 22, cidr: "192.0.2.0/24" },
        ]);

        const parameters = [
            `zoneid=${zone.id}`,
            `templateid=${template.id}`,
            `serviceofferingid=${offering.id}`,
            `securitygroupids=${group.id}`,
            "details[0].owner=cs & co",
        ];
        const machine = cs("--post", "deployVirtualMachine", "name=from-cs", ...parameters).virtualmachine;
        expect(machine).toMatchObject({
            name: "from-cs",
            state: "Running",
            details: { owner: "cs & co" },
            securitygroup: [{ name: "from-cs" }],
        });
        expect(cs("listVirtualMachines").virtualmachine).toMatchObject([{ id: machine.id, state: "Running" }]);

        expect(cs("stopVirtualMachine", `id=${machine.id}`).virtualmachine.state).toBe("Stopped");
        expect(cs("startVirtualMachine", `id=${machine.id}`).virtualmachine.state).toBe("Running");

        expect(cs("destroyVirtualMachine", `id=${machine.id}`).virtualmachine.state).toBe("Destroyed");
        expect(cs("listVirtualMachines")).toEqual({});
        // A destroyed machine keeps its group in use until it is expunged, which this account may not do.
        expect(() => cs("deleteSecurityGroup", `id=${group.id}`)).toThrow(/536/);
        environment = command.environment("--account", "admin");
        cs("expungeVirtualMachine", `id=${machine.id}`);
        environment = command.environment();
        expect(cs("deleteSecurityGroup", `id=${group.id}`)).toEqual({ success: true });
        expect(cs("listSecurityGroups", "securitygroupname=from-cs")).toEqual({});
    });

    test("a wrong key is refused with CloudStack's message", () => {
        environment = { ...command.environment(), CLOUDSTACK_SECRET: "wrong" };
        expect(() => cs("listZones")).toThrow(/unable to verify user credentials/);
    });
});
