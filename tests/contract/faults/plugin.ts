import { setTimeout as sleep } from "node:timers/promises";
import type { AccountName, Plugin, World } from "../provider/support";

/** The plugin's process for tests that disturb it: its waits are short, and it can die at any request. */

/** How many of the client's seconds pass in one: its retries, its looks at jobs, its timeouts. */
const PACE = 40;

/** How long the client tries again: longer than any stutter of a busy machine at this pace, and hardly where nothing answers any more. */
const RETRY_SECONDS = { passing: 600, lasting: 20 };

/** The n-th request of a command, counted from 0. */
export interface Moment {
    readonly command: string;
    readonly nth: number;
}

/** A process that ends at a moment: that request is answered by the cloud, and nobody hears the answer. */
export interface MortalPlugin {
    readonly plugin: Plugin;
    /** Resolves at the end of the process. Without a moment of death it never does. */
    readonly died: Promise<void>;
}

/** What the next plugin's requests go through, and how long they are tried again. */
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

// They have nothing to do with a cloud, and take longer to load than all the rest.
jest.doMock("../../../provider/certificates/handlers", () => ({}));

/**
 * A new process of the plugin.
 *
 * @param moment when something happens to it
 * @param happens just before that request is sent, an outage; by default the process dies as soon as it is answered
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
        // Requests that are on their way arrive; what is not sent yet never is.
        dead = true;
        await send().catch(() => undefined);
        end();
        return never;
    };
    retrySeconds = happens === undefined ? RETRY_SECONDS.passing : RETRY_SECONDS.lasting;
    return { plugin: world.plugin(account), died };
}
