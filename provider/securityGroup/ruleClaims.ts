import type { ApiSecurityGroup } from "../session";

/**
 * Whose the rules of a group are. Several resources may manage rules of one group, and a rule may pass from one of them to another in one
 * run; CloudStack keeps no owner. So all resources of this process say what they have and what they are about to have, and nobody revokes
 * what another one has. The engine asks about every resource of a program before it deletes anything, so a delete knows all of them.
 */
class Claims {
    private readonly owners = new Map<string, { holds: ReadonlySet<string>; wants: ReadonlySet<string> }>();
    private readonly revoked = new Set<string>();
    private readonly listeners = new Set<() => void>();
    private left: readonly string[] = [];
    private work: Promise<unknown> = Promise.resolve();
    private known: ApiSecurityGroup | undefined;
    private changes = 0;

    /** Says which rules a resource of the stack has. */
    hold(owner: string, keys: Iterable<string>): void {
        this.set(owner, { holds: new Set(keys), wants: new Set() });
    }

    /** Says which rules a resource is about to have, besides those among them that it has. */
    want(owner: string, keys: readonly string[], has: readonly string[] = []): void {
        this.set(owner, { holds: new Set(keys.filter((key) => has.includes(key))), wants: new Set(keys) });
    }

    /** True where another resource has this rule. */
    isHeld(key: string, but: string): boolean {
        return this.others(but).some(({ holds }) => holds.has(key));
    }

    /** True where another resource has this rule or is about to. */
    isClaimed(key: string, but: string): boolean {
        return this.others(but).some(({ holds, wants }) => holds.has(key) || wants.has(key));
    }

    /** Notes what was revoked or authorised: a resource that was found unchanged before has to look again. */
    note(key: string, revoked: boolean): void {
        if (revoked) this.revoked.add(key);
        else this.revoked.delete(key);
    }

    wasRevoked(key: string): boolean {
        return this.revoked.has(key);
    }

    /** Rules that the group itself managed, in a stack of 0.1.0, and leaves to the resource of its rules. */
    leave(keys: readonly string[]): void {
        this.left = keys;
    }

    get inheritance(): readonly string[] {
        return this.left;
    }

    /** Remembers a group that this process has just made, so that its rules need not be read first. */
    remember(group: ApiSecurityGroup): void {
        this.known = group;
    }

    /** The group as it was remembered or is read now; the next `recall` has it as well, unless its rules change before. */
    async look(read: () => Promise<ApiSecurityGroup | undefined>): Promise<ApiSecurityGroup | undefined> {
        if (this.known !== undefined) return this.known;
        const { changes } = this;
        const group = await read();
        if (changes === this.changes) this.known = group;
        return group;
    }

    /** What is remembered of the group; it is forgotten then. */
    recall(): ApiSecurityGroup | undefined {
        const { known } = this;
        this.known = undefined;
        return known;
    }

    /** To be called when rules of the group are changed: what was read before is no longer true. */
    changed(): void {
        this.changes++;
        this.known = undefined;
    }

    /** Does one thing after the other with the group: what was read of its rules has to hold until they are changed. */
    inTurn<T>(work: () => Promise<T>): Promise<T> {
        const turn = this.work.then(work, work);
        this.work = turn.catch(() => undefined);
        return turn;
    }

    /** Resolves when this becomes true by what resources say, at the latest after so many milliseconds. */
    async until(isTrue: () => boolean, patienceMs: number): Promise<void> {
        if (isTrue()) return;
        await new Promise<void>((resolve) => {
            const end = () => {
                clearTimeout(timer);
                this.listeners.delete(listener);
                resolve();
            };
            const listener = () => void (isTrue() && end());
            const timer = setTimeout(end, patienceMs);
            this.listeners.add(listener);
        });
    }

    private set(owner: string, entry: { holds: ReadonlySet<string>; wants: ReadonlySet<string> }): void {
        this.owners.set(owner, entry);
        for (const listener of [...this.listeners]) listener();
    }

    private others(but: string): { holds: ReadonlySet<string>; wants: ReadonlySet<string> }[] {
        return [...this.owners].filter(([owner]) => owner !== but).map(([, entry]) => entry);
    }
}

const groups = new Map<string, Claims>();

/** The claims to the rules of a group, by the group's id. */
export function claimsOf(groupId: string): Claims {
    const claims = groups.get(groupId) ?? new Claims();
    groups.set(groupId, claims);
    return claims;
}
