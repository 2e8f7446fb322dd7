/**
 * The timing of a real server: durations that grow with the number of running jobs, and lock conflicts of five seconds.
 */
import { startCloud, type RunningCloud } from "../../../simulator";
import { Client } from "./client";

/** Durations of a real server, divided so that the delays of a busy computer are small in comparison. */
jest.setTimeout(120_000);

/** The divisor of the real durations. */
const TIMING = 0.4;

let cloud: RunningCloud;
let user: Client;
let base: Awaited<ReturnType<Client["catalogue"]>>;

beforeAll(async () => {
    cloud = await startCloud({ timing: TIMING });
    user = new Client(cloud, cloud.accounts.user);
    base = await user.catalogue();
});

afterAll(() => cloud.close());

/** Seconds of the real server until each of the calls has its result, shortest first. */
async function times(calls: (() => Promise<unknown>)[]): Promise<number[]> {
    const started = performance.now();
    const taken = await Promise.all(
        calls.map(async (one) => {
            await one();
            return (performance.now() - started) / 1000 / TIMING;
        }),
    );
    return taken.sort((a, b) => a - b);
}

/** Sends a command and waits for its job, by the cloud's own clock. */
async function done(command: string, parameters: Record<string, unknown>): Promise<any> {
    const { jobid, id } = await user.ok(command, parameters);
    for (;;) {
        const answer = await user.ok("queryAsyncJobResult", { jobid });
        if (answer.jobstatus !== 0) return { ...answer, id };
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}

const rule = (securitygroupid: string, port: number) => () =>
    done("authorizeSecurityGroupIngress", {
        securitygroupid,
        protocol: "tcp",
        startport: port,
        endport: port,
        cidrlist: "0.0.0.0/0",
    });

const group = async (name: string) => (await user.ok("createSecurityGroup", { name })).securitygroup.id as string;

const deploy = (name: string, more: object = {}) => done("deployVirtualMachine", { ...base, name, ...more });

test("simultaneous rules of one group conflict at its lock and take five seconds; sequential ones do not", async () => {
    const one = await group("one");
    const atOnce = await times(Array.from({ length: 6 }, (_, index) => rule(one, 1000 + index)));
    expect(atOnce[0]).toBeLessThan(4);
    expect(atOnce[5]).toBeGreaterThan(5);
    const other = await group("other");
    const [inTurn] = await times([
        async () => {
            for (let port = 2000; port < 2006; port += 1) await rule(other, port)();
        },
    ]);
    expect(inTurn).toBeLessThan(5);
});

test("rules of different groups do not delay each other", async () => {
    const groups = await Promise.all(["a", "b", "c", "d"].map(group));
    const taken = await times(groups.map((id) => rule(id, 80)));
    expect(taken[3]).toBeLessThan(4);
});

test("simultaneous deployments take longer than one", async () => {
    const [alone] = await times([() => deploy("alone")]);
    expect(alone).toBeGreaterThan(1.8);
    expect(alone).toBeLessThan(4.5);
    const eight = await times(Array.from({ length: 8 }, (_, index) => () => deploy(`eight-${index}`)));
    expect(eight[7]).toBeGreaterThan(4.5);
    // A busy computer adds some time; a lock of five seconds would take more than twice as long.
    expect(eight[7]).toBeLessThan(15);
});

test("jobs on one machine run one after the other, and a start during a stop is refused immediately", async () => {
    const { id } = await deploy("busy");
    const [{ id: diskofferingid }] = await user.list("listDiskOfferings", { name: "Small" });
    const volumes = await Promise.all(
        ["x", "y", "z"].map((name) => done("createVolume", { name, zoneid: base.zoneid, diskofferingid })),
    );
    const taken = await times(
        volumes.map((volume) => () => done("attachVolume", { id: volume.id, virtualmachineid: id })),
    );
    expect(taken[1] - taken[0]).toBeGreaterThan(1.5);
    expect(taken[2] - taken[1]).toBeGreaterThan(1.5);

    const stop = done("stopVirtualMachine", { id });
    const start = await done("startVirtualMachine", { id });
    expect(start.jobresult).toMatchObject({ errortext: expect.stringContaining("is already running") });
    expect((await stop).jobstatus).toBe(1);
});

test("simultaneous networks of one account: the request itself waits for the account's lock", async () => {
    const [{ id: zoneid }] = await user.list("listZones", { name: "sandbox-isolated" });
    const [offering] = await user.list("listNetworkOfferings", { guestiptype: "Isolated" });
    const create = (name: string) => () =>
        user.ok("createNetwork", { name, displaytext: name, zoneid, networkofferingid: offering.id });
    const [first, second] = await times([create("first"), create("second")]);
    expect(first).toBeLessThan(4);
    expect(second).toBeGreaterThan(5);
});

test("the first machines of an isolated network wait for its lock: its router starts once", async () => {
    const [{ id: zoneid }] = await user.list("listZones", { name: "sandbox-isolated" });
    const [network] = await user.list("listNetworks", { zoneid });
    const [first, second] = await times(
        ["i-1", "i-2"].map((name) => () => deploy(name, { zoneid, networkids: network.id })),
    );
    expect(first).toBeGreaterThan(3);
    expect(first).toBeLessThan(6);
    expect(second).toBeGreaterThan(6);
    const [later] = await times([() => deploy("i-3", { zoneid, networkids: network.id })]);
    expect(later).toBeLessThan(5.5);
});
