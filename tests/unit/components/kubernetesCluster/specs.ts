import { placeholder } from "../../../../components/cloudInit";
import type {
    ClusterSpec,
    ControlPlaneSpec,
    EndpointSpec,
    WorkerSpec,
} from "../../../../components/kubernetesCluster/spec";

const authority = (name: string) => placeholder("authority", name);
const key = (name: string) => placeholder("privateKey", name);

/** A cluster of three control planes; certificates and keys are placeholders of the real length. */
export function cluster(changes: Partial<ClusterSpec> = {}): ClusterSpec {
    return {
        name: "demo",
        kubernetesVersion: "1.36.4",
        endpoint: { mode: "nodeLocal" },
        controlPlanes: { "demo-a": "10.1.1.21", "demo-b": "10.1.1.22", "demo-c": "10.1.1.23" },
        podCidr: "10.244.0.0/16",
        serviceCidr: "10.96.0.0/16",
        caCertificate: authority("ca"),
        ...changes,
    };
}

export const keys = {
    ca: key("ca"),
    frontProxy: key("front proxy"),
    serviceAccounts: key("service accounts"),
    etcdClient: key("etcd client"),
    encryption: placeholder("secret", "encryption"),
    worker: key("worker"),
};

export function controlPlane(
    changes: Partial<ControlPlaneSpec> = {},
    common: Partial<ClusterSpec> = {},
): ControlPlaneSpec {
    return {
        cluster: cluster(common),
        nodeName: "demo-b",
        etcd: {
            endpoints: ["https://10.1.1.11:2379", "https://10.1.1.12:2379", "https://10.1.1.13:2379"],
            caCertificate: authority("etcd"),
            clientCertificate: placeholder("certificate", "etcd client"),
            clientKey: keys.etcdClient,
        },
        caKey: keys.ca,
        frontProxyCaCertificate: authority("front proxy"),
        frontProxyCaKey: keys.frontProxy,
        serviceAccountPublicKey:
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n",
        serviceAccountPrivateKey: keys.serviceAccounts,
        encryptionKey: keys.encryption,
        podNetwork: { backend: "vxlan" },
        pools: {
            general: { nodes: ["demo-general-0", "demo-general-1"] },
            batch: {
                nodes: ["demo-batch-x"],
                labels: { "example.org/disk": "ssd", "node-role.kubernetes.io/batch": "" },
                taints: [{ key: "dedicated", value: "batch", effect: "NoSchedule" }],
            },
        },
        ...changes,
    };
}

export function worker(changes: Partial<WorkerSpec> = {}, common: Partial<ClusterSpec> = {}): WorkerSpec {
    return {
        cluster: cluster(common),
        nodeName: "demo-batch-x",
        clientCertificate: placeholder("certificate", "worker"),
        clientKey: keys.worker,
        labels: { "example.org/disk": "ssd", "node-role.kubernetes.io/batch": "" },
        taints: [{ key: "dedicated", value: "batch", effect: "NoSchedule" }],
        ...changes,
    };
}

const elsewhere: Record<string, EndpointSpec> = {
    cloudstackLoadBalancer: { mode: "cloudstackLoadBalancer", host: "203.0.113.10" },
    dns: { mode: "dns", host: "api.example.org" },
    external: { mode: "external", host: "balancer.example.org", port: 443 },
};

/** What a cluster may be beside the default, by name: each is rendered, checked by the tools, and stored. */
export const variants: Record<string, { controlPlane: ControlPlaneSpec; worker: WorkerSpec }> = {
    default: { controlPlane: controlPlane(), worker: worker() },
    "1.35": both({ kubernetesVersion: "1.35.8" }),
    ...Object.fromEntries(Object.entries(elsewhere).map(([name, endpoint]) => [name, both({ endpoint })])),
    wireguard: { controlPlane: controlPlane({ podNetwork: { backend: "wireguard", mtu: 1450 } }), worker: worker() },
    "no pod network": { controlPlane: controlPlane({ podNetwork: { backend: "none" } }), worker: worker() },
    "own mirror": both({
        containerdVersion: "1.7.99",
        registryMirrors: { "docker.io": ["https://mirror.example.org"] },
        timeServers: ["10.1.1.1"],
        artifacts: {
            mirror: "http://10.1.1.1/artifacts",
            manifest: {
                "images.tar": "a".repeat(64),
                "control-plane-images.tar": "d".repeat(64),
                "haproxy.deb": "b".repeat(64),
                "containerd-1.7.99-linux-amd64.tar.gz": "c".repeat(64),
            },
            imageArchives: ["images.tar"],
            controlPlaneImageArchives: ["control-plane-images.tar"],
            packages: "mirror",
            packageFiles: ["haproxy.deb"],
        },
    }),
    "new encryption key": {
        controlPlane: controlPlane({
            previousEncryptionKey: placeholder("secret", "previous"),
            extraSans: ["k8s.example.org"],
        }),
        worker: worker({ address: "10.1.1.41" }),
    },
};

function both(common: Partial<ClusterSpec>): { controlPlane: ControlPlaneSpec; worker: WorkerSpec } {
    return { controlPlane: controlPlane({}, common), worker: worker({}, common) };
}
