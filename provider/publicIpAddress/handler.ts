import { CloudStackError } from "../client";
import type { TimedPlace } from "../cloudLifecycle";
import { cloudLifecycle } from "../cloudLifecycle";
import { foundInputs } from "../foundInputs";
import type { DiffResult, Inputs, Outputs } from "../handler";
import { PartialFailure, echoOf, isUnknown, same } from "../handler";
import { say } from "../lifecycle";
import { startingRouter } from "../network/router";
import { createOwn } from "../ownJobs";
import { OWNER_TAG, taggedOwner } from "../ownerTag";
import { referenceText, replacedBy, wantedId } from "../references";
import type { ApiPublicAddress, CloudIdentity, Session } from "../session";
import { isGone, pick } from "../session";
import { managed, setTags, tagsOf } from "../tags";
import { secondsUntil } from "../timeouts";
import type { Unanswered } from "../unanswered";
import { removeSurplus, unansweredOutput } from "../unanswered";
import { checkPublicAddress } from "./check";

/** By how much the times of a job and of what it allocates may differ, in milliseconds: CloudStack rounds them. */
const CLOCK_MS = 60_000;

export const publicIpAddress = cloudLifecycle({
    kind: "public address",
    nameOutput: "ipAddress",
    marks: { rewritten: true },
    check: checkPublicAddress,
    watched: {
        reads: (session) => session.publicAddresses,
        isGone: () => false,
        remedy: "run `pulumi up --refresh` to allocate a new one",
    },

    diff(_id, olds, news): DiffResult {
        const replaces = replacedBy(olds, news, ["network", "ipAddress", "project"]).filter(
            (property) => news[property] !== undefined && !isUnknown(news[property]),
        );
        const changes =
            replaces.length > 0 ||
            isUnknown(news.network) ||
            !same(olds.tags ?? {}, news.tags ?? {}) ||
            (olds.owner !== undefined && !same(olds.owner, news.owner));
        // An address that the program chose is free only when the old resource has released it.
        const deleteBeforeReplace =
            replaces.length > 0 && !replaces.includes("ipAddress") && news.ipAddress !== undefined;
        return { changes, replaces, deleteBeforeReplace };
    },

    async create(inputs, at) {
        const { session, cloud } = at;
        const networkId = await wantedId(inputs, "network", async (text) =>
            pick("network", text, await session.catalogue.networks()),
        );
        const lost: Unanswered[] = [];
        const outputs = { ...echoOf(inputs), networkId, cloud };
        const id = await allocate(inputs, at, networkId, outputs, lost);
        const more = unansweredOutput(lost);
        try {
            const found = await readAgain(session, id);
            if (found === undefined) throw new Error(`public address ${id} was released meanwhile`);
            if (found.issourcenat)
                say(
                    `public address ${found.ipaddress} is the source NAT address of network ${networkId}, ` +
                        "which had none: CloudStack releases it only with the network",
                );
            await converge(found, inputs, {}, at);
            const unanswered = await removeDuplicates(session, lost, id, at.deadline);
            const now = (await session.publicAddresses.get(id)) ?? found;
            return { id, outs: toOutputs(now, { ...inputs, ...unansweredOutput(unanswered) }, cloud) };
        } catch (error) {
            throw new PartialFailure((error as Error).message, id, { ...outputs, ...more }, inputs);
        }
    },

    async read(id, outputs, { session, cloud }) {
        const found = await session.publicAddresses.get(id);
        return found === undefined || !isSame(found, outputs) ? undefined : toOutputs(found, outputs, cloud);
    },

    found: (_id, last, found) =>
        foundInputs(last, found, ["sourceNat", "networkId", "zoneId", "allocated", "unanswered", "cloud"]),

    async update(id, olds, inputs, at) {
        const { session, deadline, cloud } = at;
        await session.settle(id, deadline);
        const found = await session.publicAddresses.get(id);
        if (found === undefined || !isSame(found, olds))
            throw new Error(
                `public address ${olds.ipAddress ?? id} no longer exists: run \`pulumi refresh\`, then \`pulumi up\` to allocate a new one`,
            );
        const unanswered = await removeDuplicates(session, olds.unanswered ?? [], id, deadline);
        await converge(found, inputs, olds, at);
        const now = (await session.publicAddresses.get(id)) ?? found;
        return toOutputs(now, { ...inputs, ...unansweredOutput(unanswered) }, cloud);
    },

    async delete(id, outputs, { session, deadline }) {
        await session.settle(id, deadline);
        await removeDuplicates(session, outputs.unanswered ?? [], id, deadline);
        session.publicAddresses.changed();
        const found = await session.publicAddresses.get(id);
        if (found === undefined || !isSame(found, outputs)) return;
        if (found.issourcenat)
            say(
                `public address ${found.ipaddress} stays allocated as long as network ${found.associatednetworkid}, ` +
                    "since it is the address of its source NAT",
            );
        else await release(session, id, deadline);
    },
});

/**
 * Allocates an address, or adopts one that an interrupted run or a lost response left. CloudStack stores nothing of the
 * resource with it; the id of the job does (`createOwn`).
 */
async function allocate(
    inputs: Inputs,
    at: TimedPlace,
    networkId: string,
    outputs: Outputs,
    lost: Unanswered[],
): Promise<string> {
    const { session } = at;
    const creation = {
        command: "associateIpAddress",
        params: { networkid: networkId, ipaddress: inputs.ipAddress },
        outputs,
        isLeft: async (id: string, { created }: { created: number }) => {
            const found = await readAgain(session, id);
            const owner = found === undefined ? undefined : taggedOwner(found);
            // The address may have been released and allocated again for something else.
            const age = Date.parse(found?.allocated ?? "") - created;
            return (
                found?.associatednetworkid === networkId &&
                (owner === undefined || owner === inputs.owner) &&
                (inputs.ipAddress === undefined || inputs.ipAddress === found.ipaddress) &&
                !(Math.abs(age) > CLOCK_MS)
            );
        },
    };
    try {
        return await startingRouter(session, [networkId], () => createOwn(inputs, at, creation, lost));
    } finally {
        session.publicAddresses.changed();
    }
}

function readAgain(session: Session, id: string): Promise<ApiPublicAddress | undefined> {
    session.publicAddresses.changed();
    return session.publicAddresses.get(id);
}

/**
 * Whether an address is the one in the state. If it was released, it may have been allocated again, with the same id,
 * for another resource or network.
 */
function isSame(found: ApiPublicAddress, { owner, networkId, allocated }: Outputs): boolean {
    const other = taggedOwner(found);
    return (
        (other === undefined || owner === undefined || other === owner) &&
        (networkId === undefined || found.associatednetworkid === networkId) &&
        (allocated === undefined || found.allocated === allocated)
    );
}

/** Sets the tags, among them the owner mark. */
async function converge(found: ApiPublicAddress, inputs: Inputs, olds: Outputs, at: TimedPlace): Promise<void> {
    const { session, deadline } = at;
    const to = { ...inputs.tags, [OWNER_TAG]: inputs.owner };
    const from = managed({ ...olds.tags, ...to }, tagsOf(found));
    if (same(from, to)) return;
    const read = () => readAgain(session, found.id);
    try {
        await setTags(session, { type: "PublicIpAddress", id: found.id, from, to, read, deadline });
    } finally {
        session.publicAddresses.changed();
    }
}

/** Releases an address, with its rules. */
async function release(session: Session, id: string, deadline: number): Promise<void> {
    try {
        await session.client.run("disassociateIpAddress", { id }, { timeoutSeconds: secondsUntil(deadline) });
    } catch (error) {
        // CloudStack only says "Internal error" of an address that is free already.
        if (isGone(error)) return;
        if (!(error instanceof CloudStackError) || error.errorCode !== 530) throw error;
        if ((await readAgain(session, id)) !== undefined) throw error;
    } finally {
        session.publicAddresses.changed();
    }
}

function removeDuplicates(
    session: Session,
    requests: readonly Unanswered[],
    id: string,
    deadline: number,
): Promise<Unanswered[]> {
    return removeSurplus(session, requests, id, deadline, async (other) => {
        const found = await readAgain(session, other);
        if (found !== undefined && taggedOwner(found) === undefined && !found.issourcenat)
            await release(session, other, deadline);
    });
}

/** @param inputs the arguments, or at a refresh the previous outputs */
function toOutputs(found: ApiPublicAddress, inputs: Inputs, cloud: CloudIdentity): Outputs {
    return {
        ...echoOf(inputs),
        ipAddress: found.ipaddress,
        network: referenceText(
            inputs,
            "network",
            inputs.networkId,
            found.associatednetworkid,
            found.associatednetworkname,
        ),
        ...(inputs.tags === undefined ? {} : { tags: managed(inputs.tags, tagsOf(found)) }),
        sourceNat: found.issourcenat,
        networkId: found.associatednetworkid,
        zoneId: found.zoneid,
        allocated: found.allocated,
        cloud,
    };
}
