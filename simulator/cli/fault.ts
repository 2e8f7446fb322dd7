/** `cloudstack-local fault`: injects faults, for tests against the cloud. */
import { parseArgs } from "node:util";
import { FAULT_KINDS, type Fault, type FaultRule } from "../api/faults";
import { callControl, requireRunningCloud } from "./control";
import { stateFolder, UserError } from "./stateFolder";

export const FAULT_HELP = `cloudstack-local fault KIND [options]      add a rule
cloudstack-local fault list                list the rules, and how often each was applied
cloudstack-local fault clear [ID]          remove one, or all

Kinds:
  refuse         answer with an error (--status, --text); the request is not executed
  throttle       the same with HTTP status 429
  unavailable    the same with HTTP status 503 and an HTML page
  delay          execute the request after --seconds
  cut            close the connection; the request is not executed
  drop           execute the request, then close the connection without an answer
  failJob        let the command's job fail at its end (--status, --text)
  jobSeconds     let the command's job take --seconds

Options:
  --state DIR        the state folder (default: $CLOUDSTACK_LOCAL_STATE, else the XDG state folder)
  --command NAME     only this command; * matches any characters (default: all)
  --account NAME     only calls of this account (default: all)
  --count N          how many calls it applies to, 0 for all (default 1)
  --skip N           how many calls pass before it applies (default 0)
  --status N         error code and HTTP status (default 530)
  --text TEXT        the error text
  --seconds S        for delay and jobSeconds

Rules are deleted when the cloud stops.
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

function ruleLine(rule: FaultRule): string {
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
            `A kind of fault, list or clear is required. Kinds: ${FAULT_KINDS.join(", ")} (see cloudstack-local fault --help).`,
            2,
        );
    const { server } = await requireRunningCloud(stateFolder(values.state));
    if (action === "list") {
        const { faults } = await callControl<{ faults: FaultRule[] }>(server, "GET", "faults");
        console.log(faults.length === 0 ? "No faults." : faults.map(ruleLine).join("\n"));
        return;
    }
    if (action === "clear") {
        const { cleared } = await callControl<{ cleared: number }>(
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
    console.log(ruleLine(await callControl<FaultRule>(server, "POST", "faults", rule as Fault)));
}
