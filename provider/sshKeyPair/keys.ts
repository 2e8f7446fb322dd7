import * as crypto from "node:crypto";
import { promisify } from "node:util";

const generate = promisify(crypto.generateKeyPair);

/** The length of a generated key in bits: the default of `ssh-keygen`. */
const BITS = 3072;

/** Generates a key pair: the public key in OpenSSH's format, the private key in PEM (PKCS #1, like CloudStack). */
export async function generateKeys(): Promise<{ publicKey: string; privateKey: string }> {
    const pair = await generate("rsa", { modulusLength: BITS });
    const { n, e } = pair.publicKey.export({ format: "jwk" });
    const blob = Buffer.concat([
        field(Buffer.from("ssh-rsa")),
        number(Buffer.from(e!, "base64url")),
        number(Buffer.from(n!, "base64url")),
    ]);
    return {
        publicKey: `ssh-rsa ${blob.toString("base64")}`,
        privateKey: String(pair.privateKey.export({ type: "pkcs1", format: "pem" })),
    };
}

/** CloudStack's fingerprint of a public key: MD5 of its bytes, in hexadecimal with colons. */
export function fingerprint(publicKey: string): string {
    const bytes = Buffer.from(publicKey.trim().split(/\s+/)[1], "base64");
    return crypto.createHash("md5").update(bytes).digest("hex").match(/../g)!.join(":");
}

export function isPublicKey(text: unknown): boolean {
    return (
        typeof text === "string" &&
        /^(ssh-(rsa|ed25519|dss)|ecdsa-sha2-nistp(256|384|521)|sk-[\w-]+@openssh\.com) [A-Za-z0-9+/]+={0,3}(\s.*)?$/s.test(
            text.trim(),
        )
    );
}

/** A public key without its comment and the end of the line. */
export function keyOf(text: string | undefined): string | undefined {
    return text?.trim().split(/\s+/).slice(0, 2).join(" ");
}

/** One field of SSH's wire format (RFC 4251, section 5): its length, then its bytes. */
function field(bytes: Buffer): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
}

/** A number in this format is signed: if its first bit is set, a zero byte is added before it. */
function number(bytes: Buffer): Buffer {
    return field(bytes[0] >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}
