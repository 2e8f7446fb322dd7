import { authenticate, sign } from "../../../../simulator/api/signature";
import type { User } from "../../../../simulator/state/records";

const printable = Array.from({ length: 0x7f - 0x20 }, (_, index) => String.fromCharCode(0x20 + index)).join("");

/** Computed with Java's URLEncoder. */
const VECTOR = new Map([
    ["command", "deployVirtualMachine"],
    ["apiKey", "AbC-_123"],
    ["response", "json"],
    ["signatureVersion", "3"],
    ["expires", "2026-01-02T03:04:05+0000"],
    ["details[0].cpuNumber", "2"],
    ["Zz", "B"],
    ["aa", "A"],
    ["displayname", "café *~+[]!'() Ü😀"],
    ["all", printable],
]);

const SECRET = "s3cr3t-Key";

const user: User = { id: "u", name: "u", accountId: "a", apiKey: "AbC-_123", secretKey: SECRET, created: 0 };
const userOf = (apiKey: string) => (apiKey === user.apiKey ? user : undefined);
const BEFORE = Date.parse("2026-01-02T03:00:00Z");

test("a signature", () => {
    expect(sign(VECTOR, SECRET)).toBe("826htCZkeaoPf5Q2yi/ZkFgt04E=");
});

test("identifies its user, in any order and encoding of the reserved characters", () => {
    const signed = new Map([["signature", sign(VECTOR, SECRET)], ...[...VECTOR].reverse()]);
    expect(authenticate(signed, userOf, BEFORE)).toBe(user);
    const other = new Map([
        ["APIKEY", user.apiKey],
        ["command", "listZones"],
    ]);
    other.set("Signature", sign(other, SECRET));
    expect(authenticate(other, userOf, BEFORE)).toBe(user);
});

test.each([
    ["another value", (p: Map<string, string>) => p.set("aa", "B")],
    ["another parameter", (p: Map<string, string>) => p.set("x", "")],
    ["another key", (p: Map<string, string>) => p.set("apiKey", "nobody")],
    ["no signature", (p: Map<string, string>) => p.delete("signature")],
    ["a short signature", (p: Map<string, string>) => p.set("signature", "x")],
])("is refused with %s", (_, spoil) => {
    const signed = new Map([...VECTOR, ["signature", sign(VECTOR, SECRET)]] as [string, string][]);
    spoil(signed);
    expect(() => authenticate(signed, userOf, BEFORE)).toThrow(
        "unable to verify user credentials and/or request signature",
    );
});

test("of version 3 needs an expiry in the future; of version 1 it has none", () => {
    const signed = (parameters: [string, string][]) => {
        const all = new Map([["apiKey", user.apiKey], ...parameters]);
        return all.set("signature", sign(all, SECRET));
    };
    const at = (expires: string, now: string) =>
        authenticate(
            signed([
                ["signatureVersion", "3"],
                ["expires", expires],
            ]),
            userOf,
            Date.parse(now),
        );
    expect(at("2026-01-02T03:04:05+0000", "2026-01-02T03:04:04Z")).toBe(user);
    expect(at("2026-01-02T05:04:05+0200", "2026-01-02T03:04:04Z")).toBe(user);
    expect(at("2026-01-02T03:04:05.500Z", "2026-01-02T03:04:05Z")).toBe(user);
    expect(() => at("2026-01-02T03:04:05+0000", "2026-01-02T03:04:05Z")).toThrow();
    expect(() => at("soon", "2026-01-02T03:04:05Z")).toThrow();
    expect(() => authenticate(signed([["signatureVersion", "3"]]), userOf, 0)).toThrow();
    expect(authenticate(signed([["expires", "2000-01-01T00:00:00+0000"]]), userOf, BEFORE)).toBe(user);
});
