import { toYaml } from "../yaml";
import { type CloudConfig, cloudConfigKeys } from "./document";

/**
 * The document as YAML with cloud-init's keys, in a fixed order: `#cloud-config`, the fields, then the other modules.
 */
export function renderCloudConfig(doc: CloudConfig): string {
    return `#cloud-config\n${toYaml(toKeys(doc))}`;
}

function toKeys(doc: CloudConfig): Record<string, unknown> {
    const keyed: Record<string, unknown> = {};
    for (const [field, key] of cloudConfigKeys) {
        const value = convert(field, doc);
        if (value !== undefined) keyed[key] = value;
    }
    for (const [key, value] of Object.entries(doc.modules ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))
        keyed[key] = value;
    return keyed;
}

function convert(field: keyof CloudConfig, doc: CloudConfig): unknown {
    switch (field) {
        case "users": {
            // A list of users without `default` would remove the template's default user.
            const users = doc.users?.map((user) => snake(user));
            if (users === undefined) return doc.defaultUser === false ? [] : undefined;
            return doc.defaultUser === false ? users : ["default", ...users];
        }
        case "diskSetup":
            return (
                doc.diskSetup &&
                Object.fromEntries(
                    Object.entries(doc.diskSetup).map(([device, disk]) => [
                        device,
                        snake({ ...disk, layout: disk.layout?.length ? disk.layout : true }),
                    ]),
                )
            );
        case "ntp":
            return doc.ntp && snake(doc.ntp);
        case "fsSetup":
            return doc.fsSetup?.map((fs) => snake(fs));
        case "writeFiles":
            return doc.writeFiles?.map((file) => snake(file));
        default:
            return isEmpty(doc[field]) ? undefined : doc[field];
    }
}

/** `noCreateHome` to `no_create_home`, without undefined values. */
function snake(fields: object): Record<string, unknown> {
    return Object.fromEntries(
        Object.entries(fields)
            .filter(([, value]) => value !== undefined)
            .map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
    );
}

function isEmpty(value: unknown): boolean {
    return Array.isArray(value) && value.length === 0;
}
