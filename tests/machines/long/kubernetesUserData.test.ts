/** Secrets leave the user data of a Kubernetes cluster's real machines when they have joined, and come back when needed. */
import { decodeUserData } from "../../../components/cloudInit/userData";
import { RealKubernetes } from "../support/kubernetes";
import { CONTROL_PLANE, WORKERS } from "../support/nodes";
import { withKubernetes } from "../support/possible";
import { Proofs } from "../support/proofs";

withKubernetes("user data of a Kubernetes cluster", () => {
    const proofs = new Proofs("user data of a Kubernetes cluster");
    const [worker] = WORKERS;
    const nodes = [CONTROL_PLANE, worker];
    let cluster: RealKubernetes;

    beforeAll(async () => {
        const size = { etcd: "a", controlPlanes: "a", pools: { worker: { count: 1 } } };
        cluster = await RealKubernetes.create("10.1.89.0/24", size);
        await cluster.up();
    });
    afterAll(async () => {
        proofs.print();
        await cluster?.dispose();
    });

    /** The user data of the nodes' machines, as CloudStack has it. */
    async function userData(): Promise<{ text: string; length: number }[]> {
        const machines = await cluster.cloud.client.list("listVirtualMachines", { userdata: true });
        return nodes.map((node) => {
            const { userdata } = machines.find(({ name }: any) => name === node);
            return { text: decodeUserData(userdata), length: userdata.length };
        });
    }

    async function expectNoSecrets(): Promise<void> {
        for (const { text } of await userData()) {
            expect(text).toContain("Without secrets");
            expect(text).not.toMatch(/PRIVATE KEY|secretbox/);
        }
        await cluster.project.expectNoChanges();
    }

    /** Changes the pool of the worker. */
    const changePool = (change: object) =>
        cluster.change(({ kubernetes, ...args }) => {
            const pools = { worker: { ...kubernetes.pools.worker, ...change } };
            return { ...args, kubernetes: { ...kubernetes, pools } };
        });

    test("it has no secrets when the nodes are Ready, and neither a preview nor a refresh sees a change", async () => {
        expect(await cluster.ready()).toEqual(nodes);
        await expectNoSecrets();
        const { changes } = await cluster.project.refresh();
        expect(Object.keys(changes)).toEqual(["same"]);
        await cluster.project.expectNoChanges();
        const lengths = (await userData()).map(({ length }) => length);
        proofs.add("no secrets after pulumi up, no drift", `${lengths.join(" and ")} characters of base64 remain`);
    });

    test("machines still apply changes of it", async () => {
        changePool({ labels: { tier: "back" } });
        const started = Date.now();
        const { errors } = await cluster.up();
        expect(errors).toEqual([]);
        const seconds = ((Date.now() - started) / 1000).toFixed(0);
        await expectNoSecrets();
        await cluster.kubectl("wait", "--for=jsonpath={.metadata.labels.tier}=back", `node/${worker}`, "--timeout=90s");
        proofs.add("a label changes on a running node, without secrets", `pulumi up took ${seconds} s`);
    });

    test("new secrets reach a running machine before they are removed", async () => {
        const writeFiles = [{ path: "/etc/token", content: "a new secret", permissions: "0600" }];
        changePool({ labels: { tier: "back" }, extraCloudConfig: { writeFiles } });
        const started = Date.now();
        await cluster.up();
        const seconds = ((Date.now() - started) / 1000).toFixed(0);
        expect(await cluster.cloud.exec(worker, "cat", "/etc/token")).toBe("a new secret");
        expect((await userData()).map(({ text }) => text).join("")).not.toContain("a new secret");
        await expectNoSecrets();
        proofs.add("a new secret reaches a running node, then is removed", `pulumi up took ${seconds} s`);
    });

    test("machines that are reinstalled join again, and have no secrets then", async () => {
        for (const node of nodes) await cluster.cloud.exec(node, "touch", "/root/before");
        cluster.change(({ kubernetes, ...args }) => ({
            ...args,
            kubernetes: { ...kubernetes, template: "Debian 13 with password" },
        }));
        const started = Date.now();
        const { errors } = await cluster.up();
        expect(errors).toEqual([]);
        const seconds = ((Date.now() - started) / 1000).toFixed(0);
        expect(await cluster.ready()).toEqual(nodes);
        for (const node of nodes)
            await expect(cluster.cloud.exec(node, "ls", "/root/before")).rejects.toThrow(/No such file/);
        expect(await cluster.cloud.exec(worker, "cat", "/etc/token")).toBe("a new secret");
        await expectNoSecrets();
        proofs.add("reinstalled nodes join again, without secrets after it", `2 nodes, ${seconds} s`);
    });

    test("a machine that is lost joins again under its name", async () => {
        const [{ id }] = await cluster.cloud.client.list("listVirtualMachines", { name: worker });
        await cluster.cloud.client.done("destroyVirtualMachine", { id, expunge: true });
        const started = Date.now();
        await cluster.up({ args: ["--refresh"] });
        const seconds = ((Date.now() - started) / 1000).toFixed(0);
        expect(await cluster.ready()).toEqual(nodes);
        await expectNoSecrets();
        proofs.add("a lost node is created again, without secrets after it", `${seconds} s`);
    });
});
