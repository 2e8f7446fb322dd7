import type * as pulumi from "@pulumi/pulumi";
import type { SecurityGroupRule } from "../../provider/securityGroup";
import type { ArtifactsArgs } from "../artifacts";
import { artifactsShape } from "../artifacts/check";
import type { CloudConfigArgs } from "../cloudInit";
import { cloudConfigShape } from "../cloudInit/check";
import type { DataVolumeArgs } from "../machineGroup/args";
import { dataVolumeShape } from "../machineGroup/check";
import { offeringShape, type PlacementArgs, placementShape } from "../placement";
import { ruleShape } from "../ruleShape";
import { boolean, fields, list, needed, number, oneOf, plain, record, text } from "../shape";

/** The etcd that is installed where nothing else is said. */
export const defaultEtcdVersion = "3.6.14";

/** Which generations of its authorities a cluster has; see `CertificateAuthority`. */
export interface AuthorityGenerations {
    /** The newest one. @default 1 */
    generation?: pulumi.Input<number>;
    /** The one that signs. @default generation */
    signingGeneration?: pulumi.Input<number>;
    /** The oldest one that is trusted. @default the one before `signingGeneration` */
    oldestTrustedGeneration?: pulumi.Input<number>;
}

/** The arguments of an {@link EtcdCluster}. */
export interface EtcdClusterArgs extends PlacementArgs {
    /**
     * The members: a key that stays theirs, and their address (IPv4). One, three or five; add a key to grow, take one
     * out to shrink. The addresses are pinned, so that a member that is made anew changes nothing elsewhere.
     *
     * @example { a: "10.1.1.11", b: "10.1.1.12", c: "10.1.1.13" }
     */
    members: Record<string, pulumi.Input<string>>;
    /**
     * The size of the machines: 2 processors and 2 GiB at least for production. A change stops and starts them, one by
     * one.
     */
    serviceOffering: pulumi.Input<string>;
    /** The cluster's name: machines are named `<name>-etcd-<key>`. @default `<stack>-<resource name>` */
    name?: string;
    /** Such as `3.6.14`. @default "3.6.14" */
    version?: pulumi.Input<string>;
    /**
     * A data disk for each member, which outlives its machine. Without one the data is on the root disk.
     *
     * @default none
     * @example { diskOffering: "Custom", sizeGiB: 20 }
     */
    dataVolume?: DataVolumeArgs;
    /**
     * Names of security groups whose members are clients of the database: 2379.
     *
     * @default none
     * @example [clients.name]
     */
    clientGroups?: pulumi.Input<pulumi.Input<string>[]>;
    /** Networks of whoever runs `pulumi up`: 2379. @default none @example ["203.0.113.0/24"] */
    operatorCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /** Networks that may read metrics over plain HTTP: 2381. @default none @example ["10.99.1.0/24"] */
    metricsCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /** Networks that may use ssh. @default none @example ["203.0.113.0/24"] */
    sshCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /** Further rules of the members' group. @default none @example [{ ports: "9100", cidrs: ["10.99.1.0/24"] }] */
    extraRules?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
    /** How long its members may found the cluster, from the run on that makes the first machine, in seconds. @default 900 */
    bootstrapWindowSeconds?: pulumi.Input<number>;
    /** The most that the database may grow to, in GiB. @default 4 */
    quotaGiB?: pulumi.Input<number>;
    /** How many hourly snapshots stay. @default 24 */
    keepHourlySnapshots?: pulumi.Input<number>;
    /** Of how many days the last snapshot stays. @default 7 */
    keepDailySnapshots?: pulumi.Input<number>;
    /** From how many percent of unused space on a member is defragmented, weekly. @default 30 */
    defragmentPercent?: pulumi.Input<number>;
    /**
     * `healthy`: `pulumi up` ends when all members are well, changes go on to the next member only when the one before is
     * well again, none begins while a member is down, and a member leaves the cluster before its machine goes. It asks
     * etcd from where `pulumi up` runs, so that has to be in `operatorCidrs`. `none`: nobody looks, and a change that
     * erases the members' data is refused.
     *
     * @default "healthy" where `operatorCidrs` name somebody, else "none"
     */
    waitFor?: "none" | "healthy";
    /** How long each wait may take, in seconds. @default 600 */
    waitForTimeoutSeconds?: pulumi.Input<number>;
    /**
     * Members, by key, that may be down when a change begins: for one that the change is to repair.
     *
     * @default none
     * @example ["b"]
     */
    allowUnhealthy?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Whether the cluster's data may be lost. While it may not, `pulumi destroy` and a program without the cluster fail
     * before anything is deleted, and a change that would erase the only copies of the data is refused at preview. To
     * delete the cluster: set it to true, run `pulumi up`, then delete it.
     *
     * @default false
     */
    allowDataLoss?: boolean;
    /**
     * How long the certificates of members and clients are good for, in days. In the last quarter of that `pulumi up`
     * renews them, and running machines take them up without a restart. @default 1825: five years
     */
    certificateValidityDays?: pulumi.Input<number>;
    /**
     * Replaces the authorities of clients and peers without an outage, in three steps: see `CertificateAuthority`. Each is
     * one `pulumi up` and a wait until every member has the result. @default the first ones
     * @example { generation: 2, signingGeneration: 1 }
     */
    authorities?: AuthorityGenerations;
    /** How often a machine looks for changes of its user data, in seconds. @default 300 */
    convergeIntervalSeconds?: pulumi.Input<number>;
    /**
     * Further settings by their environment names, such as `ETCD_SNAPSHOT_COUNT`.
     *
     * @default none
     * @example { ETCD_SNAPSHOT_COUNT: "50000" }
     */
    extraEnvironment?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /**
     * Where machines get their programs from.
     *
     * @default the projects' own sites
     * @example { mirror: "http://10.1.1.1/artifacts" }
     */
    artifacts?: pulumi.Input<ArtifactsArgs>;
    /** What the machines get beside it. @default none @example { packages: ["htop"] } */
    extraCloudConfig?: pulumi.Input<CloudConfigArgs>;
    /** The most characters of base64 that the cloud takes as user data. @default 32768 */
    userDataMaxLength?: pulumi.Input<number>;
}

/** What {@link EtcdClusterArgs} have to look like; what they say is for `checkEtcdCluster`. */
export const etcdShape = fields<EtcdClusterArgs>({
    members: needed(plain(record(text)), 'Give a key and an address for each member, such as { a: "10.1.1.11" }'),
    serviceOffering: offeringShape,
    ...placementShape,
    name: plain(text),
    version: text,
    dataVolume: plain(dataVolumeShape),
    clientGroups: list(text),
    operatorCidrs: list(text),
    metricsCidrs: list(text),
    sshCidrs: list(text),
    extraRules: list(ruleShape),
    bootstrapWindowSeconds: number,
    quotaGiB: number,
    keepHourlySnapshots: number,
    keepDailySnapshots: number,
    defragmentPercent: number,
    waitFor: plain(oneOf("none", "healthy")),
    waitForTimeoutSeconds: number,
    allowUnhealthy: list(text),
    allowDataLoss: plain(boolean),
    certificateValidityDays: number,
    authorities: plain(fields({ generation: number, signingGeneration: number, oldestTrustedGeneration: number })),
    convergeIntervalSeconds: number,
    extraEnvironment: record(text),
    artifacts: artifactsShape,
    extraCloudConfig: cloudConfigShape,
    userDataMaxLength: number,
});

/** The arguments that the renderer takes as they are. */
export function specArguments(args: EtcdClusterArgs) {
    const { members, version, bootstrapWindowSeconds, quotaGiB, keepHourlySnapshots, keepDailySnapshots } = args;
    const { defragmentPercent, convergeIntervalSeconds, extraEnvironment, artifacts, extraCloudConfig } = args;
    return {
        ...{ members, version, bootstrapWindowSeconds, quotaGiB, keepHourlySnapshots, keepDailySnapshots },
        ...{ defragmentPercent, convergeIntervalSeconds, extraEnvironment, artifacts, extraCloudConfig },
    };
}
