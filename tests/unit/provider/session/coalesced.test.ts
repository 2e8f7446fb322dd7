import { CoalescedReads } from "../../../../provider/session/coalesced";

const LISTED = ["a", "b", "c"].map((id) => ({ id }));

/** Reads that record their requests; the cloud also has `d`, which its list does not contain. */
function reads({ windowMs = 1, freshMs = 60_000, lists = async () => LISTED } = {}) {
    const asked: string[] = [];
    const all = () => (asked.push("list"), lists());
    const one = async (id: string) => (asked.push(id), [...LISTED, { id: "d" }].find((item) => item.id === id));
    return { asked, of: new CoalescedReads(all, one, windowMs, freshMs) };
}

test("simultaneous requests are answered by one list", async () => {
    const { asked, of } = reads();
    expect(await Promise.all(["a", "b", "c"].map((id) => of.get(id)))).toEqual(LISTED);
    expect(asked).toEqual(["list"]);
});

test("they are one list, however soon a list becomes outdated", async () => {
    const { asked, of } = reads({ freshMs: 0 });
    expect(await Promise.all(["a", "b", "c"].map((id) => of.get(id)))).toEqual(LISTED);
    expect(asked).toEqual(["list"]);
});

test("a single request asks for its id alone", async () => {
    const { asked, of } = reads();
    expect(await of.get("b")).toEqual({ id: "b" });
    expect(asked).toEqual(["b"]);
});

test("an item that is not in the list is requested by its id before it counts as missing", async () => {
    const { asked, of } = reads();
    expect(await Promise.all(["a", "d", "e"].map((id) => of.get(id)))).toEqual([{ id: "a" }, { id: "d" }, undefined]);
    expect(asked).toEqual(["list", "d", "e"]);
});

test("a current list answers at once, without waiting for other requests", async () => {
    const { asked, of } = reads({ windowMs: 2 ** 30 });
    await of.all();
    expect(await of.get("a")).toEqual({ id: "a" });
    expect(await of.get("d")).toEqual({ id: "d" });
    expect(asked).toEqual(["list", "d"]);
});

test("a list is outdated after a change, and after some time", async () => {
    const { asked, of } = reads();
    await of.all();
    of.changed();
    await of.get("a");
    expect(asked).toEqual(["list", "a"]);

    const old = reads({ freshMs: 0 });
    await old.of.all();
    await old.of.get("a");
    expect(old.asked).toEqual(["list", "a"]);
});

test("a list that failed is not kept", async () => {
    let failures = 1;
    const { asked, of } = reads({
        lists: async () => {
            if (failures-- > 0) throw new Error("no");
            return LISTED;
        },
    });
    await expect(Promise.all([of.get("a"), of.get("b")])).rejects.toThrow("no");
    expect(await Promise.all([of.get("a"), of.get("b")])).toEqual([{ id: "a" }, { id: "b" }]);
    expect(asked).toEqual(["list", "list"]);
});

test("the first list stays available for comparisons with the time before the run", async () => {
    const items = [{ id: "a" }];
    const { of } = reads({ lists: async () => [...items] });
    expect(await of.before()).toEqual([{ id: "a" }]);
    items.push({ id: "b" });
    of.changed();
    expect(await of.before()).toEqual([{ id: "a" }]);
    expect(await of.all()).toEqual([{ id: "a" }, { id: "b" }]);
});

test("any number of removed items costs one list, made after the removals", async () => {
    const { asked, of } = reads();
    await of.all();
    expect(await Promise.all(["a", "d", "e"].map((id) => of.isMissing(id)))).toEqual([false, true, true]);
    expect(asked).toEqual(["list", "list"]);
});
