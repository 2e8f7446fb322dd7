import type { Inputs, Outputs } from "../handler";
import { echoOf, same } from "../handler";
import { claimsOf } from "./ruleClaims";
import { normalKey, wantedRules } from "./rules";

/** How the state stores rules, for groups and for rules resources. */

/** The inputs that are copied to the outputs. Rules are stored as `managedRules` instead. */
export function rest(inputs: Inputs): Outputs {
    const { ingress: _ingress, egress: _egress, ...others } = echoOf(inputs);
    return others;
}

/** The keys of the rules that a resource manages, also if an earlier version stored them. */
export function managedOf(outputs: Outputs): string[] {
    return (outputs.managedRules ?? []).map(normalKey);
}

/** The distinct keys of rules. */
export function keys(rules: readonly { key: string }[]): string[] {
    return [...new Set(rules.map((rule) => rule.key))];
}

/** The name of the group's own resource in rule claims; there is only one. */
export const GROUP = "group";

/** The name of a rules resource in rule claims. */
export function claimantOf({ owner }: Inputs): string {
    return `rules ${owner}`;
}

/** Whether a resource's rules differ from the wanted ones. Also registers the wanted rules as claims. */
export function rulesDiffer(groupId: string, owner: string, managed: readonly string[], news: Inputs): boolean {
    const { rules, unknown } = wantedRules(news);
    const wanted = keys(rules);
    const claims = claimsOf(groupId);
    claims.want(owner, wanted, managed);
    return unknown || !same([...managed].sort(), [...wanted].sort()) || wanted.some((key) => claims.wasRevoked(key));
}
