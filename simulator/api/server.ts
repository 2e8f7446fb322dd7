/** The HTTP server: requests, answers, injected faults, and the log of calls. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, errorBody } from "./errors";
import { DEFINITIONS, responseName } from "./definitions";
import type { Answer, Dispatcher } from "./dispatch";
import type { Fault, Faults } from "./faults";
import { reserved } from "./signature";
import type { Timing } from "./timing";

/** One API call and its outcome. */
export interface Call {
    readonly command: string;
    /** Name of the account of the API key, whether or not the signature was valid. */
    readonly account?: string;
    /** HTTP status; 0 if the connection was closed. */
    readonly status: number;
    /** When it was received, in milliseconds since 1970. */
    readonly at: number;
    readonly milliseconds: number;
    /** Its parameters, without API key and signature; long values are truncated. */
    readonly parameters: Readonly<Record<string, string>>;
}

/** How many calls are kept. */
const MAX_CALLS = 20_000;

/** Largest request body in bytes (CloudStack's `request.content.size`). */
const BODY_LIMIT = 1_048_576;

const API_PATH = "/client/api";

export interface ServerParts {
    readonly dispatcher: Dispatcher;
    readonly faults: Faults;
    readonly timing: Timing;
    readonly now: () => number;
    /** Handles requests below /control/. */
    readonly control: (request: http.IncomingMessage, body: string) => Promise<Answer>;
    readonly log: (line: string) => void;
}

async function readBody(request: http.IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request) {
        length += chunk.length;
        if (length > BODY_LIMIT) throw new ApiError(413, `The request is longer than ${BODY_LIMIT} bytes`);
        chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
}

/** Longest parameter value that is kept, since user data would use too much memory. */
const MAX_VALUE_LENGTH = 300;

function loggedParameters(parameters: ReadonlyMap<string, string>): Record<string, string> {
    const shown = [...parameters].filter(([name]) => !["apikey", "signature"].includes(name.toLowerCase()));
    const short = (value: string) =>
        value.length <= MAX_VALUE_LENGTH ? value : `${value.slice(0, MAX_VALUE_LENGTH)}… (${value.length} characters)`;
    return Object.fromEntries(shown.map(([name, value]) => [name, short(value)]));
}

/** The answer of an injected fault, in place of the cloud's. */
function faultAnswer(command: string, fault: Fault): { status: number; body: object | string } | undefined {
    switch (fault.kind) {
        case "refuse": {
            const error = new ApiError(
                fault.status ?? 530,
                fault.text ?? "The request failed because of an injected fault.",
                4250,
            );
            return { status: error.status, body: errorBody(responseName(command), error) };
        }
        case "throttle": {
            const text =
                fault.text ?? "The given user has reached his/her account api limit, please retry after 1000 ms.";
            return { status: 429, body: errorBody(responseName(command), new ApiError(429, text, 4545)) };
        }
        case "unavailable":
            return {
                status: 503,
                body: "<html><body><h1>503 Service Unavailable</h1>No server is available for this request.</body></html>\n",
            };
        default:
            return undefined;
    }
}

export class ApiServer {
    readonly calls: Call[] = [];
    private readonly parts: ServerParts;
    private readonly server: http.Server;

    constructor(parts: ServerParts) {
        this.parts = parts;
        this.server = http.createServer((request, response) => {
            this.serve(request, response).catch((error) => {
                parts.log(`error ${error instanceof Error ? error.stack : error}`);
                this.send(response, 530, {
                    errorresponse: {
                        uuidList: [],
                        errorcode: 530,
                        cserrorcode: 9999,
                        errortext: `cloudstack-local failed: ${error instanceof Error ? error.message : error}`,
                    },
                });
            });
        });
        // Clients keep their connections between polls.
        this.server.keepAliveTimeout = 60_000;
    }

    /** @throws the system's error if the port is in use or not permitted */
    async listen(port: number): Promise<number> {
        await new Promise<void>((resolve, reject) => {
            this.server.once("error", reject);
            this.server.listen(port, "127.0.0.1", () => resolve());
        });
        return (this.server.address() as AddressInfo).port;
    }

    async close(): Promise<void> {
        this.server.closeAllConnections();
        await new Promise<void>((resolve) => this.server.close(() => resolve()));
    }

    private send(response: http.ServerResponse, status: number, body: object | string): void {
        if (response.destroyed || response.headersSent) return;
        const text = typeof body === "string" ? body : JSON.stringify(body);
        const type = typeof body === "string" ? "text/html" : "application/json;charset=utf-8";
        response.writeHead(status, {
            "Content-Type": type,
            "Content-Length": Buffer.byteLength(text),
            Date: new Date(this.parts.now()).toUTCString(),
        });
        response.end(text);
    }

    private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
        const url = new URL(request.url ?? "/", "http://localhost");
        const path = url.pathname.replace(/\/$/, "");
        try {
            const body = await readBody(request);
            if (path.startsWith("/control/")) {
                const answer = await this.parts.control(request, body);
                return this.send(response, answer.status, answer.body);
            }
            if (path !== API_PATH) throw new ApiError(404, `Not found: the API is at ${API_PATH}`);
            if (request.method !== "GET" && request.method !== "POST")
                throw new ApiError(405, `Method ${request.method} is not allowed: use GET or POST`);
            const parameters = new Map(url.searchParams);
            if (request.method === "POST")
                for (const [name, value] of new URLSearchParams(body)) parameters.set(name, value);
            await this.call(parameters, request.method, response);
        } catch (error) {
            if (!(error instanceof ApiError)) throw error;
            this.send(response, error.status, errorBody("errorresponse", error));
        }
    }

    private async call(
        parameters: Map<string, string>,
        method: "GET" | "POST",
        response: http.ServerResponse,
    ): Promise<void> {
        const { dispatcher, faults } = this.parts;
        const at = this.parts.now();
        const start = performance.now();
        const command = reserved(parameters, "command") ?? "";
        const account = dispatcher.accountOf(parameters)?.name;
        const hit = faults.forRequest(command, account);
        for (const fault of hit)
            if (fault.kind === "delay") await sleep(fault.seconds! * 1000, undefined, { ref: false });
        const refused = hit.map((fault) => faultAnswer(command, fault)).find((answer) => answer !== undefined);
        const cut = hit.some((fault) => fault.kind === "cut");
        const answer = refused ?? (cut ? undefined : await this.handle(command, parameters, method));
        const lost = answer === undefined || (refused === undefined && hit.some((fault) => fault.kind === "drop"));
        if (lost) response.destroy();
        else this.send(response, answer.status, answer.body);
        this.recordCall({
            command,
            account,
            status: lost ? 0 : answer.status,
            at,
            milliseconds: Math.round((performance.now() - start) * 100) / 100,
            parameters: loggedParameters(parameters),
        });
    }

    /** Handles a request, with a real server's delays if the cloud simulates them. */
    private async handle(command: string, parameters: Map<string, string>, method: "GET" | "POST"): Promise<Answer> {
        const { dispatcher, timing } = this.parts;
        const definition = DEFINITIONS.get(command);
        const account = dispatcher.accountOf(parameters);
        if (definition === undefined || account === undefined) return dispatcher.handle(parameters, method);
        const end = await timing.request(command, definition.async, account.id);
        try {
            return dispatcher.handle(parameters, method);
        } finally {
            end();
        }
    }

    private recordCall(call: Call): void {
        this.calls.push(call);
        if (this.calls.length > MAX_CALLS) this.calls.splice(0, MAX_CALLS / 10);
        this.parts.log(
            `${call.command || "-"} ${call.account ?? "-"} ${call.status === 0 ? "cut" : call.status} ` +
                `${call.milliseconds} ms`,
        );
    }
}
