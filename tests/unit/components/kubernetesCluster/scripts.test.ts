import * as fs from "node:fs";
import * as path from "node:path";
import { renderControlPlane, renderWorker } from "../../../../components/kubernetesCluster/render";
import { NEW_EC_KEY, expectSuccess, runTool, testWithTools } from "../../../support/tools";
import { Machine, standIns } from "./machines";
import { useSandbox } from "./sandbox";
import { controlPlane, worker } from "./specs";

const sandbox = useSandbox();

const say = (name: string, lines: readonly string[]) =>
    fs.writeFileSync(path.join(sandbox.cloud, name), lines.map((line) => `${line}\n`).join(""));

function machine(nodeName = "demo-a"): Machine {
    const spec = controlPlane({ nodeName });
    const made = new Machine(
        path.join(sandbox.folder, nodeName),
        renderControlPlane({ ...spec, etcd: { ...spec.etcd, endpoints: [sandbox.endpoint] } }),
        standIns(sandbox.cloud, spec.cluster.controlPlanes[nodeName]),
    );
    made.write("/etc/kubernetes/admin.conf", "");
    made.write("/var/lib/kubernetes/joined", "");
    return made;
}

describe("serving certificates", () => {
    const tools = ["bash", "openssl", "awk"];

    beforeEach(() => {
        say("addresses", [
            "demo-a 10.1.1.21",
            "demo-w-0 10.1.1.41",
            "demo-w-1 10.1.1.42 10.1.1.43",
            "demo-w-2 10.1.1.44",
        ]);
        say("names", ["demo-a 127.0.1.1", "demo-w-0 10.1.1.41", "demo-w-1 10.1.1.42"]);
    });

    /** A line of `kubectl get csr` for a request with these names and addresses. */
    function request(name: string, node: string, sans: string, user = `system:node:${node}`): string {
        const pem = path.join(sandbox.folder, `${name}.pem`);
        const made = runTool("openssl", [
            "req",
            "-new",
            ...NEW_EC_KEY,
            "-keyout",
            `${pem}.key`,
            "-out",
            pem,
            "-subj",
            `/O=system:nodes/CN=system:node:${node}`,
            ...(sans === "" ? [] : ["-addext", `subjectAltName=${sans}`]),
        ]);
        expectSuccess(made);
        return `${name} ${user} ${fs.readFileSync(pem).toString("base64")}`;
    }

    async function approved(...requests: string[]): Promise<{ names: string[]; output: string }> {
        say("requests", requests);
        const approver = machine();
        const { status, output } = await approver.run("kubernetes-approve");
        expect(status).toBe(0);
        const names = approver.calls
            .filter((call) => call.includes("certificate approve"))
            .map((call) => call.split(" ")[3]);
        return { names, output };
    }

    testWithTools(tools)("requests for the node's own name and addresses are approved", async () => {
        const { names } = await approved(
            request("control-plane", "demo-a", "DNS:demo-a,IP:10.1.1.21"),
            request("worker", "demo-w-0", "DNS:demo-w-0,IP:10.1.1.41"),
        );
        expect(names).toEqual(["control-plane", "worker"]);
    });

    testWithTools(tools)("requests for other names and addresses are not", async () => {
        const { names, output } = await approved(
            request("name", "demo-w-0", "DNS:demo-w-1,IP:10.1.1.41"),
            request("wildcard", "demo-w-0", "DNS:*,IP:10.1.1.41"),
            request("service", "demo-w-0", "DNS:demo-w-0,DNS:kubernetes.default,IP:10.1.1.41"),
            request("mail", "demo-w-0", "DNS:demo-w-0,email:a@example.org"),
            request("address", "demo-w-0", "DNS:demo-w-0,IP:10.1.1.42"),
            request("unknown", "demo-w-0", "DNS:demo-w-0,IP:10.9.9.9"),
            // On its Node object, but the network says otherwise; then: the network has never heard of it.
            request("claimed", "demo-w-1", "DNS:demo-w-1,IP:10.1.1.43"),
            request("nameless", "demo-w-2", "DNS:demo-w-2,IP:10.1.1.44"),
            request("bare", "demo-w-0", ""),
            request("user", "demo-w-0", "DNS:demo-w-0,IP:10.1.1.41", "system:serviceaccount:default:x"),
        );
        expect(names).toEqual([]);
        expect(output).toContain("address of demo-w-0 is not approved: 10.1.1.42 is not an address of this node alone");
        expect(output).toContain(
            "claimed of demo-w-1 is not approved: 10.1.1.43 is not an address of this node in the network",
        );
        expect(output).toContain("user: system:serviceaccount:default:x is not a node");
        expect(output.trim().split("\n")).toHaveLength(10);
    });

    testWithTools(tools)("names after a line break are not overlooked", async () => {
        /** Names in DER: what the text of a request shows is not what it holds. */
        const der = (...names: [tag: number, content: Buffer][]) => {
            const parts = names.map(([tag, content]) => Buffer.concat([Buffer.from([tag, content.length]), content]));
            const all = Buffer.concat(parts);
            return `DER:${Buffer.concat([Buffer.from([0x30, all.length]), all]).toString("hex")}`;
        };
        const name = (text: string): [number, Buffer] => [0x82, Buffer.from(text)];
        const victim: [number, Buffer] = [0x87, Buffer.from([10, 1, 1, 42])];
        const own: [number, Buffer] = [0x87, Buffer.from([10, 1, 1, 41])];
        const { names } = await approved(
            request("honest", "demo-w-0", der(name("demo-w-0"), own)),
            request("after", "demo-w-0", der(name("demo-w-0\n"), victim)),
            request("between", "demo-w-0", der(name("demo-w-0\n    Signature Algorithm: a\n    aa:bb\n"), victim)),
            request("comma", "demo-w-0", der(name("demo-w-0, IP Address:10.1.1.41\n"), victim)),
        );
        expect(names).toEqual(["honest"]);
    });

    testWithTools(tools)("an address that two nodes claim is not approved", async () => {
        say("addresses", ["demo-w-0 10.1.1.41", "demo-w-1 10.1.1.41"]);
        expect((await approved(request("one", "demo-w-0", "DNS:demo-w-0,IP:10.1.1.41"))).names).toEqual([]);
    });
});

describe("cluster-wide objects", () => {
    const tools = ["bash", "curl", "flock"];
    const addons = "kubernetes-addons";

    beforeEach(() => {
        say("versions", ["v1.36.4", "v1.36.4", "v1.36.4"]);
        say("nodes", ["demo-a ", "demo-batch-x ", "demo-general-0 ", "stranger "]);
    });

    testWithTools(tools)("the first control plane applies them, and only once", async () => {
        const first = machine();
        expect((await first.run(addons)).status).toBe(0);
        const init = first.path("/etc/kubernetes/kubeadm-init.yaml");
        expect(first.calls.slice(1)).toEqual([
            "kubectl label --overwrite node demo-batch-x example.org/disk=ssd",
            "kubectl label --overwrite node demo-batch-x node-role.kubernetes.io/batch=",
            "kubectl taint --overwrite node demo-batch-x dedicated=batch:NoSchedule",
            "kubectl annotate --overwrite node demo-batch-x pulumi-cloudstack/pool=example.org/disk=ssd,node-role.kubernetes.io/batch= dedicated=batch:NoSchedule",
            expect.stringMatching(/^kubectl get nodes -l node-role/),
            `kubeadm init phase upload-config all --config ${init}`,
            `kubeadm init phase addon all --config ${init}`,
            `kubectl apply --server-side --force-conflicts --field-manager=pulumi-cloudstack -f ${first.path("/etc/kubernetes/addons/flannel.yaml")}`,
        ]);
        say("nodes", ["demo-batch-x example.org/disk=ssd,node-role.kubernetes.io/batch= dedicated=batch:NoSchedule"]);
        const before = first.calls.length;
        expect((await first.run(addons)).status).toBe(0);
        expect(first.calls.slice(before)).toEqual([expect.stringMatching(/^kubectl get nodes/)]);
    });

    testWithTools(tools)(
        "labels and taints removed from the program are removed from the node, those of other origin are kept",
        async () => {
            say("nodes", [
                "demo-batch-x example.org/old=1,example.org/disk=hdd gone=yes:NoExecute,dedicated=batch:NoSchedule",
            ]);
            const first = machine();
            expect((await first.run(addons)).status).toBe(0);
            const changes = first.calls
                .filter((call) => / (label|taint) /.test(call))
                .map((call) => call.replace("kubectl ", ""));
            expect(changes).toEqual([
                "label node demo-batch-x example.org/old-",
                "label node demo-batch-x example.org/disk-",
                "taint node demo-batch-x gone=yes:NoExecute-",
                "label --overwrite node demo-batch-x example.org/disk=ssd",
                "label --overwrite node demo-batch-x node-role.kubernetes.io/batch=",
                "taint --overwrite node demo-batch-x dedicated=batch:NoSchedule",
            ]);
        },
    );

    testWithTools(tools)("addons are not upgraded while a control plane has another version", async () => {
        say("versions", ["v1.36.4", "v1.35.8", "v1.36.4"]);
        const first = machine();
        const { status, output } = await first.run(addons);
        // systemd runs what fails again 15 seconds later, not only when the timer is due.
        expect([status, output.trim()]).toEqual([
            1,
            "addons are upgraded when every control plane has v1.36.4: looked at again soon",
        ]);
        expect(first.calls.filter((call) => /kubeadm|apply/.test(call))).toEqual([]);
    });

    testWithTools(tools)(
        "other control planes do nothing, except that the one that created the cluster applies them once",
        async () => {
            const other = machine("demo-b");
            sandbox.gateway.setMark("created", "demo-c");
            expect((await other.run(addons)).status).toBe(0);
            expect(other.calls).toEqual([]);
            sandbox.gateway.setMark("created", "demo-b");
            expect((await other.run(addons)).status).toBe(0);
            const applied = other.calls.length;
            expect(applied).toBeGreaterThan(0);
            expect((await other.run(addons)).status).toBe(0);
            expect(other.calls).toHaveLength(applied);
        },
    );

    testWithTools(tools)("a failure is retried", async () => {
        const first = machine();
        first.write("/fail-kubeadm", "");
        expect((await first.run(addons)).status).toBe(1);
        expect((await first.run(addons)).status).toBe(0);
        expect(first.calls.at(-1)).toContain("apply");
    });
});

describe("certificates of a control plane", () => {
    const tools = ["bash", "curl", "flock", "openssl"];

    function withCertificates(days: Record<string, number>): Machine {
        const made = machine();
        for (const [name, valid] of Object.entries(days)) {
            const file = made.path(`/etc/kubernetes/pki/${name}.crt`);
            const args = ["req", "-x509", ...NEW_EC_KEY, "-subj", "/CN=x"];
            expectSuccess(
                runTool("openssl", [...args, "-days", String(valid), "-keyout", `${file}.key`, "-out", file]),
            );
        }
        for (const pod of ["kube-apiserver", "kube-controller-manager", "kube-scheduler"])
            made.write(`/etc/kubernetes/manifests/${pod}.yaml`, pod);
        fs.writeFileSync(path.join(sandbox.cloud, "answers-10.1.1.21"), "");
        return made;
    }

    testWithTools(tools)("are not renewed while they are valid for long enough", async () => {
        const young = withCertificates({ apiserver: 365, "apiserver-kubelet-client": 365, "front-proxy-client": 100 });
        expect(await young.run("kubernetes-renew")).toEqual({ status: 0, output: "" });
        expect(young.calls).toEqual([]);
    });

    testWithTools(tools)("are renewed before they expire, and components that read them are restarted", async () => {
        const old = withCertificates({ apiserver: 365, "apiserver-kubelet-client": 80, "front-proxy-client": 365 });
        expect((await old.run("kubernetes-renew")).status).toBe(0);
        expect(old.calls).toEqual([`kubeadm certs renew all --config ${old.path("/var/lib/kubernetes/renew.yaml")}`]);
        for (const pod of ["kube-apiserver", "kube-controller-manager", "kube-scheduler"])
            expect(old.read(`/etc/kubernetes/manifests/${pod}.yaml`)).toBe(pod);
        expect(sandbox.gateway.mark("lock")).toBeUndefined();
    });

    testWithTools(tools)("are renewed even if the program asks for another version", async () => {
        const old = withCertificates({ apiserver: 30, "apiserver-kubelet-client": 30, "front-proxy-client": 30 });
        say("kubeadm", ["v1.35.8"]);
        old.write("/fail-kubeadm", "");
        expect((await old.run("kubernetes-renew")).status).toBe(1);
        // What was going to be read is of the version that the machine has.
        expect(old.read("/var/lib/kubernetes/renew.yaml")).toContain("kubernetesVersion: v1.35.8\n");
        expect((await old.run("kubernetes-renew")).status).toBe(0);
        expect(old.calls.filter((call) => call.includes("certs renew"))).toHaveLength(2);
    });

    testWithTools(tools)("are renewed again after an interrupted renewal, even if the files are new", async () => {
        const half = withCertificates({ apiserver: 365, "apiserver-kubelet-client": 365, "front-proxy-client": 365 });
        half.write("/var/lib/kubernetes/renewing", "");
        expect((await half.run("kubernetes-renew")).status).toBe(0);
        expect(half.calls).toHaveLength(1);
        expect(await half.run("kubernetes-renew")).toEqual({ status: 0, output: "" });
        expect(half.calls).toHaveLength(1);
    });

    testWithTools(tools)("are renewed if one in a kubeconfig is due", async () => {
        const old = withCertificates({
            apiserver: 365,
            "apiserver-kubelet-client": 365,
            "front-proxy-client": 365,
            x: 30,
        });
        const data = Buffer.from(old.read("/etc/kubernetes/pki/x.crt")).toString("base64");
        old.write("/etc/kubernetes/scheduler.conf", `users:\n- user:\n    client-certificate-data: ${data}\n`);
        expect((await old.run("kubernetes-renew")).status).toBe(0);
        expect(old.calls.filter((call) => call.includes("certs renew"))).toHaveLength(1);
    });
});

describe("the user data guard", () => {
    const guarded = (
        routes: string,
        leases: string,
        document = renderWorker(worker()),
    ): { node: Machine; programs: Record<string, string> } => {
        const programs = {
            ...standIns(sandbox.cloud, "10.1.1.41"),
            ip: `echo "${routes}"`,
            "iptables-restore": 'cat >>"$(dirname "$0")/../loaded"',
            iptables: 'case $* in *" -C "*) exit 1 ;; esac; echo "$@" >>"$(dirname "$0")/../loaded"',
        };
        const node = new Machine(path.join(sandbox.folder, "guarded"), document, programs);
        const script = "/usr/local/sbin/metadata-guard";
        node.write("/leases/2", leases);
        node.write(
            script,
            node
                .read(script)
                .replaceAll("/run/systemd/netif/leases/", `${node.path("/leases")}/`)
                .replaceAll("/var/lib/", node.path("/none/")),
        );
        return { node, programs };
    };

    testWithTools(["bash"])("is loaded with all possible addresses of the virtual router, each once", async () => {
        say("names", ["data-server 10.1.1.2", "data-server 10.1.1.1"]);
        const { node } = guarded(
            "default via 10.1.1.254 dev eth0 proto dhcp src 10.1.1.41 metric 100",
            "ADDRESS=10.1.1.41\nSERVER_ADDRESS=10.1.1.1\n",
        );
        expect((await node.run("metadata-guard")).status).toBe(0);
        const http = "-p tcp -m multiport --dports 80,443,8080";
        const hidden = [
            "169.254.0.0/16",
            ...["10.1.1.1", "10.1.1.2", "10.1.1.254"].map((router) => `${router} ${http}`),
        ];
        expect(node.read("/loaded").trim().split("\n")).toEqual([
            "*mangle",
            ":CS-GUARD-PODS - [0:0]",
            ":CS-GUARD-PROCESSES - [0:0]",
            ...hidden.flatMap((match) => [
                `-A CS-GUARD-PODS -d ${match} -j DROP`,
                `-A CS-GUARD-PROCESSES -d ${match} -m owner ! --uid-owner 0 -j DROP`,
            ]),
            "COMMIT",
            "--wait -t mangle -I FORWARD -j CS-GUARD-PODS",
            "--wait -t mangle -I OUTPUT -j CS-GUARD-PROCESSES",
        ]);
    });

    testWithTools(["bash"])("closes etcd to pods of a control plane, by name or address", async () => {
        say("names", ["data-server 10.1.1.1", "etcd-a.example 10.1.1.11", "10.1.1.12 10.1.1.12"]);
        const spec = controlPlane();
        const endpoints = ["https://etcd-a.example:2379", "https://10.1.1.12:12379/"];
        const { node } = guarded("", "", renderControlPlane({ ...spec, etcd: { ...spec.etcd, endpoints } }));
        expect((await node.run("metadata-guard")).status).toBe(0);
        expect(
            node
                .read("/loaded")
                .split("\n")
                .filter((line) => line.includes("--dport ")),
        ).toEqual([
            "-A CS-GUARD-PODS -d 10.1.1.11 -p tcp --dport 2379 -j DROP",
            "-A CS-GUARD-PODS -d 10.1.1.12 -p tcp --dport 12379 -j DROP",
        ]);
    });

    testWithTools(["bash"])("fails if there are none, so that kubelet does not start", async () => {
        say("names", []);
        const { node } = guarded("", "");
        const { status, output } = await node.run("metadata-guard");
        expect([status, output.trim()]).toEqual([
            1,
            "no virtual router found: neither lease nor default route nor data-server",
        ]);
        expect(node.read("/loaded")).toBe("");
    });
});
