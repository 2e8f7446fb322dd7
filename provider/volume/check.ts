import type { Inputs } from "../handler";
import { isUnknown, same } from "../handler";
import { formerOf } from "../identity";
import type { Problems } from "../lifecycle";
import { say } from "../lifecycle";
import { checkLimits } from "../limits";
import { markedName, unmarkedName } from "../marks";
import { isKept, resolveReference } from "../references";
import type { Session } from "../session";
import { sessionFor } from "../session";
import { isAdoptable, adoptionRefusal } from "./adopt";
import { checkZone } from "../zone";

/** Fills in defaults and reports all invalid arguments of a volume. */
export async function checkVolume(problems: Problems, inputs: Inputs, olds: Inputs | undefined): Promise<void> {
    const name = problems.requiredString(inputs, "name", "give the volume a name");
    if (name !== undefined && !isUnknown(inputs.owner)) inputs.name = nameOf(name, inputs, olds);
    problems.integer(inputs, "sizeGiB", 1, 65_536, "GiB");
    problems.integer(inputs, "deviceId", 1, 63, "positions");
    if (inputs.deviceId === 3) problems.add("deviceId", "3 is used by every machine's CD drive: choose another one");
    problems.boolean(inputs, "allowDataLoss");
    problems.timeouts(inputs);
    if (inputs.virtualMachine !== undefined)
        problems.ids(
            { virtualMachine: [inputs.virtualMachine] },
            "virtualMachine",
            "the id of a VirtualMachine (machine.id)",
        );
    const session = sessionFor(inputs);
    await checkZone(problems, inputs, olds, session);
    const size = await checkSize(problems, inputs, olds, session);
    if (olds === undefined) await checkLimit(problems, inputs, size, session);
}

/** The full name: the current one, or a new one with the owner mark. */
function nameOf(wanted: string, inputs: Inputs, olds: Inputs | undefined): string {
    if (typeof olds?.name !== "string") {
        // The default name of a replacement contains another mark than that of the replaced volume.
        const base = wanted === formerOf(inputs)?.name ? unmarkedName(wanted) : wanted;
        return markedName(base, inputs.owner, 255);
    }
    if (![olds.name, unmarkedName(olds.name)].includes(wanted))
        say(`volume ${olds.name} keeps its name: CloudStack's default role may not rename a volume`);
    return olds.name;
}

/** @returns the size in GiB, where it is known */
async function checkSize(
    problems: Problems,
    inputs: Inputs,
    olds: Inputs | undefined,
    session: Session,
): Promise<number | undefined> {
    const text = problems.requiredString(inputs, "diskOffering", "give the name of a disk offering");
    const { catalogue } = session;
    const id = await resolveReference(problems, inputs, olds, "diskOffering", (name) => catalogue.diskOffering(name));
    if (olds !== undefined && isKept(inputs, olds, "diskOffering") && same(inputs.sizeGiB, olds.sizeGiB))
        return undefined;
    const offering = id === undefined ? undefined : (await catalogue.diskOfferings()).find((item) => item.id === id);
    const size = inputs.sizeGiB;
    if (isUnknown(size)) return undefined;
    if (offering?.iscustomized === true && size === undefined)
        problems.add("sizeGiB", `is required: disk offering "${text}" has no size of its own`);
    if (offering?.iscustomized === false && size !== undefined && size !== offering.disksize) {
        problems.add(
            "sizeGiB",
            `is ${size}, but disk offering "${text}" has ${offering.disksize} GiB: leave it out, or use an offering of custom size`,
        );
    }
    if (offering?.iscustomized === true && typeof size === "number") await checkCustomSize(problems, size, session);
    const wanted = typeof size === "number" ? size : offering?.disksize || undefined;
    const has = await sizeBefore(olds, session);
    if (wanted !== undefined && has !== undefined && wanted < has) {
        problems.add(
            size === undefined ? "diskOffering" : "sizeGiB",
            `cannot shrink from ${has} to ${wanted} GiB: data could be lost; create a new volume and copy the data`,
        );
    }
    return wanted;
}

/** Checks the size against the cloud's settings `custom.diskoffering.size.min` and `custom.diskoffering.size.max`. */
async function checkCustomSize(problems: Problems, size: number, session: Session): Promise<void> {
    const { customdiskofferingminsize: least, customdiskofferingmaxsize: most } =
        await session.catalogue.capabilities();
    if (size < least || size > most)
        problems.add("sizeGiB", `is ${size}, but this cloud allows volumes of ${least} to ${most} GiB`);
}

async function sizeBefore(olds: Inputs | undefined, session: Session): Promise<number | undefined> {
    if (typeof olds?.sizeGiB === "number") return olds.sizeGiB;
    const offering = (await session.catalogue.diskOfferings()).find(
        (item) =>
            item.id === (olds?.referenceIds?.diskOffering ?? olds?.diskOffering) || item.name === olds?.diskOffering,
    );
    return offering?.disksize || undefined;
}

/**
 * Checks the account's limits. A volume that is adopted, which the preview announces, is already counted by the cloud.
 */
async function checkLimit(
    problems: Problems,
    inputs: Inputs,
    size: number | undefined,
    session: Session,
): Promise<void> {
    const needs = { volume: 1, primarystorage: size };
    const left = (await session.volumes.before()).find((item) => isAdoptable(item, inputs));
    if (left !== undefined && formerOf(inputs) === undefined) {
        const refusal = adoptionRefusal(left, inputs);
        if (refusal !== undefined)
            say(`creating volume ${left.name} will fail unless this run replaces it: ${refusal}`);
        else say(`volume ${left.name} (${left.id}) has this resource's mark and will be adopted, with its data`);
    }
    await checkLimits(problems, session, inputs.owner, needs, left === undefined ? {} : needs);
}
