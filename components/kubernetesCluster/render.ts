import { createHash } from "node:crypto";
import { distributionPackages, fetchPlanPath, fetchService, renderFetch, type Versions } from "../artifacts";
import { type CloudConfig, envFile, mergeCloudConfig } from "../cloudInit";
import {
    certificatesTimer,
    type ConvergeRule,
    convergeTimer,
    renderCertificateWatch,
    renderConverge,
    timerCommand,
    type WatchedCertificates,
} from "../node";
import { apiServerFiles } from "./apiServer";
import { containerdFiles } from "./containerd";
import { podNetworkFiles } from "./flannel";
import { hostFiles } from "./host";
import { kubeadmFiles } from "./kubeadm";
import { taintText, workerKubeletFiles } from "./kubelet";
import { paths } from "./paths";
import { addons } from "./scripts/addons";
import { approve } from "./scripts/approve";
import { controlPlane } from "./scripts/controlPlane";
import { library } from "./scripts/library";
import { renew } from "./scripts/renew";
import type { ClusterSpec, ControlPlaneSpec, NodeFile, PoolSpec, WorkerSpec } from "./spec";
import { imagesUnit, jobFiles, kubeletUnit } from "./units";
import { apiName, defaultContainerdVersion } from "./versions";

/** Versions of the programs that containerd needs. */
const runtimeVersions: Versions = { runc: "1.4.3", "cni-plugins": "1.9.1" };

/**
 * The user data of a control plane.
 *
 * cloud-init only writes files and starts systemd units, at the first boot. Everything else is done by the units, which
 * start at every boot and are idempotent.
 */
export function renderControlPlane(spec: ControlPlaneSpec): CloudConfig {
    const { cluster } = spec;
    return node(cluster, ["kubelet", "kubeadm", "kubectl"], {
        name: "controlPlane",
        extra: spec.extraCloudConfig,
        images: cluster.artifacts?.controlPlaneImageArchives,
        files: [
            ...authorityFiles(spec),
            ...apiServerFiles(spec),
            ...kubeadmFiles(spec),
            ...podNetworkFiles(cluster.podCidr, spec.podNetwork),
            { path: "/etc/kubernetes/pools", content: poolLines(spec.pools) },
            { path: paths.nodeEnv, content: nodeEnv(spec) },
            { path: paths.library, content: library },
            ...Object.entries({ "control-plane": controlPlane, addons, approve, renew }).map(([name, content]) => ({
                path: `${paths.bin}/kubernetes-${name}`,
                content,
                permissions: "0755",
            })),
            ...controlPlaneJobs(),
            { path: paths.kubeletUnit, content: kubeletUnit(true), permissions: "0600" },
        ],
        units: [
            "kubernetes-control-plane.service",
            "kubernetes-control-plane.timer",
            "kubernetes-approve.timer",
            "kubernetes-renew.service",
            "kubernetes-renew.timer",
        ],
    });
}

/** The user data of a worker. The only private key in it is the worker's own. */
export function renderWorker(spec: WorkerSpec): CloudConfig {
    return node(spec.cluster, ["kubelet"], {
        name: "worker",
        extra: spec.extraCloudConfig,
        files: [
            ...workerKubeletFiles(spec),
            { path: paths.kubeletUnit, content: kubeletUnit(false), permissions: "0600" },
            { path: paths.nodeEnv, content: envFile({ NODE: spec.nodeName, API_NAME: nameOfApi(spec.cluster) }) },
        ],
        units: [],
    });
}

/** Files without a secret that only root may read nevertheless, as the CIS Kubernetes Benchmark requires (4.1). */
const closedWithoutSecret: readonly string[] = [paths.kubeletUnit, paths.kubeletKubeconfig, paths.kubeletConfig];

/** Whether a file contains a secret: only root may read it. */
function isSecret({ path, permissions }: NodeFile): boolean {
    return permissions === "0600" && !closedWithoutSecret.includes(path);
}

/** SHA-256 of the secrets of a document. */
export function hashOfSecrets({ writeFiles = [] }: CloudConfig): string {
    return createHash("sha256")
        .update(JSON.stringify(writeFiles.filter(isSecret)))
        .digest("hex");
}

/**
 * What replaces a document as the user data of a machine that has joined: what is applied again later, at a boot or when it
 * changes, without secrets. Everything else is for the first boot only, and may contain passwords and tokens of
 * `extraCloudConfig`. To reinstall the machine, the complete document is needed again.
 */
export function withoutSecrets({ hostname, fqdn, manageEtcHosts, bootcmd, writeFiles = [] }: CloudConfig): CloudConfig {
    return { hostname, fqdn, manageEtcHosts, bootcmd, writeFiles: writeFiles.filter((file) => !isSecret(file)) };
}

/**
 * The certificates of a node, and how many days before expiry a warning is logged. `pulumi up` renews its certificates
 * in the last 90 days. The machine itself renews kubeadm's 90 days before expiry and kubelet's at least 36 days before:
 * a warning about these means that the renewal has failed.
 */
const watched: readonly WatchedCertificates[] = [
    { paths: [`${paths.pki}/*ca.crt`, `${paths.pki}/etcd/ca.crt`], days: 365 },
    { paths: [`${paths.pki}/apiserver-etcd-client.crt`, `${paths.pki}/kubelet-client.crt`], days: 90 },
    {
        paths: [`${paths.pki}/apiserver.crt`, `${paths.pki}/*r-kubelet-client.crt`, `${paths.pki}/*y-client.crt`],
        days: 60,
    },
    { paths: ["/etc/kubernetes/*.conf"], days: 60 },
    { paths: ["/var/lib/kubelet/pki/*-current.pem"], days: 21 },
];

/** What is specific to a role, control plane or worker. */
interface Role {
    name: "controlPlane" | "worker";
    files: readonly NodeFile[];
    units: readonly string[];
    /** Image archives. */
    images?: readonly string[];
    /** What the user adds. */
    extra?: CloudConfig;
}

/** The user data of a node: the common part, and that of its role. */
function node(cluster: ClusterSpec, programs: readonly ("kubelet" | "kubeadm" | "kubectl")[], role: Role): CloudConfig {
    const { artifacts, endpoint, timeServers } = cluster;
    const balanced = endpoint.mode === "nodeLocal";
    const images = [...new Set([...(artifacts?.imageArchives ?? []), ...(role.images ?? [])])];
    const imports = images.length > 0;
    const units = [
        "metadata-guard.timer",
        "containerd.service",
        ...(imports ? ["kubernetes-images.service"] : []),
        "kubelet.service",
        ...role.units,
        certificatesTimer,
        convergeTimer,
    ].join(" ");
    const own = [
        ...hostFiles(cluster, role.name),
        ...containerdFiles(cluster),
        ...(imports ? [{ path: `${paths.units}/kubernetes-images.service`, content: imagesUnit }] : []),
        ...role.files,
        ...renderCertificateWatch(watched),
    ].map(withoutComments);
    const versions: Versions = {
        containerd: cluster.containerdVersion ?? defaultContainerdVersion,
        ...runtimeVersions,
        ...Object.fromEntries(programs.map((program) => [program, cluster.kubernetesVersion])),
    };
    const fetch = renderFetch(versions, artifacts, images).map(withoutComments);
    // A new version needs a reinstallation, so running machines ignore changes of the list of downloads.
    const followed = [
        ...own,
        ...fetch.filter(({ path }) => path !== fetchPlanPath),
        ...(role.extra?.writeFiles ?? []).filter((file) => !file.append),
        { path: paths.secretsHash },
    ];
    const document: CloudConfig = {
        packages: distributionPackages(
            ["iptables", "conntrack", "chrony", ...(balanced ? ["haproxy"] : [])],
            artifacts,
        ),
        ...(timeServers !== undefined && { ntp: { enabled: true, ntpClient: "chrony", servers: [...timeServers] } }),
        writeFiles: [...own, ...fetch, ...renderConverge(followed.map(convergeRule), cluster.convergeIntervalSeconds)],
        runcmd: [
            "systemctl daemon-reload",
            // Before the downloads, since cloud-init does not run this again after an interrupted first boot. Another reload,
            // of up to a second, is not necessary: the units are started by name.
            `systemctl enable --no-reload ${fetchService} ${units}`,
            // With a mirror, this service installs the packages, including HAProxy's unit.
            `systemctl start ${fetchService}`,
            // The package starts HAProxy when it is installed, maybe before our configuration was written.
            ...(balanced
                ? ["systemctl enable --no-reload haproxy.service && systemctl --no-block restart haproxy.service"]
                : []),
            `systemctl --no-block start ${units}`,
        ],
    };
    const merged = mergeCloudConfig(document, role.extra);
    // The last file, which is there when all secrets are.
    const hash = { path: paths.secretsHash, content: `${hashOfSecrets(merged)}\n` };
    return { ...merged, writeFiles: [...(merged.writeFiles ?? []), hash] };
}

/**
 * The command to run when a file changes on a running machine. Most files need none: scripts read them at their next
 * run, and the API server reads its etcd client certificate for every new connection.
 */
function convergeRule({ path }: Pick<NodeFile, "path">): ConvergeRule {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (path === paths.kubeletUnit) return { path, command: "systemctl daemon-reload && systemctl restart kubelet" };
    if (path === `${paths.units}/containerd.service`)
        return { path, command: "systemctl daemon-reload && systemctl restart containerd" };
    if (path.startsWith(paths.units) && name.endsWith(".timer")) return { path, command: timerCommand(name) };
    if (path.startsWith(paths.units)) return { path, command: "systemctl daemon-reload" };
    const command = reactions[path];
    return command === undefined ? { path } : { path, command };
}

const reactions: Record<string, string | undefined> = {
    // Once kubelet has a certificate of its own it needs this one no more, unless its own has expired.
    [`${paths.pki}/kubelet-client.crt`]:
        "openssl x509 -checkend 0 -noout -in /var/lib/kubelet/pki/kubelet-client-current.pem || systemctl restart kubelet",
    "/etc/haproxy/haproxy.cfg": "systemctl reload haproxy",
    "/etc/containerd/config.toml": "systemctl restart containerd",
    [`${paths.bin}/metadata-guard`]: "systemctl start metadata-guard",
    "/etc/modules-load.d/kubernetes.conf": "kubernetes-prepare",
    "/etc/sysctl.d/90-kubernetes.conf": "kubernetes-prepare",
    [paths.kubeletKubeconfig]: "systemctl restart kubelet",
    // Labels and taints of the pools. The timer would apply them minutes later.
    "/etc/kubernetes/pools": "systemctl start --no-block kubernetes-control-plane",
    [paths.kubeletConfig]: "systemctl restart kubelet",
};

/** Removes the comments from scripts, except those at the top: the length of user data is limited. */
function withoutComments(file: NodeFile): NodeFile {
    if (!file.path.startsWith("/usr/local/")) return file;
    const [first, ...rest] = file.content.split("\n");
    const body = rest.findIndex((line) => !line.startsWith("#"));
    const kept = rest.filter((line, index) => index < body || !/^\s*(#|$)/.test(line));
    return { ...file, content: `${[first, ...kept].join("\n")}\n` };
}

/** Certificates and keys of the cluster's authorities; of etcd's authority, only the certificate. */
function authorityFiles(spec: ControlPlaneSpec): NodeFile[] {
    const pair = (name: string, certificate: string, key: string): NodeFile[] => [
        { path: `${paths.pki}/${name}.crt`, content: certificate },
        { path: `${paths.pki}/${name}.key`, content: key, permissions: "0600" },
    ];
    return [
        ...pair("ca", spec.cluster.caCertificate, spec.caKey),
        ...pair("front-proxy-ca", spec.frontProxyCaCertificate, spec.frontProxyCaKey),
        { path: `${paths.pki}/sa.pub`, content: spec.serviceAccountPublicKey },
        { path: `${paths.pki}/sa.key`, content: spec.serviceAccountPrivateKey, permissions: "0600" },
        { path: `${paths.pki}/etcd/ca.crt`, content: spec.etcd.caCertificate },
        ...pair("apiserver-etcd-client", spec.etcd.clientCertificate, spec.etcd.clientKey),
    ];
}

function nodeEnv({ cluster, nodeName, etcd }: ControlPlaneSpec): string {
    return envFile({
        CLUSTER: cluster.name,
        NODE: nodeName,
        ADDRESS: cluster.controlPlanes[nodeName],
        VERSION: `v${cluster.kubernetesVersion}`,
        API_NAME: nameOfApi(cluster),
        ETCD_ENDPOINTS: etcd.endpoints.join(","),
        CONTROL_PLANES: Object.entries(cluster.controlPlanes)
            .map(([name, address]) => `${name}=${address}`)
            .join(" "),
    });
}

function nameOfApi({ name, endpoint }: ClusterSpec): string {
    return endpoint.mode === "nodeLocal" ? apiName(name) : "";
}

/** A line per worker, `NODE LABELS TAINTS`, with `-` for none. */
function poolLines(pools: Record<string, PoolSpec>): string {
    return Object.values(pools)
        .flatMap(({ nodes, labels = {}, taints = [] }) => {
            const listed = (entries: string[]) => entries.sort().join(",") || "-";
            const text = listed(Object.entries(labels).map(([key, value]) => `${key}=${value}`));
            return nodes.map((name) => `${name} ${text} ${listed(taints.map(taintText))}\n`);
        })
        .join("");
}

function controlPlaneJobs(): NodeFile[] {
    return [
        ...jobFiles("kubernetes-control-plane", {
            description: "Create or join the cluster, and keep it as its files say",
            unit: [
                "Wants=network-online.target",
                `After=network-online.target ${fetchService}`,
                "After=containerd.service kubernetes-images.service haproxy.service",
                "StartLimitIntervalSec=0",
            ],
            run: [`${paths.bin}/kubernetes-control-plane`, `${paths.bin}/kubernetes-addons`],
            service: ["Restart=on-failure", "RestartSec=15"],
            atBoot: true,
            timer: ["OnUnitInactiveSec=2min", "RandomizedDelaySec=20"],
        }),
        ...jobFiles("kubernetes-approve", {
            description: "Approve serving certificates of this cluster's nodes",
            run: [`${paths.bin}/kubernetes-approve`],
            timer: ["OnActiveSec=30", "OnUnitInactiveSec=30", "AccuracySec=5"],
        }),
        ...jobFiles("kubernetes-renew", {
            description: "Renew the control plane's certificates before they expire",
            run: [`${paths.bin}/kubernetes-renew`],
            // The timer makes up for a day on which the machine was off, but hours after the boot.
            unit: [`After=network-online.target ${fetchService}`],
            service: ["Restart=on-failure", "RestartSec=60"],
            atBoot: true,
            timer: ["OnCalendar=daily", "RandomizedDelaySec=4h", "Persistent=true"],
        }),
    ];
}
