/**
 * The control endpoint of `cloudstack-local`: JSON below /control/, authorized by the state folder's token (header
 * `Authorization: Bearer …`).
 *
 *     GET    /control/status          GET /control/machines
 *     GET    /control/faults          POST /control/faults (a rule)          DELETE /control/faults[?id=…]
 */
import { timingSafeEqual } from "node:crypto";
import type * as http from "node:http";
import type { Answer } from "./dispatch";
import { checkFault, type Fault, type Faults } from "./faults";

export interface ControlParts {
    readonly token: string;
    readonly faults: Faults;
    readonly status: () => object;
    readonly machines: () => readonly object[];
}

const problem = (status: number, error: string): Answer => ({ status, body: { error } });

function isAllowed(request: http.IncomingMessage, token: string): boolean {
    const given = Buffer.from(request.headers.authorization ?? "");
    const expected = Buffer.from(`Bearer ${token}`);
    return given.length === expected.length && timingSafeEqual(given, expected);
}

function addFault(faults: Faults, body: string): Answer {
    let fault: Fault;
    try {
        fault = JSON.parse(body);
    } catch {
        return problem(400, "The body is not JSON.");
    }
    const wrong = checkFault({ ...fault });
    return wrong === undefined ? { status: 200, body: faults.add(fault) } : problem(400, wrong);
}

export function control(parts: ControlParts): (request: http.IncomingMessage, body: string) => Promise<Answer> {
    return async (request, body) => {
        if (!isAllowed(request, parts.token))
            return problem(401, "The token of this cloud's state folder is missing or wrong.");
        const url = new URL(request.url ?? "/", "http://localhost");
        switch (`${request.method} ${url.pathname}`) {
            case "GET /control/status":
                return { status: 200, body: parts.status() };
            case "GET /control/machines":
                return { status: 200, body: { machines: parts.machines() } };
            case "GET /control/faults":
                return { status: 200, body: { faults: parts.faults.list() } };
            case "POST /control/faults":
                return addFault(parts.faults, body);
            case "DELETE /control/faults":
                return { status: 200, body: { cleared: parts.faults.clear(url.searchParams.get("id") ?? undefined) } };
            default:
                return problem(404, `${request.method} ${url.pathname} not found.`);
        }
    };
}
