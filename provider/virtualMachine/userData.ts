import * as crypto from "node:crypto";
import * as zlib from "node:zlib";
import type { Inputs } from "../handler";

/** The user data in base64, as CloudStack expects it; `undefined` without any. */
export function encodedUserData(inputs: Inputs): string | undefined {
    if (typeof inputs.userDataBase64 === "string" && inputs.userDataBase64 !== "") return inputs.userDataBase64;
    if (typeof inputs.userData === "string" && inputs.userData !== "")
        return Buffer.from(inputs.userData, "utf8").toString("base64");
    return undefined;
}

/** Which argument the user data comes from; `undefined` without any. */
export function userDataSource(inputs: Inputs): "userData" | "userDataBase64" | undefined {
    if (encodedUserData(inputs) === undefined) return undefined;
    return encodedUserData({ userDataBase64: inputs.userDataBase64 }) === undefined ? "userData" : "userDataBase64";
}

/** A machine's user data as the argument that the program uses. Empty and missing user data are the same. */
export function decodedUserData(base64: string | undefined, source: "userData" | "userDataBase64"): Inputs {
    if (base64 === undefined || base64 === "") return {};
    return { [source]: source === "userDataBase64" ? base64 : Buffer.from(base64, "base64").toString("utf8") };
}

/**
 * SHA-256 of the user data; empty without any. The outputs contain this hash instead of a copy. It is computed over the
 * decoded bytes, because CloudStack may pad the base64 differently, and over the decompressed content of a gzip,
 * because the output of compressors differs between computers.
 */
export function userDataHash(base64: string | undefined): string {
    if (base64 === undefined || base64 === "") return "";
    const bytes = unpacked(Buffer.from(base64, "base64"));
    return replacedBy(bytes) ?? crypto.createHash("sha256").update(bytes).digest("hex");
}

/**
 * The comment in the second line of a stub: of user data that a cluster has put in place of others, which contain secrets
 * that the machine has already. A stub has the hash of the user data that it replaces, so that it is no change.
 */
export function stubComment(replaced: string): string {
    return `Without secrets, in place of user data with SHA-256 ${userDataHash(replaced)}`;
}

/** Whether user data is a stub. */
export function isStub(base64: string | undefined): boolean {
    return base64 !== undefined && replacedBy(unpacked(Buffer.from(base64, "base64"))) !== undefined;
}

/** The hash of the user data that a stub replaces; undefined for other user data. */
function replacedBy(bytes: Buffer): string | undefined {
    const pattern = /^[^\n]*\n# Without secrets, in place of user data with SHA-256 ([0-9a-f]{64})\n/;
    return pattern.exec(bytes.subarray(0, 200).toString("latin1"))?.[1];
}

function unpacked(bytes: Buffer): Buffer {
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
    try {
        return zlib.gunzipSync(bytes);
    } catch {
        return bytes;
    }
}

/** True for text that decodes as base64 without loss. */
export function isBase64(text: string): boolean {
    return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
