import { Client, CloudStackError, resolveSettings } from "../client";
import type { Params, StackSettings } from "../client";
import type {
    ApiAccount,
    ApiAffinityGroup,
    ApiFirewallRule,
    ApiKeyPair,
    ApiMachine,
    ApiNetwork,
    ApiPortForwardingRule,
    ApiProject,
    ApiPublicAddress,
    ApiSecurityGroup,
    ApiVolume,
    ApiZone,
} from "./api";
import { Catalogue, isId } from "./catalogue";
import { CoalescedReads } from "./coalesced";
import { isUnknown } from "../handler";
import type { PortClaim } from "../ports";
import { secondsUntil } from "../timeouts";

/** The cloud and account that a resource belongs to, as in its outputs. */
export interface CloudIdentity {
    /** The address of the API. */
    endpoint: string;
    /** CloudStack's id of the account. */
    accountId: string;
    /** The account's name. */
    accountName: string;
    /** Set if the resource belongs to a project: the accounts of all its members can manage it. */
    projectId?: string;
}

/**
 * What a resource uses of an account's limits, by CloudStack's names: `vm`, `volume`, `cpu`, `memory` (MiB),
 * `primarystorage` (GiB), `network`, `ip` (public addresses).
 */
export type Needs = Partial<Record<"vm" | "volume" | "cpu" | "memory" | "primarystorage" | "network" | "ip", number>>;

/** How often an idempotent change is sent at most. */
const ATTEMPTS = 3;

/** The details that reads of machines request: everything except the statistics, which are slow on a large cloud. */
const MACHINE_DETAILS = ["group", "nics", "secgrp", "affgrp", "tmpl", "servoff"];

/**
 * The state that this process has for one cloud: the client, the catalogue, the account and the coalesced reads. All
 * handlers of a plugin process share it, and so do all lookups of a program.
 */
export class Session {
    readonly client: Client;
    readonly catalogue: Catalogue;
    readonly machines: CoalescedReads<ApiMachine>;
    readonly securityGroups: CoalescedReads<ApiSecurityGroup>;
    readonly affinityGroups: CoalescedReads<ApiAffinityGroup>;
    readonly keyPairs: CoalescedReads<ApiKeyPair>;
    readonly volumes: CoalescedReads<ApiVolume>;
    readonly networks: CoalescedReads<ApiNetwork>;
    readonly publicAddresses: CoalescedReads<ApiPublicAddress>;
    /** The needs of what this run will create, by owner. A preview checks their sum against the account's limits. */
    readonly planned = new Map<string, Needs>();
    /** Unique values that resources of this run claim: see `claim`. */
    readonly claims = new Map<string, { owner: string; label: string; part?: string }[]>();
    readonly firewallRules: CoalescedReads<ApiFirewallRule>;
    readonly egressRules: CoalescedReads<ApiFirewallRule>;
    readonly portForwardingRules: CoalescedReads<ApiPortForwardingRule>;
    private accountAnswer: Promise<ApiAccount> | undefined;
    /** Ports of public addresses that rules of this run have, by owner: see `claimPorts`. */
    readonly ports = new Map<string, PortClaim>();
    private jobsLeft: Promise<Map<string, string[]>> | undefined;

    constructor(client: Client) {
        this.client = client;
        this.machines = this.reads("listVirtualMachines", { details: MACHINE_DETAILS, userdata: true });
        this.securityGroups = this.reads("listSecurityGroups");
        this.affinityGroups = this.reads("listAffinityGroups");
        this.keyPairs = this.reads("listSSHKeyPairs");
        this.volumes = this.reads("listVolumes");
        this.networks = this.reads("listNetworks");
        this.publicAddresses = this.reads("listPublicIpAddresses");
        this.firewallRules = this.reads("listFirewallRules");
        this.egressRules = this.reads("listEgressFirewallRules");
        this.portForwardingRules = this.reads("listPortForwardingRules");
        this.catalogue = new Catalogue(client, () => this.networks.before());
    }

    /**
     * The account of the API key. (For an administrator, `listAccounts` lists all accounts, so it is found by the key.)
     */
    account(): Promise<ApiAccount> {
        this.accountAnswer ??= this.findAccount();
        this.accountAnswer.catch(() => (this.accountAnswer = undefined));
        return this.accountAnswer;
    }

    /** The project of this session; `undefined` without one. */
    async project(): Promise<ApiProject | undefined> {
        const id = await this.client.projectId();
        return id === undefined ? undefined : (await this.client.list<ApiProject>("listProjects", { id }))[0];
    }

    async identity(): Promise<CloudIdentity> {
        const account = await this.account();
        const projectId = await this.client.projectId();
        return {
            endpoint: this.client.settings.endpoint,
            accountId: account.id,
            accountName: account.name,
            ...(projectId === undefined ? {} : { projectId }),
        };
    }

    /** Throws if a resource in the state belongs to another cloud or account, where it would look deleted. */
    async assertSameCloud(what: string, stored: CloudIdentity | undefined): Promise<CloudIdentity> {
        const here = await this.identity();
        if (stored === undefined) return here;
        const alike =
            stored.projectId !== undefined || here.projectId !== undefined
                ? stored.projectId === here.projectId
                : stored.accountId === here.accountId;
        if (alike) return here;
        throw new Error(
            `${what} belongs to ${describe(stored)}, but this run is configured for ${describe(here)} ` +
                `(${this.client.settings.sources.endpoint ?? "endpoint"}, ${this.client.settings.sources.apiKey ?? "keys"}). Nothing was changed. ` +
                "Use the configuration of the former, or create a new stack for the latter.",
        );
    }

    /**
     * The id of a network. One that the program itself has created may not be in the catalogue, so an id is not looked
     * up.
     */
    async networkId(nameOrId: string, zone: Pick<ApiZone, "id" | "name">): Promise<string> {
        return isId(nameOrId) ? nameOrId : (await this.catalogue.network(nameOrId, zone)).id;
    }

    /** Whether the account may expunge a destroyed machine immediately, which frees its name and address. */
    async mayExpunge(): Promise<boolean> {
        const [account, capabilities] = await Promise.all([this.account(), this.catalogue.capabilities()]);
        return account.accounttype !== 0 || capabilities.allowuserexpungerecovervm === true;
    }

    /**
     * Makes an idempotent synchronous change, which is sent again if its response was lost. (`client.run` does that for
     * asynchronous commands.)
     */
    async change<R = any>(command: string, params: Params): Promise<R> {
        for (let attempt = 1; ; attempt++) {
            try {
                return await this.client.call<R>(command, params);
            } catch (error) {
                if (!(error instanceof CloudStackError) || error.outcome !== "unknown" || attempt === ATTEMPTS)
                    throw error;
            }
        }
    }

    /**
     * Waits for jobs on an entity that an interrupted run has started: they continue in the cloud and must not be
     * started again. Their results are not needed, because the entity is read afterwards. To be called before an entity
     * is read that is going to be changed.
     *
     * @param deadline in milliseconds since the epoch
     * @returns whether there was a job
     */
    async settle(id: string, deadline: number): Promise<boolean> {
        this.jobsLeft ??= this.findJobs();
        this.jobsLeft.catch(() => (this.jobsLeft = undefined));
        const left = await this.jobsLeft;
        const jobs = left.get(id);
        if (jobs === undefined) return false;
        await Promise.allSettled(
            jobs.map((job) => this.client.wait(job, { command: "job", timeoutSeconds: secondsUntil(deadline) })),
        );
        left.delete(id);
        for (const reads of [this.machines, this.volumes, this.networks, this.publicAddresses]) reads.changed();
        return true;
    }

    /** The account's jobs that were running when this process first listed them, by the id of their entity. */
    private async findJobs(): Promise<Map<string, string[]>> {
        const jobs = new Map<string, string[]>();
        for (const { jobid, jobinstanceid } of await this.runningJobs()) {
            if (jobinstanceid !== undefined) jobs.set(jobinstanceid, [...(jobs.get(jobinstanceid) ?? []), jobid]);
        }
        return jobs;
    }

    private async runningJobs(): Promise<{ jobid: string; jobinstanceid?: string }[]> {
        try {
            return await this.client.list("listAsyncJobs");
        } catch (error) {
            // The account's role does not allow listing jobs. They are not waited for then.
            if (error instanceof CloudStackError && error.outcome === "refused") return [];
            throw error;
        }
    }

    private reads<T extends { id: string }>(
        command: string,
        params: Record<string, string[] | boolean> = {},
    ): CoalescedReads<T> {
        return new CoalescedReads<T>(
            () => this.client.list<T>(command, params),
            async (id) => (await this.byId<T>(command, id, params))[0],
        );
    }

    /**
     * A list with one entity, or none if it does not exist: CloudStack returns an error (431) for an unknown id, and an
     * empty list for a deleted entity.
     */
    private async byId<T>(command: string, id: string, params: Record<string, string[] | boolean>): Promise<T[]> {
        try {
            return await this.client.list<T>(command, { ...params, id });
        } catch (error) {
            if (isGone(error)) return [];
            throw error;
        }
    }

    private async findAccount(): Promise<ApiAccount> {
        const accounts = await this.client.list<ApiAccount>("listAccounts");
        if (accounts.length === 1) return accounts[0];
        const users = await this.client.list<{ apikey?: string; accountid: string }>("listUsers", { listall: true });
        const us = users.find((user) => user.apikey === this.client.settings.apiKey);
        const found = accounts.find((account) => account.id === us?.accountid);
        if (found === undefined)
            throw new Error(`${this.client.settings.endpoint} does not report which account the API key belongs to`);
        return found;
    }
}

/** Whether an error says that an entity does not exist (any more): parameter error 431 that names the entity. */
export function isGone(error: unknown): boolean {
    return (
        error instanceof CloudStackError &&
        error.errorCode === 431 &&
        /entity does not exist|Unable to find (UUID|a?n? ?\w+ ?with|affinity group by id|\S+ having purpose)|doesn'?t exist|does not exist/i.test(
            error.errorText,
        )
    );
}

function describe(cloud: CloudIdentity): string {
    return `${cloud.endpoint}, ${cloud.projectId === undefined ? `account ${cloud.accountName} (${cloud.accountId})` : `project ${cloud.projectId}`}`;
}

let stack: StackSettings = {};
const sessions = new Map<string, Session>();

const STACK_KEYS = ["endpoint", "apiKey", "secretKey", "zone", "project", "profile", "caFile", "httpTimeoutSeconds"];

/**
 * Stores the stack's `cloudstack:` configuration. It is synchronous because the plugin uses the handler before an
 * asynchronous `configure` would have finished.
 */
export function configureStack(get: (key: string) => string | undefined): void {
    stack = Object.fromEntries(STACK_KEYS.map((key) => [key, get(`cloudstack:${key}`)]));
}

/** A preview does not know the project or the profile of a resource yet. */
export class PlaceUnknown extends Error {}

/**
 * The session of a resource's cloud: one per profile and project.
 *
 * @throws PlaceUnknown if a preview does not know them yet
 */
export function sessionFor(of: { profile?: string; project?: string }): Session {
    if (isUnknown(of.profile) || isUnknown(of.project)) throw new PlaceUnknown("the project is not known yet");
    const key = JSON.stringify([of.profile ?? "", of.project ?? "", stack]);
    let session = sessions.get(key);
    if (session === undefined) {
        const settings = resolveSettings({ stack, profile: of.profile });
        session = new Session(new Client(of.project === undefined ? settings : { ...settings, project: of.project }));
        sessions.set(key, session);
    }
    return session;
}
