import { UNKNOWN } from "../../../provider/handler";
import { describePlan, isEmpty, planChanges, takesDown } from "../../../provider/virtualMachine/plan";
import { userDataHash } from "../../../provider/virtualMachine/userData";

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

/** The change table of the design: what a change of each argument does. */
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

test.each(table)("a change of %s (%j) is made %s", (property, change, effect) => {
    const plan = planChanges(olds, { ...inputs, ...change });
    expect(plan.changes.map((item) => [item.property, item.effect])).toEqual([[property, effect]]);
    expect(plan.effect).toBe(effect);
});

test("nothing changes where nothing differs, however groups are ordered", () => {
    expect(isEmpty(planChanges(olds, inputs))).toBe(true);
    expect(isEmpty(planChanges(olds, { ...inputs, securityGroups: ["g2", "g1"] }))).toBe(true);
});

test("user data is compared by its bytes and ignored on demand", () => {
    expect(isEmpty(planChanges(olds, { ...inputs, userData: undefined, userDataBase64: Buffer.from(text).toString("base64") }))).toBe(true);
    expect(isEmpty(planChanges(olds, { ...inputs, userData: "other", onUserDataChange: "ignore" }))).toBe(true);
});

test("the hardest effect rules, and the line gives every reason that stops the machine", () => {
    const plan = planChanges(olds, { ...inputs, serviceOffering: "Large", securityGroups: ["g1", "g3"], displayName: "x" });
    expect(plan.effect).toBe("stopped");
    expect(describePlan("web", plan, olds)).toBe("web stops and starts: serviceOffering Small -> Large; securityGroups +g3 -g2");
    expect(takesDown(plan, olds)).toBe(true);
    expect(takesDown(plan, { ...olds, running: false })).toBe(false);
});

test("milder changes have no line", () => {
    expect(describePlan("web", planChanges(olds, { ...inputs, displayName: "x" }), olds)).toBeUndefined();
});

test("a machine that somebody stopped is started, and one that is to be stopped is stopped", () => {
    const stopped = { ...olds, running: false, state: "Stopped" };
    expect(describePlan("web", planChanges(stopped, inputs), stopped)).toBe("web starts: it is Stopped");
    expect(planChanges(olds, { ...inputs, running: false }).power).toBe("stop");
    expect(isEmpty(planChanges(stopped, { ...inputs, running: false }))).toBe(true);
});

test("a machine in state Error is replaced", () => {
    expect(planChanges({ ...olds, state: "Error", running: false }, inputs).effect).toBe("replace");
});

test("what a preview does not know is a change that it says it does not know", () => {
    const plan = planChanges(olds, { ...inputs, securityGroups: ["g1", UNKNOWN], userData: UNKNOWN, onUserDataChange: "reinstall" });
    expect(describePlan("web", plan, olds)).toMatch(/^web is reinstalled .*: userData may change .*; securityGroups may change/);
});

test("addresses and networks that the program leaves to the cloud are left alone", () => {
    expect(isEmpty(planChanges({ ...olds, network: "n1" }, inputs))).toBe(true);
});

test("affinity groups that the program no longer names are taken away; the last key cannot be", () => {
    expect(planChanges({ ...olds, affinityGroups: ["a"] }, inputs).changes[0]).toMatchObject({ property: "affinityGroups", effect: "stopped" });
    expect(isEmpty(planChanges(olds, { ...inputs, sshKeyPairs: [] }))).toBe(true);
});
