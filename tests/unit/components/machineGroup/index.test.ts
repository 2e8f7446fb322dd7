import * as pulumi from "@pulumi/pulumi";
import { MachineGroup, type MachineGroupArgs, machineKeys } from "../../../../components/machineGroup";
import { look, problemsOf, run, unknown } from "../support";

const right: MachineGroupArgs = { machines: machineKeys(3), serviceOffering: "Small", template: "Debian" };
const group = (changes: Partial<MachineGroupArgs> = {}) => new MachineGroup("web", { ...right, ...changes });

test("machines have their key in their names, and the arguments of the group", async () => {
    const { of, names, result } = await run(() =>
        group({ zone: "z", project: "p", tags: { a: "b" }, rootDiskSizeGiB: 9 }),
    );
    expect(names("VirtualMachine")).toEqual(["web-0", "web-1", "web-2"]);
    const spread = of("AffinityGroup", "web");
    expect(spread.inputs).toMatchObject({ name: "dev-web", type: "non-strict host anti-affinity", project: "p" });
    const { inputs, parent } = of("VirtualMachine", "web-1");
    expect(inputs).toEqual({
        name: "dev-web-1",
        nameIsDefault: true,
        owner: expect.stringMatching(/^team\/test\/dev\/web-1#[0-9a-f]{8}$/),
        serviceOffering: "Small",
        template: "Debian",
        zone: "z",
        project: "p",
        tags: { a: "b" },
        rootDiskSizeGiB: 9,
        allowDataLoss: false,
        affinityGroups: [expect.stringMatching(/^[0-9a-f-]{36}$/)],
    });
    expect(parent).toBe(of("MachineGroup", "web").urn);
    expect((await look(result.names)).value).toEqual({ 0: "dev-web-0", 1: "dev-web-1", 2: "dev-web-2" });
    expect(Object.values((await look(result.addresses)).value)).toEqual(Array(3).fill(expect.stringMatching(/^10\./)));
    expect((await look(result.volumeIds)).value).toEqual({});
});

test.each<[Partial<MachineGroupArgs>, boolean | undefined]>([
    [{}, false],
    [{ machines: machineKeys(1) }, false],
    [{ ordered: false }, false],
    [{ ordered: true }, undefined],
    [{ rollingGroup: "web" }, undefined],
    [{ allowDataLoss: true }, true],
    [{ ordered: true, allowDataLoss: false }, false],
])(
    "data of machines that change all at once is kept unless the program allows its loss: %j",
    async (changes, allowed) => {
        const { of } = await run(() => group(changes));
        expect(of("VirtualMachine", "web-0").inputs.allowDataLoss).toBe(allowed);
    },
);

test("a data disk may be replaced by an empty one if its arguments allow it", async () => {
    const disk = { diskOffering: "Custom", sizeGiB: 5 };
    const kept = await run(() => group({ dataVolume: disk, allowDataLoss: true }));
    expect(kept.of("Volume", "web-0").inputs).not.toHaveProperty("allowDataLoss");
    const given = await run(() => group({ dataVolume: { ...disk, allowDataLoss: true } }));
    expect(given.of("Volume", "web-0").inputs.allowDataLoss).toBe(true);
});

test("a machine's own arguments override the group's", async () => {
    const { of } = await run(() =>
        group({
            machines: {
                a: { name: "first", ipAddress: "10.1.1.5", serviceOffering: "Large", userDataBase64: "QQ==" },
                b: { userData: "own" },
                c: {},
            },
            userData: "common",
        }),
    );
    const inputs = (key: string) => of("VirtualMachine", `web-${key}`).inputs;
    expect(inputs("a")).toMatchObject({ name: "first", ipAddress: "10.1.1.5", serviceOffering: "Large" });
    expect([inputs("a").userData, inputs("a").userDataBase64]).toEqual([undefined, "QQ=="]);
    expect([inputs("b").userData, inputs("b").serviceOffering]).toEqual(["own", "Small"]);
    expect([inputs("c").userData, inputs("c").name]).toEqual(["common", "dev-web-c"]);
});

test.each([3, 2])("removing one of %i keys deletes only its resources", async (count) => {
    const dataVolume = { diskOffering: "Custom", sizeGiB: 5 };
    const all = machineKeys(count);
    const { 0: _first, ...rest } = all;
    const before = (await run(() => group({ machines: all, dataVolume }))).resources;
    const after = (await run(() => group({ machines: rest, dataVolume }))).resources;
    const gone = before.filter(({ urn }) => !after.some((other) => other.urn === urn));
    expect(gone.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual(["VirtualMachine web-0", "Volume web-0"]);
    expect(after.length).toBe(before.length - 2);
    // What stays has the arguments that it had, but for ids, which are made anew in each run of this test.
    const stable = (made: typeof after) =>
        made.map(({ urn, inputs: { affinityGroups, virtualMachine, ...inputs } }) => ({
            urn,
            inputs,
            refers: [affinityGroups?.length, typeof virtualMachine],
        }));
    expect(stable(before)).toEqual(expect.arrayContaining(stable(after)));
});

test("machines wait for the previous one and its disk only if the group is ordered", async () => {
    const dataVolume = { diskOffering: "Custom", sizeGiB: 5 };
    const free = await run(() => group({ dataVolume }));
    const machineUrns = (of: typeof free) => [0, 1, 2].map((key) => of.of("VirtualMachine", `web-${key}`).urn);
    for (const key of [0, 1, 2]) {
        const { dependencies } = free.of("VirtualMachine", `web-${key}`);
        expect(dependencies.filter((urn) => machineUrns(free).includes(urn))).toEqual([]);
    }
    const ordered = await run(() => group({ dataVolume, ordered: true }));
    const urn = (kind: string, key: number) => ordered.of(kind, `web-${key}`).urn;
    expect(ordered.of("VirtualMachine", "web-0").dependencies).not.toContain(urn("VirtualMachine", 1));
    for (const key of [1, 2])
        expect(ordered.of("VirtualMachine", `web-${key}`).dependencies).toEqual(
            expect.arrayContaining([urn("VirtualMachine", key - 1), urn("Volume", key - 1)]),
        );
});

test("each machine has a data disk, which is attached by id", async () => {
    const { of, result } = await run(() =>
        group({ zone: "z", project: "p", dataVolume: { diskOffering: "Custom", sizeGiB: 5, protect: true } }),
    );
    const { inputs, dependencies, protect } = of("Volume", "web-2");
    expect(inputs).toMatchObject({ diskOffering: "Custom", sizeGiB: 5, zone: "z", project: "p", name: "dev-web-2" });
    expect(inputs).not.toHaveProperty("protect");
    expect(inputs.virtualMachine).toBe((await look(result.ids)).value[2]);
    expect(dependencies).toContain(of("VirtualMachine", "web-2").urn);
    expect(protect).toBe(true);
    expect(of("VirtualMachine", "web-2").protect).toBe(false);
    expect(Object.keys((await look(result.volumeIds)).value)).toEqual(["0", "1", "2"]);
});

test("spread is soft, strict or none", async () => {
    const type = async (changes: Partial<MachineGroupArgs>) =>
        (await run(() => group(changes))).resources.find(({ kind }) => kind === "AffinityGroup")?.inputs.type;
    expect(await type({})).toBe("non-strict host anti-affinity");
    expect(await type({ spread: "strict" })).toBe("host anti-affinity");
    expect(await type({ spread: "none" })).toBeUndefined();
    // A group that grows from one machine to two must not stop the first.
    expect(await type({ machines: { a: {} } })).toBe("non-strict host anti-affinity");
});

test("transform is applied last, for each machine by its key", async () => {
    const { of } = await run(() =>
        group({ transform: (args, key) => ({ ...args, displayName: `Web ${key}`, details: { "cpu.mode": "host" } }) }),
    );
    expect(of("VirtualMachine", "web-1").inputs).toMatchObject({
        displayName: "Web 1",
        details: { "cpu.mode": "host" },
    });
    expect(of("VirtualMachine", "web-2").inputs).toMatchObject({ displayName: "Web 2", serviceOffering: "Small" });
});

test("secret user data stays secret", async () => {
    const { of } = await run(() => group({ userData: pulumi.secret("password: x") }));
    expect(of("VirtualMachine", "web-0")).toMatchObject({ secrets: ["userData"], inputs: { userData: "password: x" } });
});

test("arguments may be outputs, also unknown ones at preview", async () => {
    const { of } = await run(() =>
        group({ serviceOffering: pulumi.output("Large"), userDataMaxLength: pulumi.output(9) }),
    );
    expect(of("VirtualMachine", "web-0").inputs.serviceOffering).toBe("Large");
    const preview = await run(
        () =>
            group({
                serviceOffering: unknown<string>(),
                securityGroups: [unknown<string>()],
                userData: unknown<string>(),
                dataVolume: { diskOffering: unknown<string>(), sizeGiB: unknown<number>() },
                machines: { a: { ipAddress: unknown<string>() }, b: { ipAddress: unknown<string>() } },
            }),
        { preview: true },
    );
    expect(preview.names("VirtualMachine")).toEqual(["web-a", "web-b"]);
    expect((await look(preview.result.addresses)).known).toBe(false);
    expect((await look(preview.result.names)).value).toEqual({ a: "dev-web-a", b: "dev-web-b" });
});

test("all problems are reported together, before anything is created", async () => {
    const wrong: any = {
        machines: {
            "a b": {},
            one: { ipAddress: "10.1.1.5", name: "same" },
            two: { ipAddress: "10.1.1.5", name: "same", userData: "a", userDataBase64: "QQ==" },
            three: { userData: "x".repeat(300), adress: "10.1.1.6" },
        },
        template: "",
        spread: "wide",
        ordered: "yes",
        rootDiskSizeGiB: "9",
        dataVolume: { sizeGiB: 5 },
        userDataMaxLength: 300,
        onUserDataChange: "reboot",
        transform: {},
        securityGroup: ["x"],
    };
    const problems = await problemsOf(() => new MachineGroup("web", wrong));
    expect(problems.sort()).toEqual(
        [
            "serviceOffering: is missing",
            "template: is empty",
            'machines["a b"]: cannot be part of a host name',
            "machines.two.ipAddress: 10.1.1.5 is the address of machine one too",
            "machines.two.name: same is the name of machine one too",
            "machines.two.userDataBase64: cannot be combined with userData",
            "machines.three.userData: has 400 characters of base64; the cloud accepts at most 300",
            "machines.three.adress: is not a known argument",
            'spread: "wide" is not one of preferred, strict, none',
            'ordered: "yes" is not true or false',
            'rootDiskSizeGiB: "9" is not a number',
            "dataVolume.diskOffering: is missing",
            'onUserDataChange: "reboot" is not one of ignore, update, restart, reinstall, replace',
            "transform: {} is not a function",
            "securityGroup: is not a known argument",
        ].sort(),
    );
});

test("wrong types, which JavaScript does not reject, are reported too", async () => {
    const make = (args?: any) => problemsOf(() => new MachineGroup("web", args));
    const missing = ["machines: is missing", "template: is missing", "serviceOffering: is missing"];
    expect(await make()).toEqual(missing);
    expect(await make(null)).toEqual(missing);
    expect(await make({ ...right, machines: ["a", "b"] })).toEqual(['machines: ["a","b"] is not a map']);
    expect(await make({ ...right, machines: { a: undefined } })).toEqual(["machines.a: is missing"]);
    expect(await make({ ...right, machines: pulumi.output({}) })).toEqual([
        "machines: is an output, and resources are named after it",
    ]);
});
