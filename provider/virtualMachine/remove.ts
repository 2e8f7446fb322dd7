import { CloudStackError } from "../client";
import type { Outputs } from "../handler";
import type { ApiMachine, ApiVolume, Session } from "../session";
import { isGone } from "../session";
import { secondsUntil } from "../timeouts";
import { releaseAddress } from "./address";
import { defaultNic, isDestroyed, isRunning } from "./outputs";
import { settledMachine } from "./settled";

/**
 * Deletes a machine so that its name, address and groups are free afterwards, and its data volumes stay.
 *
 * An account that may expunge machines does this with one command. For any other account, CloudStack keeps a destroyed
 * machine with its name and address for a day by default, so the machine is retired first (see `retire`). (On
 * CloudStack 4.22, expunging without the permission is accepted, but its job fails and the machine keeps running.)
 *
 * @param beforeStop called before a running machine is stopped; the deadline is extended by the milliseconds that it returns
 */
export async function removeMachine(
    session: Session,
    id: string,
    outputs: Outputs,
    until: number,
    beforeStop?: () => Promise<number>,
): Promise<void> {
    const machine = await settledMachine(session, id, until);
    if (machine === undefined) return;
    if (machine.deleteprotection === true) {
        throw new Error(
            `machine ${machine.name} has delete protection: set deleteProtection to false and run \`pulumi up\` before it is deleted or replaced`,
        );
    }
    const stops = beforeStop !== undefined && isRunning(machine.state);
    const deadline = stops ? until + (await beforeStop()) : until;
    session.machines.changed();
    try {
        const expunged = (await session.mayExpunge()) && (await expunge(session, machine, deadline));
        if (!expunged && !isDestroyed(machine.state)) await retire(session, machine, outputs, deadline);
    } catch (error) {
        if (!isGone(error)) throw error;
    } finally {
        session.machines.changed();
        // CloudStack detaches the data volumes of a destroyed machine.
        session.volumes.changed();
    }
}

/** @returns false if the account has no permission */
async function expunge(session: Session, machine: ApiMachine, deadline: number): Promise<boolean> {
    const readResult = async () => ((await session.machines.isMissing(machine.id)) ? {} : undefined);
    const options = { timeoutSeconds: secondsUntil(deadline), readResult };
    try {
        if (!isDestroyed(machine.state))
            await session.client.run("destroyVirtualMachine", { id: machine.id, expunge: true }, options);
        else if (machine.state === "Destroyed")
            await session.client.run("expungeVirtualMachine", { id: machine.id }, options);
        return true;
    } catch (error) {
        if (error instanceof CloudStackError && /permission for expunging/i.test(error.errorText)) return false;
        throw error;
    }
}

/**
 * Releases everything that a destroyed machine would keep until it is expunged (data volumes, groups, a pinned address
 * and the name), then destroys the machine. Each step first reads the current state, so that an interrupted removal can
 * be continued. If a step fails, the machine gets its name, groups and volumes back and is started again.
 */
async function retire(session: Session, machine: ApiMachine, outputs: Outputs, deadline: number): Promise<void> {
    const { client } = session;
    const run = (command: string, params: Record<string, any>) =>
        client.run(command, params, { timeoutSeconds: secondsUntil(deadline) });
    const ran = isRunning(machine.state);
    const goneName = retiredName(machine);
    const groups = (machine.securitygroup ?? []).map((group) => group.id);
    let volumes: ApiVolume[] = [];
    const pinned = outputs.addressIsFixed === true && outputs.ipAddress === defaultNic(machine)?.ipaddress;
    try {
        volumes = await dataVolumes(session, machine, deadline);
        if (ran && (groups.length > 0 || pinned || volumes.length > 0))
            await run("stopVirtualMachine", { id: machine.id });
        for (const volume of volumes) await run("detachVolume", { id: volume.id });
        // CloudStack cannot change a machine in state Error: it keeps its name, groups and address until it is
        // expunged.
        if (machine.state !== "Error") {
            if (machine.name !== goneName || groups.length > 0) {
                await session.change("updateVirtualMachine", {
                    id: machine.id,
                    name: goneName,
                    ...(groups.length > 0 ? { securitygroupids: [] } : {}),
                });
            }
            if (pinned) await releaseAddress(session, machine, run);
        }
        await run("destroyVirtualMachine", { id: machine.id });
    } catch (error) {
        if (!isGone(error) && ran) await restoreAfterFailure(session, machine, groups, volumes, run, deadline);
        throw error;
    }
}

async function restoreAfterFailure(
    session: Session,
    machine: ApiMachine,
    groups: string[],
    volumes: ApiVolume[],
    run: (command: string, params: Record<string, any>) => Promise<unknown>,
    deadline: number,
): Promise<void> {
    try {
        await session.change("updateVirtualMachine", {
            id: machine.id,
            name: machine.name,
            ...(groups.length > 0 ? { securitygroupids: groups } : {}),
        });
        const attached = (await dataVolumes(session, machine, deadline)).map(({ id }) => id);
        for (const { id, deviceid } of volumes.filter((volume) => !attached.includes(volume.id))) {
            await run("attachVolume", { id, virtualmachineid: machine.id, deviceid });
        }
        await run("startVirtualMachine", { id: machine.id });
    } catch (error) {
        // Only the first error is reported. The next run continues from the machine's actual state.
        if (!(error instanceof CloudStackError)) throw error;
    }
}

async function dataVolumes(session: Session, machine: ApiMachine, deadline: number): Promise<ApiVolume[]> {
    const list = () =>
        session.client.list<ApiVolume>("listVolumes", { virtualmachineid: machine.id, type: "DATADISK" });
    const found = await list();
    // The list still contains a volume that an interrupted run is detaching.
    const waited = await Promise.all(found.map(({ id }) => session.settle(id, deadline)));
    return waited.includes(true) ? list() : found;
}

/** `<name>-gone-<hex>`, a valid host name that no other machine has. */
export function retiredName(machine: { id: string; name: string }): string {
    const suffix = `-gone-${machine.id.slice(0, 6)}`;
    return machine.name.endsWith(suffix)
        ? machine.name
        : machine.name.slice(0, 63 - suffix.length).replace(/-+$/, "") + suffix;
}
