/** A small CloudStack client for the tests of the embedded cloud. It shares no code with the cloud or the provider. */
import { createHmac } from "node:crypto";
import * as http from "node:http";
import type { Credentials, RunningCloud } from "../../../simulator";

export interface Reply {
    readonly status: number;
    /** The whole body. */
    readonly body: any;
    /** The content below the answer's name. */
    readonly answer: any;
}

export interface Signing {
    readonly apiKey?: string;
    readonly secretKey?: string;
    /** "3" with an expiry (default), or "1" without. */
    readonly version?: "1" | "3";
    readonly expires?: string;
    readonly method?: "GET" | "POST";
    /** A signature to send instead of the right one. */
    readonly signature?: string;
}

const escape = (value: string) =>
    encodeURIComponent(value).replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

export function signedQuery(parameters: Record<string, string>, secretKey: string): string {
    const pairs = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
    const text = pairs
        .map(([name, value]) => `${name}=${escape(value)}`)
        .join("&")
        .toLowerCase();
    const signature = createHmac("sha1", secretKey).update(text).digest("base64");
    return [...pairs, ["signature", signature]]
        .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
        .join("&");
}

const agent = new http.Agent({ keepAlive: true });

function send(url: string, method: string, body: string | undefined): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
        const headers =
            body === undefined
                ? {}
                : { "Content-Type": "application/x-www-form-urlencoded", "Content-Length": Buffer.byteLength(body) };
        const request = http.request(url, { method, headers, agent }, (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk) => chunks.push(chunk));
            response.on("end", () => resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString() }));
            response.on("error", reject);
        });
        request.on("error", reject);
        request.end(body);
    });
}

export async function call(
    endpoint: string,
    command: string,
    parameters: Record<string, unknown> = {},
    signing: Signing = {},
): Promise<Reply> {
    const { apiKey, secretKey, version = "3", method = "POST" } = signing;
    const all: Record<string, string> = { command, response: "json" };
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) all[name] = String(value);
    if (apiKey !== undefined) all.apiKey = apiKey;
    if (version === "3" && apiKey !== undefined) {
        all.signatureVersion = "3";
        // A day ahead: some tests set the cloud's clock forward.
        all.expires = signing.expires ?? new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+Z$/, "+0000");
    }
    let query = apiKey === undefined ? new URLSearchParams(all).toString() : signedQuery(all, secretKey!);
    if (signing.signature !== undefined)
        query = query.replace(/signature=[^&]*$/, `signature=${encodeURIComponent(signing.signature)}`);
    const { status, text } =
        method === "GET" ? await send(`${endpoint}?${query}`, "GET", undefined) : await send(endpoint, "POST", query);
    const body = text.startsWith("{") ? JSON.parse(text) : text;
    return { status, body, answer: typeof body === "string" ? body : Object.values(body)[0] };
}

export class Client {
    readonly endpoint: string;
    readonly credentials: Credentials;

    constructor(cloud: Pick<RunningCloud, "endpoint">, credentials: Credentials) {
        this.endpoint = cloud.endpoint;
        this.credentials = credentials;
    }

    send(command: string, parameters: Record<string, unknown> = {}, signing: Signing = {}): Promise<Reply> {
        return call(this.endpoint, command, parameters, { ...this.credentials, ...signing });
    }

    /** The answer of a call that must succeed. */
    async ok(command: string, parameters: Record<string, unknown> = {}): Promise<any> {
        const reply = await this.send(command, parameters);
        if (reply.status !== 200) throw new Error(`${command}: ${reply.status} ${JSON.stringify(reply.body)}`);
        return reply.answer;
    }

    /** The items of a list. */
    async list(command: string, parameters: Record<string, unknown> = {}): Promise<any[]> {
        const answer = await this.ok(command, parameters);
        const items = Object.values(answer).find((value) => Array.isArray(value));
        return (items as any[] | undefined) ?? [];
    }

    /** A job's final answer. */
    async job(jobid: string): Promise<any> {
        for (;;) {
            const answer = await this.ok("queryAsyncJobResult", { jobid });
            if (answer.jobstatus !== 0) return answer;
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
    }

    /** The final answer of the job that an asynchronous command starts. */
    async run(command: string, parameters: Record<string, unknown> = {}): Promise<any> {
        return this.job((await this.ok(command, parameters)).jobid);
    }

    /** The result of a job that must succeed. */
    async done(command: string, parameters: Record<string, unknown> = {}): Promise<any> {
        const job = await this.run(command, parameters);
        if (job.jobstatus !== 1) throw new Error(`${command}: ${JSON.stringify(job.jobresult)}`);
        return job.jobresult;
    }

    /** The ids that a deployment needs, by name. */
    async catalogue(
        zoneName = "sandbox",
    ): Promise<{ zoneid: string; templateid: string; serviceofferingid: string; networkids?: string }> {
        const [zone] = await this.list("listZones", { name: zoneName });
        const templates = await this.list("listTemplates", { templatefilter: "executable", zoneid: zone.id });
        const [offering] = await this.list("listServiceOfferings", { name: "Medium Instance" });
        const [network] = await this.list("listNetworks", { zoneid: zone.id });
        return {
            zoneid: zone.id,
            templateid: templates[0].id,
            serviceofferingid: offering.id,
            ...(network === undefined ? {} : { networkids: network.id }),
        };
    }
}
