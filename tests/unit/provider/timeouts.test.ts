import { secondsOfOption } from "../../../provider/timeouts";

/** The resource option `customTimeouts` as `timeoutSeconds`. */
test("durations become seconds", () => {
    expect(secondsOfOption({ create: "1h30m", update: "90s", delete: "1500ms" })).toEqual({
        create: 5400,
        update: 90,
        delete: 2,
    });
    expect(secondsOfOption({ create: "1ms" })).toEqual({ create: 1 });
    expect(secondsOfOption({})).toEqual({});
});

test.each(["", "10", "ten minutes", "5m "])("%j is not a duration", (create) => {
    expect(() => secondsOfOption({ create })).toThrow('is not a duration such as "15m"');
});
