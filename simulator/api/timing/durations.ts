/**
 * How long the commands of a real management server take, in seconds: measured on CloudStack 4.22 with two cores and
 * its own simulator as hypervisor. A real hypervisor takes longer; the locks are the same.
 */
import type { Cloud } from "../../cloud";
import type { Job } from "../../state/records";

export interface Duration {
    /** Core time until the request is answered. */
    readonly answer: number;
    /** Core time of the job. */
    readonly work: number;
    /** Time that the job waits for the hypervisor and the database. */
    readonly wait: number;
    /** A row that is locked while the request is answered: the caller's account. */
    readonly lock?: "account";
    /** How much of the core time until the answer holds the lock. Default: all of it. */
    readonly locked?: number;
}

/** Lists and other reads. */
const READ: Duration = { answer: 0.02, work: 0, wait: 0 };
/** Queries of jobs. */
const POLL: Duration = { answer: 0.004, work: 0, wait: 0 };
/** Changes without a job. */
const CHANGE: Duration = { answer: 0.05, work: 0, wait: 0 };
/** Jobs that only change database rows. */
const SHORT: Duration = { answer: 0.05, work: 0.05, wait: 0.05 };
/** Jobs on rules: the lock of the group is held during `wait`. */
const RULE: Duration = { answer: 0.04, work: 0.01, wait: 0.035 };
/** Jobs on rules of a virtual router: the lock of the address is held during `wait`. */
const ROUTER_RULE: Duration = { answer: 0.05, work: 0.03, wait: 0.08 };
/** Jobs that involve a host. */
const POWER: Duration = { answer: 0.1, work: 0.3, wait: 1.5 };
const DISK: Duration = { answer: 0.1, work: 0.1, wait: 1.8 };

const DURATIONS: Readonly<Record<string, Duration>> = {
    listAsyncJobs: POLL,
    queryAsyncJobResult: POLL,
    deployVirtualMachine: { answer: 0.26, work: 0.87, wait: 0.97 },
    startVirtualMachine: POWER,
    stopVirtualMachine: POWER,
    rebootVirtualMachine: { ...POWER, wait: 1.1 },
    restoreVirtualMachine: { ...POWER, wait: 3.5 },
    destroyVirtualMachine: { answer: 0.05, work: 0.2, wait: 5.5 },
    expungeVirtualMachine: { answer: 0.05, work: 0.2, wait: 2 },
    addNicToVirtualMachine: POWER,
    removeNicFromVirtualMachine: POWER,
    attachVolume: DISK,
    detachVolume: DISK,
    resizeVolume: DISK,
    authorizeSecurityGroupIngress: RULE,
    authorizeSecurityGroupEgress: RULE,
    revokeSecurityGroupIngress: RULE,
    revokeSecurityGroupEgress: RULE,
    createFirewallRule: ROUTER_RULE,
    deleteFirewallRule: ROUTER_RULE,
    createPortForwardingRule: ROUTER_RULE,
    updatePortForwardingRule: ROUTER_RULE,
    deletePortForwardingRule: ROUTER_RULE,
    createEgressFirewallRule: ROUTER_RULE,
    deleteEgressFirewallRule: ROUTER_RULE,
    createNetwork: { answer: 0.2, work: 0, wait: 0, lock: "account" },
    associateIpAddress: { answer: 0.15, work: 0.05, wait: 0.1, lock: "account", locked: 0.05 },
    disassociateIpAddress: { ...SHORT, wait: 1.2 },
    deleteNetwork: { ...SHORT, wait: 1.2 },
};

/** A deployment that does not start its machine. */
const DEPLOY_STOPPED: Duration = { answer: 0.26, work: 0.1, wait: 0.1 };

/** Additional time to remove a destroyed machine from the database. */
const EXPUNGE = 2.1;

/** Additional time to start an isolated network's virtual router with its first machine. */
const ROUTER_START = 1.2;

/** @param isJob whether it answers with a job */
export function durationOf(command: string, isJob: boolean): Duration {
    const other = isJob ? SHORT : /^(list|query|get)/.test(command) ? READ : CHANGE;
    return DURATIONS[command] ?? other;
}

/** The isolated network of a starting machine whose virtual router is not running yet. */
function networkToImplement(cloud: Cloud, { command, instanceId }: Job): string | undefined {
    if (command !== "deployVirtualMachine" && command !== "startVirtualMachine") return undefined;
    const nics = cloud.store.machines.get(instanceId)?.nics ?? [];
    return nics.find(({ networkId }) => cloud.store.networks.need(networkId).state === "Allocated")?.networkId;
}

const starts = (job: Job) => job.arguments.startvm !== false;

export function durationOfJob(cloud: Cloud, job: Job): Duration {
    const duration = durationOf(job.command, true);
    if (job.command === "deployVirtualMachine" && !starts(job)) return DEPLOY_STOPPED;
    const more = (seconds: number) => ({ ...duration, wait: duration.wait + seconds });
    if (job.command === "destroyVirtualMachine" && job.arguments.expunge === true) return more(EXPUNGE);
    return networkToImplement(cloud, job) !== undefined && starts(job) ? more(ROUTER_START) : duration;
}

/** Whether a job takes the lock of its group or address, instead of waiting for the jobs before it. */
export function contendsForLock({ command }: Job): boolean {
    return RULES.test(command) || ROUTER_RULES.test(command);
}

/** Commands that lock a security group. */
const RULES = /^(authorize|revoke)SecurityGroup/;
/** Commands that lock a public address. */
const ROUTER_RULES = /^(create|delete)(Firewall|PortForwarding)Rule/;

/** The row whose lock a job holds while it waits. */
export function lockOfJob(cloud: Cloud, job: Job): string | undefined {
    if (RULES.test(job.command)) return `group ${job.instanceId}`;
    // The queue of such a job is its address.
    if (ROUTER_RULES.test(job.command)) return `address ${job.queue}`;
    const network = starts(job) ? networkToImplement(cloud, job) : undefined;
    return network === undefined ? undefined : `network ${network}`;
}
