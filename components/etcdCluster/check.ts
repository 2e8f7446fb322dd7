import { isIPv4 } from "node:net";
import { normalCidr } from "../../provider/securityGroup/normal";
import { type Artifacts, checkArtifacts, checkVersion } from "../artifacts";
import { checkCloudConfig, type CloudConfig } from "../cloudInit";
import type { Problem } from "../problems";
import { minorOf, supportedMinors } from "./environment";
import { type EtcdClusterSpec, memberName } from "./spec";

/** The arguments that are checked: those of the renderer, and those of access and health checks. */
export interface EtcdCheckArgs extends EtcdClusterSpec {
    readonly operatorCidrs?: readonly (string | undefined)[];
    readonly metricsCidrs?: readonly (string | undefined)[];
    readonly sshCidrs?: readonly (string | undefined)[];
    readonly waitFor?: string;
    readonly waitForTimeoutSeconds?: number;
    readonly certificateValidityDays?: number;
    /** Whether there is a security group, which restricts access to the members. */
    readonly securityGroups?: boolean;
    readonly allowUnhealthy?: readonly (string | undefined)[];
}

/** Settings that the component sets itself; another value would break its guarantees. */
const reserved = new RegExp(
    "^ETCD_(NAME|DATA_DIR|WAL_DIR|INITIAL_\\w+|LISTEN_\\w+|ADVERTISE_\\w+|\\w*(CERT|KEY|CA)_FILE|" +
        "(PEER_)?CLIENT_CERT_AUTH|(PEER_)?AUTO_TLS|FORCE_NEW_CLUSTER|STRICT_RECONFIG_CHECK|UNSAFE_\\w+)$",
);

/** All problems of a cluster's arguments. */
export function checkEtcdCluster(args: EtcdCheckArgs): Problem[] {
    return [
        ...checkMembers(args),
        ...checkEtcdVersion(args.version, args.artifacts),
        ...checkNumbers(args),
        ...checkEnvironment(args.extraEnvironment),
        ...(["operatorCidrs", "metricsCidrs", "sshCidrs"] as const).flatMap((name) => checkCidrs(name, args[name])),
        ...checkWaiting(args),
        ...checkArtifacts(args.artifacts ?? {}),
        ...checkExtra(args.extraCloudConfig),
    ];
}

function checkMembers({ name, members }: EtcdCheckArgs): Problem[] {
    const problems: Problem[] = [];
    const add = (path: string, problem: string, remedy: string) => problems.push({ path, problem, remedy });
    const keys = Object.keys(members);
    if (keys.length === 0) add("members", "is empty", "Give one, three or five members");
    else if (keys.length > 7)
        add("members", `has ${keys.length} members; every write waits for a majority of them`, "Use five or seven");
    else if (keys.length % 2 === 0)
        add(
            "members",
            `has ${keys.length} members, which tolerate no more failures than ${keys.length - 1}`,
            `Use ${keys.length - 1} or ${keys.length + 1}`,
        );
    if (!/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name))
        add(
            "name",
            `${JSON.stringify(name)} cannot be part of a host name`,
            "Use lower-case letters, digits and hyphens, a letter first",
        );
    const seen = new Map<string, string>();
    for (const key of keys) {
        const path = `members.${key}`;
        if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(key))
            add(path, "the key cannot be part of a host name", "Use lower-case letters, digits and hyphens");
        else if (memberName(name, key).length > 63)
            add(
                path,
                `the machine's name ${memberName(name, key)} is longer than 63 characters`,
                "Shorten the cluster's name or the key",
            );
        const address = members[key];
        if (!isIPv4(address))
            add(
                path,
                `${JSON.stringify(address)} is not an IPv4 address`,
                "Use a free address of the network, such as 10.1.1.11",
            );
        else if (/^(0|127|169\.254|22[4-9]|2[3-5]\d)\./.test(address))
            add(
                path,
                `${address} cannot be the address of a machine`,
                "Use a free address of the network, such as 10.1.1.11",
            );
        else if (seen.has(address))
            add(path, `${address} is the address of ${seen.get(address)} too`, "Give each member its own");
        seen.set(address, key);
    }
    return problems;
}

function checkEtcdVersion(version: string, artifacts: Artifacts = {}): Problem[] {
    if (minorOf(version) === undefined)
        return [
            {
                path: "version",
                problem: `${JSON.stringify(version)} is not supported`,
                remedy: `Use a version of ${supportedMinors.join(" or ")}, such as 3.6.14`,
            },
        ];
    return checkVersion("etcd", version, artifacts, "version");
}

function checkNumbers(args: EtcdCheckArgs): Problem[] {
    const ranges: [name: keyof EtcdCheckArgs, least: number, most: number, whole: boolean][] = [
        ["bootstrapWindowSeconds", 60, 86400 * 365, true],
        ["quotaGiB", 0.1, 16, false],
        ["keepHourlySnapshots", 1, 1000, true],
        ["keepDailySnapshots", 0, 1000, true],
        ["defragmentPercent", 1, 99, true],
        ["convergeIntervalSeconds", 10, 86400, true],
        ["waitForTimeoutSeconds", 10, 86400, true],
        ["certificateValidityDays", 1, 3650, true],
    ];
    return ranges.flatMap(([path, least, most, whole]) => {
        const value = args[path];
        if (
            value === undefined ||
            (typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value)))
        )
            return [];
        return [
            {
                path,
                problem: `${JSON.stringify(value)} is out of range`,
                remedy: `Use a ${whole ? "whole " : ""}number from ${least} to ${most}`,
            },
        ];
    });
}

function checkWaiting({ waitFor, operatorCidrs, securityGroups, allowUnhealthy, members }: EtcdCheckArgs): Problem[] {
    const problems = (allowUnhealthy ?? []).flatMap((key, index) =>
        key === undefined || key in members
            ? []
            : [
                  {
                      path: `allowUnhealthy[${index}]`,
                      problem: `${JSON.stringify(key)} is not a key of members`,
                      remedy: `Use one of ${Object.keys(members).join(", ")}`,
                  },
              ],
    );
    if (waitFor === "healthy" && securityGroups !== false && (operatorCidrs ?? []).length === 0)
        problems.push({
            path: "waitFor",
            problem: 'is "healthy", but operatorCidrs is empty',
            remedy: "Add the address from which pulumi runs to operatorCidrs, such as 203.0.113.7/32",
        });
    return problems;
}

function checkEnvironment(environment: Readonly<Record<string, string>> = {}): Problem[] {
    return Object.entries(environment).flatMap(([name, value]) => {
        const path = `extraEnvironment.${name}`;
        if (!/^ETCD_[A-Z0-9_]+$/.test(name))
            return [{ path, problem: "is not a setting of etcd", remedy: "Use names such as ETCD_SNAPSHOT_COUNT" }];
        if (reserved.test(name)) return [{ path, problem: "is set by the cluster itself", remedy: "Remove it" }];
        if (/[\n'"\\$`]/.test(value))
            return [{ path, problem: "has quotes, $, \\ or newlines in its value", remedy: "Use a plain value" }];
        return [];
    });
}

/** Whether each item is a CIDR; items that are not known yet are not checked. */
function checkCidrs(name: string, cidrs: readonly (string | undefined)[] = []): Problem[] {
    return cidrs.flatMap((cidr, index) => {
        if (cidr === undefined || normalCidr(cidr) !== undefined) return [];
        return [
            {
                path: `${name}[${index}]`,
                problem: `${JSON.stringify(cidr)} is not a network in CIDR notation`,
                remedy: "Use a CIDR such as 203.0.113.0/24, or /32 for one address",
            },
        ];
    });
}

function checkExtra(extra: CloudConfig | undefined): Problem[] {
    return extra === undefined ? [] : checkCloudConfig(extra, "extraCloudConfig");
}
