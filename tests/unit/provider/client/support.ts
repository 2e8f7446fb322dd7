import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { Client, ClientSettings, Clock } from "../../../../provider/client";

/** Virtual time: `run` advances it from one sleeping task to the next until the work is done. */
export class FakeClock implements Clock {
    private time = 1_000_000;
    private sleepers: { at: number; wake: () => void }[] = [];

    now = (): number => this.time;

    sleep = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
        new Promise((wake) => {
            const sleeper = { at: this.time + milliseconds, wake };
            this.sleepers.push(sleeper);
            signal?.addEventListener("abort", () => {
                this.sleepers = this.sleepers.filter((other) => other !== sleeper);
                wake();
            });
        });

    async run<T>(work: Promise<T>): Promise<T> {
        let done = false;
        const end = (): void => void (done = true);
        work.then(end, end);
        for (;;) {
            await new Promise(setImmediate);
            if (done) {
                return work;
            }
            const next = this.sleepers.sort((a, b) => a.at - b.at).shift();
            if (!next) {
                throw new Error("nothing is due, and the work is not done");
            }
            this.time = Math.max(this.time, next.at);
            next.wake();
        }
    }
}

/** Time that passes at once, for tests with a real server. */
export function hurriedClock(): Clock & { slept: number[] } {
    let ahead = 0;
    const slept: number[] = [];
    return {
        slept,
        now: () => Date.now() + ahead,
        sleep: async (milliseconds) => {
            slept.push(milliseconds);
            ahead += milliseconds;
        },
    };
}

export interface Received {
    method: string;
    url: string;
    params: Record<string, string>;
}

/** How the server answers a request: with `[status, body, headers]`, or by closing the connection. */
export type Reply = [status: number, body: unknown, headers?: Record<string, string>] | "cut" | "silence";

export interface StandIn {
    endpoint: string;
    received: Received[];
    close(): Promise<void>;
}

/** A server whose answers are given by a function. */
export async function standIn(reply: (request: Received, index: number) => Reply): Promise<StandIn> {
    const received: Received[] = [];
    const server = http.createServer((request, response) => {
        let body = "";
        request.on("data", (chunk) => (body += chunk));
        request.on("end", () => {
            const url = new URL(request.url!, "http://stand-in");
            const params = Object.fromEntries([...url.searchParams, ...new URLSearchParams(body)]);
            received.push({ method: request.method!, url: request.url!, params });
            answer(reply(received.at(-1)!, received.length - 1), request, response);
        });
    });
    const port = await listen(server);
    return { endpoint: `http://127.0.0.1:${port}/client/api`, received, close: () => close(server) };
}

function answer(reply: Reply, request: http.IncomingMessage, response: http.ServerResponse): void {
    if (reply === "cut") {
        request.socket.destroy();
    } else if (reply !== "silence") {
        const [status, body, headers] = reply;
        response.writeHead(status, { "Content-Type": "application/json;charset=utf-8", ...headers });
        response.end(typeof body === "string" ? body : JSON.stringify(body));
    }
}

export async function listen(server: http.Server): Promise<number> {
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    return (server.address() as AddressInfo).port;
}

export async function close(server: http.Server): Promise<void> {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
}

export const API_KEY = "Key4-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789";
export const SECRET_KEY = "Secret-0123456789AbCdEfGhIjKlMnOpQrStUvWxYz";

export function settingsFor(endpoint: string, more: Partial<ClientSettings> = {}): ClientSettings {
    const sources = { endpoint: "environment CLOUDSTACK_ENDPOINT", apiKey: "environment CLOUDSTACK_API_KEY" };
    return { endpoint, apiKey: API_KEY, secretKey: SECRET_KEY, sources, ...more };
}

/** An error response as CloudStack sends it. */
export function fault(command: string, errorcode: number, errortext: string, cserrorcode?: number): Reply {
    return [errorcode, { [`${command.toLowerCase()}response`]: { uuidList: [], errorcode, cserrorcode, errortext } }];
}

export function ok(command: string, inner: object): Reply {
    return [200, { [`${command.toLowerCase()}response`]: inner }];
}

/** The error with which a promise is rejected. */
export async function failure(work: Promise<unknown>): Promise<any> {
    return work.then(
        () => {
            throw new Error("it did not fail");
        },
        (error) => error,
    );
}

export type { Client };
