import * as https from "node:https";

/** The credentials of an etcd client, in PEM. */
export interface Credentials {
    readonly caCertificate: string;
    readonly clientCertificate: string;
    readonly clientKey: string;
}

/** A member as the cluster lists it. */
export interface ListedMember {
    /** Decimal, as the JSON gateway writes 64-bit numbers. */
    readonly ID: string;
    /** Empty if the member was added and has not started yet. */
    readonly name?: string;
    readonly peerURLs?: readonly string[];
    readonly clientURLs?: readonly string[];
    readonly isLearner?: boolean;
}

export interface Status {
    readonly header: { readonly member_id: string };
    /** 0 or missing if there is no leader. */
    readonly leader?: string;
    readonly isLearner?: boolean;
    readonly version: string;
    readonly errors?: readonly string[];
}

/** An error that etcd returned, with its gRPC code and message. */
export class EtcdError extends Error {
    readonly code: number;

    constructor(code: number, message: string) {
        super(message);
        this.code = code;
    }
}

/** The timeout of a request in milliseconds. */
const PATIENCE = 4_000;
/** The same if there may be no member yet. */
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

    /** The members of the cluster. Only a member that can reach a quorum answers. */
    async members(endpoint: string): Promise<ListedMember[]> {
        const answer = await this.ask(endpoint, "/v3/cluster/member/list", { linearizable: true });
        return answer.members ?? [];
    }

    status(endpoint: string): Promise<Status> {
        return this.ask(endpoint, "/v3/maintenance/status", {});
    }

    /** A linearizable read. A member that answers it can serve clients. */
    async read(endpoint: string): Promise<void> {
        await this.ask(endpoint, "/v3/kv/range", { key: base64("health") });
    }

    async put(endpoint: string, key: string, value: string): Promise<void> {
        await this.ask(endpoint, "/v3/kv/put", { key: base64(key), value: base64(value) });
    }

    /** Deletes a key if it exists. */
    async forget(endpoint: string, key: string): Promise<void> {
        await this.ask(endpoint, "/v3/kv/deleterange", { key: base64(key) });
    }

    async remove(endpoint: string, id: string): Promise<void> {
        await this.ask(endpoint, "/v3/cluster/member/remove", { ID: id });
    }

    /** Transfers the leadership. Only the leader's own endpoint accepts this. */
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
            // This timeout also applies while the connection is being established.
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

/** A readable text for Node's connection errors. An error for several connection attempts contains those of each. */
function reason(error: Error & { code?: string; errors?: Error[] }): string {
    const [first] = error.errors ?? [];
    const text = error.message || first?.message || error.code || "no connection";
    return text.replace(/^Error: /, "");
}
