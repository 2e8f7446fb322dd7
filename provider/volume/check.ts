import type { Inputs } from "../handler";
import { isUnknown } from "../handler";
import type { Problems } from "../lifecycle";
import { markedName } from "../marks";
import type { Session } from "../session";
import { sessionFor } from "../session";
import { checkZone } from "../zone";

/** Fills defaults and reports everything that is wrong with a volume's arguments. */
export async function checkVolume(problems: Problems, inputs: Inputs, olds: Inputs | undefined): Promise<void> {
    const name = problems.text(inputs, "name", "give the volume a name");
    problems.printable(inputs, "name");
    if (name !== undefined && !isUnknown(inputs.owner)) inputs.name = markedName(name, inputs.owner, 255);
    problems.integer(inputs, "sizeGiB", 1, 65_536, "GiB");
    problems.integer(inputs, "deviceId", 1, 63, "positions");
    problems.timeouts(inputs);
    if (inputs.virtualMachine !== undefined) problems.ids({ virtualMachine: [inputs.virtualMachine] }, "virtualMachine", "the id of a VirtualMachine (machine.id)");
    const session = sessionFor(inputs);
    await checkZone(problems, inputs, session);
    await checkSize(problems, inputs, olds, session);
    if (olds === undefined) await checkLimit(problems, inputs, session);
}

async function checkSize(problems: Problems, inputs: Inputs, olds: Inputs | undefined, session: Session): Promise<void> {
    const text = problems.text(inputs, "diskOffering", "give the name of a disk offering");
    const offering = text === undefined ? undefined : await problems.attempt("diskOffering", () => session.catalogue.diskOffering(text));
    const size = inputs.sizeGiB;
    if (isUnknown(size)) return;
    if (offering?.iscustomized === true && size === undefined) problems.add("sizeGiB", `is required: disk offering "${text}" has no size of its own`);
    if (offering?.iscustomized === false && size !== undefined && size !== offering.disksize) {
        problems.add("sizeGiB", `is ${size}, and disk offering "${text}" is ${offering.disksize} GiB: leave it out, or use an offering of custom size`);
    }
    if (typeof size === "number" && typeof olds?.sizeGiB === "number" && size < olds.sizeGiB) {
        problems.add("sizeGiB", `cannot shrink from ${olds.sizeGiB} to ${size}: data could be lost; make a new volume and copy`);
    }
}

async function checkLimit(problems: Problems, inputs: Inputs, session: Session): Promise<void> {
    if (session.client.settings.project !== undefined || typeof inputs.owner !== "string") return;
    const account = await session.account();
    const left = Number(account.volumeavailable);
    session.planned.volumes.add(inputs.owner);
    if (!Number.isFinite(left) || session.planned.volumes.size <= left) return;
    problems.add(
        "",
        `this run creates ${session.planned.volumes.size} volumes, and account ${account.name} may have ${left} more (limit ${account.volumelimit}, ` +
            `in use ${account.volumetotal}, root disks included): remove some, or ask the cloud's administrator for a higher limit`,
    );
}
