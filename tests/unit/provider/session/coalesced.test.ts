import { CoalescedReads } from "../../../../provider/session/coalesced";

const LISTED = ["a", "b", "c"].map((id) => ({ id }));

/** Reads that note what is asked of the cloud; the cloud has `d` too, which its list leaves out. */
function reads({ windowMs = 1, freshMs = 60_000, lists = async () => LISTED } = {}) {
    const asked: string[] = [];
    const all = () => (asked.push("list"), lists());
    const one = async (id: string) => (asked.push(id), [...LISTED, { id: "d" }].find((item) => item.id === id));
    return { asked, of: new CoalescedReads(all, one, windowMs, freshMs) };
}

test("what is asked for in the same moment is answered by one list", async () => {
    const { asked, of } = reads();
    expect(await Promise.all(["a", "b", "c"].map((id) => of.get(id)))).toEqual(LISTED);
    expect(asked).toEqual(["list"]);
});

test("it is one list however soon a list gets old", async () => {
    const { asked, of } = reads({ freshMs: 0 });
    expect(await Promise.all(["a", "b", "c"].map((id) => of.get(id)))).toEqual(LISTED);
    expect(asked).toEqual(["list"]);
});

test("a single question asks for its own id", async () => {
    const { asked, of } = reads();
    expect(await of.get("b")).toEqual({ id: "b" });
    expect(asked).toEqual(["b"]);
});

test("what a list lacks is asked for by its id before it counts as gone", async () => {
    const { asked, of } = reads();
    expect(await Promise.all(["a", "d", "e"].map((id) => of.get(id)))).toEqual([{ id: "a" }, { id: "d" }, undefined]);
    expect(asked).toEqual(["list", "d", "e"]);
});

test("a fresh list answers at once: nobody waits for others then", async () => {
    const { asked, of } = reads({ windowMs: 2 ** 30 });
    await of.all();
    expect(await of.get("a")).toEqual({ id: "a" });
    expect(await of.get("d")).toEqual({ id: "d" });
    expect(asked).toEqual(["list", "d"]);
});

test("after a change, and when it is old, a list does not count any more", async () => {
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

test("what was there before stays as it was at the first question", async () => {
    const items = [{ id: "a" }];
    const { of } = reads({ lists: async () => [...items] });
    expect(await of.before()).toEqual([{ id: "a" }]);
    items.push({ id: "b" });
    of.changed();
    expect(await of.before()).toEqual([{ id: "a" }]);
    expect(await of.all()).toEqual([{ id: "a" }, { id: "b" }]);
});

test("what is known to have been removed is missing by one list, made afterwards, whatever number of it", async () => {
    const { asked, of } = reads();
    await of.all();
    expect(await Promise.all(["a", "d", "e"].map((id) => of.isMissing(id)))).toEqual([false, true, true]);
    expect(asked).toEqual(["list", "list"]);
});
