import type { Inputs, Outputs } from "../handler";
import { foundInputs } from "../foundInputs";
import { normalKey } from "./rules";

/**
 * The arguments of a group or of its rules that match what a refresh found: see `foundInputs`. The outputs store the
 * keys of rules, so each key becomes a separate rule.
 *
 * @param others keys of unmanaged rules that are to be revoked
 */
export function foundRuleInputs(last: Outputs, found: Outputs, others: readonly string[] = []): Inputs | undefined {
    const inputs = foundInputs(last, { ...found, others: others.length > 0 ? others : undefined }, [
        "unmanagedRules",
        "groupName",
        "tookOver",
        "cloud",
    ]);
    if (inputs === undefined) return undefined;
    delete inputs.managedRules;
    delete inputs.others;
    const keys = [...new Set([...(found.managedRules ?? []), ...others].map(normalKey))].map((key) => key.split("|"));
    const of = (direction: string) => keys.filter(([first]) => first === direction).map(ruleOf);
    // Ingress rules that are a separate resource are not arguments of the group.
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
