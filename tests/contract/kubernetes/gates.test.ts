/** Draining, waiting and the gate behind all machines, against a real API server. */
import { setTimeout as sleep } from "node:timers/promises";
import { echoOf, type Inputs, type Outputs } from "../../../provider/handler";
import { endMaintenance, noteInProgram, noteStopped, startMaintenance } from "../../../provider/kubernetes/maintenance";
import type { Access, KubernetesApi } from "../../../provider/kubernetes/api";
import { kubernetesReady } from "../../../provider/kubernetes/readyHandler";
import { lifecycle } from "../../../provider/lifecycle";
import { oneByOne } from "../../../provider/virtualMachine/rolling";
import { type ControlPlane, startControlPlane, until, withControlPlane } from "../../support/kubernetes";
import { deploy, HandmadeNodes, podOn } from "./nodes";

withControlPlane("a Kubernetes cluster", () => {
    let plane: ControlPlane;
    let api: KubernetesApi;
    let nodes: HandmadeNodes;

    beforeAll(async () => {
        plane = await startControlPlane();
        api = plane.api;
        nodes = new HandmadeNodes(api);
    }, 180_000);
    afterAll(async () => {
        await nodes?.stop();
        await plane?.stop();
    });
    beforeEach(async () => {
        await nodes.clear();
        await nodes.add("a", "b", "c");
        noteInProgram("k", ["a", "b", "c", "d"]);
    });

    /** The arguments of a machine that is a node. */
    const machine = (name: string, more: object = {}, access: Access = plane.access) => {
        const { clientKey, ...rest } = access;
        const times = { drainTimeoutSeconds: 60, waitTimeoutSeconds: 60, allowNotReady: [] };
        return {
            ...{ name, owner: `mark of ${name}`, rollingGroup: "workers", serviceOffering: "Large" },
            kubernetesNode: { cluster: "k", name, ...rest, ...times, ...more },
            kubernetesKey: clientKey,
        };
    };
    const node = (name: string) => api.get(`/api/v1/nodes/${name}`);
    const isCordoned = async (name: string) => (await node(name)).spec.unschedulable === true;
    const podsOn = async (name: string) =>
        (await nodes.pods()).filter(({ spec }) => spec.nodeName === name).map(({ metadata }) => metadata.name);
    const noSuchApi = (): Access => ({ ...plane.access, endpoints: ["https://127.0.0.1:1"] });

    /** Machines whose handler stops and starts the node, as `converge` does. */
    const rolling = (log: string[]) => {
        const down = async (of: Inputs | Outputs) => {
            await startMaintenance(of);
            log.push(`${of.name} stops`);
            nodes.silence(of.name);
        };
        return oneByOne(
            lifecycle({
                async check() {},
                diff: () => ({ changes: true }),
                create: async (inputs) => ({ id: inputs.name, outs: echoOf(inputs) }),
                async update(_id, _olds, news) {
                    await down(news);
                    await noteStopped(news);
                    void sleep(1_500).then(() => nodes.report(news.name, true));
                    return echoOf(news);
                },
                delete: (_id, outputs) => down(outputs),
            }),
        );
    };
    const olds = { running: true, state: "Running", serviceOffering: "Small" };

    test("a rolling change never takes a Deployment below its budget, and changes one node at a time", async () => {
        await deploy(api, "web", 3, 2);
        await until("three pods", async () => (await nodes.available()) === 3);
        const log: string[] = [];
        const handler = rolling(log);
        let lowest = Infinity;
        let isDone = false;
        const watching = (async () => {
            while (!isDone) {
                lowest = Math.min(lowest, await nodes.available());
                await sleep(50);
            }
        })();
        const change = async (name: string) => {
            await handler.update(name, olds, machine(name));
            log.push(`${name} is back`);
        };
        await Promise.all(["a", "b", "c"].map(change));
        isDone = true;
        await watching;
        expect(lowest).toBe(2);
        expect(log).toEqual(["a", "b", "c"].flatMap((name) => [`${name} stops`, `${name} is back`]));
        for (const name of ["a", "b", "c"]) {
            expect(await isCordoned(name)).toBe(false);
            expect((await node(name)).metadata.annotations ?? {}).not.toHaveProperty("pulumi-cloudstack/cordoned");
        }
    });

    test("pods of the node itself stay: of a DaemonSet, static ones, and those that have ended", async () => {
        const ownerReferences = [
            { apiVersion: "apps/v1", kind: "DaemonSet", name: "agent", uid: "1", controller: true },
        ];
        await podOn(api, "a", "agent", { ownerReferences });
        await podOn(api, "a", "static", { annotations: { "kubernetes.io/config.mirror": "1" } });
        await podOn(api, "a", "ended");
        await api.patch("/api/v1/namespaces/default/pods/ended/status", { status: { phase: "Succeeded" } });
        await startMaintenance(machine("a"));
        expect((await podsOn("a")).sort()).toEqual(["agent", "ended", "static"]);
        expect(await isCordoned("a")).toBe(true);
        await nodes.report("a", true);
        await endMaintenance(machine("a"));
        expect(await isCordoned("a")).toBe(false);
    });

    test("a pod that its budget does not let go is named, and the node is as it was", async () => {
        await deploy(api, "db", 1, 1);
        await until("a pod", async () => (await nodes.available()) === 1);
        const [{ spec, metadata }] = await nodes.pods();
        await expect(startMaintenance(machine(spec.nodeName!, { drainTimeoutSeconds: 3 }))).rejects.toThrow(
            new RegExp(
                `node ${spec.nodeName} could not be drained within 3 s: pod default/${metadata.name}: .*budget db needs 1 ` +
                    "healthy pods and has 1 currently.*Its machine was not touched",
            ),
        );
        expect(await isCordoned(spec.nodeName!)).toBe(false);
        expect(await nodes.available()).toBe(1);
    });

    test("a pod that nothing makes again is not evicted", async () => {
        await podOn(api, "a", "alone");
        await expect(startMaintenance(machine("a"))).rejects.toThrow(
            /no controller would create the pod default\/alone again/,
        );
        expect([await isCordoned("a"), await podsOn("a")]).toEqual([false, ["alone"]]);
    });

    test("nothing begins while another node is not Ready, unless that is allowed", async () => {
        await nodes.report("b", false, "container runtime network not ready: reason:NetworkPluginNotReady");
        await expect(startMaintenance(machine("a", { waitTimeoutSeconds: 2 }))).rejects.toThrow(
            /node a was not drained .* after 2 s another node is not Ready: b: network plugin is not ready.*allowNotReady/,
        );
        expect(await isCordoned("a")).toBe(false);
        await startMaintenance(machine("a", { allowNotReady: ["b"] }));
        expect(await isCordoned("a")).toBe(true);
        // What is repaired itself may be not Ready, and others wait for it.
        await expect(startMaintenance(machine("b", { waitTimeoutSeconds: 30 }))).resolves.toBeGreaterThanOrEqual(0);
        for (const name of ["a", "b"]) {
            await nodes.report(name, true);
            await endMaintenance(machine(name));
        }
    });

    test("a node that the program no longer has holds up no change of others", async () => {
        await nodes.report("c", false);
        noteInProgram("k", ["a", "b"]);
        await startMaintenance(machine("a", { waitTimeoutSeconds: 2 }));
        expect(await isCordoned("a")).toBe(true);
        await nodes.report("a", true);
        await endMaintenance(machine("a"));
    });

    test("a node is not taken for Ready by what its kubelet said before the stop; a time-out names it", async () => {
        const of = machine("a", { waitTimeoutSeconds: 3 });
        await startMaintenance(of);
        await noteStopped(of);
        await expect(endMaintenance(of)).rejects.toThrow(
            /node a is not Ready after 3 s: kubelet has not reported since the stop.*cloud-init-output.log.*stays cordoned/s,
        );
        // The next run, which knows nothing of this one, goes on.
        expect(await isCordoned("a")).toBe(true);
        await endMaintenance(of);
        expect(await isCordoned("a")).toBe(false);
    });

    test("what somebody else has cordoned stays cordoned", async () => {
        await api.patch("/api/v1/nodes/a", { spec: { unschedulable: true } });
        await startMaintenance(machine("a"));
        await nodes.report("a", true);
        await endMaintenance(machine("a"));
        expect(await isCordoned("a")).toBe(true);
    });

    test("a failed step leaves no node cordoned", async () => {
        const failing = oneByOne(
            lifecycle({
                async check() {},
                diff: () => ({ changes: true }),
                create: async (inputs) => ({ id: "x", outs: inputs }),
                async update(_id, _olds, news) {
                    await startMaintenance(news);
                    throw new Error("the cloud says no");
                },
            }),
        );
        await expect(failing.update("a", olds, machine("a"))).rejects.toThrow("the cloud says no");
        expect(await isCordoned("a")).toBe(false);
    });

    test("machines that go are drained one after another, and their Node objects go; those of a whole cluster just go", async () => {
        await deploy(api, "web", 3, 2);
        await until("three pods", async () => (await nodes.available()) === 3);
        const log: string[] = [];
        const handler = rolling(log);
        await Promise.all(["a", "b"].map((name) => handler.delete(name, { ...machine(name), running: true })));
        expect((await api.get("/api/v1/nodes")).items.map(({ metadata }: any) => metadata.name)).toEqual(["c"]);
        await until("three pods on c", async () => (await podsOn("c")).length === 3);
        const destroyed = machine("c", { cluster: "k2" }, noSuchApi());
        const plain = oneByOne(
            lifecycle({
                async check() {},
                diff: () => ({ changes: true }),
                create: async (inputs) => ({ id: "x", outs: inputs }),
                update: async (_id, _olds, news) => news,
                delete: async () => void log.push("deleted"),
            }),
        );
        await plain.delete("c", destroyed);
        expect(log.slice(-1)).toEqual(["deleted"]);
    });

    test("where the API does not answer nothing is touched, unless this change repairs it", async () => {
        await expect(startMaintenance(machine("a", { waitTimeoutSeconds: 2 }, noSuchApi()))).rejects.toThrow(
            /node a cannot be drained, so its machine was not touched: the API of k does not answer \(https:\/\/127.0.0.1:1: .*ECONNREFUSED/,
        );
        await startMaintenance(machine("a", { allowNotReady: ["a"] }, noSuchApi()));
        // A change that takes nothing down does not ask for the API.
        await endMaintenance(machine("b", {}, noSuchApi()));
        // One API server of several is enough.
        const [working] = plane.access.endpoints;
        await startMaintenance(machine("c", {}, { ...plane.access, endpoints: ["https://127.0.0.1:1", working] }));
        expect(await isCordoned("c")).toBe(true);
        for (const name of ["a", "c"]) {
            await nodes.report(name, true);
            await endMaintenance(machine(name));
        }
    });

    describe("the gate behind all machines", () => {
        const gate = (more: object = {}) => ({
            ...{ cluster: "k", waitFor: "nodes", timeoutSeconds: 60, revision: "1", ...plane.access },
            ...{
                controlPlanes: { a: plane.access.endpoints[0] },
                nodes: ["a", "b", "c"],
                addons: [],
                allowNotReady: [],
            },
            ...more,
        });

        test("opens when all nodes are Ready, and uncordons what an interrupted run has left", async () => {
            await startMaintenance(machine("b"));
            const { outs } = await kubernetesReady.create(gate());
            expect(outs!.status).toBe("ready");
            expect(await isCordoned("b")).toBe(false);
            await nodes.report("b", true);
            await endMaintenance(machine("b"));
        });

        test("a time-out names the stage, the node and where its log is", async () => {
            await nodes.report("c", false, "cni plugin not initialized");
            const inputs = gate({ timeoutSeconds: 2, nodes: ["a", "b", "c", "d"] });
            await expect(kubernetesReady.create(inputs)).rejects.toThrow(
                /cluster k is not ready after 2 s, stage nodes: 2 of 4 nodes Ready; c: network plugin is not ready; d: has not registered yet. On the machine .*cloud-init-output.log/,
            );
            const { outs } = await kubernetesReady.create({ ...inputs, allowNotReady: ["c", "d"] });
            expect(outs!.status).toBe("ready");
            const none = { ...plane.access, endpoints: [], controlPlanes: { a: "https://127.0.0.1:1" } };
            await expect(kubernetesReady.create(gate({ ...none, timeoutSeconds: 1 }))).rejects.toThrow(
                /stage api: 0 of 1 API servers ready; a: .*ECONNREFUSED.*operatorCidrs/,
            );
        });

        test("a refresh finds what is not Ready, and the next update waits for it", async () => {
            const { id, outs } = await kubernetesReady.create(gate());
            expect((await kubernetesReady.diff(id, outs!, gate())).changes).toBe(false);
            await nodes.report("c", false);
            const { props } = await kubernetesReady.read(id!, outs!);
            expect(props!.status).toBe("2 of 3 nodes Ready; c: it is broken");
            expect((await kubernetesReady.diff(id, props!, gate())).changes).toBe(true);
        });

        test("addons are waited for", async () => {
            const addons = ["Deployment default/dns", "DaemonSet kube-flannel/flannel"];
            const inputs = gate({ waitFor: "addons", addons, timeoutSeconds: 2 });
            await expect(kubernetesReady.create(inputs)).rejects.toThrow(
                /stage addons: 0 of 2 addons available; dns: does not exist yet; flannel: does not exist yet/,
            );
            await deploy(api, "dns", 2, 1);
            await until("two pods", async () => (await nodes.available()) === 2);
            await kubernetesReady.create({ ...inputs, addons: addons.slice(0, 1), timeoutSeconds: 20 });
        });
    });
});
