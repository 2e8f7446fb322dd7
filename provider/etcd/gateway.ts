import * as https from "node:https";

/** What speaks to etcd needs; PEM. */
export interface Credentials {
    readonly caCertificate: string;
    readonly clientCertificate: string;
    readonly clientKey: string;
}

/** A member as the cluster lists it. */
export interface ListedMember {
    /** Decimal, as the JSON gateway writes 64-bit numbers. */
    readonly ID: string;
    /** Empty where it was added and has not started yet. */
    readonly name?: string;
    readonly peerURLs?: readonly string[];
    readonly clientURLs?: readonly string[];
    readonly isLearner?: boolean;
}

export interface Status {
    readonly header: { readonly member_id: string };
    /** 0 or absent without one. */
    readonly leader?: string;
    readonly isLearner?: boolean;
    readonly version: string;
    readonly errors?: readonly string[];
}

/** etcd's own refusal, by its code of gRPC and its words. */
export class EtcdError extends Error {
    readonly code: number;

    constructor(code: number, message: string) {
        super(message);
        this.code = code;
    }
}

/** How long one request may take, in milliseconds. */
const PATIENCE = 4_000;
/** The same where there may be no member yet. */
export const SHORT_PATIENCE = 1_000;

/**
 * The part of etcd's API that gates use, through the JSON gateway of the client port
 * (https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/).
 */
export class Gateway {
    private readonly credentials: Credentials;
    private readonly patience: number;

    constructor(credentials: Credentials, patience: number = PATIENCE) {
        this.credentials = credentials;
        this.patience = patience;
    }

    /** Who is in the cluster; only a member that can reach a quorum answers. */
    async members(endpoint: string): Promise<ListedMember[]> {
        const answer = await this.ask(endpoint, "/v3/cluster/member/list", { linearizable: true });
        return answer.members ?? [];
    }

    status(endpoint: string): Promise<Status> {
        return this.ask(endpoint, "/v3/maintenance/status", {});
    }

    /** A read through the quorum: whoever answers can serve clients. */
    async read(endpoint: string): Promise<void> {
        await this.ask(endpoint, "/v3/kv/range", { key: base64("health") });
    }

    async put(endpoint: string, key: string, value: string): Promise<void> {
        await this.ask(endpoint, "/v3/kv/put", { key: base64(key), value: base64(value) });
    }

    /** Deletes a key, if it is there. */
    async forget(endpoint: string, key: string): Promise<void> {
        await this.ask(endpoint, "/v3/kv/deleterange", { key: base64(key) });
    }

    async remove(endpoint: string, id: string): Promise<void> {
        await this.ask(endpoint, "/v3/cluster/member/remove", { ID: id });
    }

    /** Only the leader's own endpoint takes it. */
    async moveLeader(endpoint: string, target: string): Promise<void> {
        await this.ask(endpoint, "/v3/maintenance/transfer-leadership", { targetID: target });
    }

    private ask(endpoint: string, path: string, body: object): Promise<any> {
        const { caCertificate: ca, clientCertificate: cert, clientKey: key } = this.credentials;
        const { patience } = this;
        return new Promise((resolve, reject) => {
            const options = { method: "POST", ca, cert, key, agent: false, timeout: patience };
            const request = https.request(new URL(path, endpoint), options, (response) => {
                let text = "";
                response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
                response.on("error", reject);
                response.on("end", () => parseAnswer(response.statusCode ?? 0, text, resolve, reject));
            });
            // A connection that is never accepted counts as idle, too.
            const timer = setTimeout(
                () => request.destroy(new Error(`no answer within ${patience / 1000} s`)),
                patience,
            );
            request.on("close", () => clearTimeout(timer));
            request.on("error", (error) => reject(new Error(reason(error))));
            request.end(JSON.stringify(body));
        });
    }
}

function base64(text: string): string {
    return Buffer.from(text).toString("base64");
}

function parseAnswer(status: number, text: string, resolve: (body: any) => void, reject: (error: Error) => void): void {
    try {
        const body = JSON.parse(text);
        if (status === 200) resolve(body);
        else reject(new EtcdError(Number(body.code ?? 0), String(body.message ?? body.error ?? text)));
    } catch {
        reject(new Error(`not a response of etcd (${status}): ${text.trim().slice(0, 100)}`));
    }
}

/** Node's errors of connections in words of their own; an error of several attempts holds those. */
function reason(error: Error & { code?: string; errors?: Error[] }): string {
    const [first] = error.errors ?? [];
    const said = error.message || first?.message || error.code || "no connection";
    return said.replace(/^Error: /, "");
}
