/** Tags: key and value on a resource. */
import { randomUUID } from "node:crypto";
import type { Cloud } from "../../cloud";
import type { Tag } from "../../state/records";
import { tagAnswer } from "../answers/tags";
import type { Commands, Request, Work } from "../command";
import { failed, invalid } from "../errors";
import { contains, matches, page } from "../lists";
import { checkAccess, scopeOf } from "../ownership";
import { checkColumns, COLUMN_LENGTHS } from "../parameters";

/** The owner of a resource, by the name of its type in tags. */
const OWNERS: Readonly<Record<string, (cloud: Cloud, id: string) => string | undefined>> = {
    UserVm: (cloud, id) => cloud.store.machines.get(id)?.ownerId,
    Volume: (cloud, id) => cloud.store.volumes.get(id)?.ownerId,
    SecurityGroup: (cloud, id) => cloud.store.securityGroups.get(id)?.ownerId,
    Network: (cloud, id) => cloud.store.networks.get(id)?.ownerId,
    FirewallRule: (cloud, id) => cloud.store.networkRules.get(id)?.ownerId,
    PortForwardingRule: (cloud, id) => cloud.store.networkRules.get(id)?.ownerId,
    PublicIpAddress: (cloud, id) => cloud.store.publicAddresses.get(id)?.ownerId,
};

const TYPES = Object.keys(OWNERS);

/** Whether a resource has all tags that a list requests. */
export function hasTags(cloud: Cloud, resourceId: string, wanted: Record<string, string>[] | undefined): boolean {
    return (wanted ?? []).every(
        ({ key, value }) =>
            cloud.store.tags.find(
                (tag) => tag.resourceId === resourceId && tag.key === key && matches(tag.value, value),
            ) !== undefined,
    );
}

/** The resources of a request with their owners. */
function resources(work: Request): { type: string; id: string; ownerId: string }[] {
    const { resourcetype, resourceids } = work.arguments;
    const type = TYPES.find((name) => name.toLowerCase() === String(resourcetype).toLowerCase());
    if (type === undefined) throw invalid(`Invalid resource type: ${resourcetype}`);
    return (resourceids as string[]).map((id) => {
        const ownerId = OWNERS[type](work.cloud, id);
        if (ownerId === undefined) throw invalid(`Unable to find resource by id ${id} and type ${type}`);
        checkAccess(work, ownerId);
        return { type, id, ownerId };
    });
}

/** Jobs on the tags of one resource run one after the other. */
const queue = (request: Request) => ({ queue: `tags ${request.arguments.resourceids}` });

function createTags(work: Work): object {
    const { store } = work.cloud;
    for (const { type, id, ownerId } of resources(work)) {
        for (const { key, value } of work.arguments.tags as Record<string, string>[]) {
            if (key === undefined || key === "") throw invalid("Please specify key for the tag");
            if (value === undefined || value === "") throw invalid(`Value for the key ${key} is either null or empty`);
            checkColumns({ [key]: value }, COLUMN_LENGTHS.tag);
            if (store.tags.find((tag) => tag.resourceId === id && tag.key === key) !== undefined) {
                throw failed(`tag ${key} already on ${type} with id ${id}`);
            }
            store.tags.insert({ id: randomUUID(), key, value, resourceType: type, resourceId: id, ownerId });
        }
    }
    return { success: true };
}

function deleteTags(work: Work): object {
    const { store } = work.cloud;
    const wanted = work.arguments.tags as Record<string, string>[] | undefined;
    const found: Tag[] = resources(work).flatMap(({ id }) =>
        store.tags.filter(
            (tag) =>
                tag.resourceId === id &&
                (wanted === undefined || wanted.some(({ key, value }) => tag.key === key && matches(tag.value, value))),
        ),
    );
    if (found.length === 0) throw invalid("Unable to find any tags which conform to specified delete parameters.");
    for (const tag of found) store.tags.remove(tag.id);
    return { success: true };
}

function listTags(request: Request): object {
    const { cloud } = request;
    const { resourceid, resourcetype, key, value, keyword } = request.arguments;
    const inScope = scopeOf(request);
    const tags = cloud.store.tags.filter(
        (tag) =>
            matches(tag.resourceId, resourceid) &&
            matches(tag.key, key) &&
            matches(tag.value, value) &&
            contains(tag.key, keyword) &&
            (resourcetype === undefined || tag.resourceType.toLowerCase() === resourcetype.toLowerCase()) &&
            inScope(tag.ownerId),
    );
    return page(request, "tag", tags.reverse(), (tag) => tagAnswer(cloud, tag));
}

export const tagCommands: Commands = {
    createTags: { java: "user.tag.CreateTagsCmd", event: "CREATE_TAGS", submit: queue, finish: createTags },
    deleteTags: { java: "user.tag.DeleteTagsCmd", event: "DELETE_TAGS", submit: queue, finish: deleteTags },
    listTags: { run: listTags },
};
