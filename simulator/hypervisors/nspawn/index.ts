/**
 * The hypervisor that boots machines: each a systemd-nspawn container over an overlay of a Debian root file system, on
 * a bridge in a network namespace of the cloud's own. Needs Linux and root.
 *
 * Machines outlive the management server, whose next start finds them by their files in the state folder.
 */
import * as path from "node:path";
import { cacheFolder } from "../../cache";
import { endOf } from "../../tail";
import type { FilterPlan, Hypervisor, MachinePlan } from "../hypervisor";
import { applyFilter } from "./filter";
import { hasNamespace } from "./host";
import { Machine } from "./machine";
import { networkNamespace, prefixOf } from "./names";
import { ensureNetwork, hostAddressOf, plug, unplug } from "./network";
import { nspawnFolder } from "./owner";
import { isEmpty, hostResourcesOf, runningMachines } from "./hostResources";
import { register } from "./register";
import { Router } from "./router";
import { checkOwner, takeDown } from "./takeDown";
import { ensureTemplate } from "./template";
import { diskName, Volumes } from "./volumes";

export { whyUnsupported } from "./capabilities";
export { type CloudFinding, examineHost, type HostFinding, findingOf } from "./doctor";
export {
    allHostResources,
    isEmpty,
    machinesOf,
    type HostResources,
    hostResourcesOf,
    runningMachines,
} from "./hostResources";
export { checkOwner, takeDown } from "./takeDown";
export { nspawnFolder } from "./owner";
export { Machine } from "./machine";
export { memoryOf, processorSecondsOf } from "./cgroups";
export { type Usage, usageOf } from "./usage";
export { conflictingRoute } from "./network";
export { prefixOf } from "./names";
export { ensureTemplate } from "./template";

export interface NspawnOptions {
    /** The folder of the cloud's state, which holds the machines' disks too. */
    readonly stateDir: string;
    /** Root file systems and release files. @default the user's cache folder */
    readonly cacheDir?: string;
    readonly log?: (line: string) => void;
}

/** How much of a console log the API returns, in bytes. */
const CONSOLE_BYTES = 65_536;

/** How often machines are checked for having ended by themselves, in milliseconds. */
const WATCH_INTERVAL = 2_000;

type Nic = MachinePlan["nics"][number];

export class Nspawn implements Hypervisor {
    readonly name = "nspawn";
    private readonly prefix: string;
    private readonly stateDir: string;
    private readonly folder: string;
    private readonly cacheDir: string;
    private readonly log: (line: string) => void;
    private readonly volumes: Volumes;
    private readonly routers = new Map<string, Promise<Router>>();
    /** Machines that should be running, by instance name. */
    private readonly shouldRun = new Map<string, MachinePlan>();
    /** The last action on each machine, after which the next one starts. */
    private readonly lastAction = new Map<string, Promise<unknown>>();
    private filterPlan: FilterPlan | undefined;
    private lastFilter: Promise<void> = Promise.resolve();
    /** Takes over what an earlier server has left; actions on machines wait for it. */
    private takeover: Promise<void> = Promise.resolve();
    /** Whether power was cut: machines are no longer given time to shut down. */
    private isPowerCut = false;
    private timer: NodeJS.Timeout | undefined;

    constructor({ stateDir, cacheDir = cacheFolder(), log = () => undefined }: NspawnOptions) {
        this.prefix = prefixOf(stateDir);
        this.stateDir = stateDir;
        this.folder = nspawnFolder(stateDir);
        this.cacheDir = cacheDir;
        this.log = log;
        this.volumes = new Volumes(path.join(this.folder, "volumes"));
    }

    private get machinesFolder(): string {
        return path.join(this.folder, "machines");
    }

    private machine(instanceName: string): Machine {
        return new Machine(this.prefix, this.machinesFolder, instanceName);
    }

    private serialized<T>(instanceName: string, action: () => Promise<T>): Promise<T> {
        const before = this.lastAction.get(instanceName) ?? Promise.resolve();
        const mine = Promise.all([this.takeover, before.catch(() => undefined)]).then(action);
        this.lastAction.set(instanceName, mine);
        return mine;
    }

    /** The router of a network; creates both if they do not exist. */
    private router(nic: Nic): Promise<Router> {
        const network = { id: nic.networkId, cidr: nic.cidr, gateway: nic.gateway, isShared: nic.isShared };
        const namespace = networkNamespace(this.prefix, network);
        const known = this.routers.get(namespace);
        if (known !== undefined) return known;
        const made = (async () => {
            register(this.prefix, this.stateDir);
            await ensureNetwork(this.prefix, network);
            if (network.isShared) await this.applyFilterPlan();
            const folder = path.join(this.folder, "networks", namespace);
            const router = new Router(namespace, network, folder, path.join(this.cacheDir, "artifacts"));
            await router.ensure();
            return router;
        })();
        made.catch(() => this.routers.delete(namespace));
        this.routers.set(namespace, made);
        return made;
    }

    start(plan: MachinePlan): Promise<void> {
        return this.serialized(plan.instanceName, async () => {
            const machine = this.machine(plan.instanceName);
            try {
                for (const nic of plan.nics) await (await this.router(nic)).putMachine(plan, nic);
                if (!machine.runs) await this.boot(machine, plan);
            } finally {
                // Also after a failure: during a reboot the API still lists the machine as running, and the watch then
                // reports its end.
                this.shouldRun.set(plan.instanceName, plan);
            }
        });
    }

    private async boot(machine: Machine, plan: MachinePlan): Promise<void> {
        const root = await ensureTemplate(this.cacheDir, plan.templateName, this.log);
        try {
            await unplug(this.prefix, plan.instanceName);
            for (const [index, nic] of plan.nics.entries())
                await plug(this.prefix, { ...nic, id: nic.networkId }, plan, { mac: nic.mac, index });
            const disks = await Promise.all(plan.dataVolumes.map((volume) => this.volumes.connect(volume)));
            await machine.start(plan, root, disks);
        } catch (error) {
            await this.cleanUp(plan);
            throw error;
        }
    }

    /** Removes what a machine that has ended leaves on the host. */
    private async cleanUp(plan: MachinePlan): Promise<void> {
        await this.machine(plan.instanceName).cutPower();
        await unplug(this.prefix, plan.instanceName);
        for (const nic of plan.nics) (await this.router(nic)).removeEntry(plan.instanceName);
        for (const volume of plan.dataVolumes) await this.volumes.disconnect(volume.id);
    }

    stop(plan: MachinePlan, forced: boolean): Promise<void> {
        return this.serialized(plan.instanceName, () => this.halt(plan, forced));
    }

    private async halt(plan: MachinePlan, forced: boolean): Promise<void> {
        this.shouldRun.delete(plan.instanceName);
        if (!forced && !this.isPowerCut) await this.machine(plan.instanceName).shutDown();
        await this.cleanUp(plan);
    }

    async reboot(plan: MachinePlan): Promise<void> {
        await this.stop(plan, false);
        await this.start(plan);
    }

    reinstall(plan: MachinePlan): Promise<void> {
        return this.serialized(plan.instanceName, async () => this.machine(plan.instanceName).wipe());
    }

    expunge(plan: MachinePlan): Promise<void> {
        return this.serialized(plan.instanceName, async () => {
            await this.halt(plan, true);
            for (const nic of plan.nics) (await this.router(nic)).removeMachine(plan);
            this.machine(plan.instanceName).remove();
        });
    }

    async attach(plan: MachinePlan, volume: Parameters<Hypervisor["attach"]>[1]): Promise<void> {
        await this.serialized(plan.instanceName, async () => {
            const machine = this.machine(plan.instanceName);
            if (machine.runs) await machine.addDisk(await this.volumes.connect(volume));
        });
    }

    async detach(plan: MachinePlan, volume: Parameters<Hypervisor["detach"]>[1]): Promise<void> {
        await this.serialized(plan.instanceName, async () => {
            const machine = this.machine(plan.instanceName);
            if (machine.runs) await machine.removeDisk(diskName(volume));
            await this.volumes.disconnect(volume.id);
        });
    }

    resize(volume: Parameters<Hypervisor["resize"]>[0]): Promise<void> {
        return this.volumes.resize(volume);
    }

    deleteVolume(volumeId: string): Promise<void> {
        return this.volumes.remove(volumeId);
    }

    async updateMetadata(plan: MachinePlan): Promise<void> {
        for (const nic of plan.nics) {
            const router = await this.router(nic);
            if (router.hasMachine(plan.instanceName)) await router.putMachine(plan, nic);
        }
    }

    console({ instanceName }: MachinePlan): string {
        return endOf(this.machine(instanceName).consoleFile, CONSOLE_BYTES);
    }

    hostAddress(cidr: string): string {
        return hostAddressOf(cidr);
    }

    watch(ended: (machine: { id: string }) => void): void {
        this.takeover = this.takeOverRunning();
        this.takeover.catch((error: Error) => this.log(error.message));
        this.timer = setInterval(() => {
            for (const router of this.routers.values())
                void router.then((found) => found.ensure()).catch((error: Error) => this.log(error.message));
            for (const [instanceName, plan] of this.shouldRun) {
                if (this.machine(instanceName).runs) continue;
                void this.serialized(instanceName, async () => {
                    // A command may have stopped or started it since the check.
                    if (!this.shouldRun.has(instanceName) || this.machine(instanceName).runs || this.isPowerCut) return;
                    this.log(`${plan.name} has ended by itself`);
                    await this.halt(plan, true);
                    ended(plan);
                }).catch((error: Error) => this.log(`${plan.name}: ${error.message}`));
            }
        }, WATCH_INTERVAL).unref();
    }

    filter(plan: FilterPlan): Promise<void> {
        this.filterPlan = plan;
        return this.applyFilterPlan();
    }

    /**
     * Applies the newest plan, one call after the other; a network that does not exist yet gets it when it is created.
     */
    private applyFilterPlan(): Promise<void> {
        this.lastFilter = this.lastFilter
            .catch(() => undefined)
            .then(async () => {
                await this.takeover;
                if (this.filterPlan !== undefined && hasNamespace(this.prefix))
                    await applyFilter(this.prefix, this.filterPlan);
            });
        return this.lastFilter;
    }

    /** Takes over running machines of an earlier server; if there are none, removes the resources that it has left. */
    private async takeOverRunning(): Promise<void> {
        checkOwner(this.prefix, this.stateDir);
        if (isEmpty(hostResourcesOf(this.prefix, this.stateDir))) return;
        if (runningMachines(this.stateDir).length === 0) await takeDown(this.prefix, this.stateDir, true);
        else register(this.prefix, this.stateDir);
    }

    cutPower(): void {
        this.isPowerCut = true;
        clearInterval(this.timer);
        for (const machine of runningMachines(this.stateDir)) machine.kill();
    }

    async close(): Promise<void> {
        clearInterval(this.timer);
        await Promise.allSettled([this.takeover, ...this.lastAction.values()]);
        this.shouldRun.clear();
        await takeDown(this.prefix, this.stateDir, this.isPowerCut);
    }
}

/** @see NspawnOptions */
export const nspawn = (options: NspawnOptions): Hypervisor => new Nspawn(options);
