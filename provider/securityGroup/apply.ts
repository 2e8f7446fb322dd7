import type { ApiSecurityGroup, Session } from "../session";
import { authorize, revoke } from "./calls";
import { claimsOf } from "./ruleClaims";
import type { ActualRule, RuleTuple } from "./rules";
import { actualRules, compareRules } from "./rules";

/** How long a rule that another resource is about to have waits for it before it is revoked, in milliseconds. */
const HANDOVER_MS = 5000;

/** What a resource wants of a group's rules. */
export interface RuleChange {
    /** The resource, as `claims` knows it. */
    readonly owner: string;
    readonly wanted: readonly RuleTuple[];
    /** Whether a rule beyond those wanted may go, where no other resource has it. */
    readonly removable: (rule: ActualRule) => boolean;
    /** Until when, in milliseconds since the epoch. */
    readonly deadline: number;
}

/**
 * Gives a group the rules that a resource wants, then takes those that are too many and that nobody else has. In this order nothing is cut
 * off that stays allowed.
 *
 * @returns the group as it then is; `undefined` where it is gone
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
