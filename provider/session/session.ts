import { Client, CloudStackError, resolveSettings } from "../client";
import type { Params, StackSettings } from "../client";
import type {
    ApiAccount,
    ApiAffinityGroup,
    ApiKeyPair,
    ApiMachine,
    ApiProject,
    ApiSecurityGroup,
    ApiVolume,
    ApiZone,
} from "./api";
import { Catalogue, isId } from "./catalogue";
import { CoalescedReads } from "./coalesced";
import { isUnknown } from "../handler";
import { secondsUntil } from "../timeouts";

/** Which cloud a resource lives in, as its outputs carry it. */
export interface CloudIdentity {
    /** The address of the API. */
    endpoint: string;
    /** CloudStack's id of the account. */
    accountId: string;
    /** The account's name. */
    accountName: string;
    /** Set where the resource belongs to a project: then its members' accounts may all manage it. */
    projectId?: string;
}

/** What something needs of an account's limits, by CloudStack's names of the kinds: `vm`, `volume`, `cpu`, `memory` (MiB), `primarystorage` (GiB). */
export type Needs = Partial<Record<"vm" | "volume" | "cpu" | "memory" | "primarystorage", number>>;

/** How often a change that may be made twice is sent. */
const ATTEMPTS = 3;

/** What reads of a machine ask for: everything but the statistics, which are slow on a large cloud. */
const MACHINE_DETAILS = ["group", "nics", "secgrp", "affgrp", "tmpl", "servoff"];

/**
 * All that this process knows of one cloud: the client, what the cloud offers, who we are there, and reads that go out together.
 * The handlers of a plugin process share it; so do the lookups of a program.
 */
export class Session {
    readonly client: Client;
    readonly catalogue: Catalogue;
    readonly machines: CoalescedReads<ApiMachine>;
    readonly securityGroups: CoalescedReads<ApiSecurityGroup>;
    readonly affinityGroups: CoalescedReads<ApiAffinityGroup>;
    readonly keyPairs: CoalescedReads<ApiKeyPair>;
    readonly volumes: CoalescedReads<ApiVolume>;
    /** What this run will create, by owner: what a preview adds up against the account's limits. */
    readonly planned = new Map<string, Needs>();
    /** What this run's resources ask for that only one can have, by what it is: see `claim`. */
    readonly claims = new Map<string, { owner: string; label: string; part?: string }[]>();
    private accountAnswer: Promise<ApiAccount> | undefined;
    private jobsLeft: Promise<Map<string, string[]>> | undefined;

    constructor(client: Client) {
        this.client = client;
        this.catalogue = new Catalogue(client);
        this.machines = this.reads("listVirtualMachines", { details: MACHINE_DETAILS, userdata: true });
        this.securityGroups = this.reads("listSecurityGroups");
        this.affinityGroups = this.reads("listAffinityGroups");
        this.keyPairs = this.reads("listSSHKeyPairs");
        this.volumes = this.reads("listVolumes");
    }

    /** The account whose keys these are (for an administrator, whom `listAccounts` shows everybody's: found by the API key). */
    account(): Promise<ApiAccount> {
        this.accountAnswer ??= this.findAccount();
        this.accountAnswer.catch(() => (this.accountAnswer = undefined));
        return this.accountAnswer;
    }

    /** The project that this session works in; `undefined` outside of projects. */
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

    /** Refuses where a resource's state came from another cloud or account: there it would look as if it were gone. */
    async assertSameCloud(what: string, stored: CloudIdentity | undefined): Promise<CloudIdentity> {
        const here = await this.identity();
        if (stored === undefined) return here;
        const alike =
            stored.projectId !== undefined || here.projectId !== undefined
                ? stored.projectId === here.projectId
                : stored.accountId === here.accountId;
        if (alike) return here;
        throw new Error(
            `${what} lives in ${describe(stored)}, but this run is configured for ${describe(here)} ` +
                `(${this.client.settings.sources.endpoint ?? "endpoint"}, ${this.client.settings.sources.apiKey ?? "keys"}). Nothing was changed. ` +
                "Use the configuration of the former, or create a new stack for the latter.",
        );
    }

    /** The id of a network: one that the program itself made is younger than the catalogue and known by its id alone. */
    async networkId(nameOrId: string, zone: Pick<ApiZone, "id" | "name">): Promise<string> {
        return isId(nameOrId) ? nameOrId : (await this.catalogue.network(nameOrId, zone)).id;
    }

    /** Whether a destroyed machine can be expunged at once, so that its name and address are free again. */
    async mayExpunge(): Promise<boolean> {
        const [account, capabilities] = await Promise.all([this.account(), this.catalogue.capabilities()]);
        return account.accounttype !== 0 || capabilities.allowuserexpungerecovervm === true;
    }

    /**
     * Makes a synchronous change that may be made twice, so that it is sent again where its answer was lost. (`client.run` does that for
     * commands with jobs.)
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
     * Waits for what an interrupted run has begun with something: its jobs go on in the cloud, and what they will have done is not to be
     * done again. How they end is seen from the thing itself. To be called before something is looked at that is going to be changed.
     *
     * @param deadline until when to wait, in milliseconds since the epoch
     * @returns whether there was anything to wait for
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
        for (const reads of [this.machines, this.volumes]) reads.changed();
        return true;
    }

    /** The account's jobs that run when this process first asks, by what they work on. */
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
            // A role that may not look at jobs: then they are not waited for.
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

    /** A list of one or none: an id that never was answers with an error (431), one that is gone with an empty list. Both mean gone. */
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

/** True for CloudStack's answer about an id that does not exist (any more): parameter error 431 that names the entity. */
export function isGone(error: unknown): boolean {
    return (
        error instanceof CloudStackError &&
        error.errorCode === 431 &&
        /entity does not exist|Unable to find (UUID|a?n? ?\w+ ?with|affinity group by id)|doesn'?t exist|does not exist/i.test(
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
 * Takes the stack's `cloudstack:` configuration. Synchronous on purpose: the plugin hands the handler out before an asynchronous
 * `configure` would be done.
 */
export function configureStack(get: (key: string) => string | undefined): void {
    stack = Object.fromEntries(STACK_KEYS.map((key) => [key, get(`cloudstack:${key}`)]));
}

/** Says that a preview does not know yet in which project, or by which profile, a resource will be. */
export class PlaceUnknown extends Error {}

/**
 * The session of a resource's cloud: one per profile and project.
 *
 * @throws PlaceUnknown where a preview does not know them yet: then nothing can be asked
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
