import type { ApiSecurityGroup, Session } from "../session";
import { authorize, revoke } from "./calls";
import { claimsOf } from "./ruleClaims";
import type { ActualRule, RuleTuple } from "./rules";
import { actualRules, compareRules } from "./rules";

/** How long the revocation of a rule waits for another resource that is about to manage the rule, in milliseconds. */
const HANDOVER_MS = 5000;

/** The desired rules of one resource for a group. */
export interface RuleChange {
    /** The resource, as in `ruleClaims`. */
    readonly owner: string;
    readonly wanted: readonly RuleTuple[];
    /** Whether an additional rule may be revoked if no other resource has it. */
    readonly removable: (rule: ActualRule) => boolean;
    /** The deadline in milliseconds since the epoch. */
    readonly deadline: number;
}

/**
 * Adds the rules that a resource wants, then revokes additional ones that no other resource has. In this order, traffic
 * that remains allowed is not interrupted.
 *
 * @returns the group after the change; `undefined` if it does not exist
 */
export async function applyRules(
    session: Session,
    groupId: string,
    { owner, wanted, removable, deadline }: RuleChange,
): Promise<ApiSecurityGroup | undefined> {
    const claims = claimsOf(groupId);
    claims.hold(
        owner,
        wanted.map(({ key }) => key),
    );
    const given = await claims.inTurn(async () => {
        const group = claims.recall() ?? (await session.securityGroups.get(groupId));
        if (group === undefined) return undefined;
        return authorize(session, group, compareRules(wanted, actualRules(group)).missing, deadline);
    });
    if (given === undefined) return undefined;
    const extra = compareRules(wanted, actualRules(given)).extra.filter(removable);
    const isSettled = () => extra.every(({ key }) => claims.isHeld(key, owner) || !claims.isClaimed(key, owner));
    await claims.until(isSettled, HANDOVER_MS);
    return claims.inTurn(() => {
        const rules = extra.filter(({ key }) => !claims.isHeld(key, owner));
        return revoke(session, given, rules, deadline);
    });
}
