import * as pulumi from "@pulumi/pulumi";
import * as cloudstack from "../../../provider/lookups";
import { startCloud, type RunningCloud } from "../../../simulator";
import { Client } from "../simulator/client";
import { failure } from "./support";

/** Lookups run in the program, with the stack's configuration. */

let cloud: RunningCloud;

beforeAll(async () => {
    cloud = await startCloud();
    const { apiKey, secretKey } = cloud.accounts.user;
    pulumi.runtime.setAllConfig({
        "cloudstack:endpoint": cloud.endpoint,
        "cloudstack:apiKey": apiKey,
        "cloudstack:secretKey": secretKey,
        "cloudstack:zone": "sandbox",
    });
});
afterAll(() => cloud.close());

test("find an object by name, by filter, or the only one", async () => {
    expect(await cloudstack.getZone()).toEqual({
        id: expect.any(String),
        name: "sandbox",
        networkType: "Advanced",
        securityGroupsEnabled: true,
    });
    expect(await cloudstack.getZone({ name: "sandbox-isolated" })).toMatchObject({ securityGroupsEnabled: false });
    expect(await cloudstack.getNetwork()).toMatchObject({
        name: "shared",
        type: "Shared",
        cidr: "10.1.1.0/24",
        gateway: "10.1.1.1",
        services: expect.arrayContaining(["SecurityGroup"]),
    });
    expect(await cloudstack.getServiceOffering({ name: "Large Instance" })).toMatchObject({
        cpuNumber: 2,
        memoryMiB: 2048,
        customized: false,
    });
    expect(await cloudstack.getServiceOffering({ leastCpuNumber: 1, leastMemoryMiB: 1000 })).toMatchObject({
        name: "Medium Instance",
    });
    expect(await cloudstack.getServiceOffering({ name: "Custom" })).toMatchObject({ customized: true, cpuNumber: 0 });
    expect(await cloudstack.getSecurityGroup({ name: "default" })).toMatchObject({
        name: "default",
        description: "Default Security Group",
    });
    expect(await cloudstack.getSecurityGroup({ name: "default", project: "sandbox" })).not.toEqual(
        await cloudstack.getSecurityGroup({ name: "default" }),
    );
});

test("return the newest of several templates, or list them", async () => {
    const api = new Client(cloud, cloud.accounts.user);
    const builds = (await api.list("listTemplates", { templatefilter: "executable", name: "Debian 12" })).map(
        ({ created, id }) => `${created} ${id}`,
    );
    const newest = [...new Set(builds)].sort().at(-1)!.split(" ")[1];
    expect(await cloudstack.getTemplate({ name: "Debian 12" })).toMatchObject({
        id: newest,
        sizeGiB: 2,
        passwordEnabled: false,
    });
    expect(await cloudstack.getTemplate({ nameRegex: "Debian 12.*password" })).toMatchObject({ passwordEnabled: true });
    expect((await failure(cloudstack.getTemplate({ name: "Debian 12", newest: false }))).message).toMatch(
        /^2 templates in zone sandbox match/,
    );
    expect((await failure(cloudstack.getTemplate({ name: "Debian 12", tags: { no: "such" } }))).message).toMatch(
        /no template in zone sandbox matches/,
    );
});

test("report the nearest names if nothing is found, as errors that are readable without a stack", async () => {
    const attempts: [Promise<unknown>, RegExp][] = [
        [cloudstack.getZone({ name: "sandbx" }), /there is no zone "sandbx": did you mean "sandbox"/],
        [cloudstack.getTemplate({ name: "Debain 12" }), /did you mean "Debian 12"/],
        [cloudstack.getServiceOffering({ name: "Smal Instance" }), /did you mean "Small Instance"/],
        [
            cloudstack.getServiceOffering({ leastCpuNumber: 99 }),
            /no service offering has 99 processors.*"XLarge Instance"/,
        ],
        [cloudstack.getNetwork({ name: "shard" }), /did you mean "shared"/],
        [cloudstack.getNetwork({ zone: "sandbox-isolated" }), /zone sandbox-isolated has 0 networks/],
        [cloudstack.getSecurityGroup({ name: "defualt" }), /did you mean "default"/],
    ];
    for (const [attempt, message] of attempts) {
        const error = await failure(attempt);
        expect(error.message).toMatch(message);
        expect(pulumi.RunError.isInstance(error)).toBe(true);
    }
});

test("have variants that take and return outputs", async () => {
    const name = pulumi.output(Promise.resolve("sandbox-isolated"));
    const zone = await new Promise((resolve) => void cloudstack.getZoneOutput({ name }).apply(resolve));
    expect(zone).toMatchObject({ name: "sandbox-isolated" });
    const secret = cloudstack.getNetworkOutput({ name: pulumi.secret("shared") });
    expect(await pulumi.isSecret(secret)).toBe(true);
});
