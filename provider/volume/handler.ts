import { createOrAdopt, isLost } from "../adopt";
import { CloudStackError } from "../client";
import type { TimedPlace } from "../cloudLifecycle";
import { cloudLifecycle } from "../cloudLifecycle";
import { erased, lossRefused, mayErase } from "../dataLoss";
import type { DiffResult, Inputs, Outputs } from "../handler";
import { foundInputs } from "../foundInputs";
import { PartialFailure, echoOf, isUnknown, same } from "../handler";
import { announce, wasChecked } from "../lifecycle";
import { tagOwner, taggedOwner } from "../ownerTag";
import { referenceId, referenceText, replacedBy, sameReference, wantedId, withKnownIds } from "../references";
import { isShown, showChange } from "../secrets";
import type { ApiVolume, CloudIdentity, Session } from "../session";
import { isGone } from "../session";
import { secondsUntil } from "../timeouts";
import type { Unanswered } from "../unanswered";
import { arrivals, unansweredOutput } from "../unanswered";
import { checkVolume } from "./check";
import { GONE, adoptionRefusal, isAdoptable } from "./adopt";
import { isEmptyVolume, removeDuplicates } from "./duplicates";

const GIB = 2 ** 30;

/** How long a refresh waits for a job that creates a volume, in milliseconds. */
const LOOK_MS = 60_000;

export const volume = cloudLifecycle({
    kind: "volume",
    marks: { rewritten: true, freshAtReplacement: true },
    check: checkVolume,
    watched: {
        reads: (session) => session.volumes,
        isGone: (state) => GONE.includes(state),
        remedy: "run `pulumi up --refresh` to create a new, empty one",
    },

    diff(_id, olds, news): DiffResult {
        const elsewhere = replacedBy(olds, news, ["zone", "project"]);
        // A replacement is planned only if it is certain. The line announces a possible one, and the update decides.
        const replaces = elsewhere.filter((property) => !isUnknown(news[property]));
        if (elsewhere.length > 0) {
            const line = describeLoss(olds, news, elsewhere, replaces.length > 0);
            if (replaces.length > 0 && !mayErase(news, false) && wasChecked(news))
                throw new Error(lossRefused(line, "allowDataLoss is false, as it is by default for a volume"));
            announce(news, line, olds);
        }
        const changes = elsewhere.length > 0 || changed(olds, news);
        return { changes, replaces, deleteBeforeReplace: replaces.length > 0 };
    },

    async create(inputs, at) {
        const lost: Unanswered[] = [];
        const made = await makeVolume(inputs, at, lost);
        const outs = await converge(made, { ...inputs, ...unansweredOutput(lost) }, at);
        // At the end, so that delayed requests have had the most time to arrive.
        const unanswered = await removeDuplicates(at.session, lost, made.id, at.deadline);
        return { id: made.id, outs: { ...outs, unanswered: unansweredOutput(unanswered).unanswered } };
    },

    async read(id, outputs, { session, cloud }) {
        const found = await session.volumes.get(id);
        if (found === undefined || GONE.includes(found.state)) return undefined;
        const { unanswered, surplus: _surplus, ...rest } = toOutputs(found, outputs, cloud);
        if (unanswered === undefined) return rest;
        const { ids, open } = await arrivals(session, unanswered, Date.now() + LOOK_MS);
        const surplus: string[] = [];
        for (const other of ids) if (other !== id && (await isEmptyVolume(session, other))) surplus.push(other);
        if (surplus.length > 0) return { ...rest, unanswered, surplus };
        return { ...rest, ...unansweredOutput(open) };
    },

    found(_id, last, found) {
        // A volume cannot shrink, so one that was enlarged by hand keeps its size and the argument is not changed.
        const size = (outputs: Outputs) => ({ ...outputs, sizeGiB: outputs.wantedSizeGiB ?? last.sizeGiB });
        return foundInputs(size(last), size(found), ["state", "zoneId", "diskOfferingId", "wantedSizeGiB", "cloud"]);
    },

    async update(id, olds, inputs, at) {
        const { session, deadline } = at;
        await session.settle(id, deadline);
        const found = await session.volumes.get(id);
        if (found === undefined)
            throw new Error(
                `volume ${olds.name} (${id}) no longer exists: run \`pulumi refresh\`, then \`pulumi up\` to create a new, empty one`,
            );
        await removeDuplicates(session, olds.unanswered ?? [], id, deadline);
        const had = taggedOwner(found) ?? olds.owner;
        if (had !== undefined && had !== inputs.owner) await tagOwner(session, "Volume", found, inputs.owner, deadline);
        return converge(found, withKnownIds(inputs, olds), at);
    },

    async delete(id, outputs, { session, deadline }) {
        await session.settle(id, deadline);
        await removeDuplicates(session, outputs.unanswered ?? [], id, deadline);
        const found = await session.volumes.get(id);
        if (found === undefined || GONE.includes(found.state)) return;
        try {
            if (found.virtualmachineid !== undefined)
                await session.client.run(
                    "detachVolume",
                    { id },
                    { timeoutSeconds: secondsUntil(deadline), queue: found.virtualmachineid },
                );
            await session.change("deleteVolume", { id });
        } catch (error) {
            if (!isGone(error)) throw error;
        } finally {
            session.volumes.changed();
        }
    },
});

function describeLoss(olds: Outputs, news: Inputs, elsewhere: readonly string[], isCertain: boolean): string {
    const reasons = elsewhere.map(
        (property) => `${property} ${showChange(property, olds[property], news[property], olds, news)}`,
    );
    const size = isShown("sizeGiB", olds, news) ? { sizeGiB: olds.sizeGiB } : {};
    return `${erased({ what: `volume ${olds.name}`, ...size }, isCertain)}: ${reasons.join("; ")}`;
}

function changed(olds: Outputs, news: Inputs): boolean {
    if (olds.surplus !== undefined)
        announce(
            news,
            `volume ${news.name} was created twice, since CloudStack answered late: the empty one (${olds.surplus.join(", ")}) is deleted`,
        );
    const differs = (property: string) => news[property] !== undefined && !same(olds[property], news[property]);
    // A volume that was enlarged by hand keeps its size: shrinking it could destroy data.
    const larger = typeof news.sizeGiB === "number" && olds.sizeGiB > news.sizeGiB;
    if (larger)
        announce(
            news,
            `volume ${news.name} has ${olds.sizeGiB} GiB, more than sizeGiB ${news.sizeGiB} asks for: it keeps that size, since a volume cannot shrink`,
        );
    return (
        olds.surplus !== undefined ||
        !sameReference(olds, news, "diskOffering") ||
        (differs("sizeGiB") && !larger) ||
        differs("deviceId") ||
        (olds.owner !== undefined && differs("owner")) ||
        !same(olds.virtualMachine, news.virtualMachine)
    );
}

/**
 * Creates a volume. CloudStack would create a second one, because names of volumes are not unique. So a volume with
 * this resource's marked name that is not in the state, as after an interrupted run, is adopted instead.
 *
 * @param lost receives the requests that were never answered
 */
async function makeVolume(
    inputs: Inputs,
    { session, cloud, deadline }: TimedPlace,
    lost: Unanswered[],
): Promise<ApiVolume> {
    const left = (await session.volumes.before()).find((item) => isAdoptable(item, inputs));
    if (left !== undefined) await session.settle(left.id, deadline);
    const found = left === undefined ? undefined : await session.volumes.get(left.id);
    if (found !== undefined && isAdoptable(found, inputs)) {
        const refusal = adoptionRefusal(found, inputs);
        if (refusal !== undefined) throw new Error(refusal);
        return found;
    }
    const [zoneid, offering] = await Promise.all([
        wantedId(inputs, "zone", (text) => session.catalogue.zone(text)),
        offeringOf(session, inputs),
    ]);
    const params = {
        name: inputs.name,
        zoneid,
        diskofferingid: offering.id,
        ...(offering.iscustomized ? { size: inputs.sizeGiB } : {}),
    };
    const create = async () => {
        const sent = Date.now();
        const accepted = await session.client.start("createVolume", params).catch((error) => {
            if (isLost(error) && error.jobId !== undefined) lost.push({ job: error.jobId, sent });
            throw error;
        });
        try {
            return (
                await session.client.wait(accepted.jobid, {
                    command: "createVolume",
                    timeoutSeconds: secondsUntil(deadline),
                })
            ).volume as ApiVolume;
        } catch (error) {
            if (!(error instanceof CloudStackError) || error.outcome === "failed" || accepted.id === undefined)
                throw error;
            throw new PartialFailure(error.message, accepted.id, { ...inputs, cloud }, inputs);
        }
    };
    try {
        return await createOrAdopt(create, async () => {
            session.volumes.changed();
            return (await session.volumes.all()).find((item) => isAdoptable(item, inputs));
        });
    } finally {
        session.volumes.changed();
    }
}

/** Resizes and attaches a volume to match its arguments. If this fails, the actual volume is stored in the state. */
async function converge(found: ApiVolume, inputs: Inputs, { session, cloud, deadline }: TimedPlace): Promise<Outputs> {
    let now = found;
    const run = async (command: string, params: Record<string, any>) => {
        const options = { timeoutSeconds: secondsUntil(deadline), queue: found.virtualmachineid };
        await session.client.run(command, params, options);
        session.volumes.changed();
    };
    try {
        const { id } = found;
        const moves =
            found.virtualmachineid !== inputs.virtualMachine ||
            (inputs.deviceId !== undefined &&
                found.virtualmachineid !== undefined &&
                found.deviceid !== inputs.deviceId);
        if (moves && found.virtualmachineid !== undefined) await run("detachVolume", { id });
        await resize(session, found, inputs, run);
        if (moves && inputs.virtualMachine !== undefined) {
            await run("attachVolume", { id, virtualmachineid: inputs.virtualMachine, deviceid: inputs.deviceId });
        }
        session.volumes.changed();
        now = (await session.volumes.get(id)) ?? found;
        return toOutputs(now, inputs, cloud);
    } catch (error) {
        session.volumes.changed();
        now = (await session.volumes.get(found.id).catch(() => undefined)) ?? found;
        throw new PartialFailure((error as Error).message, found.id, toOutputs(now, inputs, cloud), inputs);
    }
}

async function resize(
    session: Session,
    found: ApiVolume,
    inputs: Inputs,
    run: (command: string, params: Record<string, any>) => Promise<void>,
): Promise<void> {
    const { diskofferingid: has, diskofferingname: called } = found;
    const kept = has !== undefined && (referenceId(inputs, "diskOffering") ?? inputs.diskOffering);
    // An unchanged offering is not looked up, because it may have been withdrawn.
    if ((kept === has || kept === called) && !(inputs.sizeGiB * GIB > found.size)) return;
    const offering = await offeringOf(session, inputs);
    const other = found.diskofferingid !== offering.id;
    const grows = inputs.sizeGiB !== undefined && offering.iscustomized === true && inputs.sizeGiB * GIB > found.size;
    if (!other && !grows) return;
    await run("resizeVolume", {
        id: found.id,
        ...(grows ? { size: inputs.sizeGiB } : {}),
        ...(other ? { diskofferingid: offering.id } : {}),
    });
}

/**
 * The wanted offering. A withdrawn offering is not in the list and is assumed to have a custom size: this function is
 * called for an unchanged offering only if the volume grows.
 */
async function offeringOf({ catalogue }: Session, inputs: Inputs): Promise<{ id: string; iscustomized?: boolean }> {
    const id = referenceId(inputs, "diskOffering");
    if (id === undefined) return catalogue.diskOffering(inputs.diskOffering);
    return (await catalogue.diskOfferings()).find((item) => item.id === id) ?? { id, iscustomized: true };
}

/** @param inputs the arguments, or at a refresh the previous outputs */
function toOutputs(found: ApiVolume, inputs: Inputs, cloud: CloudIdentity): Outputs {
    const { diskofferingid, diskofferingname, zoneid, zonename } = found;
    return {
        ...echoOf(inputs),
        name: found.name,
        diskOffering: referenceText(inputs, "diskOffering", inputs.diskOfferingId, diskofferingid, diskofferingname),
        zone: referenceText(inputs, "zone", inputs.zoneId, zoneid, zonename),
        sizeGiB: found.size / GIB,
        // The size that the program sets; a refresh keeps it.
        wantedSizeGiB: "zoneId" in inputs ? inputs.wantedSizeGiB : inputs.sizeGiB,
        virtualMachine: found.virtualmachineid,
        deviceId: found.deviceid,
        state: found.state,
        zoneId: zoneid,
        // Stacks of version 0.1.0 do not have this output, and a refresh must not add it.
        ...("zoneId" in inputs && inputs.diskOfferingId === undefined ? {} : { diskOfferingId: diskofferingid }),
        cloud,
    };
}
