import {
    Client,
    resolveSettings,
    type ClientOptions,
    type ClientSettings,
    type CloudStackError,
} from "../../provider/client";
import { startCloud, type Fault, type RunningCloud } from "../../simulator";

/** The client with the embedded cloud: two implementations of one definition that share no code. */

let cloud: RunningCloud;
let place: { zoneid: string; serviceofferingid: string; templateid: string; networkids: string[] };

beforeAll(async () => {
    cloud = await startCloud();
    const client = connect();
    const [zone] = await client.list("listZones", { name: "sandbox" });
    const [offering] = await client.list("listServiceOfferings", { name: "Small Instance" });
    const [template] = await client.list("listTemplates", { templatefilter: "featured", zoneid: zone.id });
    const [network] = await client.list("listNetworks", { zoneid: zone.id });
    place = { zoneid: zone.id, serviceofferingid: offering.id, templateid: template.id, networkids: [network.id] };
});

afterAll(() => cloud.close());

afterEach(() => {
    cloud.clearFaults();
    cloud.clearCalls();
});

function settings(more: Partial<ClientSettings> = {}): ClientSettings {
    const { apiKey, secretKey } = cloud.accounts.user;
    const env = { CLOUDSTACK_ENDPOINT: cloud.endpoint, CLOUDSTACK_API_KEY: apiKey, CLOUDSTACK_SECRET_KEY: secretKey };
    return { ...resolveSettings({ env }), ...more };
}

const connect = (more: Partial<ClientSettings> = {}, options: ClientOptions = {}): Client =>
    new Client(settings(more), options);

async function failure(work: Promise<unknown>): Promise<CloudStackError> {
    return work.then(
        () => {
            throw new Error("it did not fail");
        },
        (error) => error,
    );
}

const calls = (command: string): number => cloud.calls().filter((call) => call.command === command).length;

const fault = (kind: Fault["kind"], command: string, more: Partial<Fault> = {}): void =>
    void cloud.fault({ kind, command, ...more });

const timeoutSeconds = 60;

describe("signatures", () => {
    test("of texts with special characters are accepted, and the texts arrive unchanged", async () => {
        const client = connect();
        const description = `café *~+[]!'() Ü😀 %41&=?#/\\"<>`;
        const { securitygroup } = await client.call("createSecurityGroup", { name: "hard texts", description });
        expect(securitygroup.description).toBe(description);
        expect(await client.one("listSecurityGroups", {}, "hard texts")).toMatchObject({
            id: securitygroup.id,
            description,
        });
        await client.call("deleteSecurityGroup", { id: securitygroup.id });
    });

    test("with a wrong secret key are refused, with a hint at keys and clock", async () => {
        const error = await failure(connect({ secretKey: "wrong-secret-key" }).call("listZones"));
        expect(error).toMatchObject({ outcome: "refused", errorCode: 401, httpStatus: 401 });
        expect(error.message).toMatch(/Check the keys \(API key .{4}… from environment CLOUDSTACK_API_KEY/);
        expect(error.message).not.toContain("wrong-secret-key");
    });

    test("with a clock that is half an hour slow are refused, and the hint names the clock", async () => {
        const error = await failure(connect({}, { now: () => Date.now() - 30 * 60_000 }).call("listZones"));
        expect(error.message).toContain("clock is 30 minutes behind");
    });
});

describe("a machine", () => {
    test("is deployed, renamed, found by its exact name and destroyed", async () => {
        const client = connect();
        const accepted = await client.start("deployVirtualMachine", {
            ...place,
            name: "one",
            details: { owner: "o/p/s/one" },
        });
        expect(accepted.id).toMatch(/^[0-9a-f-]{36}$/);
        const { virtualmachine } = await client.wait(accepted.jobid, {
            command: "deployVirtualMachine",
            timeoutSeconds,
        });
        expect(virtualmachine).toMatchObject({
            id: accepted.id,
            name: "one",
            state: "Running",
            details: { owner: "o/p/s/one" },
        });
        await client.call("updateVirtualMachine", { id: accepted.id!, displayname: "The one" });
        await client.run("deployVirtualMachine", { ...place, name: "one-more" }, { timeoutSeconds });
        expect(await client.one("listVirtualMachines", {}, "one")).toMatchObject({
            id: accepted.id,
            displayname: "The one",
        });
        for (const { id } of await client.list("listVirtualMachines", { name: "one" })) {
            await client.run("destroyVirtualMachine", { id }, { timeoutSeconds });
        }
        expect(await client.list("listVirtualMachines", { name: "one" })).toEqual([]);
    });

    test("whose name is in use is refused with codes and hint", async () => {
        const client = connect();
        await client.run("deployVirtualMachine", { ...place, name: "taken" }, { timeoutSeconds });
        const error = await failure(client.start("deployVirtualMachine", { ...place, name: "taken" }));
        expect(error).toMatchObject({ outcome: "refused", errorCode: 431, csErrorCode: 4350 });
        expect(error.message).toContain("keeps its name until the cloud expunges it");
    });

    test("whose job fails has an error with the reason and the job's id", async () => {
        const client = connect();
        const { id } = await client.start("deployVirtualMachine", { ...place, name: "kept" });
        const error = await failure(client.run("destroyVirtualMachine", { id, expunge: true }, { timeoutSeconds }));
        expect(error).toMatchObject({ outcome: "failed", errorCode: 530, jobId: expect.any(String) });
        expect(error.message).toMatch(
            /Account does not have permission for expunging \(error 530, job .*allow\.user\.expunge/,
        );
    });
});

describe("lost answers", () => {
    test("of a deploy that was carried out: it is found by its job, and there is one machine", async () => {
        const client = connect();
        fault("drop", "deployVirtualMachine");
        const { id } = await client.start("deployVirtualMachine", { ...place, name: "dropped" });
        expect((await client.list("listVirtualMachines", { name: "dropped" })).map((machine) => machine.id)).toEqual([
            id,
        ]);
        expect(calls("deployVirtualMachine")).toBe(1);
    });

    test("of a deploy that was not carried out: the outcome is unknown, and it is not sent again", async () => {
        const client = connect({}, { sleep: async () => undefined });
        fault("cut", "deployVirtualMachine");
        expect(await failure(client.start("deployVirtualMachine", { ...place, name: "cut" }))).toMatchObject({
            outcome: "unknown",
        });
        expect(calls("deployVirtualMachine")).toBe(1);
        expect(await client.list("listVirtualMachines", { name: "cut" })).toEqual([]);
    });

    test.each<Fault["kind"]>(["cut", "drop"])(
        "of a stop (%s): it is stopped",
        async (kind) => {
            const client = connect();
            const deployed = await client.run(
                "deployVirtualMachine",
                { ...place, name: `stop-${kind}` },
                { timeoutSeconds },
            );
            const { id } = deployed.virtualmachine;
            fault(kind, "stopVirtualMachine");
            await client.run("stopVirtualMachine", { id }, { timeoutSeconds });
            expect((await client.list("listVirtualMachines", { id }))[0].state).toBe("Stopped");
            expect(calls("stopVirtualMachine")).toBe(kind === "cut" ? 2 : 1);
        },
        20_000,
    );

    test("of the creation of a group, which has no job: the outcome is unknown", async () => {
        const client = connect();
        fault("drop", "createSecurityGroup");
        expect(await failure(client.call("createSecurityGroup", { name: "dropped" }))).toMatchObject({
            outcome: "unknown",
        });
        expect(calls("createSecurityGroup")).toBe(1);
        expect(await client.one("listSecurityGroups", {}, "dropped")).toMatchObject({ name: "dropped" });
    });

    test("of a list: it is sent again", async () => {
        fault("cut", "listZones", { count: 2 });
        expect(await connect().one("listZones", {}, "sandbox")).toMatchObject({ id: place.zoneid });
        expect(calls("listZones")).toBe(3);
    });
});

describe("a busy cloud", () => {
    test.each<Fault["kind"]>(["throttle", "unavailable"])("%s: the change is made once, later", async (kind) => {
        const client = connect();
        fault(kind, "createSecurityGroup");
        await client.call("createSecurityGroup", { name: `busy-${kind}` });
        expect(calls("createSecurityGroup")).toBe(2);
        expect((await client.list("listSecurityGroups", { keyword: `busy-${kind}` })).length).toBe(1);
    });

    test("does not fail a job that is waited for", async () => {
        const client = connect();
        fault("unavailable", "queryAsyncJobResult", { count: 2 });
        const { virtualmachine } = await client.run(
            "deployVirtualMachine",
            { ...place, name: "patient" },
            { timeoutSeconds },
        );
        expect(virtualmachine.state).toBe("Running");
    });
});

describe("projects", () => {
    test("are found by name, and their resources are not in the account", async () => {
        const inProject = connect({ project: "sandbox" });
        await inProject.call("createSecurityGroup", { name: "of the project" });
        const { virtualmachine } = await inProject.run(
            "deployVirtualMachine",
            { ...place, name: "in-project" },
            { timeoutSeconds },
        );
        expect(virtualmachine.projectid).toBe(cloud.projectId);
        expect(await inProject.one("listSecurityGroups", {}, "of the project")).toBeDefined();
        expect(await connect().one("listSecurityGroups", {}, "of the project")).toBeUndefined();
        expect(await connect().list("listVirtualMachines", { projectid: "-1", name: "in-project" })).toHaveLength(1);
        expect(calls("listProjects")).toBe(1);
    });

    test("have their jobs in the list of running jobs", async () => {
        const inProject = connect({ project: cloud.projectId });
        fault("jobSeconds", "deployVirtualMachine", { seconds: 1.5, count: 4 });
        await Promise.all(
            ["a", "b", "c", "d"].map((name) =>
                inProject.run("deployVirtualMachine", { ...place, name: `project-job-${name}` }, { timeoutSeconds }),
            ),
        );
        expect(calls("listAsyncJobs")).toBeGreaterThan(1);
        expect(calls("queryAsyncJobResult")).toBe(4);
    });

    test("are listed in the error for an unknown one", async () => {
        const error = await failure(connect({ project: "sandbux" }).call("createSecurityGroup", { name: "x" }));
        expect(error.message).toContain('there is no project "sandbux"');
        expect(error.message).toContain("There are: sandbox.");
    });
});

describe("jobs", () => {
    test("of five rules and eight machines that take 17 s cost at most ten lists and one query each", async () => {
        const client = connect();
        const { securitygroup } = await client.call("createSecurityGroup", { name: "many rules" });
        fault("jobSeconds", "authorizeSecurityGroupIngress", { seconds: 0.2, count: 5 });
        fault("jobSeconds", "deployVirtualMachine", { seconds: 2, count: 8 });
        cloud.clearCalls();
        const rule = { securitygroupid: securitygroup.id, protocol: "tcp", cidrlist: ["10.0.0.0/8"] };
        await Promise.all(
            [22, 80, 443, 2379, 6443].map((startport) =>
                client.run(
                    "authorizeSecurityGroupIngress",
                    { ...rule, startport, endport: startport },
                    { timeoutSeconds },
                ),
            ),
        );
        await Promise.all(
            Array.from({ length: 8 }, (_, index) =>
                client.run("deployVirtualMachine", { ...place, name: `many-${index}` }, { timeoutSeconds }),
            ),
        );
        expect(calls("listAsyncJobs") + calls("queryAsyncJobResult")).toBeLessThanOrEqual(13 + 10);
        expect(client.calls).toBeLessThanOrEqual(1 + 13 + 13 + 10);
    }, 20_000);

    test("that run longer than the timeout are pending", async () => {
        fault("jobSeconds", "deployVirtualMachine", { seconds: 3 });
        const error = await failure(
            connect().run("deployVirtualMachine", { ...place, name: "slow" }, { timeoutSeconds: 1 }),
        );
        expect(error).toMatchObject({ outcome: "pending", jobId: expect.any(String) });
    });
});
