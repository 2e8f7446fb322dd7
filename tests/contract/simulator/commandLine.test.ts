/** The command `cloudstack-local`. */
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { Client } from "./client";
import { CommandLine } from "./commandLine";

jest.setTimeout(60_000);

let command: CommandLine;

beforeAll(() => {
    command = new CommandLine();
});

afterAll(() => command.remove());

test("every command has help, and an unknown one lists the commands", () => {
    const names = [
        ...["start", "stop", "destroy", "status", "env", "logs", "fault"],
        ...["ps", "exec", "console", "artifacts", "doctor"],
    ];
    for (const name of names) {
        const { status, out } = command.run(name, "--help");
        expect([name, status]).toEqual([name, 0]);
        expect(out).toContain(`cloudstack-local ${name}`);
        expect(command.run("--help").out).toMatch(new RegExp(`^  cloudstack-local ${name} +\\S`, "m"));
    }
    expect(command.run("--help").out).toContain("Each has --help");
    expect(command.run("stp")).toMatchObject({
        status: 2,
        err: expect.stringContaining('"stp" is not a command. Commands: start, stop'),
    });
    expect(command.run("start", "--ports", "1")).toMatchObject({
        status: 2,
        err: expect.stringMatching(/Unknown option '--ports'[^]*See cloudstack-local start --help/),
    });
});

test("without a cloud each command reports that there is none", () => {
    expect(command.run("status")).toMatchObject({ status: 1, out: expect.stringContaining("No cloud is running") });
    expect(JSON.parse(command.run("status", "--json").out)).toEqual({ running: false, state: command.state });
    expect(command.run("env")).toMatchObject({ status: 1, err: expect.stringContaining("There is no cloud in") });
    expect(command.run("logs")).toMatchObject({ status: 1, err: expect.stringContaining("There is no log") });
    expect(command.run("fault", "list")).toMatchObject({
        status: 1,
        err: expect.stringContaining("cloudstack-local start"),
    });
    expect(command.run("stop")).toMatchObject({ status: 0, out: expect.stringContaining("No cloud is running") });
    expect(command.run("destroy")).toMatchObject({ status: 0, out: expect.stringContaining("There is no cloud in") });
    const none = { out: "", err: `There is no cloud in ${command.state} yet: cloudstack-local start makes one.\n` };
    expect(command.run("ps")).toEqual({ status: 1, ...none });
    expect(command.run("console", "web")).toEqual({ status: 1, ...none });
    // The exit code of docker run when it cannot run the command: the exit codes below are those of the command itself.
    expect(command.run("exec", "web", "--", "true")).toEqual({ status: 125, ...none });
});

test("doctor runs on every computer", () => {
    const { out } = command.run("doctor", "--state", command.state, "--json");
    const { host, clouds } = JSON.parse(out);
    expect(clouds).toEqual([]);
    expect(host).toContainEqual({
        about: "machines",
        level: expect.stringMatching(/^(ok|problem)$/),
        text: expect.stringMatching(/^this computer (can boot machines|cannot boot machines: )/),
        ...(host[0].level === "ok" ? {} : { remedy: expect.any(String) }),
    });
    const lacksRoot = process.platform === "linux" && process.getuid!() !== 0;
    expect(command.run("doctor", "--state", command.state, "--clear").out).toContain(
        lacksRoot
            ? "Only root can see what clouds hold on this computer."
            : `No cloud of ${command.state} holds resources on this computer.`,
    );
});

test("invalid options are refused before anything is created", async () => {
    expect(command.run("start", "--port", "http").err).toBe('--port must be a number from 0 to 65535, not "http".\n');
    expect(command.run("start", "--job-seconds=-1").err).toContain("--job-seconds must be a number from 0");
    expect(command.run("start", "--hypervisor", "xen").status).toBe(2);
    expect(command.run("start", "--port", "0", "--cidr", "10.1.1.0")).toMatchObject({
        status: 1,
        err: expect.stringContaining('"10.1.1.0" is not an IPv4 network'),
    });
    const other = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as net.AddressInfo;
    expect(command.run("start", "--port", String(port)).err).toBe(
        `Port ${port} is in use by another program: choose another one with --port (0 chooses a free one).\n`,
    );
    await new Promise((resolve) => other.close(resolve));
});

describe("the port", () => {
    /** The command with a separate state folder, and this variable. */
    const at = (port: string) => {
        return command.with({ CLOUDSTACK_LOCAL_PORT: port, CLOUDSTACK_LOCAL_STATE: `${command.state}-ports` });
    };
    afterEach(() => at("").ok("stop"));

    test("is set by --port, else by CLOUDSTACK_LOCAL_PORT", async () => {
        expect(at("70000").run("start").err).toBe(
            'CLOUDSTACK_LOCAL_PORT must be a number from 0 to 65535, not "70000".\n',
        );
        const port = await freePort();
        expect(at(String(port)).ok("start")).toContain(`answers at http://127.0.0.1:${port}/`);
        at("").ok("stop");
        const another = await freePort();
        expect(at("70000").ok("start", "--port", String(another))).toContain(`answers at http://127.0.0.1:${another}/`);
    });

    test("is another one, with a message, if another program uses the default port", async () => {
        const other = net.createServer().listen(8080, "127.0.0.1");
        // If the computer already runs a program there, that program is used.
        const isOurs = await new Promise((resolve) => {
            other.once("listening", () => resolve(true)).once("error", () => resolve(false));
        });
        const output = at("").ok("start");
        expect(output).toContain("Another program uses port 8080");
        expect(output).not.toContain("answers at http://127.0.0.1:8080/");
        if (isOurs) await new Promise((resolve) => other.close(resolve));
    });
});

async function freePort(): Promise<number> {
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
}

describe("a started cloud", () => {
    beforeAll(() => {
        expect(command.ok("start", "--port", "0", "--cidr", "10.9.0.0/24", "--job-seconds", "0.02")).toMatch(
            /answers at http:\/\/127\.0\.0\.1:\d+\/client\/api/,
        );
    });

    test("prints the next commands, with its folder if that is not the default", () => {
        const own = command.with({ CLOUDSTACK_LOCAL_STATE: undefined, XDG_STATE_HOME: `${command.state}-xdg` });
        const state = `${command.state} it's`;
        const folder = `'${state.replace("'", "'\\''")}'`;
        try {
            expect(own.ok("start", "--port", "0", "--state", state)).toContain(
                `For your shell: eval "$(cloudstack-local env --state ${folder})"    Stop it: cloudstack-local stop --state ${folder}`,
            );
            expect(own.ok("start", "--port", "0")).toContain(
                'For your shell: eval "$(cloudstack-local env)"    Stop it: cloudstack-local stop\n',
            );
        } finally {
            own.ok("destroy", "--yes", "--state", state);
            own.ok("destroy", "--yes");
        }
    });

    test("is not started twice", () => {
        expect(command.run("start", "--port", "0")).toMatchObject({
            status: 0,
            out: expect.stringContaining("is already running at"),
        });
    });

    test("prints its status", async () => {
        const { endpoint } = command.file("credentials.json");
        expect(JSON.parse(command.ok("status", "--json"))).toMatchObject({
            running: true,
            endpoint,
            hypervisor: "none",
            network: "10.9.0.0/24",
            jobSeconds: 0.02,
            timing: 0,
            machines: {},
            pendingJobs: 0,
        });
        expect(command.ok("status")).toContain(`endpoint      ${endpoint}`);
    });

    test("env prints the variables of each client", async () => {
        const { accounts, endpoint } = command.file("credentials.json");
        const variables = command.environment();
        const { apiKey, secretKey } = accounts.user;
        expect(variables).toEqual({
            CLOUDSTACK_ENDPOINT: endpoint,
            CLOUDSTACK_API_URL: endpoint,
            CLOUDSTACK_API_KEY: apiKey,
            CLOUDSTACK_KEY: apiKey,
            CLOUDSTACK_SECRET_KEY: secretKey,
            CLOUDSTACK_SECRET: secretKey,
            CLOUDSTACK_LOCAL_HYPERVISOR: "none",
        });
        const client = new Client(
            { endpoint: variables.CLOUDSTACK_ENDPOINT },
            { ...accounts.user, apiKey: variables.CLOUDSTACK_KEY, secretKey: variables.CLOUDSTACK_SECRET },
        );
        expect((await client.list("listAccounts"))[0].name).toBe("user");
        expect(command.environment("--account", "admin").CLOUDSTACK_API_KEY).toBe(accounts.admin.apiKey);
        expect(command.ok("env", "--format", "cmk")).toMatch(
            new RegExp(
                `profile = local\n\n\\[local\\]\nurl = ${endpoint}\napikey = ${apiKey}\nsecretkey = ${secretKey}`,
            ),
        );
        expect(command.ok("env", "--format", "cs")).toBe(
            `[cloudstack]\nendpoint = ${endpoint}\nkey = ${apiKey}\nsecret = ${secretKey}\n`,
        );
        expect(command.run("env", "--account", "nobody")).toMatchObject({
            status: 2,
            err: expect.stringContaining("user, expunger, admin"),
        });
        expect(command.run("env", "--format", "toml").status).toBe(2);
    });

    test("faults are added, listed and cleared", async () => {
        const { endpoint, accounts } = command.file("credentials.json");
        const user = new Client({ endpoint }, accounts.user);
        expect(
            command.ok(
                "fault",
                "refuse",
                "--command",
                "listZones",
                "--status",
                "530",
                "--text",
                "Out of order",
                "--count",
                "1",
            ),
        ).toMatch(/refuse {2}listZones {2}0 of 1 {2}530 {2}Out of order/);
        expect((await user.send("listZones")).answer.errortext).toBe("Out of order");
        expect(command.ok("fault", "list")).toMatch(/1 of 1/);
        expect(command.ok("fault", "clear")).toBe("1 removed.\n");
        expect(command.ok("fault", "list")).toBe("No faults.\n");
        expect(command.run("fault", "delay")).toMatchObject({ status: 1, err: "seconds is required for delay.\n" });
        expect(command.run("fault").status).toBe(2);
    });

    test("its log has a line per call, without keys", () => {
        const log = command.ok("logs");
        expect(log).toMatch(/listZones user 530 [\d.]+ ms/);
        expect(log).not.toContain(command.file("credentials.json").accounts.user.apiKey);
        expect(command.ok("logs", "--lines", "1").trim().split("\n")).toHaveLength(1);
    });

    test("its files are readable by their owner only", () => {
        for (const name of fs.readdirSync(command.state))
            expect([name, fs.statSync(path.join(command.state, name)).mode & 0o077]).toEqual([name, 0]);
    });

    test("reports that machines do not boot", async () => {
        const { endpoint, accounts } = command.file("credentials.json");
        const user = new Client({ endpoint }, accounts.user);
        const given = { ...(await user.catalogue()), name: "plain" };
        const { id } = (await user.done("deployVirtualMachine", given)).virtualmachine;
        const doNotBoot = expect.stringMatching(/^Machines of this cloud do not boot[^\n]*\n$/);
        const shown = command.run("ps");
        expect(shown).toMatchObject({ status: 0, err: doNotBoot });
        expect(shown.out).toMatch(/^plain +10\.9\.0\.10 +Running +no +- +- +- +- +Debian 12 +i-\d+-1-VM$/m);
        expect(JSON.parse(command.ok("ps", "--json"))).toEqual([expect.objectContaining({ id, runs: false })]);
        expect(command.run("exec", "plain", "--", "true")).toMatchObject({ status: 125, out: "", err: doNotBoot });
        expect(command.run("console", "plain")).toMatchObject({ status: 1, out: "", err: doNotBoot });
        const { console: shownByApi } = await user.ok("getVirtualMachineConsoleLog", { id });
        expect(shownByApi).toEqual({ virtualmachineid: id, log: "" });
        // The state can be read without a running server, too.
        command.ok("stop");
        expect(command.run("ps")).toMatchObject({
            out: shown.out,
            err: expect.stringContaining("The cloud is not running"),
        });
        command.ok("start", "--port", "0");
        const again = new Client({ endpoint: command.file("credentials.json").endpoint }, accounts.admin);
        await again.done("destroyVirtualMachine", { id, expunge: true });
    });

    test("stops, and starts again with its complete state", async () => {
        const { accounts } = command.file("credentials.json");
        let user = new Client({ endpoint: command.file("credentials.json").endpoint }, accounts.user);
        const vm = (await user.done("deployVirtualMachine", { ...(await user.catalogue()), name: "stays" }))
            .virtualmachine;
        expect(vm.ipaddress).toBe("10.9.0.10");
        expect(command.ok("stop")).toContain("has stopped");
        expect(command.run("start", "--port", "0", "--cidr", "10.8.0.0/24").err).toBe(
            "The cloud of this state has the network 10.9.0.0/24: --cidr is only valid for a new cloud.\n",
        );
        expect(command.run("status").status).toBe(1);
        expect(command.run("env").err).toContain("The cloud is not running");
        command.ok("start", "--port", "0");
        user = new Client({ endpoint: command.file("credentials.json").endpoint }, accounts.user);
        expect((await user.list("listVirtualMachines"))[0]).toMatchObject({ id: vm.id, state: "Running" });
    });

    test("a file of a process that has ended does not prevent a start", () => {
        const server = command.file("server.json");
        command.ok("stop");
        fs.writeFileSync(path.join(command.state, "server.json"), JSON.stringify({ ...server, pid: 2 ** 22 }));
        expect(command.run("status").status).toBe(1);
        expect(command.ok("start", "--port", "0")).toContain("answers at");
        command.ok("stop");
    });

    test("a server that does not answer is killed", () => {
        command.ok("start", "--port", "0");
        const { pid } = command.file("server.json");
        // A suspended process reacts only to SIGKILL.
        process.kill(pid, "SIGSTOP");
        expect(command.ok("stop", "--force")).toContain("has stopped");
        // One process owns a state folder, so the first process has ended.
        expect(command.ok("start", "--port", "0")).toContain("answers at");
    });

    test("destroy asks for confirmation, and then removes everything but files of others", () => {
        expect(command.run("destroy")).toMatchObject({ status: 2, err: expect.stringContaining("use --yes") });
        expect(command.run("status").status).toBe(0);
        fs.writeFileSync(path.join(command.state, "notes.txt"), "mine");
        expect(command.ok("destroy", "--yes")).toBe(`The cloud of ${command.state} was deleted.\n`);
        expect(fs.readdirSync(command.state)).toEqual(["notes.txt"]);
        fs.rmSync(path.join(command.state, "notes.txt"));
        command.ok("start", "--port", "0");
        command.ok("destroy", "--yes");
        expect(fs.existsSync(command.state)).toBe(false);
    });
});
