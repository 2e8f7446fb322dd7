/**
 * The seam between what the cloud decides and what happens to machines. Jobs call it while they run; whatever it does
 * must be safe to do again, because a job that was interrupted by a restart of the cloud does it once more.
 *
 * An exception of any of them fails the job with its message, and the machine returns to the state it was in.
 */

/** A machine as it is to be: everything a hypervisor needs to make one. */
export interface MachinePlan {
    readonly id: string;
    /** i-2-7-VM: unique, safe as a file or unit name. */
    readonly instanceName: string;
    /** The host name. */
    readonly name: string;
    readonly templateName: string;
    readonly cpuNumber: number;
    /** MHz per CPU. */
    readonly cpuSpeed: number;
    readonly memoryMiB: number;
    readonly zoneName: string;
    readonly serviceOfferingName: string;
    readonly nics: readonly {
        readonly networkId: string;
        readonly cidr: string;
        readonly gateway: string;
        /** Whether the network is one for all accounts, which the host has a link to. */
        readonly isShared: boolean;
        readonly address: string;
        readonly netmask: string;
        readonly mac: string;
        readonly isDefault: boolean;
    }[];
    readonly securityGroupIds: readonly string[];
    /** What the machine's metadata service answers. */
    readonly userData?: Buffer;
    readonly publicKeys: readonly string[];
    readonly password?: string;
    readonly rootVolume: VolumePlan;
    readonly dataVolumes: readonly VolumePlan[];
}

export interface VolumePlan {
    readonly id: string;
    readonly sizeGiB: number;
    readonly deviceId: number;
}

export interface FilterRule {
    readonly direction: "ingress" | "egress";
    /** tcp, udp, icmp, all or a number. */
    readonly protocol: string;
    /** First port, or the ICMP type; -1 for any type. */
    readonly from: number;
    /** Last port, or the ICMP code; -1 for any code. */
    readonly to: number;
    readonly cidr?: string;
    /** The members of this group, as they are at the moment. */
    readonly sourceGroupId?: string;
}

/** What may reach whom in the network where security groups rule: all of it, at every change. */
export interface FilterPlan {
    readonly cidr: string;
    /** Of the host in that network. */
    readonly hostAddress: string;
    /** Those that run, or are about to. */
    readonly machines: readonly {
        readonly instanceName: string;
        readonly address: string;
        readonly mac: string;
        readonly securityGroupIds: readonly string[];
    }[];
    readonly groups: readonly { readonly id: string; readonly rules: readonly FilterRule[] }[];
}

export interface Hypervisor {
    /** As `status` shows it. */
    readonly name: string;
    /** Runs a machine, which is made first where it does not exist; a machine that runs is left alone. */
    start(machine: MachinePlan): Promise<void>;
    stop(machine: MachinePlan, forced: boolean): Promise<void>;
    reboot(machine: MachinePlan): Promise<void>;
    /** Gives a stopped machine a fresh root volume from its template; data volumes are kept. */
    reinstall(machine: MachinePlan): Promise<void>;
    /** Removes a stopped machine and its root volume. */
    expunge(machine: MachinePlan): Promise<void>;
    attach(machine: MachinePlan, volume: VolumePlan): Promise<void>;
    detach(machine: MachinePlan, volume: VolumePlan): Promise<void>;
    /** `machine` where the volume is attached to one. */
    resize(volume: VolumePlan, machine: MachinePlan | undefined): Promise<void>;
    deleteVolume(volumeId: string): Promise<void>;
    /** What the metadata service tells a machine has changed. */
    updateMetadata(machine: MachinePlan): Promise<void>;
    /** The end of what the machine has written to its console. */
    console(machine: MachinePlan): string;
    /** The address of the host in a shared network, where it has one. */
    hostAddress(cidr: string): string | undefined;
    /** Takes over what runs already, and tells from now on which machines have ended by themselves. */
    watch(ended: (machine: { id: string }) => void): void;
    /** Takes machines and networks down, to come back with the next start; volumes and root disks are kept. */
    close(): Promise<void>;
    /** Ends all machines at once: what waits for one to shut down goes on. For a `close` that is to be quick. */
    cutPower(): void;
    /** Rules or members of security groups changed, or a machine of them is about to start. */
    filter(plan: FilterPlan): Promise<void>;
}
