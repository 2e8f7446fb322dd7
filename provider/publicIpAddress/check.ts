import * as net from "node:net";
import { claim } from "../claims";
import type { Inputs } from "../handler";
import { isUnknown } from "../handler";
import { formerOf } from "../identity";
import type { Problems } from "../lifecycle";
import { checkLimits } from "../limits";
import { OWNER_TAG, taggedOwner } from "../ownerTag";
import { resolveReference } from "../references";
import type { Session } from "../session";
import { isId, pick, sessionFor } from "../session";
import { checkTags } from "../tags";

/** Reports all invalid arguments of a public address. */
export async function checkPublicAddress(problems: Problems, inputs: Inputs, olds: Inputs | undefined): Promise<void> {
    problems.requiredString(inputs, "network", "give the id of a Network (network.id)");
    problems.optionalName(inputs, "ipAddress");
    checkTags(problems, inputs);
    if (inputs.tags !== null && typeof inputs.tags === "object" && OWNER_TAG in inputs.tags)
        problems.add(`tags.${OWNER_TAG}`, "is reserved for this package: choose another key");
    problems.timeouts(inputs);
    const session = sessionFor(inputs);
    await checkNetworkOf(problems, inputs, olds, session);
    await checkAddress(problems, inputs, olds, session);
    if (olds === undefined) await checkLimits(problems, session, inputs.owner, { ip: 1 });
}

async function checkNetworkOf(
    problems: Problems,
    inputs: Inputs,
    olds: Inputs | undefined,
    session: Session,
): Promise<void> {
    const networks = await session.catalogue.networks();
    const id = await resolveReference(problems, inputs, olds, "network", async (text) =>
        // A network that this program creates may not be in the list yet.
        isId(text) && !networks.some((known) => known.id === text) ? { id: text } : pick("network", text, networks),
    );
    const network = networks.find((known) => known.id === id);
    if (network !== undefined && network.type !== "Isolated")
        problems.add(
            "network",
            `${network.name} is a network of type ${network.type}, which has no public addresses: give an isolated network`,
        );
}

async function checkAddress(
    problems: Problems,
    inputs: Inputs,
    olds: Inputs | undefined,
    session: Session,
): Promise<void> {
    const { ipAddress } = inputs;
    if (typeof ipAddress !== "string" || ipAddress.trim() === "" || isUnknown(ipAddress)) return;
    if (!net.isIPv4(ipAddress)) return problems.add("ipAddress", `"${ipAddress}" must be an IPv4 address`);
    claim(problems, session, inputs, "ipAddress", `resource ${inputs.owner}`, {
        what: "public address",
        value: ipAddress,
    });
    if (olds !== undefined) return;
    const taken = (await session.publicAddresses.before()).find((address) => address.ipaddress === ipAddress);
    const isOurs = taken !== undefined && [inputs.owner, formerOf(inputs)?.owner].includes(taggedOwner(taken));
    if (taken !== undefined && !isOurs)
        problems.add(
            "ipAddress",
            `${ipAddress} is allocated already (${taken.id}): choose a free one, or leave it out`,
        );
}
