import {
    certificate,
    certificateAuthority,
    clusterToken,
    randomSecret,
    signingKeyPair,
} from "../../../../provider/certificates/handlers";
import * as crypto from "node:crypto";
import { at, day, expectClean, leafInputs, newAuthority, newCertificate } from "./support";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const start = Date.parse("2030-01-01T00:00:00Z");

test("outputs are plain JSON and contain the inputs", async () => {
    const authority = await newAuthority();
    const leaf = await newCertificate(authority.outs);
    const secret = await randomSecret.create((await randomSecret.check({}, {})).inputs!);
    for (const outs of [
        authority.outs,
        leaf.outs,
        secret.outs,
        (await certificate.update(leaf.id, leaf.outs, leaf.inputs)).outs,
    ])
        expectClean(outs);
    expect(leaf.outs).toMatchObject(leaf.inputs);
    expect(await certificate.read(leaf.id, leaf.outs)).toEqual({ id: leaf.id, props: leaf.outs });
});

describe("Certificate", () => {
    test("is valid for five years by default, and due for renewal in the last quarter of that time", async () => {
        const authority = await at(start, () => newAuthority());
        expect(Date.parse(authority.outs.notAfter)).toBe(start + 7300 * day);
        const { inputs, outs } = await at(start, () => newCertificate(authority.outs));
        expect(inputs).not.toHaveProperty("validityDays");
        expect(outs).toMatchObject({ validityDays: 1825, renewBeforeDays: 456, organizations: [] });
        expect(Date.parse(outs.notAfter)).toBe(start + 1825 * day);
    });

    test("issued with an earlier default is kept until it is due, and then renewed with the current default", async () => {
        const authority = await at(start, () => newAuthority());
        // As recorded by 0.1.0: with the defaults among the inputs.
        const old = await at(start, () => newCertificate(authority.outs, { validityDays: 365, renewBeforeDays: 91 }));
        const { inputs } = await certificate.check(old.inputs, leafInputs(authority.outs));
        const diff = (days: number) => at(start + days * day, () => certificate.diff(old.id, old.outs, inputs!));
        expect([await diff(0), await diff(273)]).toEqual([{ changes: false }, { changes: false }]);
        // If arguments differ, the handler leaves the comparison to the engine.
        expect(await diff(275)).toEqual({});
        const { outs } = await at(start + 275 * day, () => certificate.update(old.id, old.outs, inputs!));
        expect(Date.parse(outs!.notAfter)).toBe(start + (275 + 1825) * day);
        // A value in the program applies at once.
        const longer = { ...inputs!, validityDays: 730 };
        expect(await at(start, () => certificate.diff(old.id, old.outs, longer))).toEqual({ changes: true });
    });

    test("is warned about in its last 90 days, or in the last quarter of a shorter validity, and not before", async () => {
        const logged: string[] = [];
        const spy = jest.spyOn(console, "log").mockImplementation((line) => void logged.push(line));
        const authority = await at(start, () => newAuthority());
        const leaf = await at(start, () => newCertificate(authority.outs));
        const short = await at(start, () => newCertificate(authority.outs, { commonName: "short", validityDays: 40 }));
        const lines = async ({ id, inputs, outs }: typeof leaf, days: number) => {
            await at(start + days * day, () => certificate.diff(id, outs, inputs));
            return logged.splice(0);
        };
        expect(await lines(leaf, 1700)).toEqual([]);
        expect(await lines(leaf, 1740)).toEqual([
            `the certificate etcd-a expires in 85 days (${leaf.outs.notAfter}): \`pulumi up\` renews it`,
        ]);
        expect(await lines(leaf, 1900)).toEqual([expect.stringContaining("the certificate etcd-a has expired")]);
        expect([await lines(short, 29), await lines(short, 31)]).toEqual([[], [expect.stringContaining("9 days")]]);
        spy.mockRestore();
    });

    test("is kept until it is due for renewal, then renewed with the same key", async () => {
        const authority = await at(start, () => newAuthority());
        const leaf = await at(start, () => newCertificate(authority.outs, { validityDays: 365 }));
        const diff = (time: number) => at(time, () => certificate.diff(leaf.id, leaf.outs, leaf.inputs));
        expect(await diff(start)).toEqual({ changes: false });
        expect(await diff(start + 274 * day - 1)).toEqual({ changes: false });
        expect(await diff(start + 274 * day)).toEqual({ changes: true });
        expect(await diff(start + 500 * day)).toEqual({ changes: true });

        const renewed = await at(
            start + 280 * day,
            async () => (await certificate.update(leaf.id, leaf.outs, leaf.inputs)).outs!,
        );
        expect(Date.parse(renewed.notAfter)).toBe(start + (280 + 365) * day);
        expect(renewed.privateKey).toBe(leaf.outs.privateKey);
        expect(renewed.serialNumber).not.toBe(leaf.outs.serialNumber);
        expect(await at(start + 281 * day, () => certificate.diff(leaf.id, renewed, leaf.inputs))).toEqual({
            changes: false,
        });
    });

    test("that ends with its authority is not renewed again and again", async () => {
        const authority = await at(start, () => newAuthority({ validityDays: 100 }));
        const leaf = await at(start + 50 * day, () => newCertificate(authority.outs));
        expect(leaf.outs.notAfter).toBe(authority.outs.notAfter);
        expect(await at(start + 99 * day, () => certificate.diff(leaf.id, leaf.outs, leaf.inputs))).toEqual({
            changes: false,
        });
    });

    test("with other names is issued again with the same key; by another authority with another key", async () => {
        const authority = await newAuthority();
        const leaf = await newCertificate(authority.outs);
        const renamed = { ...leaf.inputs, dnsNames: ["etcd-z"] };
        expect(await certificate.diff(leaf.id, leaf.outs, renamed)).toEqual({ changes: true });
        const { outs } = await certificate.update(leaf.id, leaf.outs, renamed);
        expect(outs!.privateKey).toBe(leaf.outs.privateKey);
        expect(new crypto.X509Certificate(outs!.certificate).subjectAltName).toContain("DNS:etcd-z");

        const other = (await newAuthority()).outs;
        const moved = { ...leaf.inputs, caCertificate: other.certificate, caPrivateKey: other.privateKey };
        expect(await certificate.diff(leaf.id, leaf.outs, moved)).toEqual({ changes: true });
        const reissued = (await certificate.update(leaf.id, leaf.outs, moved)).outs!;
        expect(reissued.privateKey).not.toBe(leaf.outs.privateKey);
        expect(
            new crypto.X509Certificate(reissued.certificate).verify(
                new crypto.X509Certificate(other.certificate).publicKey,
            ),
        ).toBe(true);
    });

    test("with another renewBeforeDays only has its outputs updated", async () => {
        const leaf = await newCertificate((await newAuthority()).outs);
        const inputs = { ...leaf.inputs, renewBeforeDays: 30 };
        expect(await certificate.diff(leaf.id, leaf.outs, inputs)).toEqual({ changes: true });
        const { outs } = await certificate.update(leaf.id, leaf.outs, inputs);
        expect(outs).toEqual({ ...leaf.outs, renewBeforeDays: 30 });
    });

    test("whose authority is not known yet at preview is shown as changed, without checks of the authority", async () => {
        const leaf = await newCertificate((await newAuthority()).outs);
        const news = { ...leaf.inputs, caCertificate: unknown, caPrivateKey: unknown };
        expect((await certificate.check(leaf.inputs, news)).failures).toEqual([]);
        expect(await certificate.diff(leaf.id, leaf.outs, news)).toEqual({});
        expect(
            (
                await certificate.check(
                    {},
                    { ...news, commonName: unknown, validityDays: unknown, dnsNames: unknown, usages: [unknown] },
                )
            ).failures,
        ).toEqual([]);
    });

    test("is refused with every problem at once, and no error contains a key", async () => {
        const { failures } = await certificate.check(
            {},
            {
                caCertificate: "x",
                caPrivateKey: "secret text",
                commonName: "",
                organizations: ["y".repeat(65)],
                dnsNames: ["a b", "10.1.1.1", "ok.example"],
                ipAddresses: ["host", "10.1.1.1"],
                usages: ["both"],
                validityDays: 10,
                renewBeforeDays: 10,
            },
        );
        expect(failures!.map(({ property }) => property)).toEqual([
            "commonName",
            "organizations[0]",
            "dnsNames[0]",
            "dnsNames[1]",
            "ipAddresses[0]",
            "usages[0]",
            "caCertificate",
            "renewBeforeDays",
            "caPrivateKey",
        ]);
        expect(JSON.stringify(failures)).not.toContain("secret text");
        expect((await certificate.check({}, {})).failures!.map(({ property }) => property)).toEqual([
            "commonName",
            "usages",
            "caCertificate",
            "caPrivateKey",
        ]);
        expect(
            (
                await certificate.check(
                    {},
                    leafInputs(
                        { certificate: "-----BEGIN CERTIFICATE-----", privateKey: "-----BEGIN PRIVATE KEY-----" },
                        { usages: [] },
                    ),
                )
            ).failures,
        ).toHaveLength(1);
    });
});

describe("CertificateAuthority", () => {
    const step = async (authority: { id: string; inputs: any; outs: any }, change: Record<string, unknown>) => {
        const { commonName, validityDays } = authority.inputs;
        const { inputs, failures } = await certificateAuthority.check(authority.inputs, {
            commonName,
            validityDays,
            ...change,
        });
        expect(failures).toEqual([]);
        // Without `changes` in the result, the engine compares the arguments, which differ here.
        const { changes = true } = await certificateAuthority.diff(authority.id, authority.outs, inputs!);
        const outs = changes
            ? (await certificateAuthority.update(authority.id, authority.outs, inputs!)).outs
            : authority.outs;
        expectClean(outs);
        return { id: authority.id, inputs: inputs as any, outs: outs as any, changes };
    };

    test("is never renewed by itself, not even after its end", async () => {
        const authority = await at(start, () => newAuthority());
        const later = await at(start + 3650 * day, () =>
            certificateAuthority.diff(authority.id, authority.outs, authority.inputs),
        );
        expect(later).toEqual({ changes: false });
    });

    test("is replaced in three steps, between which both generations are trusted", async () => {
        const first = await newAuthority();
        const one = first.outs.certificate;

        const prepared = await step(first, { generation: 2, signingGeneration: 1 });
        expect(prepared.outs).toMatchObject({
            certificate: one,
            privateKey: first.outs.privateKey,
            oldestTrustedGeneration: 1,
        });
        expect(prepared.outs.bundle.startsWith(one)).toBe(true);
        const two = prepared.outs.bundle.slice(one.length);
        expect(two).toMatch(/^-----BEGIN CERTIFICATE-----/);

        const switched = await step(prepared, { generation: 2 });
        expect(switched.outs).toMatchObject({ certificate: two, bundle: two + one });
        expect(switched.outs.privateKey).not.toBe(first.outs.privateKey);

        const finished = await step(switched, { generation: 2, oldestTrustedGeneration: 2 });
        expect(finished.outs).toMatchObject({ certificate: two, bundle: two, generations: [{ generation: 2 }] });

        expect((await step(finished, { generation: 2 })).changes).toBe(false);
        expect((await step(finished, { generation: 3 })).outs.generations.map((g: any) => g.generation)).toEqual([
            2, 3,
        ]);
    });

    test("in use keeps its end when the default changes", async () => {
        const old = await newAuthority({ validityDays: 3650 });
        const { inputs, failures } = await certificateAuthority.check(old.inputs, { commonName: "test authority" });
        expect([inputs!.validityDays, failures]).toEqual([3650, []]);
        const next = await certificateAuthority.check(old.inputs, { commonName: "test authority", generation: 2 });
        expect([next.inputs!.validityDays, next.failures]).toEqual([7300, []]);
    });

    test("is refused if its arguments are invalid or contradict each other", async () => {
        const first = await newAuthority();
        const failing = async (olds: any, change: Record<string, unknown>) =>
            (await certificateAuthority.check(olds, { commonName: "test authority", ...change })).failures!.map(
                ({ property }) => property,
            );
        expect(await failing(first.inputs, { commonName: "other" })).toEqual(["commonName"]);
        expect(await failing(first.inputs, { commonName: "other", generation: 2 })).toEqual([]);
        expect(await failing(first.inputs, { generation: 3 })).toEqual(["generation"]);
        expect(await failing(first.inputs, { signingGeneration: 2 })).toEqual(["signingGeneration"]);
        const later = await step(await step(first, { generation: 2 }), { generation: 2, oldestTrustedGeneration: 2 });
        expect(await failing(later.inputs, { generation: 1 })).toEqual(["generation", "signingGeneration"]);
        expect(await failing(later.inputs, { generation: 2, oldestTrustedGeneration: 1 })).toEqual([
            "oldestTrustedGeneration",
        ]);
        expect(await failing({}, { generation: 0, validityDays: 0.5, commonName: "" })).toEqual([
            "commonName",
            "validityDays",
            "generation",
            "signingGeneration",
            "oldestTrustedGeneration",
        ]);
        expect(await failing({}, { generation: unknown, commonName: unknown })).toEqual([]);
    });
});

describe("resources that are generated once", () => {
    const make = async (handler: typeof randomSecret, inputs: Record<string, unknown>) => {
        const { inputs: checked, failures } = await handler.check({}, inputs);
        expect(failures).toEqual([]);
        const { id, outs } = await handler.create(checked!);
        return { id, inputs: checked!, outs: outs! };
    };

    test("RandomSecret has the requested number of bytes", async () => {
        expect(Buffer.from((await make(randomSecret, {})).outs.value, "base64")).toHaveLength(32);
        expect((await make(randomSecret, { bytes: 16, encoding: "hex" })).outs.value).toMatch(/^[0-9a-f]{32}$/);
        const secret = await make(randomSecret, {});
        expect(await randomSecret.diff(secret.id, secret.outs, secret.inputs)).toEqual({
            changes: false,
            replaces: [],
        });
        expect(
            await randomSecret.diff(secret.id, secret.outs, { ...secret.inputs, bytes: 16, keepers: { x: "1" } }),
        ).toEqual({ changes: true, replaces: ["bytes", "keepers"] });
        expect((await randomSecret.check({}, { bytes: 1, encoding: "rot13" })).failures).toHaveLength(2);
    });

    test("SigningKeyPair has a private key and its public key", async () => {
        const { outs } = await make(signingKeyPair, {});
        const signature = crypto.sign("sha256", Buffer.from("x"), outs.privateKey);
        expect(crypto.verify("sha256", Buffer.from("x"), outs.publicKey, signature)).toBe(true);
    });

    test("ClusterToken keeps its window and its founders when members change", async () => {
        const token = await at(start + 999, () => make(clusterToken, { members: ["c", "a", "b"] }));
        expect(token.outs).toMatchObject({
            createdAt: start / 1000,
            founders: ["a", "b", "c"],
            // Without a start, a window counts as one of 0.1.0, which is never opened again.
            format: 2,
            token: expect.stringMatching(/^[0-9a-f]{16}$/),
        });
        expect(await clusterToken.diff(token.id, token.outs, { ...token.inputs, members: ["a", "d"] })).toEqual({
            changes: false,
            replaces: [],
        });
        expect(await clusterToken.diff(token.id, token.outs, { ...token.inputs, keepers: { x: "1" } })).toEqual({
            changes: true,
            replaces: ["keepers"],
        });
    });
});
