import * as fc from "fast-check";
import { encodeParams, escapeValue, formEncode } from "../../../../provider/client/params";
import { expiry, sign, signedPairs, stringToSign } from "../../../../provider/client/sign";

/** Computed with Java's URLEncoder and HmacSHA1, which CloudStack's `ApiServer.verifyRequest` uses. */
const VECTOR = {
    secretKey: "s3cr3t-Key",
    pairs: [
        ["command", "deployVirtualMachine"],
        ["apiKey", "AbC-_123"],
        ["response", "json"],
        ["signatureVersion", "3"],
        ["expires", "2026-01-02T03:04:05+0000"],
        ["details[0].cpuNumber", "2"],
        ["Zz", "B"],
        ["aa", "A"],
        ["displayname", "café *~+[]!'() Ü😀"],
        ["all", Array.from({ length: 0x7f - 0x20 }, (_, index) => String.fromCharCode(0x20 + index)).join("")],
    ] as [string, string][],
    text:
        "zz=b&aa=a&all=%20%21%22%23%24%25%26%27%28%29*%2b%2c-.%2f0123456789%3a%3b%3c%3d%3e%3f%40" +
        "abcdefghijklmnopqrstuvwxyz%5b%5c%5d%5e_%60abcdefghijklmnopqrstuvwxyz%7b%7c%7d%7e&apikey=abc-_123&command=deployvirtualmachine" +
        "&details[0].cpunumber=2&displayname=caf%c3%a9%20*%7e%2b%5b%5d%21%27%28%29%20%c3%9c%f0%9f%98%80" +
        "&expires=2026-01-02t03%3a04%3a05%2b0000&response=json&signatureversion=3",
    signature: "826htCZkeaoPf5Q2yi/ZkFgt04E=",
};

describe("a signature", () => {
    test("equals that of Java's URLEncoder and HmacSHA1", () => {
        expect(stringToSign(VECTOR.pairs)).toBe(VECTOR.text);
        expect(sign(VECTOR.pairs, VECTOR.secretKey)).toBe(VECTOR.signature);
    });

    test("does not depend on the order of the parameters, nor on a signature among them", () => {
        fc.assert(
            fc.property(fc.shuffledSubarray(VECTOR.pairs, { minLength: VECTOR.pairs.length }), (pairs) => {
                expect(sign([...pairs, ["signature", "x"]], VECTOR.secretKey)).toBe(VECTOR.signature);
            }),
        );
    });

    test("is in a request of signature version 3 that expires in ten minutes", () => {
        const now = Date.UTC(2026, 0, 2, 2, 54, 5, 678);
        const pairs = signedPairs("listZones", [["name", "a b"]], { apiKey: "K", secretKey: "S" }, now);
        expect(Object.fromEntries(pairs)).toEqual({
            command: "listZones",
            name: "a b",
            apiKey: "K",
            response: "json",
            signatureVersion: "3",
            expires: "2026-01-02T03:04:05+0000",
            signature: sign(pairs, "S"),
        });
        expect(expiry(now)).toBe("2026-01-02T03:04:05+0000");
    });
});

describe("escaping", () => {
    test("leaves the same characters as URLEncoder", () => {
        for (let code = 0x20; code < 0x7f; code++) {
            const character = String.fromCharCode(code);
            const escaped = /[A-Za-z0-9.\-*_]/.test(character) ? character : `%${code.toString(16).toUpperCase()}`;
            expect(escapeValue(character)).toBe(escaped);
        }
    });

    test("of a form body can be reversed, whatever it contains", () => {
        const text = fc.string({ unit: "grapheme" });
        fc.assert(
            fc.property(fc.uniqueArray(fc.tuple(text, text), { selector: ([name]) => name }), (pairs) => {
                expect([...new URLSearchParams(formEncode(pairs))]).toEqual(pairs);
            }),
        );
    });

    test("of an unpaired surrogate does not fail", () => {
        expect(escapeValue("a\ud83d")).toBe("a%EF%BF%BD");
    });
});

describe("encodeParams", () => {
    test("encodes strings, numbers and booleans, and omits what is undefined", () => {
        expect(encodeParams({ name: "a", size: 5, startvm: false, group: undefined, empty: "" })).toEqual([
            ["name", "a"],
            ["size", "5"],
            ["startvm", "false"],
            ["empty", ""],
        ]);
    });

    test("joins lists of strings, and sends an empty list as an empty value", () => {
        expect(encodeParams({ securitygroupids: ["a", "b"], affinitygroupids: [] })).toEqual([
            ["securitygroupids", "a,b"],
            ["affinitygroupids", ""],
        ]);
    });

    test("refuses an element with a comma, which CloudStack would read as two", () => {
        expect(() => encodeParams({ keypairs: ["mine, and yours"] })).toThrow(
            /keypairs: "mine, and yours" contains a comma/,
        );
    });

    test("gives each record in a list an index", () => {
        expect(
            encodeParams({
                usersecuritygrouplist: [
                    { account: "t", group: "a" },
                    { account: "t", group: "b" },
                ],
            }),
        ).toEqual([
            ["usersecuritygrouplist[0].account", "t"],
            ["usersecuritygrouplist[0].group", "a"],
            ["usersecuritygrouplist[1].account", "t"],
            ["usersecuritygrouplist[1].group", "b"],
        ]);
    });

    test("gives all details one index, and each tag its own", () => {
        expect(
            encodeParams({ details: { owner: "o/p/s/n", cpuNumber: "2" }, tags: { env: "dev", "a.b": "c" } }),
        ).toEqual([
            ["details[0].owner", "o/p/s/n"],
            ["details[0].cpuNumber", "2"],
            ["tags[0].key", "env"],
            ["tags[0].value", "dev"],
            ["tags[1].key", "a.b"],
            ["tags[1].value", "c"],
        ]);
    });
});
