import * as fs from "node:fs";
import * as path from "node:path";
import { renderControlPlane } from "../../../../components/kubernetesCluster/render";
import { testWithTools } from "../../../support/tools";
import { Gateway, haste, Machine, standIns } from "./machines";
import { useSandbox } from "./sandbox";
import { controlPlane } from "./specs";

const needed = ["bash", "curl", "flock", "openssl"];
const members = { "demo-a": "10.1.1.21", "demo-b": "10.1.1.22", "demo-c": "10.1.1.23" };

const sandbox = useSandbox();

function machine(nodeName: keyof typeof members, controlPlanes: Record<string, string> = members): Machine {
    const spec = controlPlane({ nodeName }, { controlPlanes });
    // The first endpoint is a member that is down.
    const endpoints = ["http://127.0.0.1:1", sandbox.endpoint];
    return new Machine(
        path.join(sandbox.folder, nodeName),
        renderControlPlane({ ...spec, etcd: { ...spec.etcd, endpoints } }),
        standIns(sandbox.cloud, members[nodeName]),
    );
}

const script = "kubernetes-control-plane";
const events = () =>
    fs.existsSync(path.join(sandbox.cloud, "events"))
        ? fs.readFileSync(path.join(sandbox.cloud, "events"), "utf8").trim().split("\n")
        : [];
const ready = (address: string) => fs.writeFileSync(path.join(sandbox.cloud, `answers-${address}`), "");
const untilTrue = async (condition: () => boolean) => {
    for (let tries = 0; !condition(); tries++) {
        if (tries > 400) throw new Error("it did not happen");
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
};

testWithTools(needed)(
    "of three control planes that start simultaneously, one creates the cluster and the others join",
    async () => {
        const all = [machine("demo-a"), machine("demo-b"), machine("demo-c")];
        const results = await Promise.all(all.map((each) => each.run(script)));
        expect(results.map(({ status }) => status)).toEqual([0, 0, 0]);
        expect(
            events()
                .map((event) => event.split(" ")[0])
                .sort(),
        ).toEqual(["init", "join", "join"]);
        expect(events()[0]).toMatch(/^init/);
        expect(sandbox.gateway.mark("created")).toMatch(/^demo-[abc]$/);
        expect(sandbox.gateway.mark("lock")).toBeUndefined();

        // A second run, as by the timer, changes nothing.
        const before = all.map(({ calls }) => calls);
        for (const each of all) expect(await each.run(script)).toEqual({ status: 0, output: "" });
        expect(all.map(({ calls }) => calls)).toEqual(before);
    },
    30_000,
);

testWithTools(needed)(
    "if the one that creates the cluster fails, another one takes over after its lease has expired",
    async () => {
        const [first, second] = [machine("demo-a"), machine("demo-b")];
        first.write("/slow-kubeadm", "");
        const dying = first.start(script);
        await untilTrue(() => sandbox.gateway.mark("lock") === "demo-a" && first.calls.length > 0);
        const waiting = second.start(script);
        // Its lease is kept while it lives, however long it takes.
        await new Promise((resolve) => setTimeout(resolve, (90 * 1000) / haste));
        expect(sandbox.gateway.mark("lock")).toBe("demo-a");
        dying.kill();
        await dying.ended;
        expect((await waiting.ended).status).toBe(0);
        expect(events()).toEqual(["init 10.1.1.22"]);
        expect(sandbox.gateway.mark("created")).toBe("demo-b");

        // What comes back starts from a clean machine and joins.
        fs.rmSync(first.path("/slow-kubeadm"));
        expect((await first.run(script)).status).toBe(0);
        expect(events()).toEqual(["init 10.1.1.22", "join 10.1.1.21"]);
        expect(first.calls).toContain(`kubeadm reset --force --cert-dir ${first.path("/var/lib/kubernetes/none")}`);
    },
    30_000,
);

testWithTools(needed)(
    "a retry after a failure resets the machine, reacquires its lock and keeps the given keys",
    async () => {
        const only = machine("demo-a");
        only.write("/fail-kubeadm", "");
        expect((await only.run(script)).status).toBe(1);
        sandbox.gateway.setMark("lock", "demo-a"); // as if it had been killed before it could let go
        expect((await only.run(script)).status).toBe(0);
        const verbs = only.calls
            .filter((call) => call.startsWith("kubeadm"))
            .map((call) => call.split(" ").slice(1, 3).join(" "));
        expect(verbs).toEqual(["init --config", "reset --force", "init --config"]);
        expect(only.read("/etc/kubernetes/pki/ca.key")).toContain("PRIVATE KEY");
    },
    30_000,
);

testWithTools(needed)(
    "a replaced machine joins, even if its predecessor created the cluster",
    async () => {
        sandbox.gateway.setMark("created", "demo-a");
        ready("10.1.1.22");
        const replaced = machine("demo-a");
        fs.writeFileSync(path.join(sandbox.cloud, "nodes"), "node/demo-a\n");
        expect((await replaced.run(script)).status).toBe(0);
        expect(events()).toEqual(["join 10.1.1.21"]);
        // With credentials that it signs itself, before it asks anything.
        expect(replaced.calls[0]).toMatch(/^kubeadm init phase kubeconfig admin /);
        expect(replaced.calls.join("\n")).not.toContain("upload-config");
        // Its node still looks Ready, with which kubeadm would refuse to join.
        const verbs = replaced.calls.map((call) => call.split(" ").slice(0, 3).join(" "));
        expect(verbs.indexOf("kubectl patch node")).toBeGreaterThan(0);
        expect(verbs.indexOf("kubectl patch node")).toBeLessThan(verbs.indexOf("kubeadm join --config"));
    },
    30_000,
);

testWithTools(needed)(
    "the first control plane of a newer version updates the cluster's version before it joins",
    async () => {
        sandbox.gateway.setMark("created", "demo-b");
        ready("10.1.1.22");
        fs.writeFileSync(path.join(sandbox.cloud, "version"), "v1.35.8");
        const upgraded = machine("demo-a");
        expect((await upgraded.run(script)).status).toBe(0);
        const order = upgraded.calls.map(
            (call) => /kubeconfig admin|get configmap|upload-config all|join/.exec(call)?.[0],
        );
        expect(order.filter((verb) => verb !== undefined)).toEqual([
            "kubeconfig admin",
            "get configmap",
            "upload-config all",
            "join",
        ]);
        // By default kubeadm asks this machine's own API server, which does not run yet.
        expect(upgraded.calls).toContainEqual(
            expect.stringMatching(/upload-config all .*--kubeconfig (?!\/etc\/kubernetes\/admin\.conf)/),
        );
    },
    30_000,
);

testWithTools(needed)(
    "a single control plane, when reinstalled, starts with the data in etcd",
    async () => {
        sandbox.gateway.setMark("created", "demo-a");
        const only = machine("demo-a", { "demo-a": "10.1.1.21" });
        expect((await only.run(script)).status).toBe(0);
        expect(events()).toEqual(["init 10.1.1.21"]);
    },
    30_000,
);

testWithTools(needed)(
    "if all control planes are lost, one starts after a timeout and the others join it",
    async () => {
        sandbox.gateway.setMark("created", "demo-a");
        const all = [machine("demo-a"), machine("demo-b")];
        const results = await Promise.all(all.map((each) => each.run(script, { LOST_SECONDS: "2" })));
        expect(results.map(({ status }) => status)).toEqual([0, 0]);
        expect(events().map((event) => event.split(" ")[0])).toEqual(["init", "join"]);
    },
    30_000,
);

testWithTools(needed)(
    "it waits while the others do not answer for a short time only",
    async () => {
        sandbox.gateway.setMark("created", "demo-a");
        const patient = machine("demo-a");
        const run = patient.start(script, { LOST_SECONDS: "60" });
        await new Promise((resolve) => setTimeout(resolve, 1500));
        expect(patient.calls).toEqual([]);
        ready("10.1.1.23");
        expect((await run.ended).status).toBe(0);
        expect(events()).toEqual(["join 10.1.1.21"]);
    },
    30_000,
);

testWithTools(needed)(
    "without etcd it fails with a clear message, and systemd retries",
    async () => {
        sandbox.gateway.close();
        const { status, output } = await machine("demo-a").run(script);
        expect(status).toBe(1);
        expect(output).toContain(`no member of etcd answers: http://127.0.0.1:1,${sandbox.endpoint}`);
        sandbox.gateway = new Gateway();
        await sandbox.gateway.listen();
    },
    30_000,
);

testWithTools(needed)(
    "changed settings are applied once, under the lock",
    async () => {
        ready("10.1.1.22");
        sandbox.gateway.setMark("created", "demo-b");
        const changing = machine("demo-a");
        expect((await changing.run(script)).status).toBe(0);
        const joined = changing.calls.length;
        changing.write("/etc/kubernetes/manifests/kube-apiserver.yaml", "pod");
        changing.write("/etc/kubernetes/pki/apiserver.crt", "old");
        changing.write("/etc/kubernetes/pki/apiserver.key", "old");
        changing.write("/etc/kubernetes/conf/audit-policy.yaml", "another");
        sandbox.gateway.setMark("lock", "demo-b");
        const run = changing.start(script);
        await new Promise((resolve) => setTimeout(resolve, 500));
        expect(changing.calls).toHaveLength(joined);
        sandbox.gateway.values.clear();
        expect((await run.ended).status).toBe(0);
        const init = changing.path("/etc/kubernetes/kubeadm-init.yaml");
        expect(changing.calls.slice(joined)).toEqual([
            `kubeadm init phase certs apiserver --config ${init}`,
            `kubeadm init phase control-plane all --config ${init}`,
        ]);
        expect(changing.read("/etc/kubernetes/pki/apiserver.crt")).toBe("");
        expect(changing.read("/etc/kubernetes/manifests/kube-apiserver.yaml")).toBe("pod");
        expect(await changing.run(script)).toEqual({ status: 0, output: "" });
    },
    30_000,
);

testWithTools(needed)(
    "preflight checks listed on this machine are ignored",
    async () => {
        const only = machine("demo-a");
        only.write("/etc/kubernetes/kubeadm.d/container.ignore", "SystemVerification\nSwap\n");
        expect((await only.run(script)).status).toBe(0);
        expect(only.calls.find((call) => call.includes("--skip-token-print"))).toContain(
            "--ignore-preflight-errors=SystemVerification,Swap",
        );
    },
    30_000,
);

testWithTools(needed)(
    "if changed settings cannot be applied, the API server is not changed",
    async () => {
        ready("10.1.1.22");
        sandbox.gateway.setMark("created", "demo-b");
        const changing = machine("demo-a");
        expect((await changing.run(script)).status).toBe(0);
        changing.write("/etc/kubernetes/manifests/kube-apiserver.yaml", "pod");
        changing.write("/etc/kubernetes/pki/apiserver.crt", "old");
        changing.write("/etc/kubernetes/pki/apiserver.key", "old");
        changing.write("/etc/kubernetes/conf/audit-policy.yaml", "another");
        changing.write("/fail-kubeadm", "");
        expect((await changing.run(script)).status).toBe(1);
        expect(changing.read("/etc/kubernetes/pki/apiserver.crt")).toBe("old");
        expect(changing.read("/etc/kubernetes/manifests/kube-apiserver.yaml")).toBe("pod");
        expect(sandbox.gateway.mark("lock")).toBeUndefined();
        expect((await changing.run(script)).status).toBe(0);
    },
    30_000,
);

testWithTools(needed)(
    "files of a newer version are not applied before the machine is reinstalled",
    async () => {
        ready("10.1.1.22");
        sandbox.gateway.setMark("created", "demo-b");
        const old = machine("demo-a");
        expect((await old.run(script)).status).toBe(0);
        const before = old.calls;
        fs.writeFileSync(path.join(sandbox.cloud, "kubeadm"), "v1.35.8");
        old.write("/etc/kubernetes/kubeadm-init.yaml", "of another version");
        const { status, output } = await old.run(script);
        expect([status, output.trim()]).toEqual([0, "this machine has v1.35.8 and must be reinstalled for v1.36.4"]);
        expect(old.calls).toEqual(before);
    },
    30_000,
);
