import { inspect } from "node:util";
import { Client, type Clock } from "../../../../provider/client";
import { sign } from "../../../../provider/client/sign";
import { API_KEY, SECRET_KEY, failure, fault, hurriedClock, ok, settingsFor, standIn } from "./support";
import type { Reply, Received, StandIn } from "./support";

let server: StandIn;

afterEach(() => server.close());

/** A client of a server that gives these replies in turn, and the last one from then on. */
async function clientOf(
    replies: Reply[],
    options: Partial<Clock> & { retrySeconds?: number } = {},
    more = {},
): Promise<Client> {
    server = await standIn((_, index) => replies[Math.min(index, replies.length - 1)]!);
    return new Client(settingsFor(server.endpoint, more), { ...hurriedClock(), random: () => 1, ...options });
}

const commands = (): string[] => server.received.map(({ params }) => params.command!);

describe("requests", () => {
    const isSigned = ({ params }: Received): boolean => {
        const { signature, ...rest } = params;
        return signature === sign(Object.entries(rest), SECRET_KEY);
    };

    test("that read use GET, and those that change use POST with an empty query, both signed", async () => {
        const client = await clientOf([ok("x", {})]);
        await client.call("listZones", { name: "Zürich (a+b)" });
        await client.call("updateVirtualMachine", { id: "1", details: { note: "x y" } });
        const [read, change] = server.received;
        expect(read!.method).toBe("GET");
        expect(change).toMatchObject({
            method: "POST",
            url: "/client/api",
            params: { "details[0].note": "x y", response: "json" },
        });
        expect(read!.params.name).toBe("Zürich (a+b)");
        expect([read!, change!].every(isSigned)).toBe(true);
        expect(client.calls).toBe(2);
    });

    test("that read with long parameters use POST", async () => {
        const client = await clientOf([ok("listVirtualMachines", {})]);
        await client.call("listVirtualMachines", {
            ids: Array.from({ length: 80 }, (_, index) => `id-of-machine-${index}-0000000`),
        });
        expect(server.received[0]!.method).toBe("POST");
        expect(isSigned(server.received[0]!)).toBe(true);
    });

    test("accept an answer under the name of another command", async () => {
        const client = await clientOf([ok("updateVirtualMachine", { jobid: "j" })]);
        expect(await client.call("updateVMAffinityGroup", { id: "1", affinitygroupids: [] })).toEqual({ jobid: "j" });
    });

    test("are not sent with a comma in an element of a list", async () => {
        const client = await clientOf([ok("x", {})]);
        expect(await failure(client.call("deployVirtualMachine", { keypairs: ["a,b"] }))).toMatchObject({
            outcome: "unsent",
            errorText: expect.stringContaining('keypairs: "a,b"'),
        });
        expect(server.received).toEqual([]);
    });

    test("run at most sixteen at a time", async () => {
        const client = await clientOf([ok("listZones", {})]);
        const { transport } = (client as any).requests;
        const send = transport.send.bind(transport);
        let open = 0;
        let most = 0;
        transport.send = async (...request: unknown[]) => {
            most = Math.max(most, ++open);
            return send(...request).finally(() => open--);
        };
        await Promise.all(Array.from({ length: 50 }, () => client.call("listZones")));
        expect(most).toBe(16);
        expect(server.received.length).toBe(50);
    });
});

describe("an error of CloudStack", () => {
    test("has the command, text, codes and a hint", async () => {
        const text = "The vm with hostName web-1 already exists in the network domain: cs1cloud.internal; network=net";
        const client = await clientOf([fault("deployVirtualMachine", 431, text, 4350)]);
        const error = await failure(client.call("deployVirtualMachine", { name: "web-1" }));
        expect(error).toMatchObject({
            name: "CloudStackError",
            outcome: "refused",
            httpStatus: 431,
            errorCode: 431,
            csErrorCode: 4350,
            errorText: text,
        });
        expect(error.message).toBe(
            `deployVirtualMachine: ${text} (error 431, cserrorcode 4350). Machine names are unique per network, also among ` +
                "accounts that do not see each other's machines, and a destroyed machine keeps its name until the cloud expunges it: give " +
                "this machine another name (argument name).",
        );
        expect(server.received.length).toBe(1);
    });

    test("about wrong keys says which keys, where they came from, and for which endpoint", async () => {
        const client = await clientOf([
            fault("listZones", 401, "unable to verify user credentials and/or request signature"),
        ]);
        const { message } = await failure(client.call("listZones"));
        expect(message).toContain("API key Key4… from environment CLOUDSTACK_API_KEY");
        expect(message).toContain(`${server.endpoint} (from environment CLOUDSTACK_ENDPOINT)`);
        expect(message).toContain("clock");
    });

    test("about a clock that is off is recognised by the server's date", async () => {
        const date = new Date(Date.now() - 25 * 60_000).toUTCString();
        const [status, body] = fault(
            "listZones",
            401,
            "unable to verify user credentials and/or request signature",
        ) as [number, object];
        const client = await clientOf([[status, body, { Date: date }]]);
        expect((await failure(client.call("listZones"))).message).toContain("clock is 25 minutes ahead of");
    });

    test.each([
        [
            432,
            "The API [createZone] does not exist or is not available for the account for user id [5].",
            /role does not allow/,
        ],
        [530, "Internal error executing command, please contact your system administrator", /hides the reason/],
        [530, "Account does not have permission for expunging.", /may not expunge/],
        [535, "Maximum amount of resources of Type = 'user_vm' for Account is exceeded", /limit/],
        [536, "Cannot delete group when there are security rules that allow this group", /revoke them first/],
        [
            431,
            "Unable to execute API command x due to invalid value. Invalid parameter id value=4711 due to " +
                "incorrect long value format, or entity does not exist or due to incorrect parameter annotation for the field",
            /id 4711 not found: it was deleted, or it belongs to another account, project or cloud/,
        ],
    ])("%i %s has a hint", async (code, text, hint) => {
        const client = await clientOf([fault("deleteThing", code, text)]);
        const error = await failure(client.call("deleteThing"));
        expect(error.hint).toMatch(hint);
        expect(error.message).toContain(error.hint);
    });
});

describe("retries", () => {
    test.each(["listZones", "createSecurityGroup"])(
        "after 429 and 503, for %s, wait for as long as the server asks",
        async (command) => {
            const clock = hurriedClock();
            const client = await clientOf(
                [
                    fault(
                        command,
                        429,
                        "The given user has reached his/her account api limit, please retry after [7123] ms.",
                        4545,
                    ),
                    [503, "<html><title>Down</title></html>", { "Retry-After": "11" }],
                    ok(command, { done: true }),
                ],
                clock,
            );
            expect(await client.call(command)).toEqual({ done: true });
            expect(clock.slept).toEqual([7123 + 250, 11_000 + 500]);
        },
    );

    test("a wait that was asked of one command applies to the following ones, unless it is long", async () => {
        const clock = hurriedClock();
        const limit = (wait: number) => fault("listZones", 429, `api limit, please retry after [${wait}] ms.`, 4545);
        const client = await clientOf([limit(800), ok("listZones", {}), limit(60_000), ok("listZones", {})], {
            ...clock,
            retrySeconds: 0,
        });
        expect(await failure(client.call("listZones"))).toMatchObject({ errorCode: 429 });
        await client.call("listZones");
        const [waited, ...more] = clock.slept;
        expect(more).toEqual([]);
        expect(waited).toBeGreaterThan(700);
        expect(await failure(client.call("listZones"))).toMatchObject({ errorCode: 429 });
        await client.call("listZones");
        expect(clock.slept).toHaveLength(1);
    });

    test("the limit of a minute begins with the first try: waiting for a turn does not count", async () => {
        const clock = hurriedClock();
        // Sixteen are sent first, and their answers take minutes of this clock.
        let refused = false;
        server = await standIn(({ params }) => {
            if (params.name !== "last") void clock.sleep(15_000);
            else if (!refused) {
                refused = true;
                return fault("listZones", 503, "busy");
            }
            return ok("listZones", { name: params.name });
        });
        const client = new Client(settingsFor(server.endpoint), { ...clock, random: () => 1 });
        const names = [..."123456789abcdefg"].concat("last");
        const answers = await Promise.all(names.map((name) => client.call("listZones", { name })));
        expect(answers).toEqual(names.map((name) => ({ name })));
        expect(refused).toBe(true);
    });

    test("come with growing waits, for about a minute", async () => {
        const clock = hurriedClock();
        const client = await clientOf([fault("listZones", 503, "shutting down")], clock);
        expect(await failure(client.call("listZones"))).toMatchObject({ outcome: "refused", errorCode: 503 });
        expect(clock.slept.slice(0, 6)).toEqual([250, 500, 1000, 2000, 4000, 8000]);
        const total = clock.slept.reduce((sum, wait) => sum + wait, 0);
        expect(total).toBeGreaterThan(40_000);
        expect(total).toBeLessThanOrEqual(60_000);
    });

    test("last for a time that can be set", async () => {
        const clock = hurriedClock();
        const client = await clientOf([fault("listZones", 503, "shutting down")], { ...clock, retrySeconds: 1 });
        await failure(client.call("listZones"));
        expect(clock.slept).toEqual([250, 500]);
    });

    test("follow a read whose connection broke or whose answer was cut off", async () => {
        const client = await clientOf([
            "cut",
            [200, '{"listzonesresponse":{"count":'],
            [502, "<html>Bad Gateway</html>"],
            ok("listZones", { count: 0 }),
        ]);
        expect(await client.call("listZones")).toEqual({ count: 0 });
        expect(server.received.length).toBe(4);
    });

    test.each<[string, Reply]>([
        ["whose connection broke", "cut"],
        ["whose answer ended early", [200, '{"createsecuritygroupresponse":{']],
        ["whose answer a gateway lost", [504, "<html><title>Gateway Timeout</title></html>"]],
    ])("do not follow a change %s: its result is unknown", async (_, reply) => {
        const client = await clientOf([reply]);
        const error = await failure(client.call("createSecurityGroup", { name: "a" }));
        expect(error).toMatchObject({ command: "createSecurityGroup", outcome: "unknown" });
        expect(error.message).toContain("may or may not have been carried out");
        expect(server.received.length).toBe(1);
    });

    test("do not follow a request without an answer in time: a change is unknown, a read unsent", async () => {
        const client = await clientOf(["silence"], { retrySeconds: 0 }, { httpTimeoutSeconds: 0.2 });
        expect(await failure(client.call("registerSSHKeyPair"))).toMatchObject({
            outcome: "unknown",
            errorText: expect.stringContaining("HTTP timeout"),
        });
        expect(await failure(client.call("listZones"))).toMatchObject({ outcome: "unsent" });
    });
});

describe("asynchronous commands whose answer was lost", () => {
    const job = { jobid: "set below", jobstatus: 0, jobinstanceid: "vm-1" };
    const unknownJob = fault(
        "queryAsyncJobResult",
        431,
        "Invalid parameter jobid value=x due to incorrect long value format, or entity does not exist",
        9999,
    );

    test("carry a job id chosen by the client, a new one each", async () => {
        const client = await clientOf([ok("deployVirtualMachine", { id: "vm-1", jobid: "j" })]);
        expect(await client.start("deployVirtualMachine", { name: "a" })).toEqual({ id: "vm-1", jobid: "j" });
        await client.start("deployVirtualMachine", { name: "b" });
        const ids = server.received.map(({ params }) => params.customjobid);
        expect(ids[0]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        expect(new Set(ids).size).toBe(2);
    });

    test("are looked up and not sent again", async () => {
        const client = await clientOf(["cut", ok("queryAsyncJobResult", job)]);
        const accepted = await client.start("deployVirtualMachine", { name: "a" });
        const [sent, asked] = server.received;
        expect(accepted).toEqual({ jobid: sent!.params.customjobid, id: "vm-1" });
        expect(asked!.params.jobid).toBe(sent!.params.customjobid);
        expect(commands()).toEqual(["deployVirtualMachine", "queryAsyncJobResult"]);
    });

    test("may not have arrived yet at the first look-up", async () => {
        const client = await clientOf(["cut", unknownJob, ok("queryAsyncJobResult", job)]);
        expect(await client.start("deployVirtualMachine")).toMatchObject({ id: "vm-1" });
    });

    test("are unknown and not sent again, if they create something and are not found", async () => {
        const client = await clientOf(["cut", unknownJob]);
        expect(await failure(client.start("deployVirtualMachine", { name: "a" }))).toMatchObject({
            outcome: "unknown",
        });
        expect(commands().filter((command) => command === "deployVirtualMachine").length).toBe(1);
    });

    test("are sent again with the same id, if they create nothing and are not found", async () => {
        const client = await clientOf([
            "cut",
            unknownJob,
            unknownJob,
            unknownJob,
            ok("startVirtualMachine", { jobid: "j" }),
        ]);
        expect(await client.start("startVirtualMachine", { id: "vm-1" })).toEqual({ jobid: "j" });
        const sent = server.received.filter(({ params }) => params.command === "startVirtualMachine");
        expect(sent.length).toBe(2);
        expect(sent[1]!.params.customjobid).toBe(sent[0]!.params.customjobid);
    });

    test("and are found when the second one is refused because the first had arrived", async () => {
        const taken = fault(
            "startVirtualMachine",
            431,
            "UUID: x already exists so can't create/update with custom id",
            4350,
        );
        const client = await clientOf([
            "cut",
            unknownJob,
            unknownJob,
            unknownJob,
            taken,
            ok("queryAsyncJobResult", job),
        ]);
        expect(await client.start("startVirtualMachine", { id: "vm-1" })).toMatchObject({ id: "vm-1" });
    });

    test("stay unknown if the look-up fails", async () => {
        const client = await clientOf(["cut", fault("queryAsyncJobResult", 530, "Internal error executing command")]);
        expect(await failure(client.start("startVirtualMachine", { id: "vm-1" }))).toMatchObject({
            command: "startVirtualMachine",
            outcome: "unknown",
        });
    });

    test("are not looked up if they were refused", async () => {
        const client = await clientOf([fault("startVirtualMachine", 431, "no", 4350)]);
        expect(await failure(client.start("startVirtualMachine"))).toMatchObject({ outcome: "refused" });
        expect(server.received.length).toBe(1);
    });
});

describe("jobs", () => {
    test("that succeed give their result", async () => {
        const client = await clientOf([
            ok("startVirtualMachine", { jobid: "j" }),
            ok("queryAsyncJobResult", { jobstatus: 0 }),
            ok("queryAsyncJobResult", { jobstatus: 1, jobresult: { virtualmachine: { id: "1" } } }),
        ]);
        expect(await client.run("startVirtualMachine", { id: "1" }, { timeoutSeconds: 60 })).toEqual({
            virtualmachine: { id: "1" },
        });
    });

    test("that fail are an error with the job's id and a hint", async () => {
        const client = await clientOf([
            ok("destroyVirtualMachine", { jobid: "j-1" }),
            ok("queryAsyncJobResult", {
                jobstatus: 2,
                jobresultcode: 530,
                jobresult: { errorcode: 530, errortext: "Account does not have permission for expunging." },
            }),
        ]);
        const error = await failure(client.run("destroyVirtualMachine", { id: "1" }, { timeoutSeconds: 60 }));
        expect(error).toMatchObject({
            outcome: "failed",
            errorCode: 530,
            jobId: "j-1",
            command: "destroyVirtualMachine",
        });
        expect(error.message).toMatch(
            /^destroyVirtualMachine: Account does not have permission for expunging \(error 530, job j-1\)\. Nothing/,
        );
    });

    test("that do not end in time are pending", async () => {
        const client = await clientOf([ok("queryAsyncJobResult", { jobstatus: 0 })]);
        expect(
            await failure(client.wait("j-1", { command: "deployVirtualMachine", timeoutSeconds: 30 })),
        ).toMatchObject({ outcome: "pending", jobId: "j-1" });
    });

    test("that CloudStack no longer knows are unknown", async () => {
        const client = await clientOf([fault("queryAsyncJobResult", 431, "entity does not exist", 9999)]);
        expect(
            await failure(client.wait("j-1", { command: "deployVirtualMachine", timeoutSeconds: 30 })),
        ).toMatchObject({ outcome: "unknown", jobId: "j-1", errorCode: 431 });
    });

    test("share the list of running jobs", async () => {
        server = await standIn(({ params }, index) =>
            params.command === "listAsyncJobs"
                ? ok("listAsyncJobs", index < 2 ? { count: 2, asyncjobs: [{ jobid: "a" }, { jobid: "b" }] } : {})
                : ok("queryAsyncJobResult", { jobstatus: 1, jobresult: { of: params.jobid } }),
        );
        const client = new Client(settingsFor(server.endpoint), hurriedClock());
        const wait = (id: string): Promise<unknown> =>
            client.wait(id, { command: "deployVirtualMachine", timeoutSeconds: 60 });
        expect(await Promise.all([wait("a"), wait("b")])).toEqual([{ of: "a" }, { of: "b" }]);
        const lists = Array(3).fill("listAsyncJobs");
        expect(commands()).toEqual([...lists, "queryAsyncJobResult", "queryAsyncJobResult"]);
    });
});

describe("secrets", () => {
    const userdata = Buffer.from("#cloud-config\npassword: hunter22\n").toString("base64");
    const secretParams = {
        name: "web-1",
        userdata,
        details: { vncPassword: "hunter2233" },
        privatekey: "-----BEGIN PRIVATE KEY-----\nabcdef\n-----END PRIVATE KEY-----",
    };
    const pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIsecretsecret\n-----END RSA PRIVATE KEY-----";

    test.each<[string, Reply[]]>([
        [
            "an error that echoes them",
            [fault("deployVirtualMachine", 431, `bad userdata ${userdata} of ${API_KEY} signed ${SECRET_KEY} ${pem}`)],
        ],
        [
            "a page that echoes the request",
            [[400, `<title>userdata=${encodeURIComponent(userdata)}&apiKey=${API_KEY}&signature=abcDEF%3D</title>`]],
        ],
        ["a lost answer", ["cut"]],
        ["a redirect", [[302, "", { Location: `https://elsewhere/?apiKey=${API_KEY}&signature=abcDEF%3D` }]]],
        ["success", [ok("deployVirtualMachine", { keypair: { privatekey: pem }, id: "1" })]],
        ["a retry", [[503, `<title>${SECRET_KEY}</title>`], ok("deployVirtualMachine", { id: "1" })]],
    ])("do not appear in errors and log lines: %s", async (_, replies) => {
        const lines: string[] = [];
        server = await standIn((_request, index) => replies[Math.min(index, replies.length - 1)]!);
        const client = new Client(settingsFor(server.endpoint), { ...hurriedClock(), log: (line) => lines.push(line) });
        const error = await client.call("deployVirtualMachine", secretParams).catch((thrown) => thrown);
        const thrown =
            error instanceof Error ? `${error.stack} ${inspect(error, { depth: 20, showHidden: true })}` : "";
        const shown = `${lines.join("\n")} ${thrown}`;
        expect(lines.length).toBeGreaterThan(0);
        for (const secret of [
            userdata,
            encodeURIComponent(userdata),
            API_KEY,
            SECRET_KEY,
            "hunter2233",
            "abcDEF",
            "MIIsecret",
            "BEGIN PRIVATE",
        ]) {
            expect(shown).not.toContain(secret);
        }
        expect(shown).toContain("deployVirtualMachine");
    });
});
