/** Checks whether a member accepts a client with a given certificate. */
import * as https from "node:https";

export interface Identity {
    readonly ca: string;
    readonly certificate?: string;
    readonly key?: string;
}

/** The reason why a client is refused; undefined if it is accepted. */
export function refusalOf(endpoint: string, { ca, certificate: cert, key }: Identity): Promise<string | undefined> {
    return new Promise((resolve) => {
        const options = { method: "POST", ca, cert, key, agent: false, timeout: 5_000 };
        const request = https.request(new URL("/v3/maintenance/status", endpoint), options, (response) => {
            response.resume();
            resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`);
        });
        request.on("timeout", () => request.destroy(new Error("no answer")));
        request.on("error", (error: NodeJS.ErrnoException) => resolve(`${error.code ?? ""} ${error.message}`));
        request.end("{}");
    });
}
