import { setTimeout as sleep } from "node:timers/promises";
import type { AccountName, Plugin, World } from "../provider/support";

/** The plugin's process for tests that disturb it: its waits are short, and it can end at any request. */

/** How many of the client's seconds pass in one: for its retries, its polls of jobs, its timeouts. */
const PACE = 40;

/**
 * For how long the client retries: longer than a short delay of a busy machine, and not much longer if the cloud no
 * longer answers.
 */
const RETRY_SECONDS = { passing: 600, lasting: 20 };

/** The n-th request of a command, counted from 0. */
export interface Moment {
    readonly command: string;
    readonly nth: number;
}

/** A process that ends at a given request: the cloud answers it, but the process does not receive the answer. */
export interface MortalPlugin {
    readonly plugin: Plugin;
    /** Resolves at the end of the process; never if no end is set. */
    readonly died: Promise<void>;
}

/** The requests of the next plugin pass through this; also, for how long they are retried. */
let upcoming: ((command: string, send: () => Promise<unknown>) => Promise<unknown>) | undefined;
let retrySeconds: number;

jest.doMock("../../../provider/client/transport", () => {
    const actual = jest.requireActual("../../../provider/client/transport");
    const through = upcoming!;
    class Transport extends actual.Transport {
        send(form: string, readOnly: boolean): Promise<unknown> {
            return through(/(?:^|&)command=(\w+)/.exec(form)![1], () => super.send(form, readOnly));
        }
    }
    return { ...actual, Transport };
});

const started = Date.now();
const clock = {
    now: () => started + (Date.now() - started) * PACE,
    sleep: (milliseconds: number, signal?: AbortSignal) =>
        sleep(milliseconds / PACE, undefined, { signal }).catch(() => undefined),
};

jest.doMock("../../../provider/client/client", () => {
    const actual = jest.requireActual("../../../provider/client/client");
    const options = { ...clock, retrySeconds };
    class Client extends actual.Client {
        constructor(settings: object) {
            super(settings, options);
        }
    }
    return { ...actual, Client };
});

// Modules that are unrelated to a cloud and take longer to load than all others.
jest.doMock("../../../provider/certificates/handlers", () => ({}));

/**
 * A new process of the plugin.
 *
 * @param moment when something happens to it
 * @param happens just before that request is sent, an outage; by default the process ends after the request is answered
 */
export function plugin(world: World, account: AccountName, moment?: Moment, happens?: () => void): MortalPlugin {
    let end: () => void;
    const died = new Promise<void>((resolve) => (end = resolve));
    const never = new Promise<never>(() => undefined);
    let dead = false;
    let nth = 0;
    upcoming = async (command, send) => {
        if (dead) return never;
        if (command !== moment?.command || nth++ !== moment.nth) {
            const answer = await send();
            return dead ? never : answer;
        }
        if (happens !== undefined) {
            happens();
            return send();
        }
        // Requests that were sent arrive; those that were not sent never do.
        dead = true;
        await send().catch(() => undefined);
        end();
        return never;
    };
    retrySeconds = happens === undefined ? RETRY_SECONDS.passing : RETRY_SECONDS.lasting;
    return { plugin: world.plugin(account), died };
}
