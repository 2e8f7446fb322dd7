/** Who reaches what of a Kubernetes cluster on real machines, and what the credentials of a worker are good for. */
import { createPublicKey } from "node:crypto";
import { keysIn } from "../support/findKeys";
import { RealKubernetes } from "../support/kubernetes";
import { waitUntil } from "../support/lab";
import {
    addressOf,
    asWorker,
    type CertificateRequest,
    CONTROL_PLANE,
    ETCD,
    inPod,
    pod,
    requestCertificate,
    secret,
    WORKERS,
} from "../support/nodes";
import { arrivals, documentedPorts, recordArrivals, sendToPorts } from "../support/openPorts";
import { withKubernetes } from "../support/possible";
import { Proofs } from "../support/proofs";

const { web } = require("../../../scripts/webPage");

const MACHINES = [ETCD, CONTROL_PLANE, ...WORKERS];
const NODES = [CONTROL_PLANE, ...WORKERS];
/** Machines of the account's default group. The first has the address that `nodePortCidrs` names. */
const [CLIENT, STRANGER] = ["client", "stranger"];
const CLIENT_ADDRESS = "10.1.85.99";
/** Who sends packets: what the documented table calls it in its column "from". `host` is this computer. */
const SENDERS: Record<string, string> = {
    [ETCD]: "etcd",
    [CONTROL_PLANE]: "controlPlane",
    [WORKERS[0]]: "workers",
    [WORKERS[1]]: "workers",
    [CLIENT]: "`nodePortCidrs`",
    [STRANGER]: "nobody",
    host: "`operatorCidrs`",
};
/** The ports of the table and those next to them, and ports on which programs of a node listen or may listen. */
const PORTS = [
    ...[1, 22, 53, 80, 111, 443, 2049, 2378, 2379, 2380, 2381, 2382, 4240, 5355, 5473, 6442, 6443, 6444, 7443, 8080],
    ...[8081, 8285, 8443, 8471, 8472, 8473, 9099, 9100, 9101, 9345, 10_248, 10_249, 10_250, 10_251, 10_252, 10_255],
    ...[10_256, 10_257, 10_259, 29_999, 30_000, 30_080, 31_234, 32_767, 32_768, 51_819, 51_820, 51_821, 65_535],
];

withKubernetes("access to a Kubernetes cluster", () => {
    const proofs = new Proofs("access to a Kubernetes cluster");
    const [worker, other] = WORKERS;
    let cluster: RealKubernetes;
    let addresses: Record<string, string>;

    beforeAll(async () => {
        const size = { etcd: "a", controlPlanes: "a", pools: { worker: { count: 2 } } };
        const kubernetes = { nodePortCidrs: [`${CLIENT_ADDRESS}/32`] };
        cluster = await RealKubernetes.create("10.1.85.0/24", size, { kubernetes });
        await cluster.up();
        const host = (await cluster.cloud.environment()).CLOUDSTACK_LOCAL_HOST.replace("/32", "");
        addresses = { host, [ETCD]: "10.1.85.11", ...(await cluster.project.outputs()).nodes };
        addresses[CLIENT] = await cluster.cloud.deploy(CLIENT, CLIENT_ADDRESS);
        addresses[STRANGER] = await cluster.cloud.deploy(STRANGER);
        await cluster.apply(
            secret("mine", "in a pod of the worker"),
            secret("theirs", "in a pod of the other worker"),
            secret("free", "in no pod"),
            pod("own", worker, "mine"),
            pod("foreign", other, "theirs"),
            pod("above", CONTROL_PLANE),
        );
        await cluster.kubectl("wait", "--for=condition=Ready", "pods", "--all", "--timeout=120s");
    });
    afterAll(async () => {
        proofs.print();
        await cluster?.dispose();
    });

    test("every port of the documented table is open to those that it names, and no other to anybody", async () => {
        await recordArrivals(cluster.cloud, MACHINES);
        for (const from of Object.keys(SENDERS)) {
            const targets = MACHINES.filter((machine) => machine !== from).map((machine) => addresses[machine]);
            await sendToPorts(cluster.cloud, from, targets, PORTS);
        }
        const found: Record<string, string[]> = {};
        const documented: typeof found = {};
        for (const to of MACHINES) {
            const arrived = await arrivals(cluster.cloud, to);
            for (const [from, source] of Object.entries(SENDERS)) {
                if (from === to) continue;
                const tried = (line: string) => PORTS.includes(Number(line.split(" ")[1]));
                found[`${from} to ${to}`] = (arrived[addresses[from]] ?? []).filter(tried).sort();
                documented[`${from} to ${to}`] = documentedPorts(SENDERS[to], source, PORTS);
            }
        }
        expect(found).toEqual(documented);
        const pairs = Object.values(found);
        const open = pairs.flat().length;
        proofs.add(
            "open ports equal the documented table",
            `${open} open, ${pairs.length * PORTS.length * 2 - open} closed, in ${pairs.length} directions`,
        );
    });

    test("all ports on which programs of a machine listen have been tried", async () => {
        const untried: Record<string, number[]> = {};
        for (const machine of MACHINES) {
            const lines = (await cluster.cloud.exec(machine, "ss", "-lntuH")).trim().split("\n");
            const open = lines.map((line) => line.split(/\s+/)[4]).filter((at) => !/^(127\.|\[::1\])/.test(at));
            const ports = open.map((at) => Number(at.slice(at.lastIndexOf(":") + 1)));
            // Those of DHCP clients.
            untried[machine] = ports.filter((port) => ![68, 546, ...PORTS].includes(port));
        }
        expect(untried).toEqual(Object.fromEntries(MACHINES.map((machine) => [machine, []])));
    });

    test("a NodePort answers the networks of nodePortCidrs, and nobody else", async () => {
        const [deployment, service] = web("web", 2, "$(hostname)");
        const ports = [{ port: 80, targetPort: 8080, nodePort: 30_080 }];
        await cluster.apply(deployment, { ...service, spec: { ...service.spec, type: "NodePort", ports } });
        await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        const get = (machine: string) => ["curl", "-s", "-m", "4", `http://${addresses[machine]}:30080/`];
        const page = (from: string, to: string) => cluster.cloud.exec(from, ...get(to)).catch(() => "nothing");
        await waitUntil("the page is served", async () => /^web-/.test(await page(CLIENT, worker)));
        for (const to of WORKERS) expect(await page(CLIENT, to)).toMatch(/^web-/);
        expect(await page(CLIENT, CONTROL_PLANE)).toBe("nothing");
        const others = [STRANGER, ETCD, CONTROL_PLANE, other];
        for (const from of others) expect([from, await page(from, worker)]).toEqual([from, "nothing"]);
        const outside = fetch(`http://${addresses[worker]}:30080/`, { signal: AbortSignal.timeout(4000) });
        await expect(outside).rejects.toThrow();
        proofs.add("a NodePort is closed except to nodePortCidrs", `1 client served, ${others.length + 1} refused`);
    });

    test("pods can neither read user data nor connect to etcd, on any node", async () => {
        const router = (await cluster.cloud.exec(worker, "getent", "hosts", "data-server")).split(/\s/)[0];
        const etcd = `${addresses[ETCD]} 2379`;
        const urls = [
            ...["latest/user-data", "latest/meta-data", "user-data"].map((path) => `http://${router}/${path}`),
            "http://169.254.169.254/latest/user-data",
        ];
        for (const name of ["own", "foreign", "above"]) {
            // The API server, to show that its connections succeed.
            expect([name, await inPod(cluster, name, "nc -w 3 10.96.0.1 443 </dev/null")]).toEqual([name, 0]);
            for (const url of urls)
                expect([name, url, await inPod(cluster, name, `wget -T 3 -q -O - ${url}`)]).toEqual([name, url, 1]);
            expect([name, await inPod(cluster, name, `nc -w 3 ${etcd} </dev/null`)]).toEqual([name, 1]);
        }
        // Root on the node reads it, and the API server uses etcd.
        const read = `curl -s -o /dev/null -w '%{http_code} %{size_download}' http://${router}/latest/user-data`;
        expect(await cluster.cloud.exec(worker, "sh", "-c", read)).toMatch(/^200 [1-9]\d{3,}/);
        const open = `timeout 3 bash -c '</dev/tcp/${etcd.replace(" ", "/")}' && echo open`;
        expect(await cluster.cloud.exec(CONTROL_PLANE, "sh", "-c", open)).toBe("open\n");
        proofs.add("pods cannot read user data or connect to etcd", `3 pods on 3 nodes, ${urls.length} URLs`);
    });

    test("the credentials of a worker read the Secrets of its own pods, and change no other node", async () => {
        const named = (name: string) => `/api/v1/namespaces/default/secrets/${name}`;
        expect(await asWorker(cluster, worker, "GET", named("mine"))).toBe(200);
        const label = (key: string) => ({ metadata: { labels: { [key]: "x" } } });
        expect(await asWorker(cluster, worker, "PATCH", `/api/v1/nodes/${worker}`, label("example.com/own"))).toBe(200);
        const token = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
        const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
        const refused: [method: string, path: string, body?: object][] = [
            ["GET", named("theirs")],
            ["GET", named("free")],
            ["GET", "/api/v1/namespaces/default/secrets"],
            ["GET", "/api/v1/secrets"],
            ["GET", "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"],
            ["GET", `/api/v1/nodes/${other}`],
            ["GET", "/api/v1/pods"],
            ["PATCH", `/api/v1/nodes/${other}`, label("example.com/foreign")],
            ["PATCH", `/api/v1/nodes/${other}/status`, { status: {} }],
            ["PATCH", `/api/v1/nodes/${worker}`, label("node-restriction.kubernetes.io/trusted")],
            ["PATCH", `/api/v1/nodes/${worker}`, label("node-role.kubernetes.io/control-plane")],
            ["PATCH", `/api/v1/nodes/${worker}`, { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } }],
            ["DELETE", `/api/v1/nodes/${worker}`],
            ["DELETE", `/api/v1/nodes/${other}`],
            ["DELETE", "/api/v1/namespaces/default/pods/foreign"],
            ["POST", "/api/v1/namespaces/default/pods", pod("planted", other)],
            ["POST", "/api/v1/namespaces/default/pods", pod("planted", worker, "theirs")],
            ["POST", "/api/v1/namespaces/kube-system/serviceaccounts/node-controller/token", token],
            ["GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles"],
            ["PATCH", `${leases}/${other}`, label("a")],
        ];
        const accepted: string[] = [];
        for (const [method, path, body] of refused) {
            const status = await asWorker(cluster, worker, method, path, body);
            if (status !== 403) accepted.push(`${status} ${method} ${path} ${JSON.stringify(body ?? "")}`);
        }
        expect(accepted).toEqual([]);
        await cluster.kubectl("label", "node", worker, "example.com/own-");
        proofs.add("a worker's credentials get only what NodeRestriction allows", `${refused.length} requests refused`);
    });

    test("no key of an authority is on a worker or on an etcd machine", async () => {
        const pem = (key: ReturnType<typeof createPublicKey>) => key.export({ type: "spki", format: "pem" }).toString();
        const authorities = (await cluster.project.exportResources())
            .filter(({ type }) => /:(CertificateAuthority|SigningKeyPair)$/.test(type))
            .map(({ urn, outputs }) => ({
                name: urn.split("::").at(-1) as string,
                public: pem(createPublicKey(JSON.parse(outputs.privateKey.plaintext))),
            }));
        const onControlPlane = ["k8s", "k8s-front-proxy", "k8s-service-accounts"];
        expect(authorities.map(({ name }) => name).sort()).toEqual(["etcd-clients", "etcd-peers", ...onControlPlane]);
        const found: Record<string, string[]> = {};
        let all = 0;
        for (const machine of MACHINES) {
            const keys = await keysIn(cluster.cloud, machine);
            const has = (key: string) => keys.some((one) => pem(createPublicKey(one.public)) === key);
            found[machine] = authorities.filter((one) => has(one.public)).map(({ name }) => name);
            // The search finds the keys that must be there.
            expect(keys.filter(({ path }) => path.includes("/pki/")).length).toBeGreaterThan(0);
            all += keys.length;
        }
        expect(found[CONTROL_PLANE].sort()).toEqual(onControlPlane);
        expect({ ...found, [CONTROL_PLANE]: [] }).toEqual(Object.fromEntries(MACHINES.map((machine) => [machine, []])));
        proofs.add(
            "no authority's key on workers and etcd machines",
            `${all} keys found on ${MACHINES.length} machines`,
        );
    });

    test("API servers accept only kubelets with a certificate of the cluster", async () => {
        for (const name of NODES) {
            const at = await addressOf(cluster, name);
            const verify = `openssl s_client -connect ${at}:10250 -CAfile /etc/kubernetes/pki/ca.crt -verify_return_error -verify_hostname ${name} </dev/null 2>&1 | grep Verif`;
            const result = await cluster.cloud.exec(CONTROL_PLANE, "sh", "-c", verify);
            expect([name, result]).toEqual([name, expect.stringContaining("Verification: OK")]);
        }
        const inside = (script: string) => cluster.cloud.exec(other, "sh", "-ec", script);
        const file = "/etc/kubernetes/kubelet.conf.d/99-own.conf";
        const address = await addressOf(cluster, other);
        const own = [
            "apiVersion: kubelet.config.k8s.io/v1beta1",
            "kind: KubeletConfiguration",
            "serverTLSBootstrap: false",
            "tlsCertFile: /root/own.crt",
            "tlsPrivateKeyFile: /root/own.key",
        ].join("\n");
        await inside(
            `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=${other} \
                -addext subjectAltName=DNS:${other},IP:${address} -keyout /root/own.key -out /root/own.crt 2>/dev/null
            echo '${own}' >${file}; systemctl restart kubelet`,
        );
        const logs = () => cluster.kubectl("logs", "foreign").catch((error: Error) => error.message);
        const unknown = /x509: certificate signed by unknown authority/;
        await waitUntil("an unknown certificate is refused", async () => unknown.test(await logs()), 90);
        await inside(`rm ${file} /root/own.*; systemctl restart kubelet`);
        await waitUntil("kubelet's own certificate is accepted", async () => (await logs()) === "", 90);
        proofs.add(
            "kubelets' serving certificates are signed by the cluster",
            `${NODES.length} nodes, 1 other refused`,
        );
    });

    test("certificates that a worker may not have are not issued to it", async () => {
        const address = await addressOf(cluster, worker);
        const names = `DNS:${worker},IP:${address}`;
        const subject = `/O=system:nodes/CN=system:node:${worker}`;
        const foreign = `/O=system:nodes/CN=system:node:${other}`;
        const serving = { subject, names, signer: "kubelet-serving", usages: ["digital signature", "server auth"] };
        const usages = ["digital signature", "client auth"];
        const client = { subject, signer: "kube-apiserver-client-kubelet", usages };
        const administrator = { signer: "kube-apiserver-client", usages };
        const bad: Record<string, object> = {
            "another-name": { ...serving, names: `DNS:${other},IP:${address}` },
            "another-address": { ...serving, names: `DNS:${worker},IP:${await addressOf(cluster, other)}` },
            "one-name-more": { ...serving, names: `${names},DNS:kubernetes.default.svc` },
            "one-address-more": { ...serving, names: `${names},IP:10.96.0.1` },
            loopback: { ...serving, names: `${names},IP:127.0.0.1` },
            mail: { ...serving, names: `${names},email:root@example.com` },
            "another-subject": { ...serving, subject: foreign },
            "client-of-serving": { ...serving, usages: [...serving.usages, "client auth"] },
            "another-client": { ...client, subject: foreign },
            "client-that-serves": { ...client, usages: [...usages, "server auth"] },
            administrator: { ...administrator, subject: "/O=kubeadm:cluster-admins/CN=x" },
            masters: { ...administrator, subject: "/O=system:masters/CN=x" },
        };
        const send = (name: string, request: object) =>
            requestCertificate(cluster, worker, name, request as CertificateRequest);
        const refused: string[] = [];
        for (const [name, request] of Object.entries(bad)) if ((await send(name, request)) !== 201) refused.push(name);
        // The API itself refuses these; all others exist, and could be approved.
        expect(refused).toEqual(["another-subject", "another-client", "masters"]);
        expect(await send("good", serving)).toBe(201);
        const isIssued = async () => (await cluster.get("csr", "good")).status.certificate !== undefined;
        await waitUntil("the right one is issued", isIssued, 90);
        await cluster.cloud.exec(CONTROL_PLANE, "systemctl", "start", "kubernetes-approve");
        const { items } = await cluster.get("csr");
        const ours = items.filter(({ metadata }: any) => metadata.name in bad);
        const named = (found: any[]) => found.map(({ metadata }) => metadata.name);
        expect(named(ours.filter(({ status }: any) => status?.certificate !== undefined))).toEqual([]);
        const isApproved = ({ status }: any) => status?.conditions?.some(({ type }: any) => type === "Approved");
        // Usages are the signer's matter: it refuses this one.
        expect(named(ours.filter(isApproved))).toEqual(["client-of-serving"]);
        proofs.add(
            "certificates that a worker may not have are not issued",
            `${refused.length} refused by the API, ${ours.length} not issued`,
        );
    });
});
