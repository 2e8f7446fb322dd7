/**
 * The embedded cloud compared with a real one: 225 calls of a real CloudStack 4.22 (`transcripts.json`), sent again in
 * their order.
 *
 * The test compares HTTP status, error codes, error texts, the fields of every answer with their types, and the values
 * that the requests determine (names, states, rules, sizes, results of jobs, …). Ids are mapped from answer to answer,
 * and so are the names of the two clouds' networks and accounts. The file's notation: "#7" is an id; "*" of an object
 * is the number of a list of fields of which only the type is compared ("name:s", s text, n number, b true or false);
 * everything else is compared literally.
 *
 * Some calls of the recording are missing; `BRIDGES` replaces them where a later call depends on them. If a recorded
 * answer of a job is "pending" and a later poll finds it done, the job must still be running; if it was already done,
 * the final answer is compared.
 */
import { randomUUID } from "node:crypto";
import { startCloud, type RunningCloud } from "../../../simulator";
import { Client, type Reply, type Signing } from "./client";
import recording from "./transcripts.json";

interface Recorded {
    readonly n: number;
    readonly note: string;
    readonly caller: string;
    readonly method: string;
    readonly command: string;
    readonly params: Readonly<Record<string, unknown>>;
    readonly status: number;
    readonly body: any;
}

const CALLS = recording.calls as unknown as Recorded[];

/** Calls that cannot agree, with the reason. */
const EXCEPTIONS: Readonly<Record<number, string>> = {};

/** Lists of what each cloud offers: only the fields of their items are compared, paired by name where names agree. */
const CATALOGUE = [
    "listZones",
    "listTemplates",
    "listServiceOfferings",
    "listDiskOfferings",
    "listNetworks",
    "listNetworkOfferings",
];

const SOME_UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Jobs take this long, so that a poll right after the call finds them running. */
const JOB_SECONDS = 0.12;

let cloud: RunningCloud;
let clients: Readonly<Record<string, Client>>;
/** From the recording's ids to this cloud's. */
const ids = new Map<string, string>();
/** From the recording's names to this cloud's. */
const NAMES = [
    ["Shared SG enabled network", "shared"],
    ["tenant", "user"],
] as const;
/** Shifts this cloud's clock. */
let offset = 0;

beforeAll(async () => {
    cloud = await startCloud({ jobSeconds: JOB_SECONDS, cidr: "10.147.40.0/23", now: () => Date.now() + offset });
    clients = { user: new Client(cloud, cloud.accounts.user), admin: new Client(cloud, cloud.accounts.admin) };
    const { admin } = clients;
    await admin.done("deleteAccountFromProject", { projectid: cloud.projectId, account: "user" });
    // The recorded account had been used before.
    for (const group of [
        { name: "t1" },
        { name: "tf-k8s", description: "tf-k8s" },
        { name: "tf-etcd", description: "tf-etcd" },
    ]) {
        await clients.user.ok("createSecurityGroup", group);
    }
});

afterAll(() => cloud.close());

/** Actions before a call, by the number of the call. */
const BRIDGES: Readonly<Record<number, (user: Client) => Promise<unknown>>> = {
    45: (user) =>
        user.done("authorizeSecurityGroupIngress", {
            securitygroupid: mine("#48"),
            protocol: "4",
            cidrlist: "10.1.0.0/16",
        }),
    60: (user) =>
        user.done("authorizeSecurityGroupIngress", {
            securitygroupid: mine("#48"),
            protocol: "tcp",
            startport: 22,
            endport: 22,
            cidrlist: "10.0.0.0/8,198.51.100.0/24",
        }),
    124: () => cloud.idle(),
    // Statistics of machines are collected once a minute.
    140: async () => (offset += 60_000),
    // Groups whose rules allow each other cannot be deleted.
    285: async (user) => {
        const [group] = await user.list("listSecurityGroups", { id: mine("#48") });
        for (const rule of group.ingressrule)
            if (rule.securitygroupname !== undefined)
                await user.done("revokeSecurityGroupIngress", { id: rule.ruleid });
    },
};

function mine(label: string): string {
    const id = ids.get(label);
    if (id === undefined) throw new Error(`The id ${label} was not met yet`);
    return id;
}

const inOurNames = (text: string) => NAMES.reduce((words, [theirs, ours]) => words.replaceAll(theirs, ours), text);

/** A recorded text with this cloud's names and ids; unknown ids match any id. */
function translate(text: string): string {
    return inOurNames(text).replace(/#\d+/g, (label) => ids.get(label) ?? "<id>");
}

function parameterOf(value: unknown): string {
    const long = /^(\w{4})\w*\.\.\. \((\d+) characters\)$/.exec(String(value));
    if (long !== null) return long[1].repeat(Number(long[2]) / 4);
    return inOurNames(String(value)).replace(/#\d+/g, (label) => {
        // An id that the caller chose (customjobid).
        if (!ids.has(label)) ids.set(label, randomUUID());
        return mine(label);
    });
}

/** Counters of the clouds are not compared: numbers of machines, and ids that were never answered. */
function neutral(text: string): string {
    return text
        .replace(/i-\d+-\d+-VM/g, "i-0-0-VM")
        .replace(/"id":\d+/g, '"id":0')
        .replace(/^ROOT-\d+$/, "ROOT-0");
}

const typeOf = (value: unknown) =>
    ({ string: "s", number: "n", boolean: "b" })[typeof value as "string" | "number" | "boolean"] ?? "o";

/** Differences between a recorded value and this cloud's, each with its path. */
function compare(theirs: any, ours: any, path: string, catalogue: boolean): string[] {
    if (typeof theirs === "string") return compareText(theirs, ours, path, catalogue);
    if (Array.isArray(theirs)) return compareLists(theirs, ours, path, catalogue);
    if (theirs !== null && typeof theirs === "object") return compareObjects(theirs, ours, path, catalogue);
    if (catalogue && path.endsWith(".count") && typeof ours === "number") return [];
    return theirs === ours ? [] : [`${path}: ${theirs} recorded, ${ours} here`];
}

function compareText(theirs: string, ours: unknown, path: string, catalogue: boolean): string[] {
    if (typeof ours !== "string") return [`${path}: text recorded, ${JSON.stringify(ours)} here`];
    if (/^#\d+$/.test(theirs) && !ids.has(theirs)) {
        ids.set(theirs, ours);
        return ours.match(SOME_UUID)?.[0] === ours ? [] : [`${path}: an id recorded, "${ours}" here`];
    }
    if (catalogue) return [];
    const expected = neutral(translate(theirs));
    const actual = expected.includes("<id>") ? ours.replace(SOME_UUID, "<id>") : ours;
    return expected === neutral(actual) ? [] : [`${path}: "${expected}" recorded, "${ours}" here`];
}

function compareLists(theirs: any[], ours: unknown, path: string, catalogue: boolean): string[] {
    if (!Array.isArray(ours)) return [`${path}: a list recorded, ${JSON.stringify(ours)} here`];
    if (!catalogue) {
        const lengths =
            theirs.length === ours.length ? [] : [`${path}: ${theirs.length} items recorded, ${ours.length} here`];
        return [
            ...lengths,
            ...theirs
                .slice(0, ours.length)
                .flatMap((item, index) => compare(item, ours[index], `${path}[${index}]`, false)),
        ];
    }
    const differences = theirs.map((item, index) => {
        const twin = ours.find((own) => own?.name !== undefined && own.name === item?.name) ?? ours[index] ?? ours[0];
        return twin === undefined ? [`${path}: nothing here`] : compare(item, twin, `${path}[${index}]`, true);
    });
    // If a name was recorded twice, the later item is the one that this cloud has.
    const last = new Map(theirs.map((item, index) => [item?.name ?? index, index]));
    return differences.flatMap((found, index) => (last.get(theirs[index]?.name ?? index) === index ? found : []));
}

function compareObjects(theirs: any, ours: any, path: string, catalogue: boolean): string[] {
    if (ours === null || typeof ours !== "object" || Array.isArray(ours))
        return [`${path}: an object recorded, ${JSON.stringify(ours)} here`];
    const typed =
        theirs["*"] === undefined
            ? []
            : recording.shapes[theirs["*"]].split(" ").map((field) => [field.slice(0, -2), field.slice(-1)]);
    const known = new Set([...Object.keys(theirs), ...typed.map(([name]) => name)]);
    return [
        ...Object.keys(ours)
            .filter((name) => !known.has(name))
            .map((name) => `${path}.${name}: not recorded, here`),
        ...typed
            .filter(([name, type]) => typeOf(ours[name]) !== type)
            .map(([name, type]) => `${path}.${name}: ${type} recorded, ${JSON.stringify(ours[name])} here`),
        ...Object.entries(theirs)
            .filter(([name]) => name !== "*")
            .flatMap(([name, value]) =>
                ours[name] === undefined
                    ? [`${path}.${name}: recorded, not here`]
                    : compare(value, ours[name], `${path}.${name}`, catalogue),
            ),
    ];
}

const SIGNINGS: Readonly<Record<string, Signing>> = {
    "bad signature": { signature: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
    expired: { expires: "2020-01-01T00:00:00+0000" },
    "old signature without version and expiry": { version: "1" },
    "no key, no signature": { apiKey: undefined },
};

async function replay(call: Recorded): Promise<Reply> {
    const client = clients[call.caller];
    const params = Object.fromEntries(Object.entries(call.params).map(([name, value]) => [name, parameterOf(value)]));
    const send = () =>
        client.send(call.command, params, { method: call.method as "GET" | "POST", ...SIGNINGS[call.note] });
    let reply = await send();
    const wantsFinal =
        call.command === "queryAsyncJobResult" &&
        call.status === 200 &&
        Object.values<any>(call.body)[0].jobstatus !== 0;
    while (wantsFinal && reply.answer.jobstatus === 0) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        reply = await send();
    }
    return reply;
}

describe("answers of a real CloudStack 4.22, in their order", () => {
    test("the recording is complete", () => {
        expect(CALLS).toHaveLength(225);
        expect(CALLS.map((call) => call.n)).toEqual([...CALLS.map((call) => call.n)].sort((a, b) => a - b));
    });

    for (const call of CALLS) {
        const title = `${String(call.n).padStart(3, "0")} ${call.command}${call.note === "" ? "" : `: ${call.note}`}`;
        const reason = EXCEPTIONS[call.n];
        test(reason === undefined ? title : `${title} (cannot agree: ${reason})`, async () => {
            await BRIDGES[call.n]?.(clients.user);
            const reply = await replay(call);
            const differences = compare(call.body, reply.body, "", CATALOGUE.includes(call.command));
            if (reply.status !== call.status)
                differences.unshift(`status: ${call.status} recorded, ${reply.status} here`);
            if (reason === undefined) expect(differences).toEqual([]);
            else expect(differences).not.toEqual([]);
        });
    }
});
