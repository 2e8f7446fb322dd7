import { keyStart } from "./redact";
import type { HttpAnswer, NoAnswer } from "./transport";
import type { ClientSettings } from "./types";

/** Messages for failed connections and for responses that CloudStack did not write. */

const UNTRUSTED = new Set([
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
]);

const TRANSIENT = new Set([
    "ECONNREFUSED",
    "ECONNRESET",
    "ECONNABORTED",
    "EPIPE",
    "ETIMEDOUT",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "EAI_AGAIN",
    "TIMEOUT",
]);

/** Whether a retry of the same request may succeed. */
export function isTransient(failure: NoAnswer): boolean {
    return failure.sent || TRANSIENT.has(failure.code);
}

/** The endpoint and the place where it was read, for messages. */
export function endpointOf(settings: ClientSettings): string {
    const source = settings.sources.endpoint;
    return `${settings.endpoint}${source ? ` (from ${source})` : ""}`;
}

/** Describes the keys without showing them. */
export function keysOf(settings: ClientSettings): string {
    const from = (source: string | undefined): string => (source ? ` from ${source}` : "");
    const { apiKey, secretKey } = settings.sources;
    return `API key ${keyStart(settings.apiKey)}${from(apiKey)}, secret key${from(secretKey)}`;
}

/** The error text and hint for a request without a response. */
export function describeNoAnswer(failure: NoAnswer, settings: ClientSettings): { errorText: string; hint?: string } {
    const endpoint = endpointOf(settings);
    const { code } = failure;
    if (failure.sent) {
        const what =
            code === "TIMEOUT"
                ? "no answer within the HTTP timeout"
                : `the connection broke before the answer (${code})`;
        return { errorText: `${endpoint}: ${what}` };
    }
    if (UNTRUSTED.has(code)) {
        return {
            errorText: `the certificate of ${endpoint} is signed by an authority that is not trusted (${code})`,
            hint: withVerifyNote(
                "Set caFile (CLOUDSTACK_CA_FILE) or NODE_EXTRA_CA_CERTS to the authority's PEM file",
                settings,
            ),
        };
    }
    if (/CERT|ALTNAME|HOSTNAME_MISMATCH/.test(code)) {
        return {
            errorText: `the certificate of ${endpoint} is not valid: ${failure.message}`,
            hint: withVerifyNote(
                "The endpoint's host name and this machine's clock must agree with the certificate",
                settings,
            ),
        };
    }
    if (code === "EPROTO" || /^ERR_SSL|^HPE_/.test(code)) {
        const other = settings.endpoint.startsWith("https:") ? "http" : "https";
        return {
            errorText: `${endpoint} does not speak ${other === "http" ? "TLS" : "HTTP"} (${code})`,
            hint: `Is it an ${other}:// endpoint?`,
        };
    }
    return { errorText: `cannot reach ${endpoint}: ${reason(failure)}`, hint: reachHint(code, settings) };
}

function withVerifyNote(hint: string, settings: ClientSettings): string {
    return `${hint}.${settings.sources.tls ? ` ${settings.sources.tls}.` : ""}`;
}

function reason({ code, message }: NoAnswer): string {
    switch (code) {
        case "ECONNREFUSED":
            return "nothing listens there (connection refused)";
        case "ENOTFOUND":
            return "its host name cannot be resolved (DNS)";
        case "EAI_AGAIN":
            return "its host name cannot be resolved at the moment (DNS)";
        case "TIMEOUT":
        case "ETIMEDOUT":
            return "it does not accept the connection (timeout)";
        case "CA_FILE":
            return `the caFile cannot be read: ${message}`;
        default:
            return `${message} (${code})`;
    }
}

function reachHint(code: string, settings: ClientSettings): string | undefined {
    if (code === "CA_FILE") {
        return undefined;
    }
    const proxy = proxyVariable(settings.endpoint);
    if (proxy) {
        return `The environment variable ${proxy} sets a proxy; hosts in NO_PROXY are reached without it.`;
    }
    return /^\w+:\/\/(localhost|127\.|\[::1\])/.test(settings.endpoint)
        ? "If it is meant to be the embedded cloud: cloudstack-local start."
        : undefined;
}

/** The environment variable that sets a proxy for this endpoint, if there is one. */
function proxyVariable(endpoint: string): string | undefined {
    const names = endpoint.startsWith("https:") ? ["https_proxy", "all_proxy"] : ["http_proxy", "all_proxy"];
    return names.flatMap((name) => [name, name.toUpperCase()]).find((name) => process.env[name]);
}

/** The error text and hint for a response that CloudStack did not write: a page of a proxy or of another web server. */
export function describeForeignAnswer(
    answer: HttpAnswer,
    settings: ClientSettings,
): { errorText: string; hint?: string } {
    const endpoint = endpointOf(settings);
    const title = pageTitle(answer.body);
    const answered = `HTTP ${answer.status}${title ? ` "${title}"` : ""}`;
    const { location } = answer.headers;
    if (answer.status >= 300 && answer.status < 400 && location) {
        return {
            errorText: `${endpoint} redirects to ${location.split("?")[0]}`,
            hint: "Set the endpoint to the final address.",
        };
    }
    if (answer.status === 407) {
        return {
            errorText: `the proxy in front of ${endpoint} requires a user name and a password (${answered})`,
            hint: "Set them in HTTPS_PROXY: http://name:password@host:port.",
        };
    }
    if (answer.status >= 500) {
        return { errorText: `${endpoint} answered ${answered} instead of CloudStack's JSON` };
    }
    return {
        errorText: `${endpoint} is not a CloudStack API: it answered ${answered}`,
        hint: "An endpoint looks like https://cloud.example.com/client/api.",
    };
}

function pageTitle(body: string): string | undefined {
    const title = /<title>([^<]*)<\/title>/i.exec(body)?.[1] ?? (body.includes("<") ? undefined : body);
    return title?.replace(/\s+/g, " ").trim().slice(0, 100) || undefined;
}
