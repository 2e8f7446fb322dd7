/** The kind of record that an id in a request refers to. */
import type { Store } from "../state/store";
import type { Entity } from "./command";

/** By parameter name; for `id` and `ids` the command defines it. Ids in other parameters are always unknown. */
const BY_PARAMETER: Readonly<Record<string, Entity>> = {
    affinitygroupid: "affinityGroup",
    affinitygroupids: "affinityGroup",
    associatednetworkid: "network",
    diskofferingid: "diskOffering",
    groupid: "instanceGroup",
    ipaddressid: "publicAddress",
    jobid: "job",
    networkid: "network",
    networkids: "network",
    networkofferingid: "networkOffering",
    nicid: "nic",
    oscategoryid: "osCategory",
    ostypeid: "osType",
    overridediskofferingid: "diskOffering",
    projectid: "project",
    publicipid: "publicAddress",
    securitygroupid: "securityGroup",
    securitygroupids: "securityGroup",
    serviceofferingid: "serviceOffering",
    templateid: "template",
    userid: "user",
    virtualmachineid: "machine",
    volumeid: "volume",
    volumeids: "volume",
    zoneid: "zone",
};

/** The one domain of this cloud. */
export const DOMAIN = { id: "8f1d1a0c-52d5-11ef-9b1e-0242ac110002", name: "ROOT", number: 1 } as const;

function has(store: Store, entity: Entity, id: string): boolean {
    switch (entity) {
        case "account":
            return store.accounts.get(id) !== undefined;
        case "affinityGroup":
            return store.affinityGroups.get(id) !== undefined;
        case "diskOffering":
            return store.diskOfferings.get(id) !== undefined;
        case "event":
            return store.events.get(id) !== undefined;
        case "instanceGroup":
            return store.instanceGroups.get(id) !== undefined;
        case "job":
            return store.jobs.get(id) !== undefined;
        case "machine":
            return store.machines.get(id) !== undefined;
        case "network":
            return store.networks.get(id) !== undefined;
        case "networkOffering":
            return store.networkOfferings.get(id) !== undefined;
        case "networkRule":
            return store.networkRules.get(id) !== undefined;
        case "nic":
            return store.machines.find((m) => m.nics.some((nic) => nic.id === id)) !== undefined;
        case "osCategory":
            return store.osCategories.get(id) !== undefined;
        case "osType":
            return store.osTypes.get(id) !== undefined;
        case "project":
            return store.projects.get(id) !== undefined;
        case "publicAddress":
            return store.publicAddresses.get(id) !== undefined;
        case "rule":
            return store.rules.get(id) !== undefined;
        case "securityGroup":
            return store.securityGroups.get(id) !== undefined;
        case "serviceOffering":
            return store.serviceOfferings.get(id) !== undefined;
        case "sshKeyPair":
            return store.keyPairs.get(id) !== undefined;
        case "template":
            return store.templates.get(id) !== undefined;
        case "user":
            return store.users.get(id) !== undefined;
        case "volume":
            return store.volumes.get(id) !== undefined;
        case "zone":
            return store.zones.get(id) !== undefined;
    }
}

/** Whether the id in `parameter` exists; ids of removed machines and volumes do, as in CloudStack. */
export function exists(store: Store, own: Entity | undefined, parameter: string, id: string): boolean {
    if (parameter === "domainid") return id === DOMAIN.id;
    const entity = parameter === "id" || parameter === "ids" ? own : BY_PARAMETER[parameter];
    return entity !== undefined && has(store, entity, id);
}
