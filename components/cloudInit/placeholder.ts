import * as crypto from "node:crypto";

/**
 * The most bytes (DER) that what stands in for them has in our clusters: ECDSA P-256, a handful of names and addresses.
 */
const sizes = { certificate: 700, authority: 440, privateKey: 138, secret: 32 } as const;

/**
 * A stand-in for a certificate or key that a preview does not know yet, as long and as little compressible as the real
 * one, so that the length of user data can be checked before anything exists. The same `seed` gives the same text.
 */
export function placeholder(kind: keyof typeof sizes, seed: string): string {
    const bytes = noise(`${kind}:${seed}`, sizes[kind]).toString("base64");
    if (kind === "secret") return bytes;
    const label = kind === "privateKey" ? "PRIVATE KEY" : "CERTIFICATE";
    return `-----BEGIN ${label}-----\n${bytes.match(/.{1,64}/g)?.join("\n")}\n-----END ${label}-----\n`;
}

function noise(seed: string, length: number): Buffer {
    const blocks: Buffer[] = [];
    for (let block = 0; block * 32 < length; block++)
        blocks.push(crypto.createHash("sha256").update(`${seed}:${block}`).digest());
    return Buffer.concat(blocks).subarray(0, length);
}
