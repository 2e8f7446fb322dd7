import * as fc from "fast-check";
import {
    type ActualRule,
    asArgument,
    conflict,
    describeTuple,
    expand,
    keysOf,
    ofKey,
    plan,
    type Tuple,
    wantedTuples,
} from "../../../../provider/firewall/rules";

const tuples = (...rules: object[]) => wantedTuples(rules).tuples;
const rule = (id: string, given: object): ActualRule => ({ id, tuples: expand(given) });
const words = (steps: readonly (readonly Tuple[])[]) => steps.map((batch) => batch.map(describeTuple).join(", "));

const web = { ports: "80", cidrs: ["10.0.0.0/8"] };

test("rules are compared in one form: by source, with ports and codes that mean all", () => {
    expect(keysOf(tuples({ cidrs: ["10.9.8.7/8"] }))).toEqual(
        keysOf(tuples({ ports: "1-65535", cidrs: ["10.0.0.0/8"] })),
    );
    expect(tuples(web, { ...web, protocol: "TCP" })).toHaveLength(1);
    expect(describeTuple(tuples({ protocol: "icmp", icmpType: 8, cidrs: ["10.0.0.0/8"] })[0])).toBe(
        "icmp type 8 code -1 from 10.0.0.0/8",
    );
    // The addresses of the network are the same as none, and so is every destination.
    const own = "10.1.1.0/24";
    expect(keysOf(wantedTuples([{ cidrs: [own], destinationCidrs: ["0.0.0.0/0"] }], own).tuples)).toEqual(
        keysOf(wantedTuples([{}], own).tuples),
    );
    for (const tuple of tuples(
        web,
        { protocol: "icmp", cidrs: ["10.0.0.0/8"] },
        { protocol: "all", destinationCidrs: ["10.0.0.0/8"] },
    )) {
        expect(ofKey(tuple.key)).toEqual(tuple);
        expect(keysOf(expand(asArgument(tuple)))).toEqual([tuple.key]);
    }
});

test("only the difference is changed: a new source is added, an old one removed", () => {
    const actual = [rule("a", web), rule("b", { ports: "443", cidrs: ["10.0.0.0/8"] })];
    const more = plan(tuples({ ...web, cidrs: ["10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24"] }), actual, () => true);
    expect(words(more.first)).toEqual(["tcp 80 from 192.0.2.0/24, tcp 80 from 198.51.100.0/24"]);
    expect(more.remove.map(({ id }) => id)).toEqual(["b"]);
    expect(more.then).toEqual([]);
    expect(plan(tuples(web), actual, () => false)).toEqual({ first: [], remove: [], then: [] });
});

test("a rule that is wanted in part is replaced, and one that conflicts waits for the removal", () => {
    const both = rule("a", { ports: "80", cidrs: ["10.0.0.0/8", "192.0.2.0/24"] });
    const less = plan(tuples(web), [both], () => true);
    expect([words(less.first), less.remove.map(({ id }) => id), words(less.then)]).toEqual([
        [],
        ["a"],
        ["tcp 80 from 10.0.0.0/8"],
    ]);
    const wider = plan(tuples({ ...web, ports: "80-90" }), [rule("a", web)], () => true);
    expect([words(wider.first), words(wider.then)]).toEqual([[], ["tcp 80-90 from 10.0.0.0/8"]]);
    // What somebody else has added in the same rule stays.
    const foreign = ({ source }: Tuple) => source !== "192.0.2.0/24";
    expect(plan(tuples({ ports: "443", cidrs: ["10.0.0.0/8"] }), [both], foreign).remove).toEqual([]);
});

test("every plan ends with the wanted rules, and never asks for a rule beside one that conflicts with it", () => {
    const cidr = fc.constantFrom("10.0.0.0/8", "192.0.2.0/24", "0.0.0.0/0");
    const ports = fc.constantFrom("80", "443", "1-100", "90-500", undefined);
    const one = fc.record({
        protocol: fc.constantFrom("tcp", "udp"),
        ports,
        cidrs: fc.uniqueArray(cidr, { minLength: 1 }),
    });
    /** Rules that CloudStack accepts together. */
    const set = fc.array(one, { maxLength: 4 }).map((rules) =>
        rules.reduce<typeof rules>((kept, next) => {
            const there = kept.flatMap((other) => expand(other));
            return expand(next).some((tuple) => there.some((other) => conflict(tuple, other))) ? kept : [...kept, next];
        }, []),
    );
    fc.assert(
        fc.property(set, set, (before, after) => {
            const actual = before.map((given, index) => rule(String(index), given));
            const wanted = tuples(...after);
            const { first, remove, then } = plan(wanted, actual, () => true);
            let there = actual.flatMap((known) => known.tuples);
            const add = (batch: readonly Tuple[]) => {
                for (const tuple of batch) expect(there.filter((other) => conflict(tuple, other))).toEqual([]);
                there = [...there, ...batch];
            };
            first.forEach(add);
            const kept = actual.filter((known) => !remove.includes(known)).flatMap((known) => known.tuples);
            there = [...kept, ...first.flat()];
            then.forEach(add);
            expect(keysOf(there).sort()).toEqual(keysOf(wanted).sort());
        }),
    );
});
