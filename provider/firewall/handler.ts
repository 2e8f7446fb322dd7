import { isLost } from "../adopt";
import { claim } from "../claims";
import { CloudStackError } from "../client";
import type { TimedPlace } from "../cloudLifecycle";
import { cloudLifecycle } from "../cloudLifecycle";
import { foundInputs } from "../foundInputs";
import type { DiffResult, Handler, Inputs, Outputs } from "../handler";
import { PartialFailure, echoOf, isUnknown, same } from "../handler";
import { say } from "../lifecycle";
import { markFor } from "../marks";
import { replacedBy } from "../references";
import type { ApiFirewallRule, CoalescedReads, Session } from "../session";
import { isGone, sessionFor } from "../session";
import { secondsUntil } from "../timeouts";
import type { Kind } from "./check";
import { EGRESS, INGRESS, checkRules } from "./check";
import type { ActualRule, Batch, Tuple } from "./rules";
import { actualRule, asArgument, describeTuple, keysOf, ofKey, plan, wantedTuples } from "./rules";

/** How often rules are compared and changed if a response is lost. */
const ATTEMPTS = 3;

/** What differs between the rules of a public address and the egress rules of a network. */
interface Firewall {
    readonly kind: string;
    /** The argument with the id of what the rules belong to. */
    readonly of: "address" | "network";
    readonly rules: Kind;
    readonly create: string;
    readonly remove: string;
    /** The parameter of the creating command with that id. */
    readonly parameter: "ipaddressid" | "networkid";
    reads(session: Session): CoalescedReads<ApiFirewallRule>;
    /** What the rules belong to; `undefined` if it does not exist. Its addresses are a source that means all of them. */
    owner(session: Session, id: string): Promise<{ own?: string } | undefined>;
    /** The problem of what the rules belong to, where it is known. */
    problem(session: Session, id: string): Promise<string | undefined>;
}

export const firewallRules = handlerOf({
    kind: "firewall rules of address",
    of: "address",
    rules: INGRESS,
    create: "createFirewallRule",
    remove: "deleteFirewallRule",
    parameter: "ipaddressid",
    reads: (session) => session.firewallRules,
    owner: async (session, id) => ((await session.publicAddresses.get(id)) === undefined ? undefined : {}),
    async problem(session, id) {
        const address = (await session.publicAddresses.before()).find((known) => known.id === id);
        if (address?.vpcid === undefined) return undefined;
        return `address ${address.ipaddress} belongs to a VPC, which has network ACLs instead of firewall rules`;
    },
});

export const egressFirewallRules = handlerOf({
    kind: "egress rules of network",
    of: "network",
    rules: EGRESS,
    create: "createEgressFirewallRule",
    remove: "deleteEgressFirewallRule",
    parameter: "networkid",
    reads: (session) => session.egressRules,
    async owner(session, id) {
        const network = await session.networks.get(id);
        return network === undefined ? undefined : { own: network.cidr };
    },
    async problem(session, id) {
        const network = (await session.networks.before()).find((known) => known.id === id);
        if (network === undefined || (network.type === "Isolated" && network.vpcid === undefined)) return undefined;
        return `network ${network.name} has no egress firewall: only isolated networks outside of VPCs have one`;
    },
});

function handlerOf(firewall: Firewall): Handler {
    const { of } = firewall;
    return cloudLifecycle({
        kind: firewall.kind,
        nameOutput: of,

        async check(problems, inputs): Promise<void> {
            const id = problems.requiredString(
                inputs,
                of,
                `give the id of ${of === "address" ? "a PublicIpAddress" : "a Network"}`,
            );
            if (id !== undefined) problems.id(inputs, of, `that of the resource (${of}.id)`);
            problems.boolean(inputs, "exclusive");
            problems.timeouts(inputs);
            checkRules(problems, inputs, firewall.rules);
            if (id === undefined || problems.list.some(({ property }) => property.startsWith(of))) return;
            const session = sessionFor(inputs);
            const problem = await firewall.problem(session, id);
            if (problem !== undefined) problems.add(of, problem);
            claim(problems, session, inputs, of, `resource ${inputs.owner}`, {
                what: of,
                value: id,
                within: firewall.kind,
                remedy: "put all of its rules in one resource",
            });
        },

        diff(_id, olds, news): DiffResult {
            const replaces = replacedBy(olds, news, [of, "project"]);
            const { tuples, unknown } = wantedTuples(news.rules, olds.ownCidr);
            const isExceeded = news.exclusive === true && (olds.unmanagedRules ?? []).length > 0;
            const isOther = !isUnknown(news.exclusive) && (olds.exclusive ?? false) !== (news.exclusive ?? false);
            const changes =
                replaces.length > 0 ||
                unknown ||
                isExceeded ||
                isOther ||
                !same([...(olds.managedRules ?? [])].sort(), keysOf(tuples).sort());
            return { changes, replaces, deleteBeforeReplace: false };
        },

        async create(inputs, at) {
            const id = `${inputs[of]}/${markFor(inputs.owner)}`;
            return { id, outs: await give(firewall, id, {}, inputs, at) };
        },

        async read(_id, outputs, { session, cloud }) {
            const owner = await firewall.owner(session, outputs[of]);
            if (owner === undefined) return undefined;
            const actual = await actualRules(firewall, session, outputs[of], owner.own);
            const there = actual.flatMap(({ tuples }) => tuples);
            const managed: string[] = outputs.managedRules ?? [];
            const others = there.filter(({ key }) => !managed.includes(key)).map(describeTuple);
            const added = others.filter((rule) => !(outputs.unmanagedRules ?? []).includes(rule));
            if (added.length > 0 && outputs.exclusive !== true)
                say(
                    `${of} ${outputs[of]} has firewall rules that the stack does not manage; they are left alone (exclusive: true removes them): ${added.join("; ")}`,
                );
            const managedRules = managed.filter((key) => there.some((tuple) => tuple.key === key));
            return { ...outputs, managedRules, unmanagedRules: others, cloud };
        },

        found(_id, last, found) {
            if (
                same(last.managedRules, found.managedRules) &&
                (found.exclusive !== true || same(last.unmanagedRules, found.unmanagedRules))
            )
                return undefined;
            const rules = (found.managedRules as string[]).map((key) => asArgument(ofKey(key)));
            return foundInputs({ ...last, rules: undefined }, { ...found, rules }, [
                ...["managedRules", "unmanagedRules", "ownCidr", "cloud"],
            ]);
        },

        update: (id, olds, inputs, at) => give(firewall, id, olds, inputs, at),

        async delete(_id, outputs, at) {
            const managed: string[] = outputs.managedRules ?? [];
            const removable = ({ key }: Tuple) => managed.includes(key);
            await apply(firewall, { target: outputs[of], wanted: [], removable, own: outputs.ownCidr }, at);
        },
    });
}

/** Gives the address or network its rules. @returns the outputs */
async function give(firewall: Firewall, id: string, olds: Outputs, inputs: Inputs, at: TimedPlace): Promise<Outputs> {
    const { session, cloud } = at;
    const target: string = inputs[firewall.of];
    const { rules: _rules, ...echoed } = echoOf(inputs);
    const before: string[] = olds.managedRules ?? [];
    const owner = await firewall.owner(session, target);
    if (owner === undefined) throw new Error(`${firewall.of} ${target} not found`);
    const { tuples } = wantedTuples(inputs.rules, owner.own);
    const outs = { ...echoed, ...(owner.own === undefined ? {} : { ownCidr: owner.own }), cloud };
    const removable = ({ key }: Tuple) => inputs.exclusive === true || before.includes(key);
    try {
        const isNew = olds.managedRules === undefined && inputs.exclusive !== true;
        const now = await apply(firewall, { target, wanted: tuples, removable, own: owner.own, isNew }, at);
        const keys = keysOf(tuples);
        const others = now.filter(({ key }) => !keys.includes(key));
        const reported: string[] = olds.unmanagedRules ?? [];
        const unmanagedRules = others.map(describeTuple).filter((rule) => reported.includes(rule));
        return { ...outs, managedRules: keys, unmanagedRules };
    } catch (error) {
        const managedRules = [...new Set([...before, ...keysOf(tuples)])];
        const left = { ...outs, managedRules, unmanagedRules: olds.unmanagedRules ?? [] };
        throw new PartialFailure((error as Error).message, id, left, inputs);
    }
}

async function actualRules(firewall: Firewall, session: Session, target: string, own?: string): Promise<ActualRule[]> {
    const all = await firewall.reads(session).all();
    return all
        .filter((rule) => (firewall.of === "address" ? rule.ipaddressid : rule.networkid) === target)
        .map((rule) => actualRule(rule, own));
}

/** A change of the rules of one address or network. */
interface Change {
    readonly target: string;
    readonly wanted: readonly Tuple[];
    /** Whether a tuple that is not wanted may be removed. */
    readonly removable: (tuple: Tuple) => boolean;
    readonly own?: string;
    /** Whether there are probably no rules yet, so that they need not be read first. */
    readonly isNew?: boolean;
}

/**
 * Makes the rules as wanted. CloudStack refuses a rule that exists already, as after an interrupted run or a lost
 * response: the rules are then read and compared again.
 *
 * @returns the tuples afterwards
 */
async function apply(firewall: Firewall, change: Change, at: TimedPlace): Promise<Tuple[]> {
    const { target, wanted, removable, own, isNew = false } = change;
    const reads = firewall.reads(at.session);
    for (let attempt = 1; ; attempt++) {
        const actual = isNew && attempt === 1 ? [] : await actualRules(firewall, at.session, target, own);
        const { first, remove, then } = plan(wanted, actual, removable);
        const kept = actual.filter((rule) => !remove.includes(rule)).flatMap(({ tuples }) => tuples);
        if (first.length + remove.length + then.length === 0) return kept;
        try {
            for (const batch of first) await open(firewall, target, batch, at);
            for (const rule of remove) await close(firewall, target, rule, at);
            for (const batch of then) await open(firewall, target, batch, at);
            return [...kept, ...wanted];
        } catch (error) {
            const again = isLost(error) || (error instanceof CloudStackError && error.errorCode === 537);
            if (!again || attempt === ATTEMPTS) throw error;
        } finally {
            reads.changed();
        }
    }
}

/** Rules of one address are changed one after another, since CloudStack locks it. */
function queueOf(firewall: Firewall, target: string): string | undefined {
    return firewall.of === "address" ? target : undefined;
}

async function open(
    firewall: Firewall,
    target: string,
    batch: Batch,
    { session, deadline }: TimedPlace,
): Promise<void> {
    const [{ protocol, startPort, endPort, icmpType, icmpCode, destination }] = batch;
    const isAll = startPort === 1 && endPort === 65_535;
    const sources = batch.map(({ source }) => source).filter((source) => source !== undefined);
    const params = {
        [firewall.parameter]: target,
        protocol,
        ...(isAll ? {} : { startport: startPort, endport: endPort }),
        icmptype: icmpType,
        icmpcode: icmpCode,
        ...(sources.length === 0 ? {} : { cidrlist: sources }),
        ...(destination === undefined ? {} : { destcidrlist: [destination] }),
    };
    await session.client.run(firewall.create, params, {
        ...{ timeoutSeconds: secondsUntil(deadline), queue: queueOf(firewall, target) },
    });
}

async function close(
    firewall: Firewall,
    target: string,
    { id }: ActualRule,
    { session, deadline }: TimedPlace,
): Promise<void> {
    const options = { timeoutSeconds: secondsUntil(deadline), queue: queueOf(firewall, target) };
    try {
        await session.client.run(firewall.remove, { id }, options);
    } catch (error) {
        if (!isGone(error)) throw error;
    }
}
