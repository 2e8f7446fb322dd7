import * as crypto from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { load } from "js-yaml";
import { expectSuccess, runTool, testWithTools, withFolder } from "../../support/tools";

/** A machine in the cloud. */
export interface Machine {
    name: string;
    address: string;
    /** Its user data as the cloud returns it. */
    base64: string;
}

/** The machines in the cloud, and the resources in the stack's state with their secrets. */
export interface Subject {
    machines: Machine[];
    resources: any[];
}

/** What a certificate must be valid for. */
interface Verification {
    certificate: string;
    key?: string;
    authority: string;
    purposes: ("sslserver" | "sslclient")[];
    names?: string[];
    addresses?: string[];
    subject: string;
}

const pki = { etcd: "/etc/etcd/pki", kubernetes: "/etc/kubernetes/pki" };

/**
 * Tests of the user data of a stack's machines: cloud-init accepts it, every key is on the machines that need it and on
 * no other, and its certificates are valid for their purposes.
 */
export function userDataTests(subject: () => Promise<Subject>): void {
    testWithTools(["cloud-init"])("the user data of every machine is valid by cloud-init's schema", async () => {
        const { machines } = await subject();
        await withFolder((folder) => {
            for (const { name, base64 } of machines) {
                expect([name, base64.length > 32_768]).toEqual([name, false]);
                const file = join(folder, name);
                writeFileSync(file, unpack(base64));
                expectSuccess(runTool("cloud-init", ["schema", "-c", file]));
            }
        });
    });

    test("every key of the stack is on the machines that need it, and on no other", async () => {
        const { machines, resources } = await subject();
        const secrets = resources.flatMap(secretOf);
        expect(secrets.length).toBeGreaterThan(20);
        const found = machines.map(({ name, base64 }) => {
            const text = unpack(base64);
            const held = secrets.filter(({ forms }) => forms.some((form) => text.includes(form)));
            return [name, held.map(({ name: secret }) => secret).sort()];
        });
        expect(Object.fromEntries(found)).toEqual(
            Object.fromEntries(machines.map(({ name }) => [name, keysFor(name).sort()])),
        );
        // There are no other private keys either.
        for (const { name, base64 } of machines) {
            const keys = unpack(base64).match(/BEGIN [A-Z ]*PRIVATE KEY/g) ?? [];
            const pem = keysFor(name).filter((key) => !key.endsWith("encryption"));
            expect([name, keys.length]).toEqual([name, pem.length]);
        }
    });

    testWithTools(["openssl"])("certificates are valid for their purposes, and for no other", async () => {
        const { machines } = await subject();
        const files = new Map(machines.map((machine) => [machine.name, filesOf(machine)]));
        const etcd = machines.filter(({ name }) => name.includes("-etcd-"));
        await withFolder((folder) => {
            for (const machine of machines)
                for (const verification of verifications(machine))
                    verify(folder, files.get(machine.name)!, verification);
        });
        // The API servers trust the authority of etcd's members for etcd, and each purpose has its own authority.
        for (const [name, own] of files) {
            const members = files.get(etcd[0].name)!;
            if (name.includes("-control-"))
                expect(own[`${pki.kubernetes}/etcd/ca.crt`]).toBe(members[`${pki.etcd}/ca.crt`]);
            if (!name.includes("-etcd-"))
                expect(own[`${pki.kubernetes}/ca.crt`]).not.toBe(members[`${pki.etcd}/ca.crt`]);
            else expect(own[`${pki.etcd}/ca.crt`]).not.toBe(own[`${pki.etcd}/peer-ca.crt`]);
        }
    });
}

/** The secrets that a machine of the stack needs, by the names of their resources. */
function keysFor(machine: string): string[] {
    const [, role, key] = /^local-(etcd|control|worker)-(.*)$/.exec(machine)!;
    if (role === "etcd") return ["server", "peer", "client"].map((kind) => `Certificate etcd-${key}-${kind}`);
    if (role === "worker") return [`Certificate kubernetes-worker-${key}`];
    return [
        "Certificate etcd-client",
        "CertificateAuthority kubernetes",
        "CertificateAuthority kubernetes-front-proxy",
        "RandomSecret kubernetes-encryption",
        "SigningKeyPair kubernetes-service-accounts",
    ];
}

/** The secret of a resource, and the forms in which it may occur in user data. */
function secretOf({ urn, type, outputs }: any): { name: string; forms: string[] }[] {
    const stored = outputs?.privateKey ?? (type.endsWith(":RandomSecret") ? outputs?.value : undefined);
    // The engine marks it as a secret and stores its value as JSON.
    const secret: string | undefined = stored === undefined ? undefined : JSON.parse(stored.plaintext);
    if (secret === undefined || !/:(Certificate|CertificateAuthority|SigningKeyPair|RandomSecret)$/.test(type))
        return [];
    const name = `${type.slice(type.lastIndexOf(":") + 1)} ${urn.slice(urn.lastIndexOf(":") + 1)}`;
    // A line from the middle of a key identifies it, however it is indented.
    const line = secret.includes("PRIVATE KEY") ? secret.split("\n")[1] : secret;
    const inner = Buffer.from(secret).toString("base64");
    return [{ name, forms: [line, inner.slice(0, 60)] }];
}

function unpack(base64: string): string {
    const bytes = Buffer.from(base64, "base64");
    expect(bytes.subarray(0, 2).toString("hex")).toBe("1f8b");
    return gunzipSync(bytes).toString("utf8");
}

/** The files that a document of cloud-init writes, by their paths. */
function filesOf({ base64 }: Machine): Record<string, string> {
    const { write_files: files } = load(unpack(base64)) as { write_files: { path: string; content: string }[] };
    return Object.fromEntries(files.map(({ path, content }) => [path, content]));
}

function verifications({ name, address }: Machine): Verification[] {
    const at = (folder: string, certificate: string, authority: string) => ({
        certificate: `${folder}/${certificate}.crt`,
        key: `${folder}/${certificate}.key`,
        authority: `${folder}/${authority}.crt`,
    });
    if (name.includes("-etcd-"))
        return [
            {
                ...at(pki.etcd, "server", "ca"),
                purposes: ["sslserver", "sslclient"],
                names: [name, "localhost"],
                addresses: [address, "127.0.0.1"],
                subject: `CN=${name}`,
            },
            {
                ...at(pki.etcd, "peer", "peer-ca"),
                purposes: ["sslserver", "sslclient"],
                names: [name],
                addresses: [address],
                subject: `CN=${name}`,
            },
            { ...at(pki.etcd, "client", "ca"), purposes: ["sslclient"], subject: `CN=${name}-scripts` },
        ];
    if (name.includes("-worker-"))
        return [
            {
                ...at(pki.kubernetes, "kubelet-client", "ca"),
                purposes: ["sslclient"],
                subject: `CN=system:node:${name}\nO=system:nodes`,
            },
        ];
    return [
        {
            ...at(pki.kubernetes, "apiserver-etcd-client", "etcd/ca"),
            purposes: ["sslclient"],
            subject: "CN=local-client",
        },
    ];
}

/**
 * Runs `openssl verify`, which must succeed for the certificate's purposes, and fail for other purposes and with other
 * authorities.
 */
function verify(folder: string, files: Record<string, string>, wanted: Verification): void {
    const path = (name: string) => {
        const file = join(folder, name.replaceAll("/", "_"));
        writeFileSync(file, files[name]);
        return file;
    };
    const certificate = new crypto.X509Certificate(files[wanted.certificate]);
    expect(certificate.subject).toBe(wanted.subject);
    if (wanted.key !== undefined)
        expect(certificate.checkPrivateKey(crypto.createPrivateKey(files[wanted.key]))).toBe(true);
    const good = (authority: string, ...options: string[]) => {
        const args = ["verify", "-x509_strict", "-CAfile", path(authority), ...options, path(wanted.certificate)];
        return runTool("openssl", args);
    };
    for (const purpose of ["sslserver", "sslclient"] as const) {
        const result = good(wanted.authority, "-purpose", purpose);
        if (wanted.purposes.includes(purpose)) expectSuccess(result);
        else expect(result.status).not.toBe(0);
    }
    for (const name of wanted.names ?? []) expectSuccess(good(wanted.authority, "-verify_hostname", name));
    for (const address of wanted.addresses ?? []) expectSuccess(good(wanted.authority, "-verify_ip", address));
    if (wanted.names !== undefined) expect(good(wanted.authority, "-verify_hostname", "other").status).not.toBe(0);
    const others = Object.keys(files).filter((name) => /(^|[/-])ca\.crt$/.test(name) && name !== wanted.authority);
    for (const other of others) expect(good(other).status).not.toBe(0);
}
