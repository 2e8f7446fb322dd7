import { CloudStackError } from "../client";
import type { TimedPlace } from "../cloudLifecycle";
import { cloudLifecycle } from "../cloudLifecycle";
import { foundInputs } from "../foundInputs";
import type { DiffResult, Inputs, Outputs } from "../handler";
import { echoOf, hasUnknown, isUnknown, same } from "../handler";
import type { Problems } from "../lifecycle";
import { createOwn } from "../ownJobs";
import { claimPorts, overlap } from "../ports";
import { replacedBy } from "../references";
import { normalCidr, parsePorts } from "../securityGroup/normal";
import type { ApiPortForwardingRule, CloudIdentity } from "../session";
import { isGone, sessionFor } from "../session";
import { secondsUntil } from "../timeouts";

export const portForwardingRule = cloudLifecycle({
    kind: "port forwarding rule",
    nameOutput: "ruleId",

    async check(problems, inputs): Promise<void> {
        inputs.protocol ??= "tcp";
        problems.oneOf(inputs, "protocol", ["tcp", "udp"]);
        for (const [property, from] of [
            ["address", "a PublicIpAddress (address.id)"],
            ["virtualMachine", "a VirtualMachine (machine.id)"],
        ])
            if (problems.requiredString(inputs, property, `give the id of ${from}`) !== undefined)
                problems.id(inputs, property, `that of ${from}`);
        problems.timeouts(inputs);
        checkCidrs(problems, inputs);
        const ports = checkPorts(problems, inputs, "publicPorts");
        const inside = inputs.privatePorts === undefined ? ports : checkPorts(problems, inputs, "privatePorts");
        if (ports !== undefined && inside !== undefined && ports[1] - ports[0] !== inside[1] - inside[0])
            problems.add("privatePorts", "must be as many ports as publicPorts");
        if (ports === undefined || problems.list.length > 0 || isUnknown(inputs.address)) return;
        claimPorts(problems, sessionFor(inputs), inputs, "publicPorts", {
            ...{ address: inputs.address, purpose: "port forwarding rule", protocol: inputs.protocol },
            ...{ start: ports[0], end: ports[1] },
        });
    },

    diff(_id, olds, news): DiffResult {
        const replaces = [
            ...replacedBy(olds, news, ["address", "protocol", "project"]),
            ...(sameAsPorts(olds.publicPorts, news.publicPorts) ? [] : ["publicPorts"]),
        ];
        const changes =
            replaces.length > 0 ||
            !same(olds.virtualMachine, news.virtualMachine) ||
            !sameAsPorts(olds.privatePorts ?? olds.publicPorts, news.privatePorts ?? news.publicPorts) ||
            !same(cidrsOf(olds), cidrsOf(news));
        // CloudStack accepts only one rule for a port.
        const [before, after] = [parsePorts(olds.publicPorts), parsePorts(news.publicPorts)];
        const sharesPorts = before !== undefined && after !== undefined && overlap(before, after);
        const deleteBeforeReplace =
            replaces.length > 0 && sharesPorts && !replaces.includes("address") && !replaces.includes("protocol");
        return { changes, replaces, deleteBeforeReplace };
    },

    async create(inputs, at) {
        const id = await createRule(inputs, at);
        return { id, outs: { ...echoOf(inputs), ruleId: id, cloud: at.cloud } };
    },

    async read(id, outputs, { session, cloud }) {
        const found = await session.portForwardingRules.get(outputs.ruleId ?? id);
        return found === undefined ? undefined : toOutputs(found, outputs, cloud);
    },

    found: (_id, last, found) => foundInputs(last, found, ["ruleId", "cloud"]),

    async update(id, olds, inputs, at) {
        const { session, cloud, deadline } = at;
        const ruleId: string = olds.ruleId ?? id;
        session.portForwardingRules.changed();
        const found = await session.portForwardingRules.get(ruleId);
        // CloudStack removes the rules of a machine that it expunges.
        if (found === undefined) return { ...echoOf(inputs), ruleId: await createRule(inputs, at), cloud };
        const has = toOutputs(found, { ...inputs, privatePorts: "" }, cloud);
        const [start, end] = insideOf(inputs);
        const changes = {
            ...(found.virtualmachineid === inputs.virtualMachine ? {} : { virtualmachineid: inputs.virtualMachine }),
            ...(sameAsPorts(has.privatePorts, `${start}-${end}`) ? {} : { privateport: start, privateendport: end }),
            ...(same(cidrsOf(has), cidrsOf(inputs)) ? {} : { cidrlist: inputs.cidrs ?? ["0.0.0.0/0"] }),
        };
        if (Object.keys(changes).length > 0)
            try {
                const options = { timeoutSeconds: secondsUntil(deadline), queue: inputs.address };
                await session.client.run("updatePortForwardingRule", { id: ruleId, ...changes }, options);
            } finally {
                session.portForwardingRules.changed();
            }
        return { ...echoOf(inputs), ruleId, cloud };
    },

    async delete(id, outputs, { session, deadline }) {
        const options = { timeoutSeconds: secondsUntil(deadline), queue: outputs.address };
        try {
            await session.client.run("deletePortForwardingRule", { id: outputs.ruleId ?? id }, options);
        } catch (error) {
            if (!isGone(error)) throw error;
        } finally {
            session.portForwardingRules.changed();
        }
    },
});

function checkPorts(problems: Problems, inputs: Inputs, property: string): [number, number] | undefined {
    const value = inputs[property];
    if (isUnknown(value)) return undefined;
    const range = parsePorts(value);
    if (range !== undefined && range[0] > 0) return range;
    const given = value === undefined ? "is required" : `${JSON.stringify(value)} is not valid`;
    problems.add(property, `${given}: give a port ("8080") or a range of ports ("8000-8010") from 1 to 65535`);
    return undefined;
}

function checkCidrs(problems: Problems, inputs: Inputs): void {
    const isNetwork = (cidr: unknown) => normalCidr(cidr) !== undefined && !String(cidr).includes(":");
    problems.each(inputs, "cidrs", isNetwork, 'must be an IPv4 network such as "203.0.113.0/24"');
    if (Array.isArray(inputs.cidrs) && inputs.cidrs.length === 0)
        problems.add("cidrs", "has no network: leave it out for all");
}

/** Whether two values mean the same ports. */
function sameAsPorts(one: unknown, other: unknown): boolean {
    return same(parsePorts(one) ?? one, parsePorts(other) ?? other);
}

/** The networks in one form; none means all. */
function cidrsOf({ cidrs }: Inputs): string[] {
    if (cidrs === undefined || !Array.isArray(cidrs) || hasUnknown(cidrs)) return cidrs ?? [];
    const normal = cidrs.map((cidr) => normalCidr(cidr) ?? cidr);
    return normal.includes("0.0.0.0/0") ? [] : normal.sort();
}

/** The ports of the machine. */
function insideOf(inputs: Inputs): [number, number] {
    return parsePorts(inputs.privatePorts ?? inputs.publicPorts)!;
}

/** Creates the rule, or adopts one that an interrupted run left: see `createOwn`. */
async function createRule(inputs: Inputs, at: TimedPlace): Promise<string> {
    const { session, cloud } = at;
    const [publicport, publicendport] = parsePorts(inputs.publicPorts)!;
    const [privateport, privateendport] = insideOf(inputs);
    const creation = {
        command: "createPortForwardingRule",
        params: {
            ...{ ipaddressid: inputs.address, protocol: inputs.protocol, virtualmachineid: inputs.virtualMachine },
            ...{ publicport, publicendport, privateport, privateendport, openfirewall: false },
            cidrlist: inputs.cidrs,
        },
        outputs: { ...echoOf(inputs), cloud },
        isLeft: async (id: string) => {
            session.portForwardingRules.changed();
            const found = await session.portForwardingRules.get(id);
            return (
                found !== undefined &&
                found.ipaddressid === inputs.address &&
                found.protocol === inputs.protocol &&
                sameAsPorts(`${found.publicport}-${found.publicendport}`, inputs.publicPorts) &&
                found.virtualmachineid === inputs.virtualMachine
            );
        },
    };
    try {
        return await createOwn(inputs, at, creation, []);
    } catch (error) {
        throw explain(error, inputs);
    } finally {
        session.portForwardingRules.changed();
    }
}

/** Says which rule has the port already. */
function explain(error: unknown, inputs: Inputs): unknown {
    if (!(error instanceof CloudStackError) || error.errorCode !== 537) return error;
    const [, id] = /"uuid":"([0-9a-f-]{36})"/.exec(error.errorText) ?? [];
    const which = id === undefined ? "another rule" : `rule ${id}`;
    return new Error(
        `port ${inputs.publicPorts} of address ${inputs.address} has ${which} already: choose another port, or delete that rule. ${error.message}`,
    );
}

/** @param inputs the arguments, or at a refresh the previous outputs */
function toOutputs(found: ApiPortForwardingRule, inputs: Inputs, cloud: CloudIdentity): Outputs {
    const text = (value: unknown, start: string, end: string | undefined) => {
        const actual = end === undefined || end === start ? start : `${start}-${end}`;
        return sameAsPorts(value, actual) ? value : actual;
    };
    const cidrs = found.cidrlist ? found.cidrlist.split(",") : undefined;
    return {
        ...echoOf(inputs),
        address: found.ipaddressid,
        protocol: found.protocol,
        publicPorts: text(inputs.publicPorts, found.publicport, found.publicendport),
        privatePorts:
            inputs.privatePorts === undefined &&
            sameAsPorts(inputs.publicPorts, text("", found.privateport, found.privateendport))
                ? undefined
                : text(inputs.privatePorts, found.privateport, found.privateendport),
        virtualMachine: found.virtualmachineid,
        cidrs: same(cidrsOf({ cidrs }), cidrsOf(inputs)) ? inputs.cidrs : cidrs,
        ruleId: found.id,
        cloud,
    };
}
