import type { Client } from "../client";
import type { ApiNetwork, ApiNetworkOffering, ApiOffering, ApiTemplate, ApiZone } from "./api";
import { nearestNames } from "../nearest";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text is an id of CloudStack; any other text is a name. */
export function isId(text: string): boolean {
    return uuid.test(text);
}

/** A name or id does not exist, or a name is ambiguous. The message lists the existing ones. */
export class NotFound extends Error {}

/**
 * What the cloud offers. Each kind is listed once per process, when it is first needed; a preview checks arguments
 * against it. Entities that the program itself creates, such as networks, may not be in the list and are found by id.
 */
export class Catalogue {
    private readonly client: Client;
    readonly networks: () => Promise<ApiNetwork[]>;
    private readonly lists = new Map<string, Promise<unknown>>();

    /** @param listNetworks the networks when this process first listed them */
    constructor(client: Client, listNetworks: () => Promise<ApiNetwork[]>) {
        this.client = client;
        this.networks = listNetworks;
    }

    zones(): Promise<ApiZone[]> {
        return this.once("zones", () => this.client.list<ApiZone>("listZones", { available: true }));
    }

    serviceOfferings(): Promise<ApiOffering[]> {
        return this.once("serviceOfferings", () => this.client.list<ApiOffering>("listServiceOfferings"));
    }

    diskOfferings(): Promise<ApiOffering[]> {
        return this.once("diskOfferings", () => this.client.list<ApiOffering>("listDiskOfferings"));
    }

    /** Every template that the account may deploy, once per zone that it is in. */
    templates(): Promise<ApiTemplate[]> {
        return this.once("templates", () =>
            this.client.list<ApiTemplate>("listTemplates", { templatefilter: "executable" }),
        );
    }

    networkOfferings(): Promise<ApiNetworkOffering[]> {
        return this.once("networkOfferings", () =>
            this.client.list<ApiNetworkOffering>("listNetworkOfferings", { state: "Enabled" }),
        );
    }

    async affinityGroupTypes(): Promise<string[]> {
        return (
            await this.once("affinityGroupTypes", () => this.client.list<{ type: string }>("listAffinityGroupTypes"))
        ).map(({ type }) => type);
    }

    capabilities(): Promise<Record<string, any>> {
        return this.once("capabilities", async () => (await this.client.call("listCapabilities")).capability ?? {});
    }

    async zone(nameOrId: string): Promise<ApiZone> {
        return pick("zone", nameOrId, await this.zones());
    }

    async serviceOffering(nameOrId: string): Promise<ApiOffering> {
        return pick("service offering", nameOrId, await this.serviceOfferings());
    }

    async diskOffering(nameOrId: string): Promise<ApiOffering> {
        return pick("disk offering", nameOrId, await this.diskOfferings());
    }

    async networkOffering(nameOrId: string): Promise<ApiNetworkOffering> {
        return pick("network offering", nameOrId, await this.networkOfferings());
    }

    /** A ready template of the zone; the newest if several have the name. */
    async template(nameOrId: string, zone: Pick<ApiZone, "id" | "name">): Promise<ApiTemplate> {
        const here = (await this.templates()).filter(
            (template) => template.zoneid === undefined || template.zoneid === zone.id,
        );
        const ready = here.filter((template) => template.isready);
        const sorted = [...ready].sort((a, b) => (a.created < b.created ? 1 : -1));
        // Of several templates with the same name, only the newest is used.
        const newest = sorted.filter(
            (template, index) =>
                template.id === nameOrId || sorted.findIndex(({ name }) => name === template.name) === index,
        );
        const unready = here.find(
            (template) => !template.isready && (template.id === nameOrId || template.name === nameOrId),
        );
        if (
            unready !== undefined &&
            !newest.some((template) => template.name === nameOrId || template.id === nameOrId)
        ) {
            throw new NotFound(
                `template "${nameOrId}" is in zone ${zone.name} but not ready yet: wait until CloudStack has downloaded it`,
            );
        }
        return pick("template", nameOrId, newest, ` in zone ${zone.name}`);
    }

    async network(nameOrId: string, zone: Pick<ApiZone, "id" | "name">): Promise<ApiNetwork> {
        const here = (await this.networks()).filter((network) => network.zoneid === zone.id);
        return pick("network", nameOrId, here, ` in zone ${zone.name}`);
    }

    private once<T>(key: string, fetch: () => Promise<T>): Promise<T> {
        let list = this.lists.get(key) as Promise<T> | undefined;
        if (list === undefined) {
            list = fetch();
            this.lists.set(key, list);
            list.catch(() => this.lists.delete(key));
        }
        return list;
    }
}

/**
 * The entry with this id or exactly this name. A name that differs only in case is suggested in the message, but not
 * used.
 *
 * @throws NotFound if there is none, or if several have the name
 */
export function pick<T extends { id: string; name: string }>(
    what: string,
    nameOrId: string,
    items: readonly T[],
    where = "",
): T {
    const found = items.find((item) => item.id === nameOrId);
    if (found !== undefined) return found;
    const named = items.filter((item) => item.name === nameOrId);
    const ids = [...new Set(named.map((item) => item.id))];
    if (ids.length > 1)
        throw new NotFound(
            `${ids.length} ${what}s are named "${nameOrId}"${where}: give the id of one (${ids.join(", ")})`,
        );
    if (named.length > 0) return named[0];
    const names = nearestNames(
        nameOrId,
        items.map((item) => item.name),
    );
    const offer =
        names.length === 0
            ? `none is visible to the account${where}`
            : `did you mean ${names.map((name) => `"${name}"`).join(", ")}?`;
    throw new NotFound(`there is no ${what} "${nameOrId}"${where}: ${offer}`);
}
