import * as https from "node:https";
import type { Inputs, Outputs } from "../handler";

/** How to connect to the API of a cluster. Certificates and the key are PEM. */
export interface Access {
    /** URLs of the API servers, such as `https://10.1.1.21:6443`. */
    readonly endpoints: readonly string[];
    readonly caCertificate: string;
    readonly clientCertificate: string;
    readonly clientKey: string;
}

/** The API of the cluster in a resource's arguments or outputs. */
export function apiOf(inputs: Inputs | Outputs, patience?: number): KubernetesApi {
    const { controlPlanes, caCertificate, clientCertificate, clientKey } = inputs;
    const endpoints = Object.values<string>(controlPlanes);
    return new KubernetesApi({ endpoints, caCertificate, clientCertificate, clientKey }, patience);
}

/** An error response of the API. */
export class ApiError extends Error {
    readonly status: number;
    /** The `Status` object in the response, if it is one. */
    readonly body: any;

    constructor(status: number, message: string, body?: unknown) {
        super(message);
        this.status = status;
        this.body = body;
    }
}

/** No API server answered, or none of them is ready. */
export class ApiUnavailable extends Error {}

/** How long one request may take, in milliseconds. */
const PATIENCE = 5_000;
/** The same for requests whose response is only used in a message. */
export const SHORT_PATIENCE = 2_000;

interface Request {
    readonly method: string;
    readonly path: string;
    readonly body?: object;
    readonly headers?: Record<string, string>;
}

/**
 * The few requests that the gates need. It uses plain HTTPS, because loading `@kubernetes/client-node` (2.0.1) takes 2
 * to 3 seconds and 85 MB, more than everything else that a run of this package loads.
 */
export class KubernetesApi {
    private readonly access: Access;
    private readonly patience: number;
    /** The API server that answered last; it is tried first. */
    private first = 0;

    constructor(access: Access, patience: number = PATIENCE) {
        this.access = access;
        this.patience = patience;
    }

    get(path: string): Promise<any> {
        return this.ask({ method: "GET", path });
    }

    /** Returns only the last `bytes` of a text, such as a log. */
    tail(path: string, bytes: number): Promise<any> {
        // kubelet refuses to serve its logs as JSON (406).
        return this.ask({ method: "GET", path, headers: { Accept: "*/*", Range: `bytes=-${bytes}` } });
    }

    post(path: string, body: object): Promise<any> {
        return this.ask({ method: "POST", path, body });
    }

    /** Sends a JSON merge patch: null removes a field. */
    patch(path: string, body: object): Promise<any> {
        const headers = { "Content-Type": "application/merge-patch+json" };
        return this.ask({ method: "PATCH", path, body, headers });
    }

    /** Deletes an object, if it exists. */
    async delete(path: string): Promise<void> {
        try {
            await this.ask({ method: "DELETE", path });
        } catch (error) {
            if (!(error instanceof ApiError && error.status === 404)) throw error;
        }
    }

    /** Why an API server is not ready; undefined if it is. */
    async problemAt(endpoint: string): Promise<string | undefined> {
        try {
            const { status, text } = await this.send(endpoint, { method: "GET", path: "/readyz" });
            return status === 200 ? undefined : firstLine(text) || `status ${status}`;
        } catch (error) {
            return (error as Error).message;
        }
    }

    /** Tries the API servers one after the other until a ready one answers. */
    private async ask(request: Request): Promise<any> {
        const { endpoints } = this.access;
        const problems: string[] = [];
        for (let offset = 0; offset < endpoints.length; offset++) {
            const index = (this.first + offset) % endpoints.length;
            const endpoint = endpoints[index];
            try {
                const { status, text } = await this.send(endpoint, request);
                const body = parsed(text);
                if (status < 400) {
                    this.first = index;
                    return body;
                }
                const message = String(body?.message ?? firstLine(text));
                if (status < 500) throw new ApiError(status, message || `status ${status}`, body);
                problems.push(`${endpoint}: ${message || `status ${status}`}`);
            } catch (error) {
                if (error instanceof ApiError) throw error;
                problems.push(`${endpoint}: ${(error as Error).message}`);
            }
        }
        throw new ApiUnavailable(problems.join("; ") || "there is no control plane");
    }

    private send(endpoint: string, request: Request): Promise<{ status: number; text: string }> {
        const { caCertificate: ca, clientCertificate: cert, clientKey: key } = this.access;
        const { patience } = this;
        const body = request.body === undefined ? undefined : JSON.stringify(request.body);
        const headers = { Accept: "application/json", "Content-Type": "application/json", ...request.headers };
        return new Promise((resolve, reject) => {
            const options = { method: request.method, headers, ca, cert, key, agent: false };
            const sent = https.request(new URL(request.path, endpoint), options, (response) => {
                let text = "";
                response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
                response.on("error", reject);
                response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
            });
            const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${patience / 1000} s`)), patience);
            sent.on("close", () => clearTimeout(timer));
            sent.on("error", (error: NodeJS.ErrnoException) => reject(new Error(error.message || error.code)));
            sent.end(body);
        });
    }
}

/** The parsed JSON, or the text if it is not JSON. */
function parsed(text: string): any {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

function firstLine(text: string): string {
    return text.trim().split("\n")[0].slice(0, 200);
}
