/**
 * Certificates of minutes instead of years, on real machines: nodes that were off past the expiry come back by themselves, and
 * where only `pulumi up` can help, the machine's journal and the preview say so.
 */
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { issueLeaf } from "../../../provider/certificates/x509";
import { RealKubernetes } from "../support/kubernetes";
import { waitUntil } from "../support/lab";
import { withKubernetes } from "../support/possible";

jest.setTimeout(1_200_000);

const MINUTES = 4;
/** What kube-controller-manager signs, such as kubelets' certificates, is valid for minutes. */
const shortlived = {
    path: "/etc/kubernetes/kubeadm.d/patches/kube-controller-manager0+json.yaml",
    content: `- {op: add, path: /spec/containers/0/command/-, value: "--cluster-signing-duration=${MINUTES}m"}\n`,
};

withKubernetes("nodes whose certificates expire", () => {
    let cluster: RealKubernetes;
    const [plane, worker] = ["dev-k8s-a", "dev-k8s-worker-0"];
    const figures: string[] = [];
    const client = () => cluster.cloud.client;
    const inside = (machine: string, script: string) => cluster.cloud.exec(machine, "bash", "-ec", script);
    const idOf = async (name: string) => (await client().list("listVirtualMachines", { name }))[0].id;
    const current = "/var/lib/kubelet/pki/kubelet-client-current.pem";

    /** When a certificate of a machine expires, in milliseconds since 1970; of a kubeconfig, the client's. */
    async function endOf(machine: string, file: string): Promise<number> {
        const pem = file.endsWith(".conf")
            ? `sed -n 's/^ *client-certificate-data: //p' ${file} | base64 -d`
            : `cat ${file}`;
        return Date.parse(new crypto.X509Certificate(await inside(machine, pem)).validTo);
    }

    async function allReady(): Promise<void> {
        let found: string[] = [];
        await waitUntil(
            "all nodes are Ready",
            async () => {
                found = await cluster.ready().catch((error: Error) => [error.message]);
                return JSON.stringify(found) === JSON.stringify([plane, worker]);
            },
            400,
        ).catch((error: Error) => {
            throw new Error(`${error.message}; the last answer: ${found}`);
        });
    }

    /** Machines are off until the last of these moments has passed. */
    async function offUntil(end: number, ...machines: string[]): Promise<void> {
        for (const machine of machines)
            await client().done("stopVirtualMachine", { id: await idOf(machine), forced: true });
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, end - Date.now()) + 2_000));
        await Promise.all(
            machines.map(async (machine) => client().done("startVirtualMachine", { id: await idOf(machine) })),
        );
    }

    beforeAll(async () => {
        cluster = await RealKubernetes.create("10.1.94.0/24", {
            etcd: "a",
            controlPlanes: "a",
            pools: { worker: { count: 1 } },
        });
        cluster.change(({ etcd, kubernetes, ...rest }) => ({
            ...rest,
            etcd,
            kubernetes: {
                ...kubernetes,
                controlPlane: { ...kubernetes.controlPlane, extraCloudConfig: { writeFiles: [shortlived] } },
            },
        }));
        await cluster.up();
        await allReady();
    });
    afterAll(async () => {
        console.log(figures.join("\n"));
        await cluster?.dispose();
    });

    test("a control plane and a worker that were off past the expiry of all their certificates are Ready again", async () => {
        const soon = () => Date.now() + (MINUTES + 1) * 60_000;
        for (const machine of [plane, worker])
            await waitUntil(
                `kubelet of ${machine} has a certificate of minutes`,
                async () => (await endOf(machine, current).catch(() => Infinity)) < soon(),
                200,
            );
        await inside(
            plane,
            `sed '/^kind: ClusterConfiguration/a certificateValidityPeriod: ${MINUTES}m0s' /etc/kubernetes/kubeadm-init.yaml \\
                >/root/minutes.yaml
            kubeadm certs renew all --config /root/minutes.yaml
            systemctl start cs-certificates.service`,
        );
        const kubeadms = ["pki/apiserver.crt", "pki/apiserver-kubelet-client.crt", "admin.conf", "scheduler.conf"].map(
            (name) => `/etc/kubernetes/${name}`,
        );
        const ends = await Promise.all([
            ...kubeadms.map((file) => endOf(plane, file)),
            ...[plane, worker].map((machine) => endOf(machine, current)),
        ]);
        for (const end of ends) expect(end).toBeLessThan(soon());
        // Long before, the journal has said so.
        const warned = await inside(plane, "journalctl -u cs-certificates -o cat");
        for (const file of kubeadms) expect(warned).toContain(`${file} expires in 0 days`);

        await offUntil(Math.max(...ends), plane, worker);
        const started = Date.now();
        await allReady();
        figures.push(
            `control plane and worker off past all expiries: Ready ${((Date.now() - started) / 1000).toFixed(0)} s after the start`,
        );
        for (const file of kubeadms) expect(await endOf(plane, file)).toBeGreaterThan(Date.now() + 300 * 86_400_000);
        for (const machine of [plane, worker]) expect(await endOf(machine, current)).toBeGreaterThan(Date.now());
        const said = (machine: string) => inside(machine, "journalctl -b -u kubelet -o cat | grep certificate");
        expect(await said(plane)).toContain("this control plane signs a new one");
        expect(await said(worker)).toContain("it uses the first one of this node");
    });

    test("a worker whose first certificate expired as well says what to do, the preview says it, and pulumi up does it", async () => {
        const end = await shorten("k8s-worker-0");
        await cluster.up();
        const given = "/etc/kubernetes/pki/kubelet-client.crt";
        await waitUntil(
            "the worker has the certificate of the program",
            async () => (await endOf(worker, given)) === end,
        );
        await offUntil(Math.max(end, await endOf(worker, current)), worker);
        await waitUntil("the worker says what to do", async () =>
            (await inside(worker, "journalctl -b -u kubelet -o cat")).includes(
                `${given} has expired: run 'pulumi up', which renews it`,
            ),
        );
        await waitUntil("its node is not Ready", async () => !(await cluster.ready()).includes(worker), 120);
        const preview = await cluster.project.preview();
        expect([...preview.infos, ...preview.warnings].join("\n")).toMatch(
            new RegExp(`the certificate system:node:${worker} has expired .*\`pulumi up\` renews it`),
        );
        const started = Date.now();
        await cluster.up();
        await allReady();
        figures.push(
            `worker with no valid certificate: Ready ${((Date.now() - started) / 1000).toFixed(0)} s after pulumi up`,
        );
        expect(await endOf(worker, given)).toBeGreaterThan(Date.now() + 4 * 365 * 86_400_000);
        await cluster.project.expectNoChanges();
    });

    /** Puts a certificate of minutes in the place of one of the stack's. @returns when it expires */
    async function shorten(name: string): Promise<number> {
        const all = await cluster.project.exportResources();
        const find = (type: string, called: string) =>
            all.find((one) => one.urn.endsWith(`:${called}`) && one.urn.includes(type)).outputs;
        const authority = find("CertificateAuthority", "k8s");
        const own = find("Certificate::", name);
        const secret = (value: any) => (typeof value === "string" ? value : JSON.parse(value.plaintext));
        const certificate = await issueLeaf({ ...own, validityDays: MINUTES / 1440 }, secret(own.privateKey), {
            certificate: authority.certificate,
            privateKey: secret(authority.privateKey),
        });
        const { validFrom, validTo } = new crypto.X509Certificate(certificate);
        const [notBefore, notAfter] = [validFrom, validTo].map((text) => new Date(text).toISOString());
        const { stdout } = await cluster.project.run(["stack", "export", "--show-secrets", "--stack", "dev"]);
        const state = JSON.parse(stdout);
        const resource = state.deployment.resources.find(
            ({ urn }: any) => urn.endsWith(`:${name}`) && urn.includes("Certificate::"),
        );
        Object.assign(resource.outputs, { certificate, notBefore, notAfter });
        const file = path.join(cluster.cloud.state, "stack.json");
        fs.writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
        await cluster.project.run(["stack", "import", "--stack", "dev", "--file", file]);
        return Date.parse(notAfter);
    }
});
