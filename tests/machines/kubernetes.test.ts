/** `pulumi up` of a Kubernetes cluster on real machines, in short: what `npm test` runs of `long/kubernetes*.test.ts`. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { RealKubernetes } from "./support/kubernetes";
import { waitUntil } from "./support/lab";
import { withKubernetes } from "./support/possible";

// The demo's page, so that what the demo shows is what the test asks.
const { web } = require("../../scripts/webPage");

/** A user's program with the official client of JavaScript, which takes the file that KUBECONFIG names. */
const listing = `
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
const config = new KubeConfig();
config.loadFromDefault();
const { items } = await config.makeApiClient(CoreV1Api).listNode();
console.log(JSON.stringify(items.map(({ metadata }) => metadata.name).sort()));
`;

withKubernetes("a Kubernetes cluster on real machines", () => {
    let cluster: RealKubernetes;
    const nodes = ["dev-k8s-a", "dev-k8s-worker-0", "dev-k8s-worker-1"];

    beforeAll(async () => {
        cluster = await RealKubernetes.create("10.1.81.0/24", {
            etcd: "a",
            controlPlanes: "a",
            pools: { worker: { count: 2 } },
        });
        const { CLOUDSTACK_LOCAL_HOST: host } = await cluster.cloud.environment();
        cluster.change((args) => ({ ...args, kubernetes: { ...args.kubernetes, nodePortCidrs: [host] } }));
    });
    afterAll(() => cluster?.dispose());

    test("all nodes are Ready; a second run changes nothing", async () => {
        const started = Date.now();
        const { errors, warnings } = await cluster.up();
        console.log(`from pulumi up to ${nodes.length} Ready nodes: ${((Date.now() - started) / 1000).toFixed(1)} s`);
        expect([errors, warnings]).toEqual([[], []]);
        expect(await cluster.ready()).toEqual(nodes);
        await cluster.project.expectNoChanges();
    });

    test("pods on every worker reach each other, through a Service and by its DNS name", async () => {
        await cluster.apply(...web("web", 2, "$(hostname)"));
        await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        const { items: pods } = await cluster.get("pods", "-l", "app=web");
        expect(new Set(pods.map((pod: any) => pod.spec.nodeName))).toEqual(new Set(nodes.slice(1)));
        const page = (from: string, url: string) => cluster.kubectl("exec", from, "--", "wget", "-q", "-O", "-", url);
        for (const from of pods)
            for (const to of pods)
                expect((await page(from.metadata.name, `http://${to.status.podIP}:8080`)).trim()).toBe(
                    to.metadata.name,
                );
        const names = pods.map((pod: any) => pod.metadata.name);
        for (const name of ["web", "web.default.svc.cluster.local"])
            expect(names).toContain((await page(names[0], `http://${name}`)).trim());
    });

    test("logs, exec and port-forward work", async () => {
        const [pod] = (await cluster.get("pods", "-l", "app=web")).items;
        expect(await cluster.kubectl("exec", pod.metadata.name, "--", "id", "-u")).toBe("1000\n");
        await cluster.kubectl("exec", pod.metadata.name, "--", "sh", "-c", "echo said >/proc/1/fd/1");
        expect(await cluster.kubectl("logs", pod.metadata.name)).toContain("said");
        expect(await cluster.throughPortForward(pod.metadata.name, 8080)).toBe(`${pod.metadata.name}\n`);
    });

    test("a NodePort answers where nodePortCidrs opens it, and nowhere else", async () => {
        await cluster.apply({
            apiVersion: "v1",
            kind: "Service",
            metadata: { name: "outside", namespace: "default" },
            spec: {
                type: "NodePort",
                selector: { app: "web" },
                ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }],
            },
        });
        const { items } = await cluster.get("nodes");
        const urls: string[] = items.map(
            ({ status }: any) =>
                `http://${status.addresses.find((one: any) => one.type === "InternalIP").address}:30080/`,
        );
        const fromHere = (url: string) =>
            fetch(url, { signal: AbortSignal.timeout(3_000) }).then((page) => page.text());
        const [controlPlane, ...workers] = urls;
        // kube-proxy of each node learns of the Service a moment later.
        const answers = (url: string) =>
            fromHere(url)
                .then((page) => page.startsWith("web-"))
                .catch(() => false);
        for (const url of workers) await waitUntil(`${url} answers`, () => answers(url), 30);
        await expect(fromHere(controlPlane)).rejects.toThrow(/timeout/);
        for (const url of urls)
            await expect(cluster.cloud.exec("dev-etcd-etcd-a", "curl", "-sS", "-m", "3", url)).rejects.toThrow(
                /timed out/,
            );
    });

    test("the kubeconfig works with the official client of JavaScript", async () => {
        const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", listing], {
            env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
        });
        expect(JSON.parse(stdout)).toEqual(nodes);
    });

    test("is destroyed, and nothing is left in the cloud", async () => {
        await cluster.project.destroy();
        expect(await cluster.cloud.client.list("listVirtualMachines")).toEqual([]);
    });
});
