/**
 * A Kubernetes cluster on real machines is closed to pods and strangers, writes down who asks for what, and is as the CIS
 * Kubernetes Benchmark requires.
 */
import { ITEMS } from "../support/cis";
import { readFacts } from "../support/cisFacts";
import { inEtcd } from "../support/cluster";
import { RealKubernetes } from "../support/kubernetes";
import { anonymously, CONTROL_PLANE, ETCD, secret, WORKERS } from "../support/nodes";
import { waitUntil } from "../support/lab";
import { withKubernetes } from "../support/possible";
import { Proofs } from "../support/proofs";

withKubernetes("a Kubernetes cluster is closed by default", () => {
    const proofs = new Proofs("a Kubernetes cluster is closed by default");
    const [worker] = WORKERS;
    let cluster: RealKubernetes;
    let endpoint: string;
    let ca: string;

    beforeAll(async () => {
        cluster = await RealKubernetes.create("10.1.84.0/24", {
            etcd: "a",
            controlPlanes: "a",
            pools: { worker: { count: 1 } },
        });
        await cluster.up();
        ({ endpoint, caCertificate: ca } = await cluster.project.outputs());
    });
    afterAll(async () => {
        proofs.print();
        await cluster?.dispose();
    });

    test("Pod Security refuses privileged pods, host networks and host paths outside of kube-system", async () => {
        const spec = (namespace: string, more: object, security: object = {}) => ({
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: "pod", namespace },
            spec: { containers: [{ name: "main", image: "none", securityContext: security }], ...more },
        });
        await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "new" } });
        const volumes = [{ name: "root", hostPath: { path: "/" } }];
        for (const namespace of ["default", "new"]) {
            const refused = (pod: object) =>
                expect(cluster.dryRun(pod)).rejects.toThrow(/violates PodSecurity "baseline:latest"/);
            await refused(spec(namespace, {}, { privileged: true }));
            await refused(spec(namespace, { hostNetwork: true }));
            await refused(spec(namespace, { hostPID: true }));
            await refused(spec(namespace, { volumes }));
            await cluster.dryRun(spec(namespace, {}));
        }
        await cluster.dryRun(spec("kube-system", { hostNetwork: true }, { privileged: true }));
        proofs.add("Pod Security refuses what the baseline standard forbids", "4 pods in 2 namespaces");
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
        const ask = `for path in ${paths}; do curl -sk -o /dev/null -w '%{http_code} ' https://${worker}:10250/$path; done`;
        expect((await cluster.cloud.exec(CONTROL_PLANE, "sh", "-c", ask)).trim().split(" ")).toEqual(
            paths.split(" ").map(() => "401"),
        );
        proofs.add(
            "anonymous requests get health endpoints only",
            `${closed.length + objects.length} paths of the API and ${paths.split(" ").length} of kubelet refused`,
        );
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
        expect(all).not.toMatch(/what nobody reads|PRIVATE KEY/);
        proofs.add("Secrets are encrypted in etcd", "secretbox");
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
        await waitUntil(
            "the audit log is rotated",
            async () => {
                const names = (await inside(`ls ${log}`)).trim().split("\n");
                const rotated = names.filter((name) => name.startsWith("audit-"));
                return !names.includes(old) && rotated.length === 10 && !rotated.includes(backups[0]);
            },
            90,
        );
        expect(Number(await inside(`stat -c %s ${log}/audit.log`))).toBeLessThan(20_000_000);
        await waitUntil(
            "the API answers",
            async () => {
                // It restarts: what fails until then is tried again.
                const ready = await cluster.ready().catch(() => []);
                return ready.length === 2;
            },
            90,
        );
        proofs.add("the audit log is written without contents of Secrets, and rotated", "10 files kept");
    });

    test("the items of the CIS Kubernetes Benchmark 1.12 that kubeadm leaves open are closed", async () => {
        const facts = await readFacts(cluster);
        const wrong: string[] = [];
        for (const { number, title, holds, except } of ITEMS) {
            const isRight = holds(facts) === (except === undefined);
            proofs.add(`CIS ${number.padEnd(6)} ${title}`, isRight ? (except ?? "yes") : "WRONG");
            if (!isRight) wrong.push(`${number} ${title}`);
        }
        expect(wrong).toEqual([]);
    });
});
