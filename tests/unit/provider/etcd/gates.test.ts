import { etcdHealth, etcdMember, etcdQuorum } from "../../../../provider/etcd/handlers";
import { planChanges } from "../../../../provider/virtualMachine/plan";

const members = { "c-etcd-a": "127.0.0.1" };
const gate = { cluster: "c", members, waitFor: "none", timeoutSeconds: 10, revision: "1" };
/** A port where nothing listens; the certificate is never used. */
const asked = { ...gate, waitFor: "healthy", caCertificate: "", clientCertificate: "", clientKey: "" };

describe("EtcdQuorum", () => {
    const versions = (from: string, to: string) =>
        etcdQuorum.check({ ...gate, version: from }, { ...gate, version: to }).then(({ failures }) => failures);

    test.each([
        ["3.5.33", "3.5.34"],
        ["3.5.33", "3.6.14"],
        ["3.6.14", "3.6.13"],
    ])("allows a change of the version from %s to %s", async (from, to) =>
        expect(await versions(from, to)).toEqual([]),
    );

    test.each([
        ["3.6.14", "3.5.33", "etcd cannot go back to an earlier minor version"],
        ["3.5.33", "3.7.0", "one minor version at a time; first to 3.6"],
    ])("refuses a change of the version from %s to %s", async (from, to, why) => {
        expect(await versions(from, to)).toEqual([{ property: "version", reason: expect.stringContaining(why) }]);
    });

    test("refuses a change that takes members down while a member does not answer, and allows others", async () => {
        const olds = { ...asked, version: "3.6.14" };
        const refused = await etcdQuorum.check(olds, { ...olds, revision: "2" });
        expect(refused.failures).toEqual([
            { property: "", reason: expect.stringMatching(/etcd is not healthy.*c-etcd-a.*Repair that member first/s) },
        ]);
        await expect(etcdQuorum.update("id", olds, { ...olds, revision: "2" })).rejects.toThrow("was not started");
        const allowed = { ...olds, revision: "2", allowUnhealthy: ["c-etcd-a"] };
        expect((await etcdQuorum.check(olds, allowed)).failures).toEqual([]);
        expect((await etcdQuorum.check(olds, { ...olds, timeoutSeconds: 20 })).failures).toEqual([]);
    });
});

describe("a change that erases the only copies of the data is refused", () => {
    const three = { "c-etcd-a": "127.0.0.1", "c-etcd-b": "127.0.0.1", "c-etcd-c": "127.0.0.1" };
    const revision = (changes: object = {}) => JSON.stringify({ version: "3.6.13", template: "x", ...changes });
    const olds = { ...gate, members: three, version: "3.6.13", revision: revision(), hasVolumes: false };
    const refusal = async (changes: object, before: object = {}) => {
        const { failures } = await etcdQuorum.check({ ...olds, ...before }, { ...olds, ...before, ...changes });
        return failures!.map(({ reason }) => reason).join("\n");
    };
    const other = { revision: revision({ template: "y" }) };

    test("if members are not gated, or there is one only, and the data is on root disks", async () => {
        expect(await refusal(other)).toMatch(
            /would lose all.*root disks of c-etcd-a, c-etcd-b, c-etcd-c are.*template x -> y.*waitFor: "healthy"/,
        );
        expect(await refusal({ revision: revision({ version: "3.6.14" }) })).toContain("version 3.6.13 -> 3.6.14");
        expect(await refusal({ revision: revision({ zone: "z" }) }, { revision: revision({ zone: "a" }) })).toContain(
            "zone a -> z",
        );
        const one = { members: { "c-etcd-a": "127.0.0.1" }, waitFor: "healthy" };
        expect(await refusal(other, one)).toMatch(/root disk of c-etcd-a is/);
        await expect(etcdQuorum.update("id", olds, { ...olds, ...other })).rejects.toThrow(
            "would lose all of its data",
        );
    });

    test("but not if the data is on volumes, members are gated, it is allowed, or nothing is erased", async () => {
        expect(await refusal(other, { hasVolumes: true })).toBe("");
        // The state of 0.1.0 does not have hasVolumes.
        expect(await refusal({ ...other, hasVolumes: true }, { hasVolumes: undefined })).toBe("");
        expect(await refusal({ ...other, allowDataLoss: true })).toBe("");
        expect(await refusal({ ...other, waitFor: "healthy" })).not.toContain("would lose");
        expect(await refusal({ revision: revision({ serviceOffering: "large" }) })).toBe("");
        expect(await refusal({ members: { "c-etcd-a": "127.0.0.1" } })).toBe("");
    });

    test("and so is a change that removes the volumes", async () => {
        expect(await refusal({ hasVolumes: false }, { hasVolumes: true })).toMatch(
            /the data volumes of c-etcd-a, .* are deleted/,
        );
    });
});

describe("EtcdMember", () => {
    test("does not connect to etcd with waitFor none", async () => {
        const inputs = { ...gate, name: "c-etcd-a", address: "127.0.0.1", isFounder: false };
        const { id, outs } = await etcdMember.create(inputs);
        expect(outs).toEqual(inputs);
        await etcdMember.update(id, outs!, { ...inputs, revision: "2" });
    });

    test("does not wait for a founder of a new cluster", async () => {
        await etcdMember.create({ ...asked, name: "c-etcd-a", address: "127.0.0.1", isFounder: true });
    });
});

describe("EtcdHealth", () => {
    test("can be deleted only after allowDataLoss was set", async () => {
        await expect(etcdHealth.delete("id", { ...gate, allowDataLoss: false })).rejects.toThrow(
            "set allowDataLoss: true",
        );
        await etcdHealth.delete("id", { ...gate, allowDataLoss: true });
    });

    test("reports unknown health with waitFor none", async () => {
        const { outs } = await etcdHealth.create({ ...gate, allowDataLoss: false });
        expect(outs!.health).toEqual({ "c-etcd-a": "unknown" });
    });

    test("names the member, its last error and what to do after a time-out", async () => {
        const inputs = { ...asked, timeoutSeconds: 1, allowDataLoss: false };
        await expect(etcdHealth.create(inputs)).rejects.toThrow(
            /etcd cluster c is not healthy after 1 s. 0 of 1 members are healthy; c-etcd-a .*journalctl -u etcd.*waitForTimeoutSeconds/,
        );
    });
});

describe("a machine's reinstallTrigger", () => {
    const machine = {
        name: "m",
        reinstallTrigger: "etcd 3.5.33",
        running: true,
        deleteProtection: false,
        displayName: "m",
    };
    const effect = (olds: object, news: object) => planChanges({ ...machine, ...olds }, { name: "m", ...news }).effect;

    test("a changed one reinstalls, the first one is only stored, and none changes nothing", () => {
        expect(effect({}, { reinstallTrigger: "etcd 3.6.14" })).toBe("reinstall");
        expect(effect({ reinstallTrigger: undefined }, { reinstallTrigger: "etcd 3.6.14" })).toBe("live");
        expect(effect({}, {})).toBeUndefined();
        expect(effect({}, { reinstallTrigger: "etcd 3.5.33" })).toBeUndefined();
    });
});
