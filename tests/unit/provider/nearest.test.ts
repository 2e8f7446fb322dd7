import * as fc from "fast-check";
import { likelyNames, nearestNames } from "../../../provider/nearest";

describe("nearestNames", () => {
    test("sorts typing mistakes and parts of names first", () => {
        expect(
            nearestNames("Smal Instance", ["Large Instance", "Small Instance", "Medium Instance", "Tiny"], 2)[0],
        ).toBe("Small Instance");
        expect(nearestNames("debian", ["Windows", "Debian 12 (64-bit)", "Ubuntu"], 1)).toEqual(["Debian 12 (64-bit)"]);
        expect(nearestNames("x", [])).toEqual([]);
    });

    test("sorts an exact name first", () => {
        fc.assert(
            fc.property(fc.array(fc.string()), fc.string(), (names, name) => {
                expect(nearestNames(name, [...names, name], 1)[0]!.toLowerCase()).toBe(name.toLowerCase());
            }),
        );
    });
});

describe("likelyNames", () => {
    test("has the most similar names, and all names if none is similar", () => {
        const names = ["template", "zone", "dataVolume"];
        expect(likelyNames("templat", names)).toEqual(["template"]);
        expect(likelyNames("dataVolme", names)).toEqual(["dataVolume"]);
        expect(likelyNames("qqq", names)).toEqual(names);
    });
});
