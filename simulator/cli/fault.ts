/** `cloudstack-local fault`: what is to go wrong, for those who test against the cloud. */
import { parseArgs } from "node:util";
import { FAULT_KINDS, type Fault, type FaultRule } from "../api/faults";
import { ask, needRunning } from "./control";
import { stateFolder, UserError } from "./stateFolder";

export const FAULT_HELP = `cloudstack-local fault KIND [options]      add a rule
cloudstack-local fault list                the rules and how often they hit
cloudstack-local fault clear [ID]          remove one, or all

Kinds:
  refuse         the answer is an error (--status, --text), nothing is done
  throttle       the same with 429
  unavailable    the same with 503 and a page of HTML
  delay          the request waits for --seconds
  cut            the connection is cut, nothing is done
  drop           the request is done, then the connection is cut
  failJob        the command's job fails at its end (--status, --text)
  jobSeconds     the command's job takes --seconds

Options:
  --state DIR        the state folder (default: $CLOUDSTACK_LOCAL_STATE, else the XDG state folder)
  --command NAME     only this command; * stands for any text (default: all)
  --account NAME     only calls of this account (default: all)
  --count N          how often it hits, 0 for always (default 1)
  --skip N           how many pass before it hits (default 0)
  --status N         error code and HTTP status (default 530)
  --text TEXT        the error's text
  --seconds S        for delay and jobSeconds

Rules are gone when the cloud stops.
`;

const OPTIONS = {
    state: { type: "string" },
    command: { type: "string" },
    account: { type: "string" },
    count: { type: "string" },
    skip: { type: "string" },
    status: { type: "string" },
    text: { type: "string" },
    seconds: { type: "string" },
} as const;

function shown(rule: FaultRule): string {
    const limits = [
        rule.account && `account ${rule.account}`,
        rule.skip && `after ${rule.skip}`,
        rule.seconds !== undefined && `${rule.seconds} s`,
        rule.status,
        rule.text,
    ];
    const times = rule.count === 0 ? "always" : `${rule.hits} of ${rule.count ?? 1}`;
    return [rule.id, rule.kind, rule.command ?? "*", times, ...limits.filter((part) => part)].join("  ");
}

export async function fault(args: string[]): Promise<void> {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    const [action, id] = positionals;
    if (action === undefined)
        throw new UserError(
            `Say which fault: ${FAULT_KINDS.join(", ")}, or list, or clear (see cloudstack-local fault --help).`,
            2,
        );
    const { server } = await needRunning(stateFolder(values.state));
    if (action === "list") {
        const { faults } = await ask<{ faults: FaultRule[] }>(server, "GET", "faults");
        console.log(faults.length === 0 ? "No faults." : faults.map(shown).join("\n"));
        return;
    }
    if (action === "clear") {
        const { cleared } = await ask<{ cleared: number }>(
            server,
            "DELETE",
            id === undefined ? "faults" : `faults?id=${encodeURIComponent(id)}`,
        );
        console.log(`${cleared} removed.`);
        return;
    }
    const numeric = (name: "count" | "skip" | "status" | "seconds") =>
        values[name] === undefined ? {} : { [name]: Number(values[name]) };
    const text = (name: "command" | "account" | "text") => (values[name] === undefined ? {} : { [name]: values[name] });
    const rule = {
        kind: action,
        ...text("command"),
        ...text("account"),
        ...text("text"),
        ...numeric("count"),
        ...numeric("skip"),
        ...numeric("status"),
        ...numeric("seconds"),
    };
    console.log(shown(await ask<FaultRule>(server, "POST", "faults", rule as Fault)));
}
