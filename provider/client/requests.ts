import { readAnswer, type ApiFault } from "./answers";
import { isRead } from "./commands";
import { CloudStackError, type Outcome } from "./errors";
import { describeForeignAnswer, describeNoAnswer, isTransient } from "./failures";
import { hintFor } from "./hints";
import { formEncode } from "./params";
import { describePairs, scrub, secretValues } from "./redact";
import { ConcurrencyLimit, backoff, requestedWait } from "./retry";
import { signedPairs } from "./sign";
import { NoAnswer, Transport, type HttpAnswer } from "./transport";
import type { ClientSettings, Clock } from "./types";

/**
 * The most concurrent requests. CloudStack's rate limit, where it is enabled, is 25 requests per second and account by
 * default. The longest request, a deployment, is answered after up to one second.
 */
const CONCURRENCY = 16;

/**
 * How long connecting is retried while the endpoint has never answered: it is more likely that the address is wrong
 * than that the server restarts.
 */
const FIRST_CONTACT_SECONDS = 5;

/** Default of `retrySeconds`. */
const RETRY_SECONDS = 60;

/**
 * The longest requested wait, in milliseconds, that delays all commands. A longer one delays only the refused command.
 */
const LONGEST_RATE_LIMIT = 5_000;

export interface RequestOptions {
    log?: (line: string) => void;
    /** How long a command is retried while the API is busy or unreachable. Default 60. */
    retrySeconds?: number;
    /** A number from 0 to 1, for the jitter of retries. */
    random?: () => number;
}

export interface SendOptions {
    /** Sent before the other waiting commands and not retried: for a caller that asks again anyway. */
    urgent?: boolean;
}

/** The result of one attempt to send a command. */
type Attempt =
    { inner: any } | { error: CloudStackError; again: boolean; neverConnected?: boolean; waitMilliseconds?: number };

/**
 * Sends single commands and retries them where that is safe: always when the API was busy (429, 503) or not reached,
 * and reads also when their response was lost.
 */
export class Requests {
    /** The number of HTTP requests so far. */
    count = 0;
    private readonly settings: ClientSettings;
    private readonly clock: Clock;
    private readonly options: RequestOptions;
    private readonly transport: Transport;
    private readonly concurrency = new ConcurrencyLimit(CONCURRENCY);
    private contacted = false;
    /** How far the local clock is ahead of the server's, as of the last response. */
    private aheadSeconds = 0;
    /** When the API's rate limit ends; until then it refuses every command. */
    private rateLimitedUntil = 0;

    constructor(settings: ClientSettings, clock: Clock, options: RequestOptions) {
        this.settings = settings;
        this.clock = clock;
        this.options = options;
        this.transport = new Transport(settings);
    }

    /** @throws CloudStackError */
    async send(
        command: string,
        pairs: readonly [string, string][],
        { urgent = false }: SendOptions = {},
    ): Promise<any> {
        let started = Infinity;
        for (let attempt = 0; ; attempt++) {
            const attempted = await this.concurrency.run(async () => {
                await this.waitForRateLimit();
                // The time spent waiting for a free place does not count as retrying.
                started = Math.min(started, this.clock.now());
                return this.try(command, pairs, attempt);
            }, urgent);
            if ("inner" in attempted) {
                return attempted.inner;
            }
            this.noteRateLimit(attempted.waitMilliseconds);
            const random = (this.options.random ?? Math.random)();
            // The back-off is added to the requested wait, so that commands with the same wait are not resent together.
            const wait = (attempted.waitMilliseconds ?? 0) + backoff(attempt, random);
            const limit = this.options.retrySeconds ?? RETRY_SECONDS;
            const seconds =
                attempted.neverConnected && !this.contacted ? Math.min(limit, FIRST_CONTACT_SECONDS) : limit;
            if (urgent || !attempted.again || this.clock.now() + wait - started > seconds * 1000) {
                throw attempted.error;
            }
            this.log(`${attempted.error.message} Trying again in ${(wait / 1000).toFixed(1)} s.`);
            await this.clock.sleep(wait);
        }
    }

    /** The rate limit applies to the account: any command that is sent earlier would be refused, too. */
    private noteRateLimit(milliseconds = 0): void {
        if (milliseconds <= LONGEST_RATE_LIMIT) {
            this.rateLimitedUntil = Math.max(this.rateLimitedUntil, this.clock.now() + milliseconds);
        }
    }

    private async waitForRateLimit(): Promise<void> {
        const wait = this.rateLimitedUntil - this.clock.now();
        if (wait > 0) {
            await this.clock.sleep(wait);
        }
    }

    private async try(command: string, pairs: readonly [string, string][], attempt: number): Promise<Attempt> {
        const started = this.clock.now();
        const form = formEncode(signedPairs(command, pairs, this.settings, started));
        const label = `${command} ${describePairs(pairs)}${attempt > 0 ? ` (try ${attempt + 1})` : ""}`.trim();
        this.count++;
        try {
            const answer = await this.transport.send(form, isRead(command));
            this.aheadSeconds = this.ahead(answer) ?? this.aheadSeconds;
            this.log(`${label}: HTTP ${answer.status} in ${this.clock.now() - started} ms`);
            return this.classify(command, pairs, answer);
        } catch (error) {
            if (!(error instanceof NoAnswer)) {
                throw error;
            }
            this.log(`${label}: ${error.code} after ${this.clock.now() - started} ms`);
            return this.classifyNoAnswer(command, pairs, error);
        }
    }

    private classify(command: string, pairs: readonly [string, string][], answer: HttpAnswer): Attempt {
        const reading = readAnswer(answer);
        const busy = answer.status === 429 || answer.status === 503;
        const waitMilliseconds = busy ? requestedWait(answer, this.clock.now()) : undefined;
        const httpStatus = answer.status;
        switch (reading.kind) {
            case "ok":
                this.contacted = true;
                return { inner: reading.inner };
            case "fault": {
                this.contacted = true;
                const hint = hintFor({
                    ...reading.fault,
                    command,
                    settings: this.settings,
                    clockAheadSeconds: this.ahead(answer),
                });
                const error = this.error(pairs, { command, outcome: "refused", httpStatus, ...reading.fault, hint });
                return { error, again: busy, waitMilliseconds };
            }
            case "broken": {
                const errorText = `the response of ${this.settings.endpoint} is incomplete`;
                return { error: this.lost(command, pairs, { errorText, httpStatus }), again: isRead(command) };
            }
            case "foreign": {
                const described = { ...describeForeignAnswer(answer, this.settings), httpStatus };
                if (busy || answer.status < 500) {
                    const error = this.error(pairs, { command, outcome: busy ? "refused" : "unsent", ...described });
                    return { error, again: busy, waitMilliseconds };
                }
                return { error: this.lost(command, pairs, described), again: isRead(command) };
            }
        }
    }

    private classifyNoAnswer(command: string, pairs: readonly [string, string][], failure: NoAnswer): Attempt {
        const described = describeNoAnswer(failure, this.settings);
        if (failure.sent) {
            return { error: this.lost(command, pairs, described), again: isRead(command) };
        }
        const error = this.error(pairs, { command, outcome: "unsent", ...described });
        return {
            error,
            again: isTransient(failure) || (this.contacted && failure.code === "ENOTFOUND"),
            neverConnected: true,
        };
    }

    /** The error of a request whose response was lost: a change may have been made. */
    private lost(
        command: string,
        pairs: readonly [string, string][],
        described: { errorText: string; hint?: string; httpStatus?: number },
    ): CloudStackError {
        const read = isRead(command);
        const errorText = read
            ? described.errorText
            : `${described.errorText}; the command may or may not have been carried out`;
        return this.error(pairs, { command, outcome: read ? "unsent" : "unknown", ...described, errorText });
    }

    private error(
        pairs: readonly [string, string][],
        facts: ApiFault & { command: string; outcome: Outcome; httpStatus?: number; hint?: string },
    ): CloudStackError {
        const clean = (text: string): string => scrub(text, [...this.secrets(), ...secretValues(pairs)]);
        return new CloudStackError({
            ...facts,
            errorText: clean(facts.errorText),
            hint: facts.hint && clean(facts.hint),
        });
    }

    /** The error text of a job, without secrets. */
    clean(text: string): string {
        return scrub(text, this.secrets());
    }

    private secrets(): string[] {
        return [this.settings.secretKey, this.settings.apiKey];
    }

    /** The time of the server's clock according to its last response, in milliseconds since the epoch. */
    now(): number {
        return this.clock.now() - this.aheadSeconds * 1000;
    }

    /** How far the local clock is ahead of the server's according to its `Date` header, in seconds. */
    private ahead(answer: HttpAnswer): number | undefined {
        const theirs = Date.parse(answer.headers.date ?? "");
        return Number.isNaN(theirs) ? undefined : (this.clock.now() - theirs) / 1000;
    }

    private log(line: string): void {
        this.options.log?.(scrub(line, this.secrets()));
    }
}
