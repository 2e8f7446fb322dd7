import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { placeholder } from "../../../../components/cloudInit";
import { expectSuccess, runTool, testWithTools, withFolder } from "../../../support/tools";
import { at, day, newAuthority, newCertificate } from "./support";

const openssl = testWithTools(["openssl"]);

/** Runs `openssl verify` on a certificate, for a purpose and with a bundle of authorities. */
function verify(folder: string, bundle: string, certificate: string, purpose: string, ...options: string[]) {
    fs.writeFileSync(path.join(folder, "ca.crt"), bundle);
    fs.writeFileSync(path.join(folder, "leaf.crt"), certificate);
    return runTool("openssl", [
        "verify",
        "-x509_strict",
        "-purpose",
        purpose,
        "-CAfile",
        path.join(folder, "ca.crt"),
        ...options,
        path.join(folder, "leaf.crt"),
    ]);
}

function text(certificate: string): string {
    const result = runTool("openssl", ["x509", "-noout", "-text"], { input: certificate });
    expectSuccess(result);
    return result.stdout;
}

openssl("usages decide what a certificate may be used for", () =>
    withFolder(async (folder) => {
        const { outs: authority } = await newAuthority();
        const good: Record<string, string[]> = {
            server: ["sslserver"],
            client: ["sslclient"],
            peer: ["sslserver", "sslclient"],
        };
        for (const [usage, purposes] of Object.entries(good)) {
            const { outs } = await newCertificate(authority, { usages: [usage] });
            for (const purpose of ["sslserver", "sslclient"]) {
                const result = verify(folder, authority.bundle, outs.certificate, purpose);
                expect([usage, purpose, result.status === 0]).toEqual([usage, purpose, purposes.includes(purpose)]);
            }
        }
    }),
);

openssl("a certificate is good for its names and addresses and for no others", () =>
    withFolder(async (folder) => {
        const { outs: authority } = await newAuthority();
        const { outs } = await newCertificate(authority, { ipAddresses: ["10.1.1.11", "fd00::1"] });
        const check = (...options: string[]) =>
            verify(folder, authority.bundle, outs.certificate, "sslserver", ...options).status;
        expect(check("-verify_hostname", "etcd-a")).toBe(0);
        expect(check("-verify_ip", "10.1.1.11")).toBe(0);
        expect(check("-verify_ip", "fd00::1")).toBe(0);
        expect(check("-verify_hostname", "etcd-b")).not.toBe(0);
        expect(check("-verify_ip", "10.1.1.12")).not.toBe(0);
    }),
);

openssl("another authority's certificate, and one signed by a leaf, are refused", () =>
    withFolder(async (folder) => {
        const { outs: authority } = await newAuthority();
        const { outs: other } = await newAuthority();
        const { outs: leaf } = await newCertificate(authority, { usages: ["peer"] });
        const { outs: foreign } = await newCertificate(other);
        expect(verify(folder, authority.bundle, foreign.certificate, "sslserver").status).not.toBe(0);
        const { outs: grandchild } = await newCertificate(leaf, { commonName: "grandchild" });
        expect(
            verify(folder, authority.bundle + leaf.certificate, grandchild.certificate, "sslserver").status,
        ).not.toBe(0);
    }),
);

openssl("extensions of an authority and of a leaf", async () => {
    const { outs: authority } = await newAuthority({ organization: "My company" });
    const ca = text(authority.certificate);
    expect(ca).toMatch(/Subject: CN = test authority, O = My company\n/);
    expect(ca).toMatch(/Basic Constraints: critical\n\s+CA:TRUE, pathlen:0\n/);
    expect(ca).toMatch(/Key Usage: critical\n\s+Digital Signature, Certificate Sign, CRL Sign\n/);
    expect(ca).toContain("ASN1 OID: prime256v1");
    expect(ca).toContain("ecdsa-with-SHA256");
    const { outs } = await newCertificate(authority, {
        commonName: "system:node:a",
        organizations: ["system:nodes", "x"],
        usages: ["client"],
        dnsNames: [],
        ipAddresses: [],
    });
    const leaf = text(outs.certificate);
    expect(leaf).toMatch(/Subject: CN = system:node:a, O = system:nodes, O = x\n/);
    expect(leaf).toMatch(/Issuer: CN = test authority, O = My company\n/);
    expect(leaf).toMatch(/Basic Constraints: critical\n\s+CA:FALSE\n/);
    expect(leaf).toMatch(/X509v3 Key Usage: critical\n\s+Digital Signature\n/);
    expect(leaf).toMatch(/Extended Key Usage: \n\s+TLS Web Client Authentication\n/);
    expect(leaf).not.toContain("Subject Alternative Name");
    const keyId = /Subject Key Identifier: \n\s+(\S+)\n/.exec(ca)?.[1];
    expect(keyId).toMatch(/^([0-9A-F]{2}:){19}/);
    expect(leaf).toMatch(new RegExp(`Authority Key Identifier: \\n\\s+(keyid:)?${keyId}\\n`));
});

test("keys are PKCS#8, match their certificates, and are all different; serial numbers are random", async () => {
    const { outs: authority } = await newAuthority();
    const leaves = [(await newCertificate(authority)).outs, (await newCertificate(authority)).outs];
    for (const { certificate, privateKey } of [authority, ...leaves]) {
        expect(privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
        expect(new crypto.X509Certificate(certificate).checkPrivateKey(crypto.createPrivateKey(privateKey))).toBe(true);
    }
    expect(leaves[0].privateKey).not.toBe(leaves[1].privateKey);
    expect(leaves[0].serialNumber).toMatch(/^[0-9a-f]{32}$/);
    expect(leaves[0].serialNumber).not.toBe(leaves[1].serialNumber);
    expect(leaves[0].fingerprint).toMatch(/^[0-9a-f]{64}$/);
});

test("authorities are valid for twenty years, leaves for five, and no leaf for longer than its authority", async () => {
    const start = Date.parse("2030-01-01T00:00:00Z");
    await at(start, async () => {
        const { outs: authority } = await newAuthority();
        expect(Date.parse(authority.notAfter)).toBe(start + 7300 * day);
        const { outs: leaf } = await newCertificate(authority);
        expect(Date.parse(leaf.notAfter)).toBe(start + 1825 * day);
        expect(Date.parse(leaf.notBefore)).toBe(start - 3_600_000);
        const { outs: long } = await newCertificate(authority, { validityDays: 20000 });
        expect(long.notAfter).toBe(authority.notAfter);
    });
});

test("placeholders are slightly longer than the values that they stand for", async () => {
    const { outs: authority } = await newAuthority({ commonName: "a-rather-long-cluster-name etcd peers" });
    const name = "production-etcd-a-with-a-rather-long-name-of-its-own";
    const { outs: leaf } = await newCertificate(authority, {
        commonName: name,
        dnsNames: [name, `${name}.cs1cloud.internal`, "localhost"],
        ipAddresses: ["10.100.100.111", "127.0.0.1"],
    });
    for (const [kind, real] of [
        ["certificate", leaf.certificate],
        ["authority", authority.certificate],
        ["privateKey", leaf.privateKey],
    ] as const) {
        const standIn = placeholder(kind, "x").length;
        expect(standIn).toBeGreaterThanOrEqual(real.length);
        expect(standIn).toBeLessThan(real.length * 1.25);
    }
});
