/**
 * `cloudstack-local`, the embedded cloud, for use in the same process:
 *
 *     const cloud = await startCloud();                     // in memory, free port, jobs take 0 s
 *     cloud.endpoint                                        // http://127.0.0.1:PORT/client/api
 *     const { apiKey, secretKey } = cloud.accounts.user;    // role User, may not expunge
 *     cloud.accounts.expunger, cloud.accounts.admin         // role User that may expunge; root administrator
 *     cloud.fault({ kind: "drop", command: "deployVirtualMachine" });       // the next deploy is executed, its answer lost
 *     cloud.fault({ kind: "failJob", command: "startVirtualMachine", count: 2, status: 530, text: "No host" });
 *     cloud.calls().filter((call) => call.command === "listVirtualMachines");
 *     await startCloud({ timing: 1 });                      // as slow as a real server, with its locks
 *     await cloud.close();
 *
 * With `stateDir` the state is kept there, and a later `startCloud` continues with it, keys and ids included. The API
 * is defined in `api/definitions.json`. What a new cloud holds (zones "sandbox" with security groups and
 * "sandbox-isolated", offerings "Small Instance" to "XLarge Instance" and "Custom Constrained", templates "Debian 12"
 * twice and "Debian 12 with password", network "shared", project "sandbox") is in `state/seed.ts`.
 */
import { randomBytes } from "node:crypto";
import { DEFAULT_SETTINGS, type Cloud, type Settings } from "./cloud";
import { control } from "./api/control";
import { COMMANDS } from "./api/commands";
import { isAsync } from "./api/command";
import { Dispatcher } from "./api/dispatch";
import { Expunger } from "./api/expunge";
import { Faults, type Fault, type FaultRule } from "./api/faults";
import { Jobs } from "./api/jobs";
import { type Operator, operatorOf } from "./operator";
import { machineList } from "./api/machineList";
import { Power } from "./api/power";
import { ApiServer, type Call } from "./api/server";
import type { Hypervisor } from "./hypervisors/hypervisor";
import { none } from "./hypervisors/none";
import { DEFAULT_CIDR, rangeOf } from "./state/addresses";
import { ACCOUNTS, seed, type AccountName } from "./state/seed";
import { Store } from "./state/store";

export type { Call, Fault, FaultRule, Operator };
export { StateError } from "./state/store";

export interface CloudOptions extends Partial<Settings> {
    /** State folder; without one the state is kept in memory. */
    readonly stateDir?: string;
    /** Default 0: any free port. */
    readonly port?: number;
    /** Addresses of the shared network of a new cloud; default 10.1.1.0/24. */
    readonly cidr?: string;
    /** Default: `none`, which boots no machines. */
    readonly hypervisor?: Hypervisor;
    /** The clock, in milliseconds since 1970, for tests. */
    readonly now?: () => number;
    /** Receives a line per API call; default: none is written. */
    readonly log?: (line: string) => void;
    /** The token that requests to `/control/` must have; default random. */
    readonly token?: string;
}

export interface Credentials {
    readonly apiKey: string;
    readonly secretKey: string;
    readonly accountId: string;
}

export interface RunningCloud {
    /** http://127.0.0.1:PORT */
    readonly url: string;
    /** The API: http://127.0.0.1:PORT/client/api */
    readonly endpoint: string;
    readonly port: number;
    /** The name of its hypervisor. */
    readonly hypervisor: string;
    /** The addresses of its shared network. */
    readonly cidr: string;
    /** For requests to `/control/`. */
    readonly token: string;
    readonly accounts: Readonly<Record<AccountName, Credentials>>;
    /** Id of the project "sandbox", whose members are the accounts user and expunger. */
    readonly projectId: string;
    /** Adds a fault rule. @throws RangeError if it is not valid */
    fault(fault: Fault): FaultRule;
    faults(): FaultRule[];
    clearFaults(): void;
    /** The calls of the API so far, oldest first. */
    calls(): readonly Call[];
    clearCalls(): void;
    /** Changes that only an operator can make. */
    readonly operator: Operator;
    /** Resolves when no job is waiting or running. */
    idle(): Promise<void>;
    /** Stops the machines, then the cloud; interrupted jobs are resumed when the state is started again. */
    close(): Promise<void>;
    /** Ends all machines immediately, so that `close` need not wait until they have shut down. */
    cutPower(): void;
}

function credentialsOf(store: Store, name: string): Credentials {
    const account = store.accounts.find((a) => a.name === name && a.projectId === undefined)!;
    const user = store.users.find((u) => u.accountId === account.id)!;
    return { apiKey: user.apiKey, secretKey: user.secretKey, accountId: account.id };
}

function settingsOf(options: CloudOptions): Settings {
    const given = Object.entries(DEFAULT_SETTINGS).map(([key, value]) => [
        key,
        options[key as keyof Settings] ?? value,
    ]);
    return Object.fromEntries(given) as Settings;
}

/** What `status` reports. */
function summary(cloud: Cloud): object {
    const { store } = cloud;
    const network = store.networks.find(({ ownerId }) => ownerId === undefined);
    const states: Record<string, number> = {};
    for (const machine of store.machines.filter((m) => m.removed === undefined))
        states[machine.state] = (states[machine.state] ?? 0) + 1;
    return {
        pid: process.pid,
        hypervisor: cloud.hypervisor.name,
        jobSeconds: cloud.settings.jobSeconds,
        timing: cloud.settings.timing,
        expungeSeconds: cloud.settings.expungeSeconds,
        network: network?.cidr,
        gateway: network?.gateway,
        hostAddress: network && cloud.hypervisor.hostAddress(network.cidr),
        machines: states,
        volumes: store.volumes.filter((v) => v.removed === undefined).length,
        securityGroups: store.securityGroups.all().length,
        pendingJobs: store.jobs.filter((job) => job.status === 0).length,
    };
}

/**
 * Starts a cloud.
 *
 * @throws StateError if the state cannot be used; RangeError for a wrong `cidr`; the system's error (EADDRINUSE) if the
 * port is in use
 */
export async function startCloud(options: CloudOptions = {}): Promise<RunningCloud> {
    const store = new Store(options.stateDir);
    try {
        checkNetwork(store, options.cidr);
        const cloud: Cloud = {
            store,
            settings: settingsOf(options),
            hypervisor: options.hypervisor ?? none,
            now: options.now ?? Date.now,
        };
        return await serve(cloud, options);
    } catch (error) {
        store.close();
        throw error;
    }
}

/** @throws RangeError if it is not a network, or not the one of the state */
function checkNetwork(store: Store, cidr: string | undefined): void {
    const wanted = rangeOf(cidr ?? DEFAULT_CIDR).cidr;
    const has = store.networks.find((network) => network.ownerId === undefined)?.cidr;
    if (cidr !== undefined && has !== undefined && has !== wanted)
        throw new RangeError(`The cloud of this state has the network ${has}: --cidr is only valid for a new cloud.`);
}

async function serve(cloud: Cloud, options: CloudOptions): Promise<RunningCloud> {
    const { store } = cloud;
    const faults = new Faults();
    const jobs = new Jobs(cloud, faults, (name) => {
        const command = COMMANDS[name];
        if (!isAsync(command)) throw new TypeError(`${name} has no jobs`);
        return command;
    });
    const token = options.token ?? randomBytes(24).toString("base64url");
    const server = new ApiServer({
        dispatcher: new Dispatcher(cloud, COMMANDS, jobs),
        faults,
        timing: jobs.timing,
        now: cloud.now,
        log: options.log ?? (() => undefined),
        control: control({ token, faults, status: () => summary(cloud), machines: () => machineList(store) }),
    });
    const port = await server.listen(options.port ?? 0);
    // After `listen`, so that nothing is written if the port is in use; no request is read before this runs.
    if (store.accounts.all().length === 0) seed(store, cloud.now(), options.cidr ?? DEFAULT_CIDR);
    const expunger = new Expunger(cloud);
    expunger.start();
    const power = new Power(cloud, options.log ?? (() => undefined));
    power.start();
    jobs.resume();
    const url = `http://127.0.0.1:${port}`;
    const names = Object.keys(ACCOUNTS) as AccountName[];
    return {
        url,
        endpoint: `${url}/client/api`,
        port,
        hypervisor: cloud.hypervisor.name,
        cidr: store.networks.find((network) => network.ownerId === undefined)!.cidr,
        token,
        accounts: Object.fromEntries(names.map((name) => [name, credentialsOf(store, ACCOUNTS[name])])) as Record<
            AccountName,
            Credentials
        >,
        projectId: store.projects.all()[0].id,
        fault: (fault) => faults.add(fault),
        faults: () => faults.list(),
        clearFaults: () => void faults.clear(),
        operator: operatorOf(cloud),
        calls: () => [...server.calls],
        clearCalls: () => void server.calls.splice(0),
        idle: () => jobs.idle(),
        cutPower: () => cloud.hypervisor.cutPower(),
        async close() {
            expunger.stop();
            await server.close();
            await jobs.stop();
            await power.stop();
            store.close();
        },
    };
}
