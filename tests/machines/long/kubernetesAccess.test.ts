/** Who reaches what of a Kubernetes cluster on real machines, and with which certificates and user data. */
import { decodeUserData } from "../../../components/cloudInit/userData";
import { arrived, count, documented, knock } from "../support/knock";
import { RealKubernetes } from "../support/kubernetes";
import { addressOf, CONTROL_PLANE, ETCD, MACHINES, request, type Wish, WORKERS } from "../support/nodes";
import { withKubernetes } from "../support/possible";
import { NEWEST, PREVIOUS } from "../support/template";

/** What an administrator's programs use; it is not there in every checkout. */
const client = officialClient();

function officialClient(): any {
    try {
        return require("@kubernetes/client-node");
    } catch {
        return undefined;
    }
}

/** Machines, and the group of the documented table that each is in. */
const GROUPS: Record<string, "etcd" | "controlPlane" | "workers" | undefined> = {
    [ETCD]: "etcd",
    [CONTROL_PLANE]: "controlPlane",
    [WORKERS[0]]: "workers",
    [WORKERS[1]]: "workers",
};
/** Machines of the account's default group: from the network that `nodePortCidrs` names, and from elsewhere. */
const [CLIENT, STRANGER] = ["client", "stranger"];
const CLIENT_ADDRESS = "10.1.85.99";
/** Around every port of the table, and what else listens or is known to. */
const PORTS = [
    ...[1, 22, 53, 80, 111, 443, 2049, 2378, 2379, 2380, 2381, 4240, 5355, 5473, 6443, 6444, 7443, 8080, 8081, 8285],
    ...[8443, 8471, 8472, 8473, 9099, 9100, 9101, 9345, 10_248, 10_249, 10_250, 10_251, 10_252, 10_255, 10_256, 10_257],
    ...[10_259, 29_999, 30_000, 30_080, 31_234, 32_767, 32_768, 51_820, 51_821, 65_535],
];

withKubernetes("a Kubernetes cluster opens what is documented", () => {
    let cluster: RealKubernetes;
    let addresses: Record<string, string>;
    const [worker, other] = WORKERS;

    beforeAll(async () => {
        const size = { etcd: "a", controlPlanes: "a", pools: { worker: { count: 2 } } };
        const kubernetes = { nodePortCidrs: [`${CLIENT_ADDRESS}/32`] };
        cluster = await RealKubernetes.make("10.1.85.0/24", size, { kubernetes }, [PREVIOUS, NEWEST]);
        await cluster.up();
        const host = (await cluster.cloud.environment()).CLOUDSTACK_LOCAL_HOST.replace("/32", "");
        addresses = { host, [ETCD]: "10.1.85.11", ...(await cluster.project.outputs()).nodes };
        addresses[CLIENT] = await cluster.cloud.deploy(CLIENT, CLIENT_ADDRESS);
        addresses[STRANGER] = await cluster.cloud.deploy(STRANGER);
    });
    afterAll(() => cluster?.dispose());

    test("user data has no secrets once the nodes are Ready, and nothing is left to change", async () => {
        const before = await userData(cluster);
        for (const name of [CONTROL_PLANE, ...WORKERS]) {
            expect([name, before[name]]).toEqual([name, expect.stringContaining("Without its secrets")]);
            expect(before[name]).not.toMatch(/PRIVATE KEY|secretbox/);
        }
        await cluster.project.expectNoChanges();
        const { steps } = await cluster.project.refresh();
        expect(steps.filter(({ op }) => op !== "refresh" && op !== "same")).toEqual([]);
        await cluster.project.expectNoChanges();
        console.log(await sizes(cluster));
    });

    test("every port of the documented table is open to those that it names, and no other to anybody", async () => {
        await count(cluster.cloud, MACHINES);
        const options = {
            operatorCidrs: [`${addresses.host}/32`],
            nodePortCidrs: [`${CLIENT_ADDRESS}/32`],
        };
        const found: Record<string, Record<string, string[]>> = {};
        const wanted: typeof found = {};
        for (const from of [...MACHINES, CLIENT, STRANGER, "host"]) {
            const targets = MACHINES.filter((machine) => machine !== from);
            await knock(
                cluster.cloud,
                from,
                targets.map((machine) => addresses[machine]),
                PORTS,
            );
            for (const to of targets) {
                const key = `${from} to ${to}`;
                (found[key] as unknown) = await arrived(cluster.cloud, to, addresses[from], PORTS);
                (wanted[key] as unknown) = documented(
                    GROUPS[to]!,
                    { group: GROUPS[from], address: addresses[from] },
                    options,
                    PORTS,
                );
            }
        }
        expect(found).toEqual(wanted);
    });

    test("what listens on a machine is in the list of ports that were tried", async () => {
        for (const machine of MACHINES) {
            const text = await cluster.cloud.exec(machine, "ss", "-lntuH");
            const open = text
                .trim()
                .split("\n")
                .map((line) => line.split(/\s+/)[4]);
            const outside = open
                .filter((at) => !/^(127\.|\[::1\])/.test(at))
                .map((at) => Number(at.slice(at.lastIndexOf(":") + 1)));
            // 68 is the DHCP client's.
            expect([machine, outside.filter((port) => port !== 68 && !PORTS.includes(port))]).toEqual([machine, []]);
        }
    });

    test("a NodePort answers the networks that nodePortCidrs names, and nobody else", async () => {
        const [deployment, service] = require("../../../scripts/webPage").web("web", 2, "$(hostname)");
        const ports = [{ port: 80, targetPort: 8080, nodePort: 30_080 }];
        await cluster.apply(deployment, { ...service, spec: { ...service.spec, type: "NodePort", ports } });
        await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        const get = (machine: string) => ["curl", "-s", "-m", "4", `http://${addresses[machine]}:30080/`];
        const page = async (from: string, to: string) => cluster.cloud.exec(from, ...get(to)).catch(() => "nothing");
        await cluster.eventually("the page is served", async () => /^web-/.test(await page(CLIENT, worker)));
        for (const to of WORKERS) expect(await page(CLIENT, to)).toMatch(/^web-/);
        expect(await page(CLIENT, CONTROL_PLANE)).toBe("nothing");
        for (const from of [STRANGER, ETCD, CONTROL_PLANE, other])
            expect([from, await page(from, worker)]).toEqual([from, "nothing"]);
        await expect(
            fetch(`http://${addresses[worker]}:30080/`, { signal: AbortSignal.timeout(4000) }),
        ).rejects.toThrow();
    });

    test("API servers accept kubelets with a certificate of the cluster alone", async () => {
        for (const name of [CONTROL_PLANE, ...WORKERS]) {
            const at = await addressOf(cluster, name);
            const verify = `openssl s_client -connect ${at}:10250 -CAfile /etc/kubernetes/pki/ca.crt -verify_return_error -verify_hostname ${name} </dev/null 2>&1 | grep 'Verif'`;
            expect([name, await cluster.cloud.exec(CONTROL_PLANE, "sh", "-c", verify)]).toEqual([
                name,
                expect.stringContaining("Verification: OK"),
            ]);
        }
        const address = await addressOf(cluster, other);
        const inside = (script: string) => cluster.cloud.exec(other, "sh", "-ec", script);
        const certificate = `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=${other} -addext subjectAltName=DNS:${other},IP:${address} -keyout /root/own.key -out /root/own.crt`;
        const own = [
            "apiVersion: kubelet.config.k8s.io/v1beta1",
            "kind: KubeletConfiguration",
            "serverTLSBootstrap: false",
            "tlsCertFile: /root/own.crt",
            "tlsPrivateKeyFile: /root/own.key",
        ];
        const file = "/etc/kubernetes/kubelet.conf.d/99-own.conf";
        await inside(
            `${certificate} 2>/dev/null; printf '%s\\n' ${own.map((line) => `'${line}'`).join(" ")} >${file}; systemctl restart kubelet`,
        );
        const logs = () =>
            cluster.kubectl("logs", "foreign").then(
                () => "",
                (error: Error) => error.message,
            );
        await cluster.eventually("an unknown certificate is refused", async () =>
            /x509: certificate signed by unknown authority/.test(await logs()),
        );
        await inside(`rm ${file} /root/own.*; systemctl restart kubelet`);
        await cluster.eventually("kubelet's own certificate is accepted", async () => (await logs()) === "");
    });

    test("certificates that a worker may not have are not issued to it", async () => {
        const address = await addressOf(cluster, worker);
        const own = { subject: `/O=system:nodes/CN=system:node:${worker}`, names: `DNS:${worker},IP:${address}` };
        const serving = {
            signer: "kubelet-serving",
            usages: ["digital signature", "server auth"],
        } as const;
        const client = {
            signer: "kube-apiserver-client-kubelet",
            usages: ["digital signature", "client auth"],
        } as const;
        const foreign = `/O=system:nodes/CN=system:node:${other}`;
        const bad: Wish[] = [
            { ...own, ...serving, name: "another-name", names: `DNS:${other},IP:${address}` },
            {
                ...own,
                ...serving,
                name: "another-address",
                names: `DNS:${worker},IP:${await addressOf(cluster, other)}`,
            },
            { ...own, ...serving, name: "one-name-more", names: `${own.names},DNS:kubernetes.default.svc` },
            { ...own, ...serving, name: "one-address-more", names: `${own.names},IP:10.96.0.1` },
            { ...own, ...serving, name: "loopback", names: `${own.names},IP:127.0.0.1` },
            { ...own, ...serving, name: "mail", names: `${own.names},email:root@example.com` },
            { ...own, ...serving, name: "another-subject", subject: foreign },
            { ...own, ...serving, name: "client-of-serving", usages: [...serving.usages, "client auth"] },
            { ...client, name: "another-client", subject: foreign },
            { ...client, name: "client-that-serves", subject: own.subject, usages: [...client.usages, "server auth"] },
            {
                ...client,
                name: "administrator",
                signer: "kube-apiserver-client",
                subject: "/O=kubeadm:cluster-admins/CN=x",
            },
            { ...client, name: "masters", signer: "kube-apiserver-client", subject: "/O=system:masters/CN=x" },
        ];
        const statuses: Record<string, number> = {};
        for (const wish of bad) statuses[wish.name] = await request(cluster, worker, wish);
        expect(await request(cluster, worker, { ...own, ...serving, name: "good" })).toBe(201);
        const issued = async () => {
            const { items } = await cluster.get("csr");
            return items.filter(({ status }: any) => status?.certificate).map(({ metadata }: any) => metadata.name);
        };
        await cluster.eventually("the good one is issued", async () => (await issued()).includes("good"));
        await cluster.cloud.exec(CONTROL_PLANE, "systemctl", "start", "kubernetes-approve");
        const names = bad.map(({ name }) => name);
        expect((await issued()).filter((name: string) => names.includes(name))).toEqual([]);
        const { items } = await cluster.get("csr");
        const approved = items.filter(({ metadata, status }: any) => {
            const is = status?.conditions?.some(({ type }: any) => type === "Approved");
            return is && names.includes(metadata.name);
        });
        expect(approved).toEqual([]);
        // All but what the API refuses at once were made, so that somebody could have approved them.
        expect(Object.keys(statuses).filter((name) => statuses[name] !== 201)).toEqual(["masters"]);
    });

    const named =
        client === undefined
            ? "the official JavaScript client works (skipped: it is not installed)"
            : "the official JavaScript client works with the kubeconfig";
    (client === undefined ? test.skip : test)(named, async () => {
        const config = new client.KubeConfig();
        config.loadFromString((await cluster.project.outputs()).kubeconfig);
        const api = config.makeApiClient(client.CoreV1Api);
        const { items } = await api.listNode();
        expect(items.map(({ metadata }: any) => metadata.name).sort()).toEqual([CONTROL_PLANE, ...WORKERS]);
        const namespace = "default";
        await api.createNamespacedConfigMap({ namespace, body: { metadata: { name: "by-client" }, data: { a: "1" } } });
        expect((await api.readNamespacedConfigMap({ namespace, name: "by-client" })).data).toEqual({ a: "1" });
        await api.deleteNamespacedConfigMap({ namespace, name: "by-client" });
        await expect(api.readNamespacedConfigMap({ namespace, name: "by-client" })).rejects.toMatchObject({
            code: 404,
        });
    });

    test("a change of what is no secret leaves the secrets away", async () => {
        cluster.change((args) => ({
            ...args,
            kubernetes: {
                ...args.kubernetes,
                pools: { worker: { ...args.kubernetes.pools.worker, labels: { tier: "back" } } },
            },
        }));
        const { errors } = await cluster.up();
        expect(errors).toEqual([]);
        for (const [name, text] of Object.entries(await userData(cluster)))
            if (name in GROUPS && name !== ETCD) expect(text).toMatch(/Without its secrets[^]*tier=back/);
        await cluster.eventually("the label is there", async () => {
            const { items } = await cluster.get("nodes", "-l", "tier=back");
            return items.length === 2;
        });
        await cluster.project.expectNoChanges();
    });

    test("a machine that is reinstalled gets its secrets again, joins, and has them no longer", async () => {
        cluster.change((args) => ({ ...args, kubernetes: { ...args.kubernetes, kubernetesVersion: NEWEST } }));
        const { errors } = await cluster.up();
        expect(errors).toEqual([]);
        const { items } = await cluster.get("nodes");
        expect(items.map(({ status }: any) => status.nodeInfo.kubeletVersion)).toEqual(
            [1, 2, 3].map(() => `v${NEWEST}`),
        );
        const texts = await userData(cluster);
        for (const name of [CONTROL_PLANE, ...WORKERS]) expect(texts[name]).not.toMatch(/PRIVATE KEY|secretbox/);
        await cluster.project.expectNoChanges();
    });

    test("without scrubUserData the complete user data is there again", async () => {
        cluster.change((args) => ({ ...args, kubernetes: { ...args.kubernetes, scrubUserData: false } }));
        await cluster.up();
        const texts = await userData(cluster);
        for (const name of [CONTROL_PLANE, ...WORKERS]) expect(texts[name]).toMatch(/PRIVATE KEY/);
        await cluster.project.expectNoChanges();
    });
});

/** The user data of each machine, as CloudStack has it, unpacked. */
async function userData(cluster: RealKubernetes): Promise<Record<string, string>> {
    const machines = await cluster.cloud.client.list("listVirtualMachines", { userdata: true });
    const text = ({ userdata }: any) => (userdata === undefined ? "" : decodeUserData(userdata));
    return Object.fromEntries(machines.map((machine: any) => [machine.name, text(machine)]));
}

/** What each machine takes of user data, memory and CPU. */
async function sizes(cluster: RealKubernetes): Promise<string> {
    const machines = await cluster.cloud.client.list("listVirtualMachines", { userdata: true });
    const lines = machines.map(
        ({ name, userdata = "" }: any) => `${name.padEnd(20)} ${userdata.length} characters of base64`,
    );
    return [...lines, "", await cluster.cloud.command("ps")].join("\n");
}
