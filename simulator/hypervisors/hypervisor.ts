/**
 * The interface between the cloud's state and its machines. Jobs call it while they run; every method must be
 * idempotent, because a job that was interrupted by a restart of the cloud calls it again.
 *
 * An exception fails the job with its message, and the machine returns to its previous state.
 */

/** The desired machine: everything a hypervisor needs to create it. */
export interface MachinePlan {
    readonly id: string;
    /** Such as i-2-7-VM: unique, and safe as the name of a file or unit. */
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
        /** Whether all accounts share the network; the host has a link to it then. */
        readonly isShared: boolean;
        readonly address: string;
        readonly netmask: string;
        readonly mac: string;
        readonly isDefault: boolean;
    }[];
    readonly securityGroupIds: readonly string[];
    /** Served by the metadata service of the machine's network. */
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
    /** Matches the current members of this group. */
    readonly sourceGroupId?: string;
}

/** All rules of the network that has security groups; passed as a whole at every change. */
export interface FilterPlan {
    readonly cidr: string;
    /** The host's address in that network. */
    readonly hostAddress: string;
    /** Machines that are running or about to start. */
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
    /** Starts a machine, and creates it first if it does not exist; a running machine is not changed. */
    start(machine: MachinePlan): Promise<void>;
    stop(machine: MachinePlan, forced: boolean): Promise<void>;
    reboot(machine: MachinePlan): Promise<void>;
    /** Gives a stopped machine a fresh root volume from its template; data volumes are kept. */
    reinstall(machine: MachinePlan): Promise<void>;
    /** Removes a stopped machine and its root volume. */
    expunge(machine: MachinePlan): Promise<void>;
    attach(machine: MachinePlan, volume: VolumePlan): Promise<void>;
    detach(machine: MachinePlan, volume: VolumePlan): Promise<void>;
    /** @param machine undefined if the volume is not attached */
    resize(volume: VolumePlan, machine: MachinePlan | undefined): Promise<void>;
    deleteVolume(volumeId: string): Promise<void>;
    /** Updates what the metadata service serves to a machine. */
    updateMetadata(machine: MachinePlan): Promise<void>;
    /** The end of the machine's console log. */
    console(machine: MachinePlan): string;
    /** The host's address in a shared network; undefined if it has none. */
    hostAddress(cidr: string): string | undefined;
    /** Takes over running machines, and reports machines that end by themselves from then on. */
    watch(ended: (machine: { id: string }) => void): void;
    /** Stops machines and removes networks until the next start; volumes and root disks are kept. */
    close(): Promise<void>;
    /** Ends all machines immediately, so that `close` need not wait until they have shut down. */
    cutPower(): void;
    /** Called when rules or members of security groups change, and before a member starts. */
    filter(plan: FilterPlan): Promise<void>;
}
