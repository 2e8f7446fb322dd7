import type { Inputs } from "./handler";
import { isUnknown } from "./handler";
import type { Problems } from "./lifecycle";
import type { ApiZone, Session } from "./session";

/** A resource's zone: its own, the stack's, or the only one that there is. Written into the inputs, so that a later default moves nothing. */
export async function checkZone(problems: Problems, inputs: Inputs, session: Session): Promise<ApiZone | undefined> {
    if (isUnknown(inputs.zone)) return undefined;
    inputs.zone ??= session.client.settings.zone;
    if (inputs.zone === undefined) {
        const zones = await session.catalogue.zones();
        if (zones.length !== 1) {
            const names = zones.map((zone) => `"${zone.name}"`).join(", ");
            problems.add(
                "zone",
                `is required where the cloud has several (${names}): give it here, or for all with \`pulumi config set cloudstack:zone\``,
            );
            return undefined;
        }
        inputs.zone = zones[0].name;
    }
    return problems.attempt("zone", () => session.catalogue.zone(inputs.zone));
}
