/** The items of the CIS Kubernetes Benchmark 1.12 that kubeadm leaves open and a KubernetesCluster closes, as they are at work. */
import * as tls from "node:tls";
import { cipherSuites } from "../../../components/kubernetesCluster/versions";
import type { RealKubernetes } from "./kubernetes";
import { anonymously, CONTROL_PLANE, ETCD, WORKERS } from "./nodes";

/** What one look at the machines has found. */
interface Facts {
    readonly apiServer: Record<string, string>;
    readonly controllerManager: Record<string, string>;
    readonly scheduler: Record<string, string>;
    readonly etcd: Record<string, string>;
    /** `600 root:root` of paths, by machine. */
    readonly modes: Record<string, Record<string, string>>;
    /** What runs in each kubelet. */
    readonly kubelets: Record<string, any>;
    readonly kubeletArguments: Record<string, Record<string, string>>;
    readonly proxy: string;
    readonly auditPolicy: string;
    readonly encryption: string;
    /** Statuses of anonymous requests. */
    readonly anonymous: Record<string, number | undefined>;
    /** Whether an API server accepts a cipher that is not among the strong ones. */
    readonly acceptsWeak: boolean;
    /** Subject of the authority that etcd trusts, and that of the cluster. */
    readonly authorities: [string, string];
}

export interface Item {
    readonly number: string;
    readonly title: string;
    readonly holds: (facts: Facts) => boolean;
    /** Why the recipe does otherwise. */
    readonly except?: string;
}

const flag = (of: "apiServer" | "controllerManager" | "scheduler", name: string, is: (value: string) => boolean) => {
    return (facts: Facts) => facts[of][name] !== undefined && is(facts[of][name]);
};
const equals = (value: string) => (given: string) => given === value;
const atLeast = (least: number) => (given: string) => Number(given) >= least;
const kubelets = (is: (configuration: any) => boolean) => (facts: Facts) => Object.values(facts.kubelets).every(is);
const etcd = (name: string, is: (value: string) => boolean) => (facts: Facts) => is(facts.etcd[name] ?? "");

/** Whether everything at these paths has no more rights than this mode. */
function within(mode: string, paths: RegExp, machines: readonly string[]) {
    return ({ modes }: Facts) => {
        const found = machines.flatMap((machine) =>
            Object.entries(modes[machine]).filter(([path]) => paths.test(path)),
        );
        const fits = ([, text]: [string, string]) => (parseInt(text, 8) & ~parseInt(mode, 8)) === 0;
        return found.length >= machines.length && found.every(fits);
    };
}

function owned(owner: string, paths: RegExp, machines: readonly string[]) {
    return ({ modes }: Facts) =>
        machines.every((machine) => {
            const found = Object.entries(modes[machine]).filter(([path]) => paths.test(path));
            return found.length > 0 && found.every(([, text]) => text.endsWith(` ${owner}`));
        });
}

const nodes = [CONTROL_PLANE, ...WORKERS];
const unit = /\/kubelet\.service$/;
const kubeconfig = /\/kubelet\.conf$/;
const configuration = /\/kubelet\/config\.yaml$/;

export const ITEMS: readonly Item[] = [
    {
        number: "1.1.9",
        title: "only root reads the configuration of the pod network",
        holds: within("600", /\/net\.d\//, nodes),
    },
    {
        number: "1.1.11",
        title: "only etcd enters its data directory",
        holds: within("700", /^\/var\/lib\/etcd\/data$/, [ETCD]),
    },
    {
        number: "1.1.12",
        title: "etcd's user owns its data directory",
        holds: owned("etcd:etcd", /^\/var\/lib\/etcd\/data$/, [ETCD]),
    },
    {
        number: "1.1.20",
        title: "only root writes certificates",
        holds: within("644", /pki\/.*\.crt$/, [CONTROL_PLANE]),
    },
    { number: "1.1.21", title: "only root reads keys", holds: within("600", /pki\/.*\.key$/, [CONTROL_PLANE]) },
    {
        number: "1.2.1",
        title: "anonymous requests get the health endpoints and nothing else",
        holds: ({ anonymous }) => anonymous["/livez"] === 200 && anonymous["/api"] === 401,
    },
    {
        number: "1.2.3",
        title: "Services with external addresses are refused",
        holds: flag("apiServer", "enable-admission-plugins", (value) =>
            value.split(",").includes("DenyServiceExternalIPs"),
        ),
    },
    {
        number: "1.2.5",
        title: "the API server verifies kubelets' certificates",
        holds: flag("apiServer", "kubelet-certificate-authority", equals("/etc/kubernetes/pki/ca.crt")),
    },
    {
        number: "1.2.15",
        title: "the API server serves no profiles",
        holds: flag("apiServer", "profiling", equals("false")),
    },
    {
        number: "1.2.16",
        title: "the API server writes an audit log",
        holds: flag("apiServer", "audit-log-path", equals("/var/log/kubernetes/audit.log")),
    },
    {
        number: "1.2.17",
        title: "audit logs are kept for 30 days",
        holds: flag("apiServer", "audit-log-maxage", atLeast(30)),
    },
    {
        number: "1.2.18",
        title: "ten rotated audit logs are kept",
        holds: flag("apiServer", "audit-log-maxbackup", atLeast(10)),
    },
    {
        number: "1.2.19",
        title: "an audit log is rotated at 100 MB",
        holds: flag("apiServer", "audit-log-maxsize", atLeast(100)),
    },
    {
        number: "1.2.27",
        title: "the API server encrypts at rest",
        holds: flag("apiServer", "encryption-provider-config", equals("/etc/kubernetes/conf/encryption.yaml")),
    },
    {
        number: "1.2.28",
        title: "it encrypts Secrets with secretbox first",
        holds: ({ encryption }) => /- secrets\n\s+providers:\n\s+- secretbox:/.test(encryption),
    },
    {
        number: "1.2.29",
        title: "the API server offers strong ciphers only",
        holds: (facts) =>
            !facts.acceptsWeak &&
            facts.apiServer["tls-cipher-suites"] === cipherSuites.join(",") &&
            facts.apiServer["tls-min-version"] === "VersionTLS12",
    },
    {
        number: "1.2.30",
        title: "tokens of service accounts are not extended",
        holds: flag("apiServer", "service-account-extend-token-expiration", equals("false")),
    },
    {
        number: "1.3.1",
        title: "pods that have ended are collected",
        holds: flag(
            "controllerManager",
            "terminated-pod-gc-threshold",
            (value) => Number(value) > 0 && Number(value) <= 1000,
        ),
    },
    {
        number: "1.3.2",
        title: "the controller manager serves no profiles",
        holds: flag("controllerManager", "profiling", equals("false")),
    },
    {
        number: "1.4.1",
        title: "the scheduler serves no profiles",
        holds: flag("scheduler", "profiling", equals("false")),
    },
    {
        number: "2.1",
        title: "etcd serves with a certificate",
        holds: (facts) => etcd("ETCD_CERT_FILE", Boolean)(facts) && etcd("ETCD_KEY_FILE", Boolean)(facts),
    },
    { number: "2.2", title: "etcd's clients need a certificate", holds: etcd("ETCD_CLIENT_CERT_AUTH", equals("true")) },
    {
        number: "2.3",
        title: "etcd signs no certificates of its own for clients",
        holds: etcd("ETCD_AUTO_TLS", (value) => value !== "true"),
    },
    {
        number: "2.4",
        title: "etcd's peers talk TLS with a certificate",
        holds: (facts) =>
            etcd("ETCD_PEER_CERT_FILE", Boolean)(facts) &&
            etcd("ETCD_LISTEN_PEER_URLS", (urls) => urls.startsWith("https:"))(facts),
    },
    {
        number: "2.5",
        title: "etcd's peers need a certificate",
        holds: etcd("ETCD_PEER_CLIENT_CERT_AUTH", equals("true")),
    },
    {
        number: "2.6",
        title: "etcd signs no certificates of its own for peers",
        holds: etcd("ETCD_PEER_AUTO_TLS", (value) => value !== "true"),
    },
    {
        number: "2.7",
        title: "etcd has an authority of its own",
        holds: ({ authorities: [own, cluster] }) => own !== "" && own !== cluster,
    },
    {
        number: "3.2.1",
        title: "there is an audit policy",
        holds: ({ auditPolicy }) => /kind: Policy/.test(auditPolicy),
    },
    {
        number: "3.2.2",
        title: "it covers Secrets, ConfigMaps, tokens, and what enters pods",
        holds: ({ auditPolicy }) =>
            ["secrets", "configmaps", "tokenreviews", "pods/exec", "pods/portforward", "nodes/proxy"].every((name) =>
                auditPolicy.includes(`- ${name}\n`),
            ),
    },
    { number: "4.1.1", title: "only root reads kubelet's unit", holds: within("600", unit, nodes) },
    { number: "4.1.2", title: "root owns kubelet's unit", holds: owned("root:root", unit, nodes) },
    { number: "4.1.5", title: "only root reads kubelet's kubeconfig", holds: within("600", kubeconfig, nodes) },
    { number: "4.1.6", title: "root owns kubelet's kubeconfig", holds: owned("root:root", kubeconfig, nodes) },
    {
        number: "4.1.7",
        title: "only root writes the authority's certificate",
        holds: within("644", /pki\/ca\.crt$/, nodes),
    },
    {
        number: "4.1.8",
        title: "root owns the authority's certificate",
        holds: owned("root:root", /pki\/ca\.crt$/, nodes),
    },
    { number: "4.1.9", title: "only root reads kubelet's configuration", holds: within("600", configuration, nodes) },
    { number: "4.1.10", title: "root owns kubelet's configuration", holds: owned("root:root", configuration, nodes) },
    {
        number: "4.2.4",
        title: "kubelets have no read-only port",
        holds: kubelets(({ readOnlyPort }) => (readOnlyPort ?? 0) === 0),
    },
    {
        number: "4.2.5",
        title: "idle streams end",
        holds: kubelets((one) => one.streamingConnectionIdleTimeout === "5m0s"),
    },
    {
        number: "4.2.6",
        title: "kubelets keep their chains of iptables",
        holds: kubelets((one) => one.makeIPTablesUtilChains === true),
    },
    {
        number: "4.2.7",
        title: "a node has the host name of its machine",
        holds: ({ kubeletArguments }) =>
            Object.values(kubeletArguments).every((each) => each["hostname-override"] === undefined),
        except: "a worker's name is that of its machine, whatever the template makes of the host name",
    },
    {
        number: "4.2.8",
        title: "kubelets limit events, and do not drop them all",
        holds: kubelets((one) => one.eventRecordQPS > 0),
    },
    {
        number: "4.2.9",
        title: "kubelets serve with a certificate of the cluster",
        holds: kubelets((one) => one.serverTLSBootstrap === true),
    },
    {
        number: "4.2.10",
        title: "kubelets renew their client certificates",
        holds: kubelets((one) => one.rotateCertificates === true),
    },
    {
        number: "4.2.11",
        title: "kubelets renew their serving certificates",
        holds: kubelets(
            (one) => one.featureGates?.RotateKubeletServerCertificate !== false && one.serverTLSBootstrap === true,
        ),
    },
    {
        number: "4.2.12",
        title: "kubelets offer strong ciphers only",
        holds: kubelets(
            (one) => one.tlsCipherSuites?.join() === cipherSuites.join() && one.tlsMinVersion === "VersionTLS12",
        ),
    },
    {
        number: "4.2.13",
        title: "the processes of a pod are limited",
        holds: kubelets((one) => one.podPidsLimit === 4096),
    },
    {
        number: "4.2.14",
        title: "pods have the runtime's seccomp profile",
        holds: kubelets((one) => one.seccompDefault === true),
    },
    {
        number: "4.3.1",
        title: "kube-proxy's metrics listen on the loopback interface",
        holds: ({ proxy }) => /metricsBindAddress: 127\.0\.0\.1:10249/.test(proxy),
    },
];

export async function look(cluster: RealKubernetes, endpoint: string, ca: string): Promise<Facts> {
    const inside = (machine: string, script: string) => cluster.cloud.exec(machine, "sh", "-c", script);
    const argumentsOf = async (machine: string, program: string) => {
        const text = await inside(machine, `tr '\\0' '\\n' </proc/$(pgrep -xo ${program})/cmdline`);
        const words = text.split("\n").filter((word) => word.startsWith("--"));
        return Object.fromEntries(words.map((word) => [...word.slice(2).split(/=(.*)/s), ""].slice(0, 2)));
    };
    const modes = async (machine: string) => {
        const files =
            "find /etc/cni/net.d /etc/kubernetes /var/lib/etcd /var/lib/kubelet/config.yaml /etc/systemd/system/kubelet.service";
        const text = await inside(machine, `${files} -maxdepth 4 -printf '%p|%m %u:%g\\n' 2>/dev/null || true`);
        const isFile = (path: string) => path !== "/etc/cni/net.d";
        const lines = text
            .trim()
            .split("\n")
            .map((line) => line.split("|"));
        return [machine, Object.fromEntries(lines.filter(([path]) => isFile(path)))] as const;
    };
    const each = async <T>(of: (machine: string) => Promise<T>, machines: readonly string[] = nodes) =>
        Object.fromEntries(await Promise.all(machines.map(async (machine) => [machine, await of(machine)] as const)));
    const raw = async (machine: string) =>
        JSON.parse(await cluster.kubectl("get", "--raw", `/api/v1/nodes/${machine}/proxy/configz`)).kubeletconfig;
    const environment = (await inside(ETCD, "tr '\\0' '\\n' </proc/$(pgrep -xo etcd)/environ")).trim().split("\n");
    const issuer = (machine: string, file: string) =>
        inside(machine, `openssl x509 -noout -subject -fingerprint -in ${file}`);
    const proxy = await cluster.get("configmap", "kube-proxy", "-n", "kube-system");
    return {
        apiServer: await argumentsOf(CONTROL_PLANE, "kube-apiserver"),
        // Names of processes have 15 characters.
        controllerManager: await argumentsOf(CONTROL_PLANE, "kube-controller"),
        scheduler: await argumentsOf(CONTROL_PLANE, "kube-scheduler"),
        etcd: Object.fromEntries(environment.map((line) => line.split(/=(.*)/s).slice(0, 2))),
        modes: Object.fromEntries(await Promise.all([ETCD, ...nodes].map(modes))),
        kubelets: await each(raw),
        kubeletArguments: await each((machine) => argumentsOf(machine, "kubelet")),
        proxy: proxy.data["config.conf"],
        auditPolicy: await inside(CONTROL_PLANE, "cat /etc/kubernetes/conf/audit-policy.yaml"),
        encryption: await inside(CONTROL_PLANE, "cat /etc/kubernetes/conf/encryption.yaml"),
        anonymous: {
            "/livez": await anonymously(endpoint, ca, "/livez"),
            "/api": await anonymously(endpoint, ca, "/api"),
        },
        acceptsWeak: await accepts(endpoint, ca, "ECDHE-ECDSA-AES128-SHA"),
        authorities: [
            await issuer(ETCD, "/etc/etcd/pki/ca.crt"),
            await issuer(CONTROL_PLANE, "/etc/kubernetes/pki/ca.crt"),
        ],
    };
}

/** Whether a server agrees to a cipher of TLS 1.2. */
function accepts(endpoint: string, ca: string, cipher: string): Promise<boolean> {
    const { hostname, port } = new URL(endpoint);
    return new Promise((resolve) => {
        const ciphers = `${cipher}:@SECLEVEL=0`;
        const socket = tls.connect({ host: hostname, port: Number(port), ca, ciphers, maxVersion: "TLSv1.2" }, () => {
            socket.destroy();
            resolve(true);
        });
        socket.on("error", () => resolve(false));
    });
}

/** The items as a table: number, what holds, whether it does. */
export function tableOf(facts: Facts): string {
    const row = ({ number, title, holds, except }: Item) =>
        `${number.padEnd(7)} ${title.padEnd(64)} ${holds(facts) ? "yes" : `no${except === undefined ? "" : `: ${except}`}`}`;
    return [`${"CIS".padEnd(7)} ${"what holds".padEnd(64)} result`, ...ITEMS.map(row)].join("\n");
}
