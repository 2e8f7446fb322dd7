/** Affinity groups: which machines must run on the same or on different hosts. */
import { randomUUID } from "node:crypto";
import type { Cloud } from "../../cloud";
import type { AffinityGroup } from "../../state/records";
import type { AsyncCommand, Commands, Request } from "../command";
import { failed, invalid } from "../errors";
import { contains, matches, page } from "../lists";
import { checkAccess, ownerFields, ownerOf, scopeOf } from "../ownership";

const TYPES = ["host anti-affinity", "host affinity", "non-strict host anti-affinity", "non-strict host affinity"];

function membersOf(cloud: Cloud, groupId: string): string[] {
    return cloud.store.machines
        .filter((m) => m.removed === undefined && m.affinityGroupIds.includes(groupId))
        .map((m) => m.id);
}

function affinityGroupAnswer(cloud: Cloud, group: AffinityGroup): object {
    const members = membersOf(cloud, group.id);
    return {
        id: group.id,
        name: group.name,
        ...(group.description === undefined ? {} : { description: group.description }),
        ...ownerFields({ cloud }, group.ownerId),
        type: group.type,
        ...(members.length === 0 ? {} : { virtualmachineIds: members }),
    };
}

function groupOf(request: Request): AffinityGroup {
    const { store } = request.cloud;
    const { id, name } = request.arguments;
    if (id === undefined && name === undefined)
        throw invalid("Either the affinity group Id or the name of the affinity group is required to delete it");
    const owner = ownerOf(request);
    const group =
        id === undefined
            ? store.affinityGroups.find((g) => g.ownerId === owner.id && g.name === name)
            : store.affinityGroups.get(id);
    if (group === undefined)
        throw invalid(`Unable to find affinity group by ${id === undefined ? `name ${name}` : `id ${id}`}`);
    checkAccess(request, group.ownerId);
    return group;
}

const createAffinityGroup: AsyncCommand = {
    java: "user.affinitygroup.CreateAffinityGroupCmd",
    instanceType: "AffinityGroup",
    event: "AG.CREATE",
    submit(request) {
        const { store } = request.cloud;
        const { name, type, description } = request.arguments;
        const owner = ownerOf(request);
        if (!TYPES.includes(type.toLowerCase()))
            throw invalid(`Unable to create affinity group, invalid affinity group type${type}`);
        if (store.affinityGroups.find((group) => group.ownerId === owner.id && group.name === name) !== undefined) {
            throw invalid(`Unable to create affinity group, a group with name ${name} already exists.`);
        }
        const group = store.affinityGroups.insert({
            id: randomUUID(),
            name,
            description,
            type: type.toLowerCase(),
            ownerId: owner.id,
        });
        return { created: group.id, queue: group.id };
    },
    finish(work) {
        const group = work.cloud.store.affinityGroups.get(work.arguments.created);
        if (group === undefined) throw failed("The affinity group was deleted meanwhile");
        return { affinitygroup: affinityGroupAnswer(work.cloud, group) };
    },
    abandon(work) {
        if (work.cloud.store.affinityGroups.get(work.arguments.created) !== undefined)
            work.cloud.store.affinityGroups.remove(work.arguments.created);
    },
};

const deleteAffinityGroup: AsyncCommand = {
    java: "user.affinitygroup.DeleteAffinityGroupCmd",
    instanceType: "AffinityGroup",
    entity: "affinityGroup",
    event: "AG.DELETE",
    submit: (request) => ({ queue: groupOf(request).id }),
    finish(work) {
        const group = groupOf(work);
        // A deleted group is removed from its machines.
        for (const machine of work.cloud.store.machines.filter((m) => m.affinityGroupIds.includes(group.id))) {
            work.cloud.store.machines.change(machine.id, {
                affinityGroupIds: machine.affinityGroupIds.filter((id) => id !== group.id),
            });
        }
        work.cloud.store.affinityGroups.remove(group.id);
        return { success: true };
    },
};

function listAffinityGroups(request: Request): object {
    const { cloud } = request;
    const { id, name, type, keyword, virtualmachineid } = request.arguments;
    const inScope = scopeOf(request);
    const groups = cloud.store.affinityGroups.filter(
        (group) =>
            matches(group.id, id) &&
            matches(group.name, name) &&
            matches(group.type, type) &&
            contains(group.name, keyword) &&
            inScope(group.ownerId) &&
            (virtualmachineid === undefined ||
                cloud.store.machines.need(virtualmachineid).affinityGroupIds.includes(group.id)),
    );
    return page(request, "affinitygroup", groups, (group) => affinityGroupAnswer(cloud, group));
}

export const affinityGroupCommands: Commands = {
    createAffinityGroup,
    deleteAffinityGroup,
    listAffinityGroups: { entity: "affinityGroup", run: listAffinityGroups },
    listAffinityGroupTypes: { run: (request) => page(request, "affinityGroupType", TYPES, (type) => ({ type })) },
};
