import * as crypto from "node:crypto";
import { isIP } from "node:net";
import { clock, millisecondsPerDay } from "./validity";

/** The usages of a certificate: as a server, as a client, or both (`peer`). */
export type Usage = "server" | "client" | "peer";
export const usageNames: readonly Usage[] = ["server", "client", "peer"];

/** A certificate with its key. */
export interface KeyedCertificate {
    /** PEM. */
    readonly certificate: string;
    /** PEM, PKCS#8. */
    readonly privateKey: string;
}

export interface AuthoritySubject {
    readonly commonName: string;
    readonly organization?: string;
    readonly validityDays: number;
}

export interface LeafSubject {
    readonly commonName: string;
    readonly organizations: readonly string[];
    readonly dnsNames: readonly string[];
    readonly ipAddresses: readonly string[];
    readonly usages: readonly Usage[];
    readonly validityDays: number;
}

/** The longest common name or organization, in characters (RFC 5280, appendix A: ub-common-name). */
export const longestName = 64;

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
/** Certificates are backdated, so that machines whose clock is behind accept a new one. */
const backdateMilliseconds = 3_600_000;

/** Loads the library, which takes 200 ms and needs a polyfill. It is only loaded to create a certificate. */
function library(): typeof import("@peculiar/x509") {
    require("reflect-metadata");
    return require("@peculiar/x509");
}

/** A new ECDSA P-256 key: PEM, PKCS#8. */
export function newPrivateKey(): string {
    const { privateKey } = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
    return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The public half of a private key: PEM, SubjectPublicKeyInfo. */
export function publicKeyOf(privateKey: string): string {
    return crypto.createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString();
}

/** When a certificate expires, in milliseconds since 1970. */
export function notAfterOf(certificate: string): number {
    return Date.parse(new crypto.X509Certificate(certificate).validTo);
}

/** When a leaf certificate issued now would expire: not later than its authority. */
export function leafNotAfter(caCertificate: string, validityDays: number): number {
    return Math.min(clock.now() + validityDays * millisecondsPerDay, notAfterOf(caCertificate));
}

/** Issues a self-signed authority that may sign leaf certificates, but no intermediate authorities. */
export async function issueAuthority(subject: AuthoritySubject): Promise<KeyedCertificate> {
    const x509 = library();
    const privateKey = newPrivateKey();
    const keys = await importKeys(privateKey);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        serialNumber: newSerialNumber(),
        name: distinguishedName(subject.commonName, subject.organization === undefined ? [] : [subject.organization]),
        notBefore: seconds(clock.now() - backdateMilliseconds),
        notAfter: seconds(clock.now() + subject.validityDays * millisecondsPerDay),
        signingAlgorithm: algorithm,
        keys,
        extensions: [
            new x509.BasicConstraintsExtension(true, 0, true),
            new x509.KeyUsagesExtension(
                x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
                true,
            ),
            await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
    });
    return { certificate: pem(certificate), privateKey };
}

/** Issues a leaf certificate for `privateKey`, signed by an authority. */
export async function issueLeaf(
    subject: LeafSubject,
    privateKey: string,
    authority: KeyedCertificate,
): Promise<string> {
    const x509 = library();
    const issuer = new x509.X509Certificate(authority.certificate);
    const { publicKey } = await importKeys(privateKey);
    const signing = await importKeys(authority.privateKey);
    const names = [
        ...subject.dnsNames.map((value) => ({ type: "dns" as const, value })),
        ...subject.ipAddresses.map((value) => ({ type: "ip" as const, value })),
    ];
    const has = (...wanted: Usage[]) => subject.usages.some((usage) => wanted.includes(usage));
    const purposes = [
        ...(has("server", "peer") ? [x509.ExtendedKeyUsage.serverAuth] : []),
        ...(has("client", "peer") ? [x509.ExtendedKeyUsage.clientAuth] : []),
    ];
    const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: newSerialNumber(),
        subject: distinguishedName(subject.commonName, subject.organizations),
        issuer: issuer.subjectName,
        notBefore: seconds(clock.now() - backdateMilliseconds),
        notAfter: seconds(leafNotAfter(authority.certificate, subject.validityDays)),
        signingAlgorithm: algorithm,
        publicKey,
        signingKey: signing.privateKey,
        extensions: [
            new x509.BasicConstraintsExtension(false, undefined, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
            new x509.ExtendedKeyUsageExtension(purposes),
            ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
            await x509.SubjectKeyIdentifierExtension.create(publicKey),
            await x509.AuthorityKeyIdentifierExtension.create(signing.publicKey),
        ],
    });
    return pem(certificate);
}

/** One component per value, the common name first, as in `CN=system:node:a, O=system:nodes`. */
function distinguishedName(commonName: string, organizations: readonly string[]) {
    return [{ CN: [commonName] }, ...organizations.map((organization) => ({ O: [organization] }))];
}

async function importKeys(privateKey: string): Promise<crypto.webcrypto.CryptoKeyPair> {
    const key = crypto.createPrivateKey(privateKey);
    const { subtle } = crypto.webcrypto;
    return {
        privateKey: await subtle.importKey("pkcs8", key.export({ type: "pkcs8", format: "der" }), algorithm, false, [
            "sign",
        ]),
        publicKey: await subtle.importKey(
            "spki",
            crypto.createPublicKey(key).export({ type: "spki", format: "der" }),
            algorithm,
            true,
            ["verify"],
        ),
    };
}

/** A random serial number: positive and 16 bytes long (RFC 5280, section 4.1.2.2). */
function newSerialNumber(): string {
    const bytes = crypto.randomBytes(16);
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    return bytes.toString("hex");
}

/** A date in whole seconds, as in certificates. */
function seconds(milliseconds: number): Date {
    return new Date(Math.floor(milliseconds / 1000) * 1000);
}

function pem(certificate: { toString(format: "pem"): string }): string {
    return `${certificate.toString("pem").trim()}\n`;
}

export function isIpAddress(text: string): boolean {
    return isIP(text) !== 0;
}
