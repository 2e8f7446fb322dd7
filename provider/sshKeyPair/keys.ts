import * as crypto from "node:crypto";
import { promisify } from "node:util";

const generate = promisify(crypto.generateKeyPair);

/** The length of a generated key in bits: what `ssh-keygen` takes by default. */
const BITS = 3072;

/** A key pair that nobody has yet: the public key in OpenSSH's format, the private one in PEM (PKCS #1, as CloudStack makes it). */
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

/** What a public key is, without its comment and the line's end. */
export function keyOf(text: string | undefined): string | undefined {
    return text?.trim().split(/\s+/).slice(0, 2).join(" ");
}

/** One field of SSH's wire format (RFC 4251, section 5): its length, then its bytes. */
function field(bytes: Buffer): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
}

/** Numbers there have a sign: one whose first bit is set gets a zero byte before it. */
function number(bytes: Buffer): Buffer {
    return field(bytes[0] >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}
