import { UNKNOWN } from "../../../../provider/handler";
import { describePlan, refusalOf } from "../../../../provider/virtualMachine/describe";
import { isEmpty, planChanges, takesDown } from "../../../../provider/virtualMachine/plan";
import { userDataHash } from "../../../../provider/virtualMachine/userData";

const text = "#cloud-config\n";
const inputs = {
    name: "web",
    serviceOffering: "Small",
    template: "debian-13",
    zone: "z1",
    securityGroups: ["g1", "g2"],
    sshKeyPairs: ["k"],
    userData: text,
};
const olds = {
    ...inputs,
    displayName: "web",
    running: true,
    state: "Running",
    ipAddress: "10.1.1.10",
    deleteProtection: false,
    userDataHash: userDataHash(Buffer.from(text).toString("base64")),
};

/** The effect of a change of each argument, as in docs/changes.md. */
const table: [string, Record<string, unknown>, string][] = [
    ["displayName", { displayName: "Web" }, "live"],
    ["group", { group: "front" }, "live"],
    ["tags", { tags: { env: "dev" } }, "live"],
    ["details", { details: { k: "v" } }, "live"],
    ["deleteProtection", { deleteProtection: true }, "live"],
    ["rootDiskSizeGiB", { rootDiskSizeGiB: 40 }, "live"],
    ["name", { name: "web2", displayName: "web" }, "stopped"],
    ["serviceOffering", { serviceOffering: "Large" }, "stopped"],
    ["securityGroups", { securityGroups: ["g1"] }, "stopped"],
    ["affinityGroups", { affinityGroups: ["a"] }, "stopped"],
    ["sshKeyPairs", { sshKeyPairs: ["other"] }, "stopped"],
    ["userData", { userData: "x" }, "live"],
    ["userData", { userData: "x", onUserDataChange: "update" }, "live"],
    ["userData", { userData: "x", onUserDataChange: "restart" }, "stopped"],
    ["userData", { userData: "x", onUserDataChange: "reinstall" }, "reinstall"],
    ["userData", { userData: "x", onUserDataChange: "replace" }, "replace"],
    ["template", { template: "debian-14" }, "replace"],
    ["template", { template: "debian-14", onTemplateChange: "reinstall" }, "reinstall"],
    ["zone", { zone: "z2" }, "replace"],
    ["network", { network: "n2" }, "replace"],
    ["ipAddress", { ipAddress: "10.1.1.11" }, "replace"],
    ["project", { project: "p" }, "replace"],
];

test.each(table)("a change of %s (%j) is %s", (property, change, effect) => {
    const plan = planChanges(olds, { ...inputs, ...change });
    expect(plan.changes.map((item) => [item.property, item.effect])).toEqual([[property, effect]]);
    expect(plan.effect).toBe(effect);
});

test("equal values are no change, in whatever order groups are", () => {
    expect(isEmpty(planChanges(olds, inputs))).toBe(true);
    expect(isEmpty(planChanges(olds, { ...inputs, securityGroups: ["g2", "g1"] }))).toBe(true);
});

test("user data is compared by its bytes, and ignored with ignoreUserDataChanges", () => {
    expect(
        isEmpty(
            planChanges(olds, { ...inputs, userData: undefined, userDataBase64: Buffer.from(text).toString("base64") }),
        ),
    ).toBe(true);
    expect(isEmpty(planChanges(olds, { ...inputs, userData: "other", onUserDataChange: "ignore" }))).toBe(true);
});

test("the strongest effect applies, and the line lists all reasons for the stop", () => {
    const plan = planChanges(olds, {
        ...inputs,
        serviceOffering: "Large",
        securityGroups: ["g1", "g3"],
        displayName: "x",
    });
    expect(plan.effect).toBe("stopped");
    expect(describePlan("web", plan, olds)).toBe(
        "web stops and starts: serviceOffering Small -> Large; securityGroups +g3 -g2",
    );
    expect(takesDown(plan, olds)).toBe(true);
    expect(takesDown(plan, { ...olds, running: false })).toBe(false);
});

test("changes without a stop have no line", () => {
    expect(describePlan("web", planChanges(olds, { ...inputs, displayName: "x" }), olds)).toBeUndefined();
});

test("the state Running or Stopped is restored to what the program asks for", () => {
    const stopped = { ...olds, running: false, state: "Stopped" };
    expect(describePlan("web", planChanges(stopped, inputs), stopped)).toBe("web starts: it is Stopped");
    expect(planChanges(olds, { ...inputs, running: false }).power).toBe("stop");
    expect(isEmpty(planChanges(stopped, { ...inputs, running: false }))).toBe(true);
});

test("a machine in state Error is replaced", () => {
    expect(planChanges({ ...olds, state: "Error", running: false }, inputs).effect).toBe("replace");
});

test("an unknown value is a change, announced as one that may happen", () => {
    const plan = planChanges(olds, {
        ...inputs,
        securityGroups: ["g1", UNKNOWN],
        userData: UNKNOWN,
        onUserDataChange: "reinstall",
    });
    expect(describePlan("web", plan, olds)).toMatch(
        /^web may be reinstalled .*: userData may change .*; securityGroups may change/,
    );
});

test("addresses and networks that the program does not give are kept", () => {
    expect(isEmpty(planChanges({ ...olds, network: "n1" }, inputs))).toBe(true);
});

test("affinity groups that the program no longer gives are removed; the last key pair cannot be removed", () => {
    expect(planChanges({ ...olds, affinityGroups: ["a"] }, inputs).changes[0]).toMatchObject({
        property: "affinityGroups",
        effect: "stopped",
    });
    expect(isEmpty(planChanges(olds, { ...inputs, sshKeyPairs: [] }))).toBe(true);
});

describe("changes that erase data", () => {
    const sized = { ...olds, templateSizeGiB: 8 };
    const erasing = table.filter(([, , effect]) => effect === "reinstall" || effect === "replace");

    test.each(erasing)(
        "%s (%j) is announced with the size of the disk, and refused with allowDataLoss: false",
        (property, change) => {
            const news = { ...inputs, ...change };
            const plan = planChanges(sized, news);
            const line = describePlan("web", plan, sized)!;
            expect(line).toContain(`root disk of web (8 GiB) is erased: ${property} `);
            expect(refusalOf("web", plan, sized, news)).toBeUndefined();
            expect(refusalOf("web", plan, sized, { ...news, allowDataLoss: false })).toBe(
                `${line}. allowDataLoss is false, as it is by default in a MachineGroup whose machines change all at once: ` +
                    "undo the change, or set allowDataLoss: true for this change.",
            );
        },
    );

    test.each(table.filter((row) => !erasing.includes(row)))("%s (%j) erases nothing", (_property, change) => {
        const news = { ...inputs, ...change, allowDataLoss: false };
        const plan = planChanges(olds, news);
        expect(describePlan("web", plan, olds) ?? "").not.toContain("erased");
        expect(refusalOf("web", plan, olds, news)).toBeUndefined();
    });

    test("the announced size of a grown root disk is the current one", () => {
        const grown = { ...sized, rootDiskSizeGiB: 40 };
        const news = { ...inputs, rootDiskSizeGiB: 40, template: "debian-14" };
        expect(describePlan("web", planChanges(grown, news), grown)).toContain("root disk of web (40 GiB) is erased");
    });

    test("a machine that never started has no data", () => {
        const broken = { ...olds, state: "Error", running: false };
        const news = { ...inputs, allowDataLoss: false, allowRestart: false };
        expect(refusalOf("web", planChanges(broken, news), broken, news)).toBeUndefined();
        expect(describePlan("web", planChanges(broken, news), broken)).not.toContain("erased");
    });
});

test.each(table.filter(([, , effect]) => effect !== "live"))(
    "allowRestart: false refuses %s (%j) while the machine is running",
    (_property, change) => {
        const news = { ...inputs, ...change, allowRestart: false };
        expect(refusalOf("web", planChanges(olds, news), olds, news)).toContain("allowRestart is false");
        const stopped = { ...olds, running: false, state: "Stopped" };
        expect(refusalOf("web", planChanges(stopped, news), stopped, news)).toBeUndefined();
    },
);

test("a stop that the program asks for by `running` is allowed", () => {
    const news = { ...inputs, running: false, allowRestart: false };
    expect(refusalOf("web", planChanges(olds, news), olds, news)).toBeUndefined();
});

describe("changes that are unknown at preview", () => {
    const strict = { allowRestart: false, allowDataLoss: false };
    const unknowns: [string, Record<string, unknown>][] = [
        ["userData", { userData: UNKNOWN, onUserDataChange: "restart" }],
        ["userData", { userData: UNKNOWN, onUserDataChange: "reinstall" }],
        ["userData", { userData: UNKNOWN, onUserDataChange: "replace" }],
        ["template", { template: UNKNOWN }],
        ["ipAddress", { ipAddress: UNKNOWN }],
        ["zone", { zone: UNKNOWN }],
        ["network", { network: UNKNOWN }],
        ["project", { project: UNKNOWN }],
        ["serviceOffering", { serviceOffering: UNKNOWN }],
        ["name", { name: UNKNOWN, displayName: "web" }],
        ["securityGroups", { securityGroups: UNKNOWN }],
        ["securityGroups", { securityGroups: ["g1", UNKNOWN] }],
        ["sshKeyPairs", { sshKeyPairs: [UNKNOWN] }],
    ];

    test.each(unknowns)("are announced as what may happen, and not refused: %s (%j)", (property, change) => {
        const news = { ...inputs, ...strict, ...change };
        const plan = planChanges(olds, news);
        expect(refusalOf("web", plan, olds, news)).toBeUndefined();
        expect(describePlan("web", plan, olds)).toMatch(
            new RegExp(`^web may .*: ${property} may change \\(value not known yet\\)$`),
        );
    });

    test("do not hide the changes that are known", () => {
        const news = { ...inputs, ...strict, serviceOffering: "Large", userData: UNKNOWN, onUserDataChange: "replace" };
        const plan = planChanges(olds, news);
        expect(describePlan("web", plan, olds)).toMatch(
            /^web may be replaced, and the root disk of web may be erased: /,
        );
        expect(refusalOf("web", plan, olds, news)).toMatch(/^web stops and starts: serviceOffering Small -> Large\./);
    });

    test("are known to be changes if a list gets longer", () => {
        const news = { ...inputs, ...strict, securityGroups: ["g1", "g2", UNKNOWN] };
        expect(refusalOf("web", planChanges(olds, news), olds, news)).toContain("allowRestart is false");
    });
});

describe("values of arguments in the line about a change", () => {
    test("a trigger is shown, unless it is secret", () => {
        const from = { ...olds, reinstallTrigger: "one" };
        const news: Record<string, any> = { ...inputs, reinstallTrigger: "two" };
        expect(describePlan("web", planChanges(from, news), from)).toMatch(/: reinstallTrigger one -> two$/);
        news.secretArguments = ["reinstallTrigger"];
        expect(describePlan("web", planChanges(from, news), from)).toMatch(/: reinstallTrigger changes$/);
    });

    test.each(table.filter(([, , effect]) => effect !== "live"))(
        "a secret is never shown: %s (%j)",
        (property, change) => {
            const news: Record<string, any> = { ...inputs, ...change, secretArguments: [property] };
            const line = describePlan("web", planChanges(olds, news), olds)!;
            expect(line).toMatch(new RegExp(`: ${property} changes`));
        },
    );

    test("a value that was secret is not shown either", () => {
        const was = { ...olds, secretArguments: ["serviceOffering"] };
        const news = { ...inputs, serviceOffering: "Large" };
        expect(describePlan("web", planChanges(was, news), was)).toBe("web stops and starts: serviceOffering changes");
    });
});

describe("a machine that is a node of a Kubernetes cluster", () => {
    const kubernetesNode = { cluster: "k", name: "web" };

    test("is drained first, and the line says so", () => {
        const news = { ...inputs, serviceOffering: "Large", kubernetesNode };
        const was = { ...olds, kubernetesNode };
        expect(describePlan("web", planChanges(was, news), was, news)).toMatch(
            /^node web is drained, then web stops and starts: serviceOffering /,
        );
        const stopped = { ...was, running: false, state: "Stopped" };
        expect(describePlan("web", planChanges(stopped, news), stopped, news)).toMatch(
            /^web changes while it is stopped/,
        );
    });

    test("is not stopped when the connection to its API changes", () => {
        const plan = planChanges(olds, { ...inputs, kubernetesNode });
        expect(plan.effect).toBe("live");
        expect(describePlan("web", plan, olds, { ...inputs, kubernetesNode })).toBeUndefined();
    });
});
