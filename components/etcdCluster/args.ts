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

/** The default version of etcd. */
export const defaultEtcdVersion = "3.6.14";

/** The generations of a cluster's certificate authorities; see `CertificateAuthority`. */
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
     * The members: a permanent key and the IPv4 address of each. One, three or five; add or remove a key to scale. The
     * addresses are fixed, so that replacing a member changes nothing elsewhere.
     *
     * @example { a: "10.1.1.11", b: "10.1.1.12", c: "10.1.1.13" }
     */
    members: Record<string, pulumi.Input<string>>;
    /**
     * The service offering of the machines: at least 2 CPUs and 2 GiB for production. A change stops and starts them
     * one by one.
     */
    serviceOffering: pulumi.Input<string>;
    /** The cluster's name: machines are named `<name>-etcd-<key>`. @default `<stack>-<resource name>` */
    name?: string;
    /** Such as `3.6.14`. @default "3.6.14" */
    version?: pulumi.Input<string>;
    /**
     * A data disk for each member, which survives the replacement of its machine. Without it the data is on the root
     * disk.
     *
     * @default none
     * @example { diskOffering: "Custom", sizeGiB: 20 }
     */
    dataVolume?: DataVolumeArgs;
    /**
     * Names of security groups that may connect to the client port, 2379.
     *
     * @default none
     * @example [clients.name]
     */
    clientGroups?: pulumi.Input<pulumi.Input<string>[]>;
    /** Networks from which `pulumi up` connects to etcd: port 2379. @default none @example ["203.0.113.0/24"] */
    operatorCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /** Networks that may read metrics over plain HTTP: port 2381. @default none @example ["10.99.1.0/24"] */
    metricsCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /** Networks that may connect with SSH. @default none @example ["203.0.113.0/24"] */
    sshCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Additional rules of the members' security group.
     *
     * @default none
     * @example [{ ports: "9100", cidrs: ["10.99.1.0/24"] }]
     */
    extraRules?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
    /**
     * The time in which members may bootstrap a new cluster, from the run that creates the first machine, in seconds.
     *
     * @default 900
     */
    bootstrapWindowSeconds?: pulumi.Input<number>;
    /** The maximum size of the database (etcd's backend quota), in GiB. @default 4 */
    quotaGiB?: pulumi.Input<number>;
    /** How many hourly snapshots are kept. @default 24 */
    keepHourlySnapshots?: pulumi.Input<number>;
    /** For how many days the last snapshot of the day is kept. @default 7 */
    keepDailySnapshots?: pulumi.Input<number>;
    /** The percentage of unused space from which on a member is defragmented, weekly. @default 30 */
    defragmentPercent?: pulumi.Input<number>;
    /**
     * `healthy`: `pulumi up` ends when all members are healthy, continues with the next member only when the previous
     * one is healthy again, changes nothing while a member is down, and removes a member from the cluster before its
     * machine is deleted. It connects to etcd from where `pulumi up` runs, so that address must be in `operatorCidrs`.
     * `none`: health is not checked, and a change that erases the members' data is refused.
     *
     * @default "healthy" if `operatorCidrs` is not empty, else "none"
     */
    waitFor?: "none" | "healthy";
    /** How long each wait may take, in seconds. @default 600 */
    waitForTimeoutSeconds?: pulumi.Input<number>;
    /**
     * Keys of members that may be down when a change begins, such as one that the change repairs.
     *
     * @default none
     * @example ["b"]
     */
    allowUnhealthy?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Whether the cluster's data may be lost. If false, `pulumi destroy` and a program without the cluster fail before
     * anything is deleted, and a change that would erase the only copies of the data is refused at preview. To delete
     * the cluster: set it to true, run `pulumi up`, then delete it.
     *
     * @default false
     */
    allowDataLoss?: boolean;
    /**
     * The validity of the certificates of members and clients, in days. In its last quarter `pulumi up` renews them,
     * and running machines load them without a restart. @default 1825: five years
     */
    certificateValidityDays?: pulumi.Input<number>;
    /**
     * Replaces the certificate authorities of clients and peers without an outage, in three steps: see
     * `CertificateAuthority`. Each step is one `pulumi up`, and a wait until every member has the result. @default the
     * first generation
     * @example { generation: 2, signingGeneration: 1 }
     */
    authorities?: AuthorityGenerations;
    /** How often a machine checks its user data for changes, in seconds. @default 300 */
    convergeIntervalSeconds?: pulumi.Input<number>;
    /**
     * Additional settings of etcd as environment variables, such as `ETCD_SNAPSHOT_COUNT`.
     *
     * @default none
     * @example { ETCD_SNAPSHOT_COUNT: "50000" }
     */
    extraEnvironment?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /**
     * Where machines download their programs from.
     *
     * @default the projects' own sites
     * @example { mirror: "http://10.1.1.1/artifacts" }
     */
    artifacts?: pulumi.Input<ArtifactsArgs>;
    /** Additional cloud-init configuration of the machines. @default none @example { packages: ["htop"] } */
    extraCloudConfig?: pulumi.Input<CloudConfigArgs>;
    /** The longest user data that the cloud accepts, in characters of base64. @default 32768 */
    userDataMaxLength?: pulumi.Input<number>;
}

/** The shape of {@link EtcdClusterArgs}; `checkEtcdCluster` checks the values. */
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

/** Arguments that the renderer takes as they are, so that each is declared once. */
const recipeArguments = [
    "members",
    "version",
    "bootstrapWindowSeconds",
    "quotaGiB",
    "keepHourlySnapshots",
    "keepDailySnapshots",
    "defragmentPercent",
    "convergeIntervalSeconds",
    "extraEnvironment",
    "artifacts",
    "extraCloudConfig",
] as const satisfies readonly (keyof EtcdClusterArgs)[];

/** See {@link recipeArguments}. */
export type RecipeArguments = Pick<EtcdClusterArgs, (typeof recipeArguments)[number]>;

/** The arguments that are passed to the renderer unchanged. */
export function specArguments(args: EtcdClusterArgs): RecipeArguments {
    return Object.fromEntries(recipeArguments.map((name) => [name, args[name]])) as unknown as RecipeArguments;
}
