import type { Inputs, Outputs } from "../handler";
import { foundInputs } from "../foundInputs";
import { normalKey } from "./rules";

/**
 * The arguments of a group, or of rules of a group, as what a refresh found would have them: see `foundInputs`. Outputs keep rules by
 * their keys, so each comes back as a rule of its own.
 *
 * @param others keys of rules that are there beside the managed ones and are to go
 */
export function foundRuleInputs(last: Outputs, found: Outputs, others: readonly string[] = []): Inputs | undefined {
    const inputs = foundInputs(last, { ...found, others: others.length > 0 ? others : undefined }, [
        ...["unmanagedRules", "groupName", "tookOver", "cloud"],
    ]);
    if (inputs === undefined) return undefined;
    delete inputs.managedRules;
    delete inputs.others;
    const keys = [...new Set([...(found.managedRules ?? []), ...others].map(normalKey))].map((key) => key.split("|"));
    const of = (direction: string) => keys.filter(([first]) => first === direction).map(ruleOf);
    // Ingress rules that are made beside the group are no arguments of its own.
    const ingress = found.ingressApart === true ? {} : { ingress: of("ingress") };
    return { ...inputs, ...ingress, egress: of("egress") };
}

/** A rule as an argument, from the parts of its key. */
function ruleOf([, protocol, start, end, icmpType, icmpCode, cidr, ...group]: string[]): Inputs {
    return {
        protocol,
        ...(start === "" ? {} : { ports: `${start}-${end}` }),
        ...(icmpType === "" ? {} : { icmpType: Number(icmpType) }),
        ...(icmpType === "" || icmpType === "-1" ? {} : { icmpCode: Number(icmpCode) }),
        ...(cidr === "" ? { groups: [group.join("|")] } : { cidrs: [cidr] }),
    };
}
