/** Downloads official releases. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Release } from "./releases";

/** Timeouts in milliseconds. */
const TIMEOUTS = {
    /** Until the response begins: short, so that a missing internet connection is detected soon. */
    answer: 8_000,
    /** Between two parts of the response. */
    silence: 20_000,
};

export interface DownloadOptions {
    /** Called often with the bytes received, and the total if it is known. */
    readonly onBytes?: (received: number, total: number | undefined) => void;
    readonly patience?: typeof TIMEOUTS;
    readonly signal?: AbortSignal;
}

/**
 * Downloads the official file of a release, and returns its SHA-256.
 *
 * @throws Error if it cannot be downloaded, or has another SHA-256 than expected
 */
export async function download(
    { url, sha256, fileName, version }: Pick<Release, "url" | "sha256" | "fileName" | "version">,
    file: string,
    { onBytes = () => undefined, patience = TIMEOUTS, signal }: DownloadOptions = {},
): Promise<string> {
    if (sha256 === undefined) throw new Error(`the SHA-256 of version ${version} is not known to this package`);
    const { host } = new URL(url);
    const watch = new Watchdog();
    const aborted = signal === undefined ? watch.signal : AbortSignal.any([watch.signal, signal]);
    try {
        watch.expect(patience.answer, `${host} did not answer within ${patience.answer / 1000} s`);
        const response = await fetch(url, { signal: aborted });
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
        await pipeline(response.body, count, fs.createWriteStream(file), { signal: aborted });
        const found = hash.digest("hex");
        if (found !== sha256) throw new Error(`${fileName} has the SHA-256 ${found}, expected ${sha256} (from ${url})`);
        return found;
    } catch (error) {
        throw watch.reason ?? new Error(messageOf(error as Error));
    } finally {
        watch.end();
    }
}

/** Aborts an operation at a timeout. */
class Watchdog {
    private readonly controller = new AbortController();
    private timer: NodeJS.Timeout | undefined;

    get signal(): AbortSignal {
        return this.controller.signal;
    }

    get reason(): Error | undefined {
        return this.signal.aborted ? (this.signal.reason as Error) : undefined;
    }

    /** Sets the timeout, replacing an earlier one. */
    expect(milliseconds: number, message: string): void {
        this.end();
        this.timer = setTimeout(() => this.controller.abort(new Error(message)), milliseconds);
    }

    end(): void {
        clearTimeout(this.timer);
    }
}

/** `fetch` has the reason of a failed connection in the cause of its error. */
function messageOf({ message, cause }: Error): string {
    if (cause === undefined) return message;
    const reason = (cause as Error).message || message;
    const { https_proxy, HTTPS_PROXY, NODE_USE_ENV_PROXY } = process.env;
    const hasUnusedProxy = (https_proxy || HTTPS_PROXY) && !NODE_USE_ENV_PROXY;
    return hasUnusedProxy ? `${reason} (for Node to use this environment's proxy: NODE_USE_ENV_PROXY=1)` : reason;
}
