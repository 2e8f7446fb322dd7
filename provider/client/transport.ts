import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as tls from "node:tls";
import type { AxiosInstance } from "axios";
import type { ClientSettings } from "./types";

/** Default of `httpTimeoutSeconds`. */
const TIMEOUT_SECONDS = 60;

/** How long it may take to establish a connection, including the TLS handshake. */
const CONNECT_SECONDS = 10;

/** Idle connections are closed after this time, before servers and proxies close them while a request is being sent. */
const IDLE_MILLISECONDS = 4_000;

/** A URL longer than this is sent by POST: CloudStack's web server refuses a request line of more than 8 KiB. */
const LONGEST_GET = 2_000;

export interface HttpAnswer {
    status: number;
    headers: Record<string, string | undefined>;
    body: string;
}

/** No complete response was received. It contains nothing of the request, whose parameters may be secrets. */
export class NoAnswer extends Error {
    /** Whether a connection was established, so that the request may have been received. */
    readonly sent: boolean;
    /** Node's or OpenSSL's code, `TIMEOUT` or `CA_FILE`. */
    readonly code: string;

    constructor(message: string, code: string, sent: boolean) {
        super(message);
        this.name = "NoAnswer";
        this.code = code;
        this.sent = sent;
    }
}

/**
 * Sends form-encoded requests to one endpoint, with keep-alive connections and the proxies of the environment. TLS
 * certificates are always verified.
 */
export class Transport {
    private readonly settings: ClientSettings;
    private clients: { reads: AxiosInstance; changes: AxiosInstance } | undefined;

    constructor(settings: ClientSettings) {
        this.settings = settings;
    }

    /**
     * @param readOnly allows GET
     * @throws NoAnswer
     */
    async send(form: string, readOnly: boolean): Promise<HttpAnswer> {
        this.clients ??= connectLazily(this.settings.caFile);
        const client = readOnly ? this.clients.reads : this.clients.changes;
        const endpoint = this.settings.endpoint;
        const progress = new Progress((this.settings.httpTimeoutSeconds ?? TIMEOUT_SECONDS) * 1000);
        try {
            const byGet = readOnly && endpoint.length + form.length <= LONGEST_GET;
            const answer = await client.request({
                method: byGet ? "GET" : "POST",
                url: byGet ? `${endpoint}?${form}` : endpoint,
                data: byGet ? undefined : form,
                headers: byGet ? {} : { "Content-Type": "application/x-www-form-urlencoded" },
                signal: progress.signal,
                transport: progress.transport(),
            } as object);
            return { status: answer.status, headers: lowerCase(answer.headers), body: String(answer.data ?? "") };
        } catch (error) {
            throw progress.noAnswer(error as NodeJS.ErrnoException);
        } finally {
            progress.end();
        }
    }
}

/**
 * Loads axios at the first request: loading it takes longer than the rest of the package together. Reads share
 * keep-alive connections. Each change uses a new connection, because it would be unknown whether a change was executed
 * that was sent on a connection the server was closing.
 */
function connectLazily(caFile: string | undefined): { reads: AxiosInstance; changes: AxiosInstance } {
    const axios = require("axios") as import("axios").AxiosStatic;
    const ca = authorities(caFile);
    const create = (agent: http.AgentOptions): AxiosInstance =>
        axios.create({
            httpAgent: new http.Agent(agent),
            httpsAgent: new https.Agent({ ...agent, ca }),
            maxRedirects: 0,
            maxContentLength: -1,
            maxBodyLength: -1,
            responseType: "text",
            transformResponse: [(data: unknown) => data],
            validateStatus: () => true,
            headers: { Accept: "application/json", "User-Agent": "pulumi-cloudstack" },
        });
    return { reads: create({ keepAlive: true, timeout: IDLE_MILLISECONDS }), changes: create({ keepAlive: false }) };
}

/** Node's own authorities (including those of NODE_EXTRA_CA_CERTS) and those of the file. */
function authorities(caFile: string | undefined): string[] | undefined {
    if (caFile === undefined) {
        return undefined;
    }
    try {
        const known = tls.getCACertificates?.("default") ?? tls.rootCertificates;
        return [...known, fs.readFileSync(caFile, "utf8")];
    } catch (error) {
        throw new NoAnswer((error as Error).message, "CA_FILE", false);
    }
}

/** Tracks one request: whether a connection was established, and whether the timeout has expired. */
class Progress {
    private readonly controller = new AbortController();
    private readonly timers: NodeJS.Timeout[] = [];
    private connected = false;

    constructor(milliseconds: number) {
        const end = (): void => this.controller.abort();
        this.timers.push(setTimeout(end, milliseconds));
        this.timers.push(setTimeout(() => this.connected || end(), Math.min(milliseconds, CONNECT_SECONDS * 1000)));
    }

    get signal(): AbortSignal {
        return this.controller.signal;
    }

    /**
     * Node's own `request`, which also observes the socket. With a proxy, the socket is the tunnel or the connection to
     * the proxy.
     */
    transport(): { request: typeof https.request } {
        const request = (
            options: https.RequestOptions,
            onAnswer: (answer: http.IncomingMessage) => void,
        ): http.ClientRequest => {
            const secure = options.protocol === "https:";
            const sent = (secure ? https : http).request(options, onAnswer);
            sent.once("socket", (socket: tls.TLSSocket) => {
                if (!socket.connecting && (!secure || socket.authorized)) {
                    this.connected = true;
                } else {
                    socket.once(secure ? "secureConnect" : "connect", () => (this.connected = true));
                }
            });
            return sent;
        };
        return { request: request as typeof https.request };
    }

    noAnswer(error: NodeJS.ErrnoException): NoAnswer {
        if (error instanceof NoAnswer) {
            return error;
        }
        const code = this.signal.aborted ? "TIMEOUT" : (error.code ?? "ERR_UNKNOWN");
        return new NoAnswer(error.message, code, this.connected);
    }

    end(): void {
        this.timers.forEach(clearTimeout);
    }
}

function lowerCase(headers: object): Record<string, string | undefined> {
    return Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
            name.toLowerCase(),
            value === undefined ? undefined : String(value),
        ]),
    );
}
