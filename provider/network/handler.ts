import { createOrAdopt } from "../adopt";
import { firstAddressOf, netmaskOf, parseNetwork } from "../addresses";
import type { TimedPlace } from "../cloudLifecycle";
import { cloudLifecycle } from "../cloudLifecycle";
import { foundInputs } from "../foundInputs";
import type { DiffResult, Inputs, Outputs } from "../handler";
import { PartialFailure, echoOf, isUnknown, same } from "../handler";
import { markIn, markedText, unmarkedText } from "../marks";
import { referenceText, replacedBy, sameReference, wantedId, withKnownIds } from "../references";
import type { ApiNetwork, CloudIdentity, Session } from "../session";
import { managed, setTags, tagsOf } from "../tags";
import { secondsUntil } from "../timeouts";
import { adoptable } from "./adopt";
import { checkNetworkArguments } from "./check";
import { deleteNetwork, removeDuplicates, removeWaiting } from "./remove";

const COMPUTED = ["type", "netmask", "persistent", "egressAllowed", "zoneId", "networkOfferingId", "cloud"];

export const network = cloudLifecycle({
    kind: "network",
    marks: { rewritten: true },
    check: checkNetworkArguments,
    watched: {
        reads: (session) => session.networks,
        isGone: () => false,
        remedy: "run `pulumi up --refresh` to create it again",
    },

    diff(_id, olds, news): DiffResult {
        const replaces = replacedBy(olds, news, ["zone", "project", "type", "cidr", "gateway"]).filter(
            (property) => news[property] !== undefined && !isUnknown(news[property]),
        );
        const changes =
            replaces.length > 0 ||
            !sameReference(olds, news, "networkOffering") ||
            ["name", "displayText", "networkDomain", "dns", "cidr", "gateway", "tags", "owner"].some(
                (property) => !same(wantedOf(property, news, olds), olds[property] ?? empty(property)),
            );
        return { changes, replaces, deleteBeforeReplace: false };
    },

    async create(inputs, at) {
        const lost: number[] = [];
        await removeWaiting(at.session, at.deadline);
        const made = await makeNetwork(inputs, at, lost);
        const unanswered = lost.length === 0 ? {} : { unansweredAt: lost.at(-1) };
        try {
            return { id: made.id, outs: await converge(made, { ...inputs, ...unanswered }, {}, at) };
        } catch (error) {
            const outs = toOutputs(made, { ...inputs, ...unanswered }, at.cloud);
            throw new PartialFailure((error as Error).message, made.id, outs, inputs);
        }
    },

    async read(id, outputs, { session, cloud }) {
        const found = await session.networks.get(id);
        return found === undefined ? undefined : toOutputs(found, outputs, cloud);
    },

    found: (_id, last, found) => foundInputs(last, found, COMPUTED),

    async update(id, olds, inputs, at) {
        const { session, deadline } = at;
        await session.settle(id, deadline);
        const found = await session.networks.get(id);
        if (found === undefined)
            throw new Error(
                `network ${olds.name} (${id}) no longer exists: run \`pulumi refresh\`, then \`pulumi up\` to create it again`,
            );
        await removeDuplicates(session, id, olds, deadline);
        return converge(found, withKnownIds(inputs, olds), olds, at);
    },

    async delete(id, outputs, { session, deadline }) {
        await removeDuplicates(session, id, outputs, deadline);
        await deleteNetwork(session, id, outputs, deadline);
        await removeWaiting(session, deadline);
    },
});

/** The wanted value of an argument that is compared by its value. One that is left out keeps its value. */
function wantedOf(property: string, news: Inputs, olds: Outputs): unknown {
    return news[property] ?? (["displayText", "tags"].includes(property) ? empty(property) : olds[property]);
}

function empty(property: string): unknown {
    return { displayText: "", tags: {} }[property];
}

/** Waits between looks for a network whose creation was not answered: the request may still arrive, in milliseconds. */
const LOOK_WAITS = [0, 1000, 3000, 5000, 10_000, 15_000];

/**
 * Creates a network, or adopts one with this resource's owner mark. CloudStack accepts several networks with the same
 * name, so after a lost response the mark is looked for a long time before the command is sent again.
 *
 * @param lost receives when requests were sent that were never answered
 */
async function makeNetwork(inputs: Inputs, { session }: TimedPlace, lost: number[]): Promise<ApiNetwork> {
    const left = (await session.networks.before()).find((item) => adoptable(item, inputs));
    const there = left === undefined ? undefined : await session.networks.get(left.id);
    if (there !== undefined && adoptable(there, inputs)) return there;
    const params = await creationParams(session, inputs);
    const create = async () => (await session.client.call("createNetwork", params)).network as ApiNetwork;
    const find = async () => {
        lost.push(Date.now());
        for (const wait of LOOK_WAITS) {
            await session.client.pause(wait);
            session.networks.changed();
            const found = (await session.networks.all()).find((item) => adoptable(item, inputs));
            if (found !== undefined) return found;
        }
        return undefined;
    };
    try {
        return await createOrAdopt(create, find);
    } finally {
        session.networks.changed();
    }
}

async function creationParams(session: Session, inputs: Inputs): Promise<Record<string, string | undefined>> {
    const { catalogue } = session;
    const [zoneid, networkofferingid] = await Promise.all([
        wantedId(inputs, "zone", (text) => catalogue.zone(text)),
        wantedId(inputs, "networkOffering", (text) => catalogue.networkOffering(text)),
    ]);
    const range = parseNetwork(inputs.cidr);
    return {
        name: inputs.name,
        displaytext: markedText(inputs.displayText, inputs.owner),
        zoneid,
        networkofferingid,
        ...(range === undefined ? {} : { gateway: inputs.gateway ?? firstAddressOf(range), netmask: netmaskOf(range) }),
        networkdomain: inputs.networkDomain,
        ...dnsParams(inputs),
    };
}

function dnsParams({ dns }: Inputs): { dns1?: string; dns2?: string } {
    return dns === undefined ? {} : { dns1: dns[0], dns2: dns[1] };
}

/** Changes what differs from the arguments. @param olds the last outputs, with the tags that were managed before */
async function converge(
    found: ApiNetwork,
    inputs: Inputs,
    olds: Outputs,
    { session, cloud, deadline }: TimedPlace,
): Promise<Outputs> {
    const { id } = found;
    const text = markedText(inputs.displayText, inputs.owner);
    const offering = await wantedId(inputs, "networkOffering", (name) => session.catalogue.networkOffering(name));
    const dns = dnsOf(found, inputs);
    const changes = {
        ...(found.name === inputs.name ? {} : { name: inputs.name }),
        ...(found.displaytext === text ? {} : { displaytext: text }),
        ...(inputs.networkDomain === undefined || inputs.networkDomain === found.networkdomain
            ? {}
            : { networkdomain: inputs.networkDomain }),
        ...(inputs.dns === undefined || same(inputs.dns, dns) ? {} : dnsParams(inputs)),
        ...(offering === found.networkofferingid ? {} : { networkofferingid: offering }),
    };
    try {
        if (Object.keys(changes).length > 0)
            await session.client.run("updateNetwork", { id, ...changes }, { timeoutSeconds: secondsUntil(deadline) });
        const tags = { ...olds.tags, ...inputs.tags };
        const from = managed(tags, tagsOf(found));
        if (!same(from, inputs.tags ?? {}))
            await setTags(session, {
                ...{ type: "Network", id, from, to: inputs.tags ?? {}, deadline },
                read: () => (session.networks.changed(), session.networks.get(id)),
            });
        else if (Object.keys(changes).length === 0) return toOutputs(found, inputs, cloud);
    } finally {
        session.networks.changed();
    }
    return toOutputs((await session.networks.get(id)) ?? found, inputs, cloud);
}

/** The name servers of a network, where the program gives some. Otherwise they are those of the zone. */
function dnsOf({ dns1, dns2 }: ApiNetwork, { dns }: Inputs): string[] | undefined {
    return dns === undefined ? undefined : [dns1, dns2].filter((server) => server !== undefined);
}

/** @param inputs the arguments, or at a refresh the previous outputs */
function toOutputs(found: ApiNetwork, inputs: Inputs, cloud: CloudIdentity): Outputs {
    const { networkofferingid, networkofferingname, zoneid, zonename } = found;
    return {
        ...echoOf(inputs),
        owner: markIn(found.displaytext) ?? inputs.owner,
        name: found.name,
        displayText: unmarkedText(found.displaytext) || undefined,
        networkOffering: referenceText(
            inputs,
            "networkOffering",
            inputs.networkOfferingId,
            networkofferingid,
            networkofferingname,
        ),
        zone: referenceText(inputs, "zone", inputs.zoneId, zoneid, zonename),
        type: found.type,
        cidr: found.cidr,
        gateway: found.gateway,
        netmask: found.netmask,
        networkDomain: found.networkdomain,
        dns: dnsOf(found, inputs),
        ...(inputs.tags === undefined ? {} : { tags: managed(inputs.tags, tagsOf(found)) }),
        persistent: found.ispersistent ?? false,
        egressAllowed: found.egressdefaultpolicy ?? false,
        zoneId: zoneid,
        networkOfferingId: networkofferingid,
        cloud,
    };
}
