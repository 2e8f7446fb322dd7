import type { Inputs } from "../handler";
import { isUnknown, same } from "../handler";
import type { Problems } from "../lifecycle";
import { isInState, say } from "../lifecycle";
import { checkLimits } from "../limits";
import { markedName } from "../marks";
import { isKept, resolveReference } from "../references";
import type { Session } from "../session";
import { sessionFor } from "../session";
import { checkZone } from "../zone";

/** Fills defaults and reports everything that is wrong with a volume's arguments. */
export async function checkVolume(problems: Problems, inputs: Inputs, olds: Inputs | undefined): Promise<void> {
    const name = problems.text(inputs, "name", "give the volume a name");
    problems.printable(inputs, "name");
    if (name !== undefined && !isUnknown(inputs.owner)) inputs.name = markedName(name, inputs.owner, 255);
    if (typeof olds?.name === "string" && inputs.name !== olds.name) {
        say(`volume ${olds.name} keeps its name: CloudStack's default role may not rename a volume`);
        inputs.name = olds.name;
    }
    problems.integer(inputs, "sizeGiB", 1, 65_536, "GiB");
    problems.integer(inputs, "deviceId", 1, 63, "positions");
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

/** @returns the size in GiB, where it is known */
async function checkSize(
    problems: Problems,
    inputs: Inputs,
    olds: Inputs | undefined,
    session: Session,
): Promise<number | undefined> {
    const text = problems.text(inputs, "diskOffering", "give the name of a disk offering");
    const { catalogue } = session;
    const id = await resolveReference(problems, inputs, olds, "diskOffering", (name) => catalogue.diskOffering(name));
    if (olds !== undefined && isKept(inputs, olds, "diskOffering") && same(inputs.sizeGiB, olds.sizeGiB)) return undefined;
    const offering = id === undefined ? undefined : (await catalogue.diskOfferings()).find((item) => item.id === id);
    const size = inputs.sizeGiB;
    if (isUnknown(size)) return undefined;
    if (offering?.iscustomized === true && size === undefined)
        problems.add("sizeGiB", `is required: disk offering "${text}" has no size of its own`);
    if (offering?.iscustomized === false && size !== undefined && size !== offering.disksize) {
        problems.add(
            "sizeGiB",
            `is ${size}, and disk offering "${text}" is ${offering.disksize} GiB: leave it out, or use an offering of custom size`,
        );
    }
    const wanted = typeof size === "number" ? size : offering?.disksize || undefined;
    const has = await sizeBefore(olds, session);
    if (wanted !== undefined && has !== undefined && wanted < has) {
        problems.add(
            size === undefined ? "diskOffering" : "sizeGiB",
            `cannot shrink from ${has} to ${wanted} GiB: data could be lost; make a new volume and copy`,
        );
    }
    return wanted;
}

async function sizeBefore(olds: Inputs | undefined, session: Session): Promise<number | undefined> {
    if (typeof olds?.sizeGiB === "number") return olds.sizeGiB;
    const offering = (await session.catalogue.diskOfferings()).find(
        (item) => item.id === (olds?.referenceIds?.diskOffering ?? olds?.diskOffering) || item.name === olds?.diskOffering,
    );
    return offering?.disksize || undefined;
}

/** What an interrupted run left, and this one takes over, is counted by the cloud already. */
async function checkLimit(
    problems: Problems,
    inputs: Inputs,
    size: number | undefined,
    session: Session,
): Promise<void> {
    const needs = { volume: 1, primarystorage: size };
    const left = (await session.volumes.before()).some((item) => item.name === inputs.name && !isInState(item.id));
    await checkLimits(problems, session, inputs.owner, needs, left ? needs : {});
}
