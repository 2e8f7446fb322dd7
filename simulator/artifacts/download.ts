/** Official releases. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Release } from "./releases";

/** How long is waited, in milliseconds. */
const PATIENCE = {
    /** For the beginning of an answer: where there is no internet, that is to be known soon. */
    answer: 8_000,
    /** For more of it. */
    silence: 20_000,
};

export interface DownloadOptions {
    /** Hears how many bytes there are, of how many where that is known; often. */
    readonly onBytes?: (received: number, total: number | undefined) => void;
    readonly patience?: typeof PATIENCE;
}

/**
 * Gets the official file of a release, and answers its SHA-256.
 *
 * @throws Error where it cannot be reached, or is not the file that this package knows
 */
export async function download(
    { url, sha256, fileName, version }: Pick<Release, "url" | "sha256" | "fileName" | "version">,
    file: string,
    { onBytes = () => undefined, patience = PATIENCE }: DownloadOptions = {},
): Promise<string> {
    if (sha256 === undefined) throw new Error(`this package does not know the SHA-256 of version ${version}`);
    const { host } = new URL(url);
    const watch = new Watch();
    try {
        watch.expect(patience.answer, `${host} did not answer within ${patience.answer / 1000} s`);
        const response = await fetch(url, { signal: watch.signal });
        if (!response.ok || response.body === null) throw new Error(`${host} answered ${response.status} for ${url}`);
        const total = Number(response.headers.get("content-length")) || undefined;
        const hash = createHash("sha256");
        let received = 0;
        const count = new Transform({
            transform(chunk: Buffer, _encoding, done) {
                watch.expect(patience.silence, `${host} sent nothing for ${patience.silence / 1000} s`);
                hash.update(chunk);
                onBytes((received += chunk.length), total);
                done(null, chunk);
            },
        });
        watch.expect(patience.silence, `${host} sent nothing for ${patience.silence / 1000} s`);
        await pipeline(response.body, count, fs.createWriteStream(file), { signal: watch.signal });
        const found = hash.digest("hex");
        if (found !== sha256) throw new Error(`${fileName} has the SHA-256 ${found}, expected ${sha256} (from ${url})`);
        return found;
    } catch (error) {
        throw watch.reason ?? new Error(explained(error as Error));
    } finally {
        watch.end();
    }
}

/** Gives up on what takes too long. */
class Watch {
    private readonly controller = new AbortController();
    private timer: NodeJS.Timeout | undefined;

    get signal(): AbortSignal {
        return this.controller.signal;
    }

    get reason(): Error | undefined {
        return this.signal.aborted ? (this.signal.reason as Error) : undefined;
    }

    /** From now on, until it is called again. */
    expect(milliseconds: number, complaint: string): void {
        this.end();
        this.timer = setTimeout(() => this.controller.abort(new Error(complaint)), milliseconds);
    }

    end(): void {
        clearTimeout(this.timer);
    }
}

/** Why a connection fails stands in the cause of the error that `fetch` throws. */
function explained({ message, cause }: Error): string {
    if (cause === undefined) return message;
    const reason = (cause as Error).message || message;
    const { https_proxy, HTTPS_PROXY, NODE_USE_ENV_PROXY } = process.env;
    const hasUnusedProxy = (https_proxy || HTTPS_PROXY) && !NODE_USE_ENV_PROXY;
    return hasUnusedProxy ? `${reason} (for Node to use this environment's proxy: NODE_USE_ENV_PROXY=1)` : reason;
}
