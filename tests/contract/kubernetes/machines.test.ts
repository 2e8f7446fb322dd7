/** Machines of the embedded cloud that are nodes, as their own handlers stop, reinstall, replace and delete them. */
import { startCloud } from "../../../simulator";
import { type Kind, named, type Plugin, type Resource, World } from "../provider/support";
import { type ControlPlane, startControlPlane, until, withControlPlane } from "../../support/kubernetes";
import { deploy, HandmadeNodes } from "./nodes";

withControlPlane("machines that are nodes", () => {
    let plane: ControlPlane;
    let nodes: HandmadeNodes;
    let world: World;
    let plugin: Plugin;
    let kubelets: NodeJS.Timeout;
    const machines = new Map<string, Resource>();

    beforeAll(async () => {
        [plane, world] = await Promise.all([startControlPlane(), startCloud().then((cloud) => new World(cloud))]);
        nodes = new HandmadeNodes(plane.api);
        plugin = world.plugin();
        await plugin.plan("kubernetesReady" as Kind, { cluster: "k", waitFor: "nodes", revision: "1" });
        for (const name of ["a", "b"]) machines.set(name, await plugin.create("virtualMachine", argumentsOf(name)));
        await nodes.add("a", "b");
        kubelets = startKubelets();
    }, 180_000);
    afterAll(async () => {
        clearInterval(kubelets);
        await nodes?.stop();
        await plane?.stop();
        await world?.cloud.close();
    });

    function argumentsOf(name: string, more: object = {}) {
        const { clientKey, ...access } = plane.access;
        const times = { drainTimeoutSeconds: 30, waitTimeoutSeconds: 60, allowNotReady: [] };
        return {
            ...{ ...named("node"), name, owner: `team/test/dev/${name}`, rollingGroup: "workers" },
            ...{ serviceOffering: "Small Instance", template: "Debian 12", ...more },
            kubernetesNode: { cluster: "k", name, ...access, ...times },
            kubernetesKey: clientKey,
        };
    }

    /** A machine that starts reports as its node; one that does not run is silent. */
    function startKubelets(): NodeJS.Timeout {
        const running = new Map<string, boolean>([...machines.keys()].map((name) => [name, true]));
        return setInterval(async () => {
            for (const machine of (await world.api.user.list("listVirtualMachines")) as any[]) {
                const runs = machine.state === "Running";
                if (running.get(machine.name) === runs) continue;
                running.set(machine.name, runs);
                if (!runs) nodes.silence(machine.name);
                else
                    await nodes
                        .report(machine.name, true)
                        .catch(() => nodes.add(machine.name))
                        .catch(() => running.delete(machine.name));
            }
        }, 300);
    }

    /** What happened to machines, in order, with whether the node was cordoned at the end. */
    async function commandsOf(work: () => Promise<unknown>): Promise<string[]> {
        world.cloud.clearCalls();
        await work();
        const commands = world.cloud.calls().map(({ command }) => command);
        return commands.filter((command) => /VirtualMachine$/.test(command) && !/^(list|query)/.test(command));
    }
    const up = async (name: string, more: object) =>
        machines.set(name, await plugin.up(machines.get(name)!, argumentsOf(name, more)));
    const nodeList = async () => (await plane.api.get("/api/v1/nodes")).items as any[];
    const isOpen = async (name: string) => {
        const found = (await nodeList()).find(({ metadata }) => metadata.name === name);
        return (
            found.spec.unschedulable !== true &&
            found.metadata.annotations?.["pulumi-cloudstack/cordoned"] === undefined
        );
    };

    test("a machine whose pods may not move is not stopped; once they may, it is, and is back in service", async () => {
        await deploy(plane.api, "db", 1, 1);
        await until("a pod", async () => (await nodes.available()) === 1);
        const [{ spec }] = await nodes.pods();
        const name = spec.nodeName!;
        const blocked = async () => {
            const news = argumentsOf(name, { serviceOffering: "Medium Instance" });
            news.kubernetesNode.drainTimeoutSeconds = 2;
            await expect(plugin.up(machines.get(name)!, news)).rejects.toThrow(
                /could not be drained within 2 s: pod default\/db-/,
            );
        };
        expect(await commandsOf(blocked)).toEqual([]);
        expect([(await world.machine(machines.get(name)!.id)).state, await isOpen(name)]).toEqual(["Running", true]);
        await plane.api.delete("/apis/policy/v1/namespaces/default/poddisruptionbudgets/db");
        // The next run of the engine's, in which nothing has failed yet.
        plugin = world.plugin();
        await plugin.plan("kubernetesReady" as Kind, { cluster: "k", waitFor: "nodes", revision: "1" });
        expect(await commandsOf(() => up(name, { serviceOffering: "Medium Instance" }))).toEqual([
            "stopVirtualMachine",
            "scaleVirtualMachine",
            "startVirtualMachine",
        ]);
        expect(await isOpen(name)).toBe(true);
        expect((await nodes.pods()).map((pod) => pod.spec.nodeName)).toEqual([name === "a" ? "b" : "a"]);
    });

    test("another way to the API touches nothing in the cloud", async () => {
        const news = argumentsOf("a", { serviceOffering: machines.get("a")!.inputs.serviceOffering });
        news.kubernetesNode.drainTimeoutSeconds = 31;
        const change = async () => machines.set("a", await plugin.up(machines.get("a")!, news));
        expect(await commandsOf(change)).toEqual([]);
        expect(machines.get("a")!.outputs.kubernetesNode.drainTimeoutSeconds).toBe(31);
    });

    test("a reinstallation stops the machine before, and a replacement waits for the new node", async () => {
        const { serviceOffering } = machines.get("a")!.inputs;
        await up("a", { serviceOffering, reinstallTrigger: "1" });
        expect(await commandsOf(() => up("a", { serviceOffering, reinstallTrigger: "2" }))).toEqual([
            "stopVirtualMachine",
            "restoreVirtualMachine",
            "startVirtualMachine",
        ]);
        expect(await isOpen("a")).toBe(true);
        const { id } = machines.get("a")!;
        const [before] = (await nodeList()).filter(({ metadata }) => metadata.name === "a");
        await up("a", { serviceOffering, reinstallTrigger: "2", template: "Debian 13" });
        const [after] = (await nodeList()).filter(({ metadata }) => metadata.name === "a");
        expect([machines.get("a")!.id === id, after.metadata.uid === before.metadata.uid]).toEqual([false, false]);
        expect(await isOpen("a")).toBe(true);
    });

    test("a machine that goes takes its Node object along", async () => {
        await plugin.delete(machines.get("a")!);
        expect((await nodeList()).map(({ metadata }) => metadata.name)).toEqual(["b"]);
        expect((await nodes.pods()).every(({ spec }) => spec.nodeName !== "a")).toBe(true);
    });
});
