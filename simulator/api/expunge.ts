/** Removes machines and volumes, and expunges destroyed machines after a delay. */
import type { Cloud } from "../cloud";
import type { Machine, Volume } from "../state/records";
import { rootVolumeOf } from "./answers/machine";
import { removeRule } from "./networkState";
import { machinePlan } from "./plan";

/** Marks a volume as detached; its data is kept. */
export function markDetached(cloud: Cloud, volume: Volume): Volume {
    return cloud.store.volumes.change(volume.id, { machineId: undefined, deviceId: undefined, attached: undefined });
}

export function removeVolume(cloud: Cloud, volume: Volume): void {
    cloud.store.volumes.change(volume.id, { state: "Destroy", removed: cloud.now(), machineId: undefined });
    for (const tag of cloud.store.tags.filter((t) => t.resourceId === volume.id)) cloud.store.tags.remove(tag.id);
}

/** Whether a machine waits to be expunged: one that never started is in state `Expunging` meanwhile. */
export function isDestroyed({ state }: Machine): boolean {
    return state === "Destroyed" || state === "Expunging";
}

/** Marks a machine as removed, and releases its name, addresses, groups, tags and root volume. Its id stays known. */
export function removeMachine(cloud: Cloud, machine: Machine): void {
    const root = rootVolumeOf(cloud, machine.id);
    if (root !== undefined) removeVolume(cloud, root);
    for (const tag of cloud.store.tags.filter((t) => t.resourceId === machine.id)) cloud.store.tags.remove(tag.id);
    for (const rule of cloud.store.networkRules.filter(({ machineId }) => machineId === machine.id))
        removeRule(cloud, rule.id);
    cloud.store.machines.change(machine.id, {
        state: "Expunging",
        removed: cloud.now(),
        updated: cloud.now(),
        nics: [],
        securityGroupIds: [],
        affinityGroupIds: [],
        userData: undefined,
        password: undefined,
    });
}

/** Expunges destroyed machines after the delay. */
export class Expunger {
    private readonly cloud: Cloud;
    private readonly busy = new Set<string>();
    private timer: NodeJS.Timeout | undefined;

    constructor(cloud: Cloud) {
        this.cloud = cloud;
    }

    start(): void {
        this.timer = setInterval(() => void this.sweep(), 1000).unref();
    }

    stop(): void {
        clearInterval(this.timer);
    }

    private isDue(machine: Machine): boolean {
        if (machine.removed !== undefined || !isDestroyed(machine) || this.busy.has(machine.id)) return false;
        return (machine.destroyed ?? 0) + this.cloud.settings.expungeSeconds * 1000 <= this.cloud.now();
    }

    private async sweep(): Promise<void> {
        for (const machine of this.cloud.store.machines.filter((m) => this.isDue(m))) {
            this.busy.add(machine.id);
            try {
                await this.cloud.hypervisor.expunge(machinePlan(this.cloud, machine));
                const now = this.cloud.store.machines.need(machine.id);
                // An administrator may have recovered or expunged it meanwhile.
                if (isDestroyed(now) && now.removed === undefined)
                    this.cloud.store.transaction(() => removeMachine(this.cloud, now));
            } catch {
                // It stays destroyed, and the next sweep tries again.
            } finally {
                this.busy.delete(machine.id);
            }
        }
    }
}
