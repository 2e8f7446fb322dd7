import * as fc from "fast-check";
import { markedName, markedText, unmarkedText } from "../../../provider/marks";
import { defaultName } from "../../../provider/resource";
import { retiredName } from "../../../provider/virtualMachine/remove";

const hostName = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

test("valid names are joined unchanged", () => {
    expect(defaultName("dev", "etcd-1")).toBe("dev-etcd-1");
});

test("any name of a stack and a resource gives a valid host name, always the same", () => {
    fc.assert(
        fc.property(fc.string({ maxLength: 90 }), fc.string({ maxLength: 90 }), (stack, name) => {
            expect(defaultName(stack, name)).toMatch(hostName);
            expect(defaultName(stack, name)).toBe(defaultName(stack, name));
        }),
    );
});

test("names that had to be changed stay different", () => {
    const names = ["a b", "a_b", "a.b", "A-b"].map((name) => defaultName("dev", name));
    expect(new Set(names).size).toBe(names.length);
    expect(defaultName("dev", "x".repeat(80))).not.toBe(defaultName("dev", `${"x".repeat(80)}y`));
});

test("a name gets its mark once, and another owner's mark is different", () => {
    const marked = markedName("data", "o/p/s/data");
    expect(marked).toMatch(/^data-[0-9a-f]{8}$/);
    expect(markedName(marked, "o/p/s/data")).toBe(marked);
    expect(markedName("data", "o/p/other/data")).not.toBe(marked);
    expect(markedName("x".repeat(300), "o", 255)).toHaveLength(255);
});

test("a description can be split into the user's text and the mark", () => {
    for (const text of ["", "web servers", "web [x]", "a [b/c]"])
        expect(unmarkedText(markedText(text, "organization/p/dev/web"))).toBe(text);
    expect(unmarkedText("made by hand")).toBe("made by hand");
});

test("a retired machine has a valid unique name, and retiring it again changes nothing", () => {
    const machine = { id: "a88a0ca3-4942-4dac-945c-a6ff81d71a8d", name: "x".repeat(63) };
    const gone = retiredName(machine);
    expect(gone).toMatch(hostName);
    expect(gone).toMatch(/-gone-a88a0c$/);
    expect(retiredName({ ...machine, name: gone })).toBe(gone);
});
