import type { Inputs } from "./handler";
import { isUnknown } from "./handler";
import type { Problems } from "./lifecycle";
import type { Session } from "./session";

/** Ports of a public address that a rule of this run has. */
export interface PortClaim {
    readonly address: string;
    /** How messages call the rule. */
    readonly purpose: string;
    readonly protocol: string;
    readonly start: number;
    readonly end: number;
}

/** Whether two ranges of ports have one in common. */
export function overlap([start, end]: readonly [number, number], [from, to]: readonly [number, number]): boolean {
    return start <= to && from <= end;
}

/**
 * Adds a problem if another rule of this run has one of the ports: CloudStack would refuse the second rule. Only two port
 * forwarding rules may have the same port, with different protocols.
 *
 * @param property the argument that has the ports
 */
export function claimPorts(
    problems: Problems,
    session: Session,
    inputs: Inputs,
    property: string,
    claim: PortClaim,
): void {
    const { owner } = inputs;
    if (typeof owner !== "string" || isUnknown(owner)) return;
    const others = [...session.ports].filter(([other, { address }]) => other !== owner && address === claim.address);
    session.ports.set(owner, claim);
    const rival = others.find(
        ([, other]) =>
            overlap([other.start, other.end], [claim.start, claim.end]) &&
            !(other.purpose === claim.purpose && other.protocol !== claim.protocol),
    );
    if (rival === undefined) return;
    const [name, { purpose, start, end }] = rival;
    const range = start === end ? `port ${start}` : `ports ${start}-${end}`;
    problems.add(
        property,
        `${range} of the address is also forwarded by the ${purpose} of resource ${name}: give each its own`,
    );
}
