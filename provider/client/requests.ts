import { readAnswer, type ApiFault } from "./answers";
import { isRead } from "./commands";
import { CloudStackError, type Outcome } from "./errors";
import { describeForeignAnswer, describeNoAnswer, isPassing } from "./failures";
import { hintFor } from "./hints";
import { formEncode } from "./params";
import { describePairs, scrub, secretValues } from "./redact";
import { Gate, backoff, requestedWait } from "./retry";
import { signedPairs } from "./sign";
import { NoAnswer, Transport, type HttpAnswer } from "./transport";
import type { ClientSettings, Clock } from "./types";

/** Requests at once. CloudStack's own limit, where it is on, is 25 per second and account; a deployment is answered after up to one second. */
const AT_ONCE = 16;

/** How long a first connection is tried when nothing ever answered: then it is rather a mistake than a restart. */
const FIRST_CONTACT_SECONDS = 5;

/** Default of `retrySeconds`. */
const RETRY_SECONDS = 60;

/** The longest wait that holds for all commands, in milliseconds: a longer one is rather meant for the one that was refused. */
const LONGEST_RATE_LIMIT = 5_000;

export interface RequestOptions {
    log?: (line: string) => void;
    /** How long a command is tried again while the API is busy or away. Default 60. */
    retrySeconds?: number;
    /** A number from 0 to 1, for the jitter of retries. */
    random?: () => number;
}

export interface SendOptions {
    /** Overtakes commands that wait for a free place, and is not tried again: for whoever comes back anyway. */
    urgent?: boolean;
}

/** One try of a command. */
type Attempt =
    { inner: any } | { error: CloudStackError; again: boolean; neverConnected?: boolean; waitMilliseconds?: number };

/**
 * Sends single commands and tries them again where that is safe: always when the API said that it is busy (429, 503) or
 * was not reached, and reads also when their answer was lost.
 */
export class Requests {
    /** HTTP requests made so far. */
    count = 0;
    private readonly settings: ClientSettings;
    private readonly clock: Clock;
    private readonly options: RequestOptions;
    private readonly transport: Transport;
    private readonly gate = new Gate(AT_ONCE);
    private contacted = false;
    /** By which our clock is ahead of the server's, as far as it is known. */
    private aheadSeconds = 0;
    /** Until when the API's rate limit refuses everything. */
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
            const tried = await this.gate.through(async () => {
                await this.waitForRateLimit();
                // What has waited for its turn until now has not failed yet.
                started = Math.min(started, this.clock.now());
                return this.try(command, pairs, attempt);
            }, urgent);
            if ("inner" in tried) {
                return tried.inner;
            }
            this.noteRateLimit(tried.waitMilliseconds);
            const random = (this.options.random ?? Math.random)();
            // Beyond the wait that was asked for too, or all that were told the same would come back together.
            const wait = (tried.waitMilliseconds ?? 0) + backoff(attempt, random);
            const limit = this.options.retrySeconds ?? RETRY_SECONDS;
            const seconds = tried.neverConnected && !this.contacted ? Math.min(limit, FIRST_CONTACT_SECONDS) : limit;
            if (urgent || !tried.again || this.clock.now() + wait - started > seconds * 1000) {
                throw tried.error;
            }
            this.log(`${tried.error.message} Trying again in ${(wait / 1000).toFixed(1)} s.`);
            await this.clock.sleep(wait);
        }
    }

    /** The limit of calls is the account's: whoever came before the asked time would only be refused, too. */
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
            again: isPassing(failure) || (this.contacted && failure.code === "ENOTFOUND"),
            neverConnected: true,
        };
    }

    /** The error of a request whose answer is not known: a change may have been made. */
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

    /** Error text of a job, without secrets. */
    clean(text: string): string {
        return scrub(text, this.secrets());
    }

    private secrets(): string[] {
        return [this.settings.secretKey, this.settings.apiKey];
    }

    /** What time it is by the server's clock, as its last answer told it, in milliseconds since the epoch. */
    now(): number {
        return this.clock.now() - this.aheadSeconds * 1000;
    }

    /** Seconds by which our clock is ahead of the server's, by its `Date` header. */
    private ahead(answer: HttpAnswer): number | undefined {
        const theirs = Date.parse(answer.headers.date ?? "");
        return Number.isNaN(theirs) ? undefined : (this.clock.now() - theirs) / 1000;
    }

    private log(line: string): void {
        this.options.log?.(scrub(line, this.secrets()));
    }
}
