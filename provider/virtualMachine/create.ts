import { createOrAdopt, isTaken } from "../adopt";
import { CloudStackError } from "../client";
import type { Params } from "../client";
import type { TimedPlace } from "../cloudLifecycle";
import type { Inputs, Outputs } from "../handler";
import { PartialFailure } from "../handler";
import { startingRouter } from "../network/router";
import { referenceId, wantedId } from "../references";
import type { ApiMachine, Session } from "../session";
import { secondsUntil } from "../timeouts";
import { converge } from "./converge";
import { echoed, toOutputs } from "./outputs";
import { removeMachine } from "./remove";
import { pinnedAddress } from "./stable";
import { adoptMachine } from "./adopt";
import { encodedUserData, userDataHash } from "./userData";

/**
 * Deploys a machine. If an interrupted run or a lost response left a machine with this resource's name and owner mark,
 * it is adopted, or the creation is refused. A new machine that CloudStack could not start is removed before the error
 * is reported.
 */
export async function createMachine(inputs: Inputs, at: TimedPlace): Promise<{ id: string; outs: Outputs }> {
    let adopted = false;
    const machine = await deployOrAdopt(inputs, at, () => (adopted = true));
    const { cloud } = at;
    try {
        const olds = { rootDiskSizeGiB: inputs.rootDiskSizeGiB };
        // A new machine is not in use yet, so it may always be stopped.
        const mayStop = !adopted || inputs.allowRestart !== false;
        const converged = await converge(machine, { ...at, inputs, olds, mayStop });
        return {
            id: machine.id,
            outs: toOutputs({ ...converged, password: converged.password ?? machine.password }, inputs, cloud),
        };
    } catch (error) {
        throw new PartialFailure((error as Error).message, machine.id, toOutputs(machine, inputs, cloud), inputs);
    }
}

/** @param onAdopted called if an existing machine is adopted */
async function deployOrAdopt(inputs: Inputs, at: TimedPlace, onAdopted: () => void): Promise<ApiMachine> {
    const params = await deployParams(at.session, inputs);
    try {
        return await createOrAdopt(
            () => startingRouter(at.session, startsIn(params), () => deploy(params, inputs, at)),
            async () => {
                const found = await adoptMachine(inputs, at);
                if (found !== undefined) onAdopted();
                return found;
            },
        );
    } catch (error) {
        if (!(error instanceof CloudStackError)) throw error;
        throw isTaken(error) ? await nameTaken(error, inputs, at.session) : explain(error, inputs);
    }
}

/** The networks in which the deployment starts the machine. */
function startsIn({ startvm, networkids }: Params): string[] {
    return startvm === false || networkids === undefined ? [] : [String(networkids)];
}

async function deploy(params: Params, inputs: Inputs, { session, cloud, deadline }: TimedPlace): Promise<ApiMachine> {
    session.machines.changed();
    const accepted = await session.client.start("deployVirtualMachine", params);
    try {
        const result = await session.client.wait(accepted.jobid, {
            command: "deployVirtualMachine",
            timeoutSeconds: secondsUntil(deadline),
            readResult: () => deployed(session, accepted.id),
        });
        return { ...result.virtualmachine, userdata: params.userdata };
    } catch (error) {
        const id = accepted.id;
        if (!(error instanceof CloudStackError) || id === undefined) throw error;
        const known = {
            addressIsFixed: pinnedAddress(inputs) !== undefined,
            userDataHash: userDataHash(encodedUserData(inputs)),
            state: "Unknown",
            cloud,
        };
        const outputs = { ...echoed(inputs), ...known };
        if (error.outcome !== "failed") throw new PartialFailure(error.message, id, outputs, inputs);
        // The machine exists in state Error (or Stopped) and must not be left behind.
        try {
            await removeMachine(session, id, outputs, deadline);
        } catch (left) {
            throw new PartialFailure(
                `${explain(error, inputs).message}\nThe failed machine could not be removed yet: ${(left as Error).message}`,
                id,
                // This state makes the next run replace it.
                { ...outputs, state: "Error" },
                inputs,
            );
        }
        throw explain(error, inputs);
    } finally {
        session.machines.changed();
    }
}

/** The result of a deployment, read from the machine. A password is only in the job's result. */
async function deployed(session: Session, id: string | undefined): Promise<object | undefined> {
    session.machines.changed();
    const machine = id === undefined ? undefined : await session.machines.get(id);
    return machine?.state === "Running" && machine.passwordenabled === false ? { virtualmachine: machine } : undefined;
}

async function deployParams(session: Session, inputs: Inputs): Promise<Params> {
    const { catalogue } = session;
    const zone = { id: await wantedId(inputs, "zone", (text) => catalogue.zone(text)), name: inputs.zone };
    const [serviceofferingid, templateid, networkids] = await Promise.all([
        wantedId(inputs, "serviceOffering", (text) => catalogue.serviceOffering(text)),
        wantedId(inputs, "template", (text) => catalogue.template(text, zone)),
        inputs.network === undefined
            ? undefined
            : (referenceId(inputs, "network") ?? session.networkId(inputs.network, zone)),
    ]);
    const keys: string[] = inputs.sshKeyPairs ?? [];
    // A machine that fails to start during its deployment goes to state Error and cannot be renamed. If the account may
    // not expunge it, the machine blocks its name for a day. So it is created stopped and started afterwards: if that
    // fails, it stays stopped, and can be started again or renamed.
    const startSeparately = !(await session.mayExpunge());
    return {
        zoneid: zone.id,
        serviceofferingid,
        templateid,
        name: inputs.name,
        displayname: inputs.displayName ?? inputs.name,
        networkids,
        ipaddress: pinnedAddress(inputs),
        securitygroupids: inputs.securityGroups?.length > 0 ? inputs.securityGroups : undefined,
        affinitygroupids: inputs.affinityGroups?.length > 0 ? inputs.affinityGroups : undefined,
        ...(keys.length > 1 ? { keypairs: keys } : { keypair: keys[0] }),
        userdata: encodedUserData(inputs),
        rootdisksize: inputs.rootDiskSizeGiB,
        group: inputs.group === "" ? undefined : inputs.group,
        startvm: inputs.running === false || startSeparately ? false : undefined,
        details: { ...inputs.details, owner: inputs.owner },
    };
}

async function nameTaken(error: CloudStackError, inputs: Inputs, session: Session): Promise<Error> {
    session.machines.changed();
    const holder = (await session.machines.all()).find((machine) => machine.name === inputs.name);
    const who =
        holder === undefined
            ? "a machine of another account or project, which share their names within a network, or one that was destroyed: CloudStack holds " +
              "name and address of a destroyed machine until it is expunged (a day by default)"
            : `machine ${holder.id}, created by ${holder.details?.owner ?? "something other than this package"}`;
    return new Error(
        `the name "${inputs.name}" is taken in its network. ${error.message}\nIt is used by ${who}. Give this machine a name of its own (argument ` +
            "name; the default contains the names of the stack and the resource, so that it differs between stacks), or have the other one " +
            "removed or expunged.",
    );
}

/** Explains errors whose text does not contain the cause. */
function explain(error: CloudStackError, inputs: Inputs): Error {
    if (error.errorCode === 431 && /Not all specified keypairs exist/i.test(error.errorText)) {
        return new Error(
            `${error.message} Requested: ${inputs.sshKeyPairs?.join(", ")}. sshKeyPairs takes the full names (key.name of an SshKeyPair).`,
        );
    }
    if (error.errorCode !== 530 || inputs.ipAddress === undefined || !/Internal error/i.test(error.errorText))
        return error;
    return new Error(
        `${error.message}\nCloudStack gives no further reason. The usual cause is the requested address: ${inputs.ipAddress} is in use, or outside the ` +
            "network's range. A machine that was destroyed but not expunged keeps its address, too.",
    );
}
