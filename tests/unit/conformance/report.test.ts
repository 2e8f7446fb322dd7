import { outcomeOf, type Spec, tableOf } from "../../conformance/report";

function spec(text: string, State: string, message?: string): Spec {
    const Failure = message === undefined ? undefined : { Message: message };
    return {
        ContainerHierarchyTexts: ["[sig-node] Pods"],
        LeafNodeType: "It",
        LeafNodeText: text,
        State,
        RunTime: 1,
        Failure,
    };
}

const suite = (State: string, message?: string): Spec => ({
    ...spec("", State, message),
    ContainerHierarchyTexts: null,
    LeafNodeType: "SynchronizedBeforeSuite",
});

test("what ran and what did not is told by name; other tests do not count", () => {
    const specs = [
        suite("passed"),
        spec("works [Conformance]", "passed"),
        spec("breaks [Conformance]", "failed", "no pod"),
        spec("hangs [Conformance]", "timedout"),
        spec("needs perl [Conformance]", "skipped"),
        spec("needs Windows [Conformance]", "skipped", "not on Linux"),
        spec("was not asked for [Conformance]", "skipped"),
        spec("is no conformance test", "failed", "whatever"),
    ];
    const outcome = outcomeOf(specs, new Map([["needs perl", "no image perl"]]));
    expect(outcome).toEqual({
        passed: ["[sig-node] Pods works [Conformance]"],
        failed: [
            { name: "[sig-node] Pods breaks [Conformance]", reason: "no pod" },
            { name: "[sig-node] Pods hangs [Conformance]", reason: "timedout" },
        ],
        skipped: [
            { name: "[sig-node] Pods needs perl [Conformance]", reason: "no image perl" },
            { name: "[sig-node] Pods needs Windows [Conformance]", reason: "not on Linux" },
        ],
        broken: [],
    });
    expect(tableOf(outcome)).toMatch(/: 1 passed, 2 failed, 2 skipped\n\nFailed:\n.*breaks.*\n {6}no pod\n/);
});

test("a failure before the first test is no success", () => {
    const { broken, passed } = outcomeOf([suite("failed", "no node is Ready")], new Map());
    expect({ broken, passed }).toEqual({
        broken: [{ name: "SynchronizedBeforeSuite", reason: "no node is Ready" }],
        passed: [],
    });
});
