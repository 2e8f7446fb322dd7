/**
 * The items of the CIS Kubernetes Benchmark 1.12 that kubeadm leaves open and a KubernetesCluster closes: its number,
 * what holds, and how that is seen on the machines.
 */
import { cipherSuites } from "../../../components/kubernetesCluster/versions";
import { type Facts, NODES, STRONG } from "./cisFacts";
import { CONTROL_PLANE, ETCD } from "./nodes";

type Check = (facts: Facts) => boolean;

interface Item {
    readonly number: string;
    readonly title: string;
    readonly holds: Check;
    /** Why it does not hold. */
    readonly except?: string;
}

const is = (wanted: string) => (value: string) => value === wanted;
const atLeast = (least: number) => (value: string) => Number(value) >= least;

/** Checks of an argument that must be there. */
const flagOf =
    (program: "apiServer" | "controllerManager" | "scheduler") =>
    (name: string, check: (value: string) => boolean): Check =>
    ({ [program]: given }) =>
        given[name] !== undefined && check(given[name]);
const apiServer = flagOf("apiServer");
const controllerManager = flagOf("controllerManager");
const scheduler = flagOf("scheduler");

const kubelets =
    (check: (configuration: any) => boolean): Check =>
    (facts) =>
        facts.kubelets.length === NODES.length && facts.kubelets.every(check);

const etcd =
    (name: string, check: (value: string) => boolean): Check =>
    (facts) =>
        check(facts.etcd[name] ?? "");

const both =
    (...checks: readonly Check[]): Check =>
    (facts) =>
        checks.every((check) => check(facts));

/** On each machine there is something at such a path, and all of it passes. */
const paths =
    (pattern: RegExp, machines: readonly string[], check: (modeAndOwner: string) => boolean): Check =>
    ({ modes }) =>
        machines.every((machine) => {
            const found = Object.entries(modes[machine]).filter(([path]) => pattern.test(path));
            return found.length > 0 && found.every(([, text]) => check(text));
        });
const mode = (most: number, pattern: RegExp, machines = NODES) =>
    paths(pattern, machines, (text) => (parseInt(text, 8) & ~most) === 0);
const owner = (name: string, pattern: RegExp, machines = NODES) =>
    paths(pattern, machines, (text) => text.endsWith(` ${name}:${name}`));

const etcdData = /^\/var\/lib\/etcd\/data$/;
const kubeletUnit = /\/kubelet\.service$/;
const kubeconfig = /\/kubelet\.conf$/;
const kubeletConfiguration = /\/kubelet\/config\.yaml$/;
const authority = /pki\/ca\.crt$/;

const item = (number: string, title: string, holds: Check, except?: string): Item => ({ number, title, holds, except });

const audited = ["secrets", "configmaps", "tokenreviews", "pods/exec", "pods/portforward", "nodes/proxy"];

export const ITEMS: readonly Item[] = [
    item("1.1.9", "only root reads the files of the pod network", mode(0o600, /\/net\.d\/./)),
    item("1.1.11", "only etcd enters its data directory", mode(0o700, etcdData, [ETCD])),
    item("1.1.12", "etcd's user owns its data directory", owner("etcd", etcdData, [ETCD])),
    item("1.1.20", "only root writes certificates", mode(0o644, /\/pki\/.*\.crt$/, [CONTROL_PLANE])),
    item("1.1.21", "only root reads keys", mode(0o600, /\/pki\/.*\.key$/, [CONTROL_PLANE])),
    item(
        "1.2.1",
        "anonymous requests get health endpoints only",
        ({ anonymous }) => anonymous["/livez"] === 200 && anonymous["/api"] === 401,
    ),
    item(
        "1.2.3",
        "Services with external addresses are refused",
        apiServer("enable-admission-plugins", (value) => value.split(",").includes("DenyServiceExternalIPs")),
    ),
    item(
        "1.2.5",
        "the API server verifies kubelets' certificates",
        apiServer("kubelet-certificate-authority", is("/etc/kubernetes/pki/ca.crt")),
    ),
    item("1.2.15", "the API server serves no profiles", apiServer("profiling", is("false"))),
    item("1.2.16", "there is an audit log", apiServer("audit-log-path", is("/var/log/kubernetes/audit.log"))),
    item("1.2.17", "audit logs are kept for 30 days", apiServer("audit-log-maxage", atLeast(30))),
    item("1.2.18", "10 rotated audit logs are kept", apiServer("audit-log-maxbackup", atLeast(10))),
    item("1.2.19", "an audit log is rotated at 100 MB", apiServer("audit-log-maxsize", atLeast(100))),
    item(
        "1.2.27",
        "the API server encrypts at rest",
        apiServer("encryption-provider-config", is("/etc/kubernetes/conf/encryption.yaml")),
    ),
    item("1.2.28", "it encrypts Secrets with secretbox", ({ encryption }) =>
        /- secrets\n\s+providers:\n\s+- secretbox:/.test(encryption),
    ),
    item(
        "1.2.29",
        "the API server accepts strong cipher suites only",
        both(
            ({ accepted }) => accepted.join() === STRONG,
            apiServer("tls-cipher-suites", is(cipherSuites.join(","))),
            apiServer("tls-min-version", is("VersionTLS12")),
        ),
    ),
    item(
        "1.2.30",
        "tokens of service accounts are not extended",
        apiServer("service-account-extend-token-expiration", is("false")),
    ),
    item(
        "1.3.1",
        "pods that have ended are removed",
        controllerManager("terminated-pod-gc-threshold", (value) => Number(value) > 0 && Number(value) <= 1000),
    ),
    item("1.3.2", "the controller manager serves no profiles", controllerManager("profiling", is("false"))),
    item("1.4.1", "the scheduler serves no profiles", scheduler("profiling", is("false"))),
    item(
        "2.1",
        "etcd serves with a certificate",
        both(etcd("ETCD_CERT_FILE", Boolean), etcd("ETCD_KEY_FILE", Boolean)),
    ),
    item("2.2", "etcd's clients need a certificate", etcd("ETCD_CLIENT_CERT_AUTH", is("true"))),
    item(
        "2.3",
        "etcd signs no certificate for clients",
        etcd("ETCD_AUTO_TLS", (value) => value !== "true"),
    ),
    item(
        "2.4",
        "etcd's peers use TLS",
        both(
            etcd("ETCD_PEER_CERT_FILE", Boolean),
            etcd("ETCD_PEER_KEY_FILE", Boolean),
            etcd("ETCD_LISTEN_PEER_URLS", (urls) => urls.startsWith("https:")),
        ),
    ),
    item("2.5", "etcd's peers need a certificate", etcd("ETCD_PEER_CLIENT_CERT_AUTH", is("true"))),
    item(
        "2.6",
        "etcd signs no certificate for peers",
        etcd("ETCD_PEER_AUTO_TLS", (value) => value !== "true"),
    ),
    item(
        "2.7",
        "etcd has an authority of its own",
        ({ authorities }) => authorities.etcd !== "" && authorities.etcd !== authorities.kubernetes,
    ),
    item("3.2.1", "there is an audit policy", ({ auditPolicy }) => /kind: Policy/.test(auditPolicy)),
    item("3.2.2", "it covers Secrets, ConfigMaps, tokens, exec and port-forward", ({ auditPolicy }) =>
        audited.every((name) => auditPolicy.includes(`- ${name}\n`)),
    ),
    item("4.1.1", "only root reads kubelet's unit", mode(0o600, kubeletUnit)),
    item("4.1.2", "root owns kubelet's unit", owner("root", kubeletUnit)),
    item("4.1.5", "only root reads kubelet's kubeconfig", mode(0o600, kubeconfig)),
    item("4.1.6", "root owns kubelet's kubeconfig", owner("root", kubeconfig)),
    item("4.1.7", "only root writes the authority's certificate", mode(0o644, authority)),
    item("4.1.8", "root owns the authority's certificate", owner("root", authority)),
    item("4.1.9", "only root reads kubelet's configuration", mode(0o600, kubeletConfiguration)),
    item("4.1.10", "root owns kubelet's configuration", owner("root", kubeletConfiguration)),
    item(
        "4.2.4",
        "kubelets have no read-only port",
        kubelets(({ readOnlyPort }) => (readOnlyPort ?? 0) === 0),
    ),
    item(
        "4.2.5",
        "idle streams end",
        kubelets((one) => one.streamingConnectionIdleTimeout === "5m0s"),
    ),
    item(
        "4.2.6",
        "kubelets keep their iptables chains",
        kubelets((one) => one.makeIPTablesUtilChains === true),
    ),
    item(
        "4.2.7",
        "a node's name is the host name",
        ({ kubeletArguments }) => kubeletArguments.every((one) => one["hostname-override"] === undefined),
        "no: a node is named after its machine, whatever host name the template sets",
    ),
    item(
        "4.2.8",
        "kubelets limit the rate of events",
        kubelets((one) => one.eventRecordQPS > 0),
    ),
    item(
        "4.2.9",
        "kubelets serve with a certificate of the cluster",
        kubelets((one) => one.serverTLSBootstrap === true),
    ),
    item(
        "4.2.10",
        "kubelets renew their client certificates",
        kubelets((one) => one.rotateCertificates === true),
    ),
    item(
        "4.2.11",
        "kubelets renew their serving certificates",
        kubelets((one) => one.serverTLSBootstrap && one.featureGates?.RotateKubeletServerCertificate !== false),
    ),
    item(
        "4.2.12",
        "kubelets accept strong cipher suites only",
        kubelets((one) => one.tlsCipherSuites?.join() === cipherSuites.join() && one.tlsMinVersion === "VersionTLS12"),
    ),
    item(
        "4.2.13",
        "the number of processes of a pod is limited",
        kubelets((one) => one.podPidsLimit === 4096),
    ),
    item(
        "4.2.14",
        "pods have the runtime's seccomp profile",
        kubelets((one) => one.seccompDefault === true),
    ),
    item("4.3.1", "kube-proxy's metrics are on the loopback interface", ({ proxy }) =>
        /metricsBindAddress: 127\.0\.0\.1:10249/.test(proxy),
    ),
    item("5.2.1", "a Pod Security standard is enforced", ({ admission }) => /enforce: baseline/.test(admission)),
];
