import { createOrAdopt } from "../adopt";
import { claim } from "../claims";
import { CloudStackError } from "../client";
import type { TimedPlace } from "../cloudLifecycle";
import { cloudLifecycle } from "../cloudLifecycle";
import { formerOf, isFormer } from "../identity";
import type { DiffResult, Inputs, Outputs } from "../handler";
import { PartialFailure, echoOf, isUnknown, same } from "../handler";
import { announce, isInState, say } from "../lifecycle";
import { checkDescription, markIn, markedText, unmarkedText } from "../marks";
import { replacedBy } from "../references";
import type { ApiAffinityGroup } from "../session";
import { isGone, sessionFor } from "../session";
import { secondsUntil } from "../timeouts";

export const affinityGroup = cloudLifecycle({
    kind: "affinity group",

    async check(problems, inputs, olds): Promise<void> {
        // A group keeps its type if the argument is removed.
        inputs.type ??= olds?.type ?? "host anti-affinity";
        const name = problems.requiredString(inputs, "name", "give the group a name");
        checkDescription(problems, inputs);
        problems.timeouts(inputs);
        const session = sessionFor(inputs);
        problems.oneOf(inputs, "type", await session.catalogue.affinityGroupTypes());
        if (name === undefined) return;
        claim(problems, session, inputs, "name", `resource ${inputs.owner}`, {
            what: "affinity group name",
            value: name,
        });
        if (olds !== undefined) return;
        const taken = (await session.affinityGroups.before()).find(
            (group) => group.name === name && !isFormer(inputs, group.id, markIn(group.description)),
        );
        if (taken === undefined) return;
        if (isOurs(taken, inputs)) {
            if (formerOf(inputs) === undefined)
                say(`affinity group ${name} (${taken.id}) has this resource's mark and will be adopted`);
        } else
            problems.add(
                "name",
                `"${name}" is taken by affinity group ${taken.id}: choose another name, or delete that group`,
            );
    },

    diff(_id, olds, news): DiffResult {
        const replaces = replacedBy(olds, news, ["name", "type", "project"]);
        if (!isUnknown(news.description) && !same(olds.description ?? "", news.description ?? "")) {
            announce(
                news,
                `affinity group ${news.name} keeps its description "${olds.description ?? ""}": CloudStack cannot change it`,
            );
        }
        return {
            changes: replaces.length > 0,
            replaces,
            deleteBeforeReplace: replaces.length > 0 && !replaces.includes("name"),
        };
    },

    async create(inputs, at) {
        const outs = { ...echoOf(inputs), cloud: at.cloud };
        return { id: await makeGroup(inputs, outs, at), outs };
    },

    async read(id, outputs, { session, cloud }) {
        const group = await session.affinityGroups.get(id);
        if (group === undefined) return undefined;
        return {
            ...outputs,
            name: group.name,
            type: group.type,
            description: unmarkedText(group.description) || outputs.description,
            cloud,
        };
    },

    /** An affinity group cannot be changed. The engine calls this only after a failed creation. */
    async update(id, olds, inputs, { session, cloud }) {
        if ((await session.affinityGroups.get(id)) === undefined)
            throw new Error(
                `affinity group ${olds.name} (${id}) no longer exists: run \`pulumi refresh\`, then \`pulumi up\``,
            );
        return { ...olds, ...echoOf(inputs), description: olds.description, cloud };
    },

    async delete(id, _outputs, { session, deadline }) {
        try {
            await session.client.run("deleteAffinityGroup", { id }, { timeoutSeconds: secondsUntil(deadline) });
        } catch (error) {
            if (!isGone(error)) throw error;
        } finally {
            session.affinityGroups.changed();
        }
    },
});

/** Creates the group, or adopts one with this resource's owner mark that an interrupted run or a lost response left. */
async function makeGroup(inputs: Inputs, outs: Outputs, { session, deadline }: TimedPlace): Promise<string> {
    const params = { name: inputs.name, type: inputs.type, description: markedText(inputs.description, inputs.owner) };
    const create = async () => {
        const accepted = await session.client.start("createAffinityGroup", params);
        try {
            const { affinitygroup } = await session.client.wait(accepted.jobid, {
                command: "createAffinityGroup",
                timeoutSeconds: secondsUntil(deadline),
            });
            return accepted.id ?? (affinitygroup.id as string);
        } catch (error) {
            if (!(error instanceof CloudStackError) || error.outcome === "failed" || accepted.id === undefined)
                throw error;
            throw new PartialFailure(error.message, accepted.id, outs, inputs);
        }
    };
    try {
        return await createOrAdopt(create, async () => {
            session.affinityGroups.changed();
            return (await session.affinityGroups.all()).find(
                (group) => group.name === inputs.name && isOurs(group, inputs) && !isInState(group.id),
            )?.id;
        });
    } finally {
        session.affinityGroups.changed();
    }
}

/** Whether a group has this resource's owner mark and the wanted type, which cannot be changed. */
function isOurs(group: ApiAffinityGroup, inputs: Inputs): boolean {
    return markIn(group.description) === inputs.owner && group.type === inputs.type;
}
