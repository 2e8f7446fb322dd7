import type { Inputs } from "./handler";
import { isUnknown } from "./handler";
import type { Problems } from "./lifecycle";
import { keepReferences, resolveReference } from "./references";
import type { Session } from "./session";

/** A zone, as look-ups within it need it. */
export interface ZonePlace {
    readonly id: string;
    readonly name: string;
}

/**
 * The zone of a resource: its argument, the zone that it is in already, the stack's zone, or the only zone. It is
 * stored in the inputs, so that a later change of the default does not replace the resource.
 */
export async function checkZone(
    problems: Problems,
    inputs: Inputs,
    olds: Inputs | undefined,
    session: Session,
): Promise<ZonePlace | undefined> {
    if (isUnknown(inputs.zone)) return undefined;
    problems.optionalName(inputs, "zone");
    if (inputs.zone !== undefined && typeof inputs.zone !== "string") return undefined;
    if (inputs.zone === undefined && typeof olds?.zone === "string") {
        inputs.zone = olds.zone;
        keepReferences(inputs, olds);
    }
    inputs.zone ??= session.client.settings.zone;
    if (inputs.zone === undefined) {
        const zones = await session.catalogue.zones();
        if (zones.length !== 1) {
            const names = zones.map((zone) => `"${zone.name}"`).join(", ");
            problems.add(
                "zone",
                `is required, since the cloud has several zones (${names}): set it here, or for all resources with \`pulumi config set cloudstack:zone\``,
            );
            return undefined;
        }
        inputs.zone = zones[0].name;
    }
    const id = await resolveReference(problems, inputs, olds, "zone", (text) => session.catalogue.zone(text));
    return id === undefined ? undefined : { id, name: inputs.zone };
}
