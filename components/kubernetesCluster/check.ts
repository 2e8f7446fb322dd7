import { isIP } from "node:net";
import { checkArtifacts, checkVersion } from "../artifacts";
import { checkCloudConfig } from "../cloudInit";
import type { Problem } from "../problems";
import { defaultCidrs, defaultKubernetesVersion } from "../../provider/kubernetesSettings/defaults";
import { normalCidr } from "../../provider/securityGroup/normal";
import type { ControlPlaneArgs, RecipeArgs, PoolArgs } from "./args";
import { checkLabels, checkTaints, isHostLabel } from "./labels";
import { known, knownArtifacts, type Report, whollyKnown } from "../known";
import { controlPlaneName, poolNodeNames } from "./names";
import { type Cidr, contains, overlap, parseCidr, parseIpv4, sizeOf } from "./network";
import { checkUserDataLength } from "./placeholders";
import { releaseOf, releases } from "./versions";

/**
 * All problems of a cluster's arguments. Values that are not known yet (outputs) are not checked. If there are no
 * problems, the length of the user data is checked too, with placeholders for what does not exist yet.
 *
 * @param cluster the cluster's name, the prefix of host names
 */
export function checkKubernetesArgs(cluster: string, args: RecipeArgs): Problem[] {
    const problems = checkKubernetesValues(cluster, args);
    return problems.length > 0 ? problems : checkUserDataLength(cluster, args);
}

/** {@link checkKubernetesArgs} without the length of the user data. */
export function checkKubernetesValues(cluster: string, args: RecipeArgs): Problem[] {
    const problems: Problem[] = [];
    const report: Report = (path, problem, remedy) => problems.push({ path, problem, remedy });
    if (!isHostLabel(cluster))
        report("name", `${JSON.stringify(cluster)} cannot be the prefix of host names`, hostNameRemedy);
    checkVersions(args, report);
    checkMembers(cluster, args, report);
    checkPools(cluster, args, report);
    checkNetworks(args, report);
    checkEndpoint(args, report);
    checkAudiences(args, report);
    const seconds = known(args.convergeIntervalSeconds) ?? 300;
    if (!Number.isInteger(seconds) || seconds < 10 || seconds > 86_400)
        report("convergeIntervalSeconds", `${seconds} is out of range`, "Use a whole number from 10 to 86400");
    problems.push(...checkArtifacts(knownArtifacts(args.artifacts) ?? {}));
    return problems;
}

const hostNameRemedy = "Use lower-case letters, digits and hyphens, a letter first, at most 63 characters";

function checkVersions(args: RecipeArgs, report: Report): void {
    const version = known(args.kubernetesVersion) ?? defaultKubernetesVersion;
    if (releaseOf(version) === undefined)
        report(
            "kubernetesVersion",
            `${JSON.stringify(version)} is not supported`,
            `Use a version of ${Object.keys(releases).join(" or ")}, such as ${Object.values(releases)
                .map(({ latest }) => latest)
                .join(" or ")}`,
        );
    const artifacts = knownArtifacts(args.artifacts);
    // A manifest that is not known yet may name any version.
    if (artifacts === undefined && args.artifacts !== undefined) return;
    const containerd = known(args.containerdVersion);
    const problems = [
        ...(releaseOf(version) === undefined
            ? []
            : checkVersion("kubelet", version, artifacts ?? {}, "kubernetesVersion")),
        ...(containerd === undefined
            ? []
            : checkVersion("containerd", containerd, artifacts ?? {}, "containerdVersion")),
    ];
    for (const { path, problem, remedy } of problems) report(path, problem, remedy);
}

function checkMembers(cluster: string, { controlPlane, networkCidr }: RecipeArgs, report: Report): void {
    const members = Object.entries(controlPlane.members);
    if (members.length === 0)
        report("controlPlane.members", "is empty", 'Give one or three control planes, such as { a: "10.1.1.21" }');
    checkExtra(controlPlane, "controlPlane", report);
    const network = parseCidr(known(networkCidr) ?? "");
    const owners = new Map<string, string>();
    for (const [name, input] of members) {
        const path = `controlPlane.members.${name}`;
        checkHostName(controlPlaneName(cluster, name), path, report);
        const address = known(input);
        if (address === undefined) continue;
        const value = parseIpv4(address);
        if (value === undefined) {
            report(path, `${JSON.stringify(address)} is not an IPv4 address`, "Use one such as 10.1.1.21");
            continue;
        }
        if (network !== undefined && !isHostOf(network, value))
            report(
                path,
                `${address} cannot be the address of a machine in ${known(networkCidr)}`,
                "Use an address of that network",
            );
        const owner = owners.get(address);
        if (owner !== undefined) report(path, `${address} is the address of ${owner} too`, "Give each its own");
        owners.set(address, name);
    }
}

/** Whether a machine may have an address: it is not the network address and not the broadcast address. */
function isHostOf(network: Cidr, address: number): boolean {
    return contains(network, address) && address !== network.first && address !== network.first + sizeOf(network) - 1;
}

function checkPools(
    cluster: string,
    { pools = {}, controlPlane }: Pick<RecipeArgs, "pools" | "controlPlane">,
    report: Report,
): void {
    const members = Object.keys(controlPlane.members).map((member) => controlPlaneName(cluster, member));
    const resources = Object.keys(controlPlane.members).map((member) => `control-plane-${member}`);
    const owners = new Map(members.map((host) => [host, ""]));
    for (const [name, pool] of Object.entries(pools)) {
        const path = `pools.${name}`;
        if ((pool.count === undefined) === (pool.nodes === undefined))
            report(
                path,
                pool.count === undefined ? "has neither count nor nodes" : "has both count and nodes",
                "Give the number of nodes (count) or their names (nodes)",
            );
        if (pool.count !== undefined && (!Number.isInteger(pool.count) || pool.count < 0))
            report(`${path}.count`, `${pool.count} is not a number of nodes`, "Use 0 or more");
        const keys = pool.nodes ?? [];
        keys.forEach((key, index) => {
            if (keys.indexOf(key) !== index)
                report(`${path}.nodes[${index}]`, `${JSON.stringify(key)} is a duplicate`, "Remove one of them");
        });
        const nodes = Object.entries(poolNodeNames(cluster, name, withValidCount(pool)));
        // Resources of pools are named `<pool>-<node>`, those of the control plane `control-plane-<member>`.
        if (name === "control-plane" || nodes.some(([key]) => resources.includes(`${name}-${key}`)))
            report(path, "has resources with the same names as the control plane's", "Give the pool another name");
        for (const [, host] of nodes) {
            checkHostName(host, path, report);
            // Pool "a" with node "b-0" and pool "a-b" with node "0" would have the same name.
            const owner = owners.get(host);
            const other = owner === "" ? "the control plane" : `pool ${owner}`;
            if (owner !== undefined && owner !== name)
                report(path, `names a node ${host}, as ${other} does`, "Rename one of them");
            owners.set(host, name);
        }
        checkLabels(known(pool.labels), `${path}.labels`, report);
        checkTaints(known(pool.taints), `${path}.taints`, report);
        checkExtra(pool, path, report);
    }
}

function checkExtra({ extraCloudConfig }: ControlPlaneArgs | PoolArgs, path: string, report: Report): void {
    const extra = whollyKnown(extraCloudConfig);
    if (extra === undefined) return;
    for (const { path: at, problem, remedy } of checkCloudConfig(extra, `${path}.extraCloudConfig`))
        report(at, problem, remedy);
}

/** The pool, with 0 as count if it is not valid. */
function withValidCount({ count, nodes }: PoolArgs): PoolArgs {
    const whole = Number.isInteger(count) && (count as number) >= 0 && (count as number) <= 5000;
    return { count: whole ? count : 0, nodes, serviceOffering: "" };
}

function checkHostName(host: string, path: string, report: Report): void {
    if (!isHostLabel(host)) report(path, `results in the invalid host name ${JSON.stringify(host)}`, hostNameRemedy);
}

function checkNetworks(args: RecipeArgs, report: Report): void {
    const texts = {
        networkCidr: known(args.networkCidr),
        podCidr: known(args.podCidr) ?? (args.podCidr === undefined ? defaultCidrs.podCidr : undefined),
        serviceCidr: known(args.serviceCidr) ?? (args.serviceCidr === undefined ? defaultCidrs.serviceCidr : undefined),
    };
    const parsed: [name: keyof typeof texts, network: Cidr][] = [];
    type Name = keyof typeof texts;
    for (const [name, text] of Object.entries(texts) as [Name, string | undefined][]) {
        if (text === undefined) continue;
        const network = parseCidr(text);
        if (network === undefined) report(name, cidrProblem(text), "Use an IPv4 network such as 10.244.0.0/16");
        else parsed.push([name, network]);
    }
    parsed.forEach(([name, network], index) => {
        for (const [other, another] of parsed.slice(0, index))
            if (overlap(network, another))
                report(
                    name,
                    `${texts[name]} shares addresses with ${other} ${texts[other]}`,
                    "Choose networks that do not overlap",
                );
        if (name === "podCidr" && network.bits > 23)
            report(name, "has room for one node", "Use a /16, or at least a /23: each node gets a /24");
        if (name === "serviceCidr" && network.bits > 28)
            report(
                name,
                "is too small for the cluster's DNS service, which has the tenth address",
                "Use a /28 or wider, such as a /16",
            );
    });
    const backend = known(args.podNetwork?.backend);
    if (backend !== undefined && !["vxlan", "wireguard", "none"].includes(backend))
        report("podNetwork.backend", `${JSON.stringify(backend)} is unknown`, "Use vxlan, wireguard or none");
    const mtu = known(args.podNetwork?.mtu);
    if (mtu !== undefined && (!Number.isInteger(mtu) || mtu < 1280 || mtu > 9216))
        report(
            "podNetwork.mtu",
            `${mtu} is not a valid MTU`,
            "Use the MTU of the machines' network, 1280 to 9216 bytes, such as 1450",
        );
}

function cidrProblem(text: string): string {
    const [address, bits] = text.split("/");
    const fits = parseIpv4(address) !== undefined && /^\d{1,2}$/.test(bits ?? "") && Number(bits) <= 32;
    return fits ? `${text} has host bits set` : `${JSON.stringify(text)} is not an IPv4 network in CIDR notation`;
}

function checkEndpoint({ endpoint = {} }: RecipeArgs, report: Report): void {
    const modes = ["nodeLocal", "cloudstackLoadBalancer", "dns", "external"];
    const mode = known(endpoint.mode) ?? (endpoint.mode === undefined ? "nodeLocal" : undefined);
    if (mode === undefined) return;
    if (!modes.includes(mode)) {
        report(
            "endpoint.mode",
            `${JSON.stringify(mode)} is unknown`,
            `Use ${modes.slice(0, 3).join(", ")} or external`,
        );
        return;
    }
    if (mode === "nodeLocal") {
        for (const field of ["host", "port"] as const)
            if (endpoint[field] !== undefined)
                report(
                    `endpoint.${field}`,
                    "cannot be set if endpoint.mode is nodeLocal",
                    "Remove it, or set endpoint.mode to dns or external",
                );
        return;
    }
    const host = known(endpoint.host);
    // A public address from CloudStack is an output: unknown at preview, but not missing.
    if (endpoint.host === undefined)
        report("endpoint.host", `is required if endpoint.mode is ${mode}`, "Give the name or address of the API");
    else if (host !== undefined && isIP(host) !== 4 && !host.split(".").every((part) => isHostLabel(part, true)))
        report(
            "endpoint.host",
            `${JSON.stringify(host)} is not a host name or address`,
            "Use a name such as api.example.org, or an IPv4 address, without a port",
        );
    const port = known(endpoint.port);
    if (port !== undefined && (!Number.isInteger(port) || port < 1 || port > 65535))
        report("endpoint.port", `${port} is not a port`, "Use 1 to 65535, such as 6443");
}

function checkAudiences(args: RecipeArgs, report: Report): void {
    for (const field of ["operatorCidrs", "nodePortCidrs", "monitoringCidrs", "sshCidrs"] as const)
        (known(args[field]) ?? []).forEach((input, index) => {
            const text = known(input);
            if (
                text === undefined ||
                parseCidr(text) !== undefined ||
                (text.includes(":") && normalCidr(text) !== undefined)
            )
                return;
            report(
                `${field}[${index}]`,
                cidrProblem(text).replace("an IPv4", "a"),
                "Use a network such as 203.0.113.0/24, or 203.0.113.7/32 for one address",
            );
        });
}
