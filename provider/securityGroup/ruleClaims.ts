import type { ApiSecurityGroup } from "../session";

/**
 * Records which resource manages which rules of a group. Several resources may manage rules of the same group, and a
 * rule may move from one resource to another within a run; CloudStack stores no owner of a rule. So every resource in
 * this process registers the rules that it has and wants, and no resource revokes a rule that another one has. The
 * engine calls `diff` for all resources of a program before it deletes any, so a deletion knows the claims of all of
 * them.
 */
class Claims {
    private readonly owners = new Map<string, { holds: ReadonlySet<string>; wants: ReadonlySet<string> }>();
    private readonly revoked = new Set<string>();
    private readonly listeners = new Set<() => void>();
    private left: readonly string[] = [];
    private work: Promise<unknown> = Promise.resolve();
    private known: ApiSecurityGroup | undefined;
    private changes = 0;

    /** Registers the rules that a resource of the stack has. */
    hold(owner: string, keys: Iterable<string>): void {
        this.set(owner, { holds: new Set(keys), wants: new Set() });
    }

    /** Registers the rules that a resource wants, and which of them it has already. */
    want(owner: string, keys: readonly string[], has: readonly string[] = []): void {
        this.set(owner, { holds: new Set(keys.filter((key) => has.includes(key))), wants: new Set(keys) });
    }

    /** Whether another resource has this rule. */
    isHeld(key: string, but: string): boolean {
        return this.others(but).some(({ holds }) => holds.has(key));
    }

    /** Whether another resource has or wants this rule. */
    isClaimed(key: string, but: string): boolean {
        return this.others(but).some(({ holds, wants }) => holds.has(key) || wants.has(key));
    }

    /**
     * Records that a rule was revoked or authorized, so that a resource that was found unchanged before updates its
     * rules.
     */
    note(key: string, revoked: boolean): void {
        if (revoked) this.revoked.add(key);
        else this.revoked.delete(key);
    }

    wasRevoked(key: string): boolean {
        return this.revoked.has(key);
    }

    /** Registers rules that the group itself managed in a stack of version 0.1.0; its rules resource inherits them. */
    leave(keys: readonly string[]): void {
        this.left = keys;
    }

    get inheritance(): readonly string[] {
        return this.left;
    }

    /** Stores a group that this process has created, so that its rules need not be read. */
    remember(group: ApiSecurityGroup): void {
        this.known = group;
    }

    /**
     * The stored group, or the group read now. It is stored for the next `recall`, unless its rules change before that.
     */
    async look(read: () => Promise<ApiSecurityGroup | undefined>): Promise<ApiSecurityGroup | undefined> {
        if (this.known !== undefined) return this.known;
        const { changes } = this;
        const group = await read();
        if (changes === this.changes) this.known = group;
        return group;
    }

    /** Returns the stored group and removes it. */
    recall(): ApiSecurityGroup | undefined {
        const { known } = this;
        this.known = undefined;
        return known;
    }

    /** To be called when rules of the group are changed. It discards the stored group. */
    changed(): void {
        this.changes++;
        this.known = undefined;
    }

    /** Serializes work on the group, so that the rules do not change between reading and changing them. */
    inTurn<T>(work: () => Promise<T>): Promise<T> {
        const turn = this.work.then(work, work);
        this.work = turn.catch(() => undefined);
        return turn;
    }

    /** Resolves when claims make the condition true, or after the timeout in milliseconds. */
    async until(isTrue: () => boolean, timeoutMs: number): Promise<void> {
        if (isTrue()) return;
        await new Promise<void>((resolve) => {
            const end = () => {
                clearTimeout(timer);
                this.listeners.delete(listener);
                resolve();
            };
            const listener = () => void (isTrue() && end());
            const timer = setTimeout(end, timeoutMs);
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
