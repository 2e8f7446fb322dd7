/** A Kubernetes cluster on real machines keeps what is not theirs from pods, workers and strangers. */
import { createPublicKey } from "node:crypto";
import { inEtcd } from "../support/cluster";
import { ITEMS, look, tableOf } from "../support/cis";
import { RealKubernetes } from "../support/kubernetes";
import {
    anonymously,
    asWorker,
    CONTROL_PLANE,
    ETCD,
    fingerprint,
    inPod,
    MACHINES,
    pod,
    secret,
    WORKERS,
} from "../support/nodes";
import { keysIn } from "../support/findKeys";
import { withKubernetes } from "../support/possible";

withKubernetes("a Kubernetes cluster is closed by default", () => {
    let cluster: RealKubernetes;
    let endpoint: string;
    let ca: string;
    const [worker, other] = WORKERS;

    beforeAll(async () => {
        cluster = await RealKubernetes.make("10.1.84.0/24", {
            etcd: "a",
            controlPlanes: "a",
            pools: { worker: { count: 2 } },
        });
        await cluster.up();
        ({ endpoint, caCertificate: ca } = await cluster.project.outputs());
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
    afterAll(() => cluster?.dispose());

    test("pods can neither read user data nor connect to etcd, from whatever node", async () => {
        const router = (await cluster.cloud.exec(worker, "getent", "hosts", "data-server")).split(/\s/)[0];
        const etcd = `${(await cluster.project.outputs()).etcdAccess.endpoints[0]}`.replace("https://", "");
        for (const name of ["own", "foreign", "above"]) {
            const [connected] = await inPod(cluster, name, "nc -w 3 10.96.0.1 443 </dev/null");
            expect([name, connected]).toEqual([name, "0"]);
            for (const path of ["latest/user-data", "latest/meta-data", "user-data"])
                expect((await inPod(cluster, name, `wget -T 3 -q -O - http://${router}/${path}`))[0]).toBe("1");
            expect((await inPod(cluster, name, "wget -T 3 -q -O - http://169.254.169.254/latest/user-data"))[0]).toBe(
                "1",
            );
            const [toEtcd] = await inPod(cluster, name, `nc -w 3 ${etcd.replace(":", " ")} </dev/null`);
            expect([name, toEtcd]).toEqual([name, "1"]);
        }
        // What is refused there is there: root on the node reads it, and the API server uses etcd.
        const read = `curl -s -o /dev/null -w '%{http_code} %{size_download}' http://${router}/latest/user-data`;
        expect(await cluster.cloud.exec(worker, "sh", "-c", read)).toMatch(/^200 [1-9]\d{3,}/);
        const open = `timeout 3 bash -c '</dev/tcp/${etcd.replace(":", "/")}' && echo open`;
        expect(await cluster.cloud.exec(CONTROL_PLANE, "sh", "-c", open)).toBe("open\n");
    });

    test("Pod Security refuses privileged pods, host networks and host paths outside of kube-system", async () => {
        const spec = (namespace: string, more: object, security: object = {}) => ({
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: "wish", namespace },
            spec: { containers: [{ name: "main", image: "none", securityContext: security }], ...more },
        });
        await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "new" } });
        const volumes = [{ name: "root", hostPath: { path: "/" } }];
        for (const namespace of ["default", "new"]) {
            const refused = (wish: object) =>
                expect(cluster.dryRun(wish)).rejects.toThrow(/violates PodSecurity "baseline:latest"/);
            await refused(spec(namespace, {}, { privileged: true }));
            await refused(spec(namespace, { hostNetwork: true }));
            await refused(spec(namespace, { hostPID: true }));
            await refused(spec(namespace, { volumes }));
            await cluster.dryRun(spec(namespace, {}));
        }
        await cluster.dryRun(spec("kube-system", { hostNetwork: true }, { privileged: true }));
    });

    test("anonymous requests get health endpoints alone, from API servers and from kubelets nothing", async () => {
        const statuses: Record<string, number | undefined> = {};
        const closed = [
            "/",
            "/version",
            "/api",
            "/apis",
            "/openapi/v2",
            "/metrics",
            "/logs",
            "/.well-known/openid-configuration",
        ];
        const objects = ["/api/v1/namespaces/kube-public/configmaps/cluster-info", "/api/v1/nodes", "/api/v1/secrets"];
        for (const path of ["/livez", "/readyz", "/healthz", ...closed, ...objects])
            statuses[path] = await anonymously(endpoint, ca, path);
        expect(Object.keys(statuses).filter((path) => statuses[path] !== 401)).toEqual([
            "/livez",
            "/readyz",
            "/healthz",
        ]);
        expect([statuses["/livez"], statuses["/readyz"], statuses["/healthz"]]).toEqual([200, 200, 200]);
        const paths = "pods metrics logs/ configz healthz runningpods/";
        const ask = `for path in ${paths}; do curl -sk -o /dev/null -w '%{http_code} ' https://${other}:10250/$path; done`;
        expect((await cluster.cloud.exec(CONTROL_PLANE, "sh", "-c", ask)).trim().split(" ")).toEqual(
            paths.split(" ").map(() => "401"),
        );
    });

    test("a worker's credentials read the Secrets of its own pods, and change no other node", async () => {
        const ask = async (method: string, path: string, body?: object) =>
            (await asWorker(cluster, worker, method, path, body)).status;
        const named = (name: string) => `/api/v1/namespaces/default/secrets/${name}`;
        expect(await ask("GET", named("mine"))).toBe(200);
        const label = (key: string) => ({ metadata: { labels: { [key]: "x" } } });
        expect(await ask("PATCH", `/api/v1/nodes/${worker}`, label("example.com/own"))).toBe(200);
        const token = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
        const refused: [method: string, path: string, body?: object][] = [
            ["GET", named("theirs")],
            ["GET", named("free")],
            ["GET", "/api/v1/namespaces/default/secrets"],
            ["GET", "/api/v1/secrets"],
            ["GET", "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"],
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
            ["PATCH", `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${other}`, label("a")],
        ];
        const allowed: string[] = [];
        for (const [method, path, body] of refused)
            if ((await ask(method, path, body)) !== 403)
                allowed.push(`${method} ${path} ${JSON.stringify(body ?? "")}`);
        expect(allowed).toEqual([]);
        await cluster.kubectl("label", "node", worker, "example.com/own-");
    });

    test("no key of an authority is on a worker or an etcd machine, and each has its own keys alone", async () => {
        const resources = await cluster.project.exportResources();
        const signers = resources
            .filter(({ type }) => /:(CertificateAuthority|SigningKeyPair)$/.test(type))
            .map(({ urn, outputs }) => ({
                name: urn.split("::").at(-1) as string,
                public: createPublicKey(JSON.parse(outputs.privateKey.plaintext))
                    .export({ type: "spki", format: "pem" })
                    .toString(),
            }));
        const nameOf = new Map(signers.map((signer) => [fingerprint(signer.public), signer.name]));
        expect([...nameOf.values()].sort()).toEqual([
            "etcd",
            "etcd-peers",
            "k8s",
            "k8s-front-proxy",
            "k8s-service-accounts",
        ]);
        const found: Record<string, string[]> = {};
        for (const machine of MACHINES) {
            const keys = await keysIn(cluster.cloud, machine);
            found[machine] = [...new Set(keys.flatMap((key) => nameOf.get(fingerprint(key.public)) ?? []))].sort();
            // It looks where keys are: each has some.
            expect(keys.filter(({ path }) => path.includes("/pki/")).length).toBeGreaterThan(0);
        }
        expect(found).toEqual({
            [ETCD]: [],
            [CONTROL_PLANE]: ["k8s", "k8s-front-proxy", "k8s-service-accounts"],
            [worker]: [],
            [other]: [],
        });
    });

    test("etcd has Secrets encrypted", async () => {
        const value = "what nobody reads in etcd";
        await cluster.apply(secret("hidden", value), {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "shown", namespace: "default" },
            data: { value },
        });
        const read = (key: string) => inEtcd(cluster.cloud, ETCD, "get", `/registry/${key}`, "--print-value-only");
        expect(await read("secrets/default/hidden")).toMatch(/^k8s:enc:secretbox:v1:key-[0-9a-f]{8}:/);
        expect(await read("secrets/default/hidden")).not.toContain(value);
        expect(await read("configmaps/default/shown")).toContain(value);
        const all = await inEtcd(cluster.cloud, ETCD, "get", "/registry/secrets/", "--prefix", "--print-value-only");
        expect(all).not.toMatch(/what nobody reads|in no pod|PRIVATE KEY/);
    });

    test("the audit log names who asked for what, without the contents of Secrets, and is rotated", async () => {
        const log = "/var/log/kubernetes";
        const value = `audited-${Date.now()}`;
        await cluster.apply(secret("audited", value));
        const inside = (script: string) => cluster.cloud.exec(CONTROL_PLANE, "sh", "-ec", script);
        const events = (await inside(`grep '"name":"audited"' ${log}/audit.log`))
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line));
        expect(
            events.map(({ verb, level, user, responseStatus }) => [verb, level, user.username, responseStatus.code]),
        ).toContainEqual(["create", "Metadata", "dev-k8s-admin", 201]);
        expect(
            await inside(`grep -c '${value}\\|${Buffer.from(value).toString("base64")}' ${log}/audit.log || true`),
        ).toBe("0\n");
        expect(await inside(`stat -c '%a %U' ${log} ${log}/audit.log`)).toBe("700 root\n600 root\n");
        // As after a month of work: a full file, more rotated ones than are kept, and one that is too old.
        const stamp = (days: number, minute: number) =>
            new Date(Date.now() - days * 86_400_000 + minute * 60_000)
                .toISOString()
                .replaceAll(":", "-")
                .replace("Z", "");
        const backups = Array.from({ length: 14 }, (_, minute) => `audit-${stamp(1, minute)}.log`);
        const old = `audit-${stamp(40, 0)}.log`;
        await inside(`cd ${log}; touch ${[...backups, old].join(" ")}; truncate -s 100M audit.log`);
        await inside("kill $(pgrep -xo kube-apiserver)");
        await cluster.eventually("the audit log is rotated", async () => {
            const names = (await inside(`ls ${log}`)).trim().split("\n");
            const rotated = names.filter((name) => name.startsWith("audit-"));
            return !names.includes(old) && rotated.length === 10 && !rotated.includes(backups[0]);
        });
        expect(Number(await inside(`stat -c %s ${log}/audit.log`))).toBeLessThan(20_000_000);
        await cluster.eventually("the API answers", async () => (await cluster.ready()).length === 3);
    });

    test("what the CIS Kubernetes Benchmark 1.12 asks beyond kubeadm's defaults holds", async () => {
        const facts = await look(cluster, endpoint, ca);
        console.log(tableOf(facts));
        const open = ITEMS.filter(({ holds, except }) => holds(facts) !== (except === undefined));
        expect(open.map(({ number, title }) => `${number} ${title}`)).toEqual([]);
    });
});
