/** The process that runs handlers ends with the engine that started it, and only with that one. */
import * as net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunningCloud, startCloud } from "../../simulator";
import { built } from "../support/built";
import { PluginProcess, type Properties, secret } from "./plugin/process";

const text = (key: string) =>
    `exports.handler = () => require("module").createRequire(process.cwd() + "/_")("pulumi-cloudstack/dynamic/v1").${key}`;
const machine = {
    ...{ name: "watched", zone: "sandbox", serviceOffering: "Small Instance", template: "Debian 12" },
    ...{ owner: "org/project/stack/watched", __provider: text("virtualMachine") },
};

/** The engine as the process sees it: a server that accepts connections. */
class Engine {
    private readonly connections = new Set<net.Socket>();
    private readonly server = net.createServer((socket) => {
        this.connections.add(socket);
        socket.on("close", () => this.connections.delete(socket)).on("error", () => undefined);
    });

    async start(port = 0): Promise<string> {
        await new Promise<void>((resolve) => this.server.listen(port, "127.0.0.1", resolve));
        return `127.0.0.1:${(this.server.address() as net.AddressInfo).port}`;
    }

    get watched(): boolean {
        return this.connections.size > 0;
    }

    /** Closes the idle connections, as an engine does. */
    disconnect(): void {
        this.connections.forEach((socket) => socket.destroy());
    }

    /** The effect of a kill by the system. */
    die(): void {
        this.server.close();
        this.disconnect();
    }
}

let cloud: RunningCloud;
let engine: Engine;
let plugin: PluginProcess;

beforeAll(async () => {
    await built();
    cloud = await startCloud();
});
afterAll(() => cloud.close());
afterEach(async () => {
    engine.die();
    await plugin.stop();
});

async function start(address?: string): Promise<void> {
    const config: Properties = {
        "cloudstack:endpoint": cloud.endpoint,
        "cloudstack:apiKey": cloud.accounts.user.apiKey,
        "cloudstack:secretKey": secret(cloud.accounts.user.secretKey),
        "cloudstack:zone": "sandbox",
    };
    engine = new Engine();
    plugin = await PluginProcess.start(config, undefined, address ?? (await engine.start()));
}

async function until(what: () => boolean): Promise<void> {
    while (!what()) await sleep(20);
}

const changes = () =>
    cloud
        .calls()
        .map(({ command }) => command)
        .filter((command) => !/^(list|query)/.test(command));

test("an engine that dies during an update ends the process, which then changes nothing more", async () => {
    await start();
    const { inputs } = await plugin.check({}, machine);
    const { id, outputs } = await plugin.create(inputs);
    cloud.clearCalls();
    cloud.fault({ kind: "jobSeconds", command: "stopVirtualMachine", seconds: 1 });
    const { inputs: larger } = await plugin.check(inputs, { ...machine, serviceOffering: "Medium Instance" });
    const update = plugin.update(id, outputs, larger).catch(() => undefined);
    await until(() => changes().length > 0);
    engine.die();
    expect(await plugin.waitForExit()).toBe(1);
    await update;
    // The job of the stop ends, and no further request follows.
    await sleep(1_500);
    expect(changes()).toEqual(["stopVirtualMachine"]);
});

test("an engine that closes the connection is still watched", async () => {
    await start();
    await plugin.check({}, machine);
    await until(() => engine.watched);
    engine.disconnect();
    await until(() => !engine.watched);
    await until(() => engine.watched);
    expect((await plugin.check({}, machine)).failures).toEqual([]);
    engine.die();
    expect(await plugin.waitForExit()).toBe(1);
});

test("an address at which no engine ever listened is ignored", async () => {
    await start("127.0.0.1:1");
    await plugin.check({}, machine);
    await sleep(300);
    expect((await plugin.check({}, machine)).failures).toEqual([]);
});
