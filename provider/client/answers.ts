import type { HttpAnswer } from "./transport";

/** An error that CloudStack reports, in a response or in the result of a job. */
export interface ApiFault {
    errorCode?: number;
    csErrorCode?: number;
    errorText: string;
}

/**
 * The content of a response:
 * - `ok`: the inner object of `…response`,
 * - `fault`: an error that CloudStack reports,
 * - `broken`: JSON that ends early,
 * - `foreign`: a response that CloudStack did not write.
 */
export type Reading =
    { kind: "ok"; inner: any } | { kind: "fault"; fault: ApiFault } | { kind: "broken" } | { kind: "foreign" };

export function readAnswer(answer: HttpAnswer): Reading {
    const text = answer.body.trim();
    let parsed: unknown;
    try {
        parsed = JSON.parse(text);
    } catch {
        return { kind: text.startsWith("{") || (text === "" && answer.status === 200) ? "broken" : "foreign" };
    }
    // Some commands use the response name of another command, so the name is not compared.
    const inner = Object.entries((parsed ?? {}) as object).find(([name]) => name.endsWith("response"))?.[1];
    if (typeof inner !== "object" || inner === null) {
        return { kind: "foreign" };
    }
    const fault = readFault(inner);
    if (fault) {
        return { kind: "fault", fault };
    }
    return answer.status < 400 ? { kind: "ok", inner } : { kind: "foreign" };
}

/** The error in an object with `errorcode` or `errortext`. */
export function readFault(value: any): ApiFault | undefined {
    if (
        typeof value !== "object" ||
        value === null ||
        (value.errorcode === undefined && value.errortext === undefined)
    ) {
        return undefined;
    }
    return {
        errorCode: toNumber(value.errorcode),
        csErrorCode: toNumber(value.cserrorcode),
        errorText: value.errortext ? String(value.errortext) : "no reason given",
    };
}

function toNumber(value: unknown): number | undefined {
    const number = Number(value);
    return value === undefined || value === null || Number.isNaN(number) ? undefined : number;
}
