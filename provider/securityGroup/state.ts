import type { Inputs, Outputs } from "../handler";
import { echoOf, same } from "../handler";
import { claimsOf } from "./ruleClaims";
import { normalKey, wantedRules } from "./rules";

/** What the state says of rules, for both resources that have some. */

/** The inputs that outputs repeat: rules are kept as `managedRules`. */
export function rest(inputs: Inputs): Outputs {
    const { ingress: _ingress, egress: _egress, ...others } = echoOf(inputs);
    return others;
}

/** The keys of the rules that a resource manages, whichever version recorded them. */
export function managedOf(outputs: Outputs): string[] {
    return (outputs.managedRules ?? []).map(normalKey);
}

/** The keys of rules, each once. */
export function keys(rules: readonly { key: string }[]): string[] {
    return [...new Set(rules.map((rule) => rule.key))];
}

/** What claims call the resource of the group itself: there is one. */
export const GROUP = "group";

/** What claims call a resource of rules beside the group. */
export function claimantOf({ owner }: Inputs): string {
    return `rules ${owner}`;
}

/** Compares what a resource has with what is wanted, and says to others what it is about to have. */
export function rulesDiffer(groupId: string, owner: string, managed: readonly string[], news: Inputs): boolean {
    const { rules, unknown } = wantedRules(news);
    const wanted = keys(rules);
    const claims = claimsOf(groupId);
    claims.want(owner, wanted, managed);
    return unknown || !same([...managed].sort(), [...wanted].sort()) || wanted.some((key) => claims.wasRevoked(key));
}
