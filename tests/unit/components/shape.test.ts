import * as pulumi from "@pulumi/pulumi";
import {
    fields,
    joinProblems,
    list,
    needed,
    network,
    number,
    plain,
    readArguments,
    record,
    text,
} from "../../../components/shape";

const shape = fields({
    name: plain(text),
    template: needed(text, "Give a template"),
    sizes: list(number),
    labels: record(text),
    taints: list(fields({ key: needed(text) })),
    open: list(network),
});

/** The problems, and what is left of the arguments. */
function read(args: any) {
    const { args: left, problems } = readArguments(args, shape);
    return { left, problems: problems.map(({ path, problem, remedy }) => `${path}: ${problem}. ${remedy}.`) };
}

test("valid arguments are returned unchanged", () => {
    const template = pulumi.output("x");
    const args = {
        name: "a",
        template,
        sizes: [1, 2],
        labels: { "example.org/a": "" },
        taints: [{ key: "k" }],
        open: ["::/0"],
    };
    expect(read(args)).toEqual({ problems: [], left: args });
    expect(read({ template, name: undefined, sizes: null })).toEqual({ problems: [], left: { template } });
});

test("invalid arguments are left out, the others are kept", () => {
    const { left, problems } = read({
        name: 5,
        sizes: [1, "2"],
        labels: { a: "b", "c d": 7 },
        taints: [{}],
        templat: "x",
    });
    expect(problems).toEqual([
        "templat: is not a known argument. Use template.",
        "name: 5 is not a string. Give a string.",
        "template: is missing. Give a template.",
        'sizes[1]: "2" is not a number. Give a number.',
        'labels["c d"]: 7 is not a string. Give a string.',
        "taints[0].key: is missing. Give a string.",
    ]);
    expect(left).toEqual({ labels: { a: "b" }, taints: [{}] });
});

test.each(["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "10.1.1.1/32"])("%s is a network", (cidr) => {
    expect(read({ template: "x", open: [cidr] }).problems).toEqual([]);
});

test.each(["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/8/8", "10.0.0.0/", "any", ""])(
    "%j is not a network",
    (cidr) => {
        expect(read({ template: "x", open: [cidr] }).problems.length).toBe(1);
    },
);

test("an output instead of a plain value is reported without its value", () => {
    const { problems } = read({ template: "x", name: pulumi.output("secret") });
    expect(problems).toEqual([
        "name: is an output, and resources are named after it. Give a plain value, known while the program runs.",
    ]);
});

test("no other problems of an invalid argument, its parents or its children are reported", () => {
    const at = (path: string, problem = "is wrong") => ({ path, problem, remedy: "Mend it" });
    const joinedPaths = (ofShape: string[], ofValues: string[], problem?: string) =>
        joinProblems(
            ofShape.map((path) => at(path, problem)),
            ofValues.map((path) => at(path)),
        ).map(({ path }) => path);
    expect(joinedPaths(["a.b"], ["a", "a.b", "a.b.c", "a.b[0]", "a.bc", "ab"])).toEqual(["a.b", "a.bc", "ab"]);
    expect(joinedPaths(["args"], ["a"])).toEqual(["args"]);
    expect(joinedPaths(["a.x"], ["a"], "is not a known argument")).toEqual(["a.x", "a"]);
});
