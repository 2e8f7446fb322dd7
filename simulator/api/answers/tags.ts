/** Tags in answers. */
import type { Cloud } from "../../cloud";
import type { Tag } from "../../state/records";
import { DOMAIN } from "../entities";
import { accountFields } from "../ownership";

export function tagAnswer(cloud: Cloud, tag: Tag): object {
    return { ...nestedTagAnswer(cloud, tag), domainpath: DOMAIN.name };
}

/** A tag inside a machine's or volume's answer, without the domain's path. */
export function nestedTagAnswer(cloud: Cloud, tag: Tag): object {
    return {
        key: tag.key,
        value: tag.value,
        resourcetype: tag.resourceType,
        resourceid: tag.resourceId,
        ...accountFields({ cloud }, tag.ownerId),
        domainid: DOMAIN.id,
        domain: DOMAIN.name,
    };
}

export function tagsOf(cloud: Cloud, resourceId: string): Tag[] {
    return cloud.store.tags.filter((tag) => tag.resourceId === resourceId);
}
