import * as crypto from "node:crypto";

/**
 * The maximum size in bytes (DER) of each kind in the clusters' user data: ECDSA P-256 with a few names and addresses.
 */
const sizes = { certificate: 700, authority: 440, privateKey: 138, secret: 32 } as const;

/**
 * A placeholder for a certificate or key that is not known yet at preview. It is as long as the real one and does not
 * compress better, so that the length of user data can be checked before anything is created. It depends only on
 * `seed`.
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
