import { Client } from "../../../../provider/client";
import {
    failure,
    fault,
    hurriedClock,
    ok,
    settingsFor,
    standIn,
    type Received,
    type Reply,
    type StandIn,
} from "./support";

let server: StandIn;

afterEach(() => server?.close());

async function clientOf(reply: (request: Received, index: number) => Reply, more = {}): Promise<Client> {
    server = await standIn(reply);
    return new Client(settingsFor(server.endpoint, more), hurriedClock());
}

const machines = (count: number): { id: string; name: string }[] =>
    Array.from({ length: count }, (_, index) => ({ id: `id-${index}`, name: `web-${index}` }));

/** A page of results, as CloudStack returns it. */
function page(all: object[], { params }: Received, name = "virtualmachine"): Reply {
    const size = Number(params.pagesize);
    const found = all.slice((Number(params.page) - 1) * size, Number(params.page) * size);
    return ok("listVirtualMachines", found.length > 0 ? { count: all.length, [name]: found } : {});
}

describe("lists", () => {
    test.each([
        [0, 1],
        [1, 1],
        [500, 1],
        [501, 2],
        [1234, 3],
    ])("of %i entries are complete after %i calls", async (count, calls) => {
        const client = await clientOf((request) => page(machines(count), request));
        expect(await client.list("listVirtualMachines", { zoneid: "z" })).toEqual(machines(count));
        expect(server.received.map(({ params }) => [params.page, params.pagesize, params.zoneid])).toEqual(
            Array.from({ length: calls }, (_, index) => [String(index + 1), "500", "z"]),
        );
    });

    test("with rows that share an id, such as one per zone, need one call per page", async () => {
        const rows = Array.from({ length: 300 }, (_, index) => `id-${index}`).flatMap((id) =>
            ["zone-a", "zone-b"].map((zoneid) => ({ id, zoneid })),
        );
        const client = await clientOf((request) => page(rows, request, "template"));
        expect(await client.list("listTemplates", { templatefilter: "executable" })).toEqual(rows);
        expect(server.received.length).toBe(2);
    });

    test("without a count end with their page", async () => {
        const client = await clientOf(() => ok("listHypervisors", { hypervisor: [{ name: "KVM" }] }));
        expect(await client.list("listHypervisors")).toEqual([{ name: "KVM" }]);
    });

    test("that change between two pages are read again, so that nothing appears to be missing", async () => {
        let all = machines(700);
        const client = await clientOf((request, index) => {
            const reply = page(all, request);
            all = index === 0 ? all.slice(1) : all;
            return reply;
        });
        expect(await client.list("listVirtualMachines")).toEqual(machines(700).slice(1));
    });

    test("that change all the time end nevertheless", async () => {
        let count = 700;
        const client = await clientOf((request) => page(machines(count++), request));
        expect((await client.list("listVirtualMachines")).length).toBeGreaterThanOrEqual(500);
        expect(server.received.length).toBeLessThan(20);
    });

    test("adapt to a cloud that allows smaller pages only", async () => {
        const client = await clientOf((request) =>
            Number(request.params.pagesize) > 100
                ? fault("listVirtualMachines", 431, "Page size can't exceed max allowed page size value: 100", 4350)
                : page(machines(250), request),
        );
        expect(await client.list("listVirtualMachines")).toEqual(machines(250));
        expect(server.received.length).toBe(1 + 3);
    });
});

describe("a look-up by name", () => {
    const list = [
        { id: "1", name: "web" },
        { id: "2", name: "web-2" },
        { id: "3", name: "twin" },
        { id: "4", name: "twin" },
    ];

    test("finds the exact name among names that contain it", async () => {
        const client = await clientOf((request) => page(list, request));
        expect(await client.one("listVirtualMachines", { zoneid: "z" }, "web")).toEqual({ id: "1", name: "web" });
        expect(server.received[0]!.params).toMatchObject({ name: "web", zoneid: "z" });
        expect(await client.one("listVirtualMachines", {}, "we")).toBeUndefined();
    });

    test("refuses to choose between two", async () => {
        const client = await clientOf((request) => page(list, request));
        expect((await failure(client.one("listVirtualMachines", {}, "twin"))).message).toContain(
            '2 entries are named "twin": 3, 4',
        );
    });
});

describe("projects", () => {
    const projects = [
        { id: "11111111-1111-4111-8111-111111111111", name: "Platform" },
        { id: "22222222-2222-4222-8222-222222222222", name: "platform-test" },
    ];

    const cloud = (request: Received): Reply =>
        request.params.command === "listProjects" ? ok("listProjects", { count: 2, project: projects }) : ok("x", {});

    const sent = (command: string): (string | undefined)[] =>
        server.received.filter(({ params }) => params.command === command).map(({ params }) => params.projectid);

    test("a name is looked up once and sent with every call that accepts a project", async () => {
        const client = await clientOf(cloud, { project: "Platform" });
        await Promise.all([
            client.list("listVirtualMachines"),
            client.call("deployVirtualMachine"),
            client.call("createSecurityGroup"),
        ]);
        await client.call("stopVirtualMachine", { id: "1" });
        await client.call("registerSSHKeyPair");
        expect(sent("listProjects")).toEqual([undefined]);
        for (const command of [
            "listVirtualMachines",
            "deployVirtualMachine",
            "createSecurityGroup",
            "registerSSHKeyPair",
        ]) {
            expect(sent(command)).toEqual([projects[0]!.id]);
        }
        expect(sent("stopVirtualMachine")).toEqual([undefined]);
    });

    test("an id needs no look-up", async () => {
        const client = await clientOf(cloud, { project: projects[1]!.id });
        await client.call("listNetworks");
        expect(sent("listProjects")).toEqual([]);
        expect(sent("listNetworks")).toEqual([projects[1]!.id]);
    });

    test("a project in the call has precedence", async () => {
        const client = await clientOf(cloud, { project: projects[1]!.id });
        await client.call("listNetworks", { projectid: "-1" });
        await client.call("listNetworks", { projectid: "" });
        await client.call("listNetworks", { account: "other", domainid: "d" });
        expect(sent("listNetworks")).toEqual(["-1", undefined, undefined]);
    });

    test("an unknown name is an error with the nearest names, and is looked up again the next time", async () => {
        const client = await clientOf(cloud, { project: "platform" });
        const error = await failure(client.call("deployVirtualMachine"));
        expect(error).toMatchObject({ outcome: "unsent" });
        expect(error.message).toContain('there is no project "platform"');
        expect(error.message).toContain("There are: Platform, platform-test.");
        expect(sent("deployVirtualMachine")).toEqual([]);
        await failure(client.call("deployVirtualMachine"));
        expect(sent("listProjects").length).toBe(2);
    });
});
