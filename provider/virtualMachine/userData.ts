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
 * decoded bytes, because CloudStack may pad the base64 differently, and over the decompressed content of a gzip, because
 * the output of compressors differs between computers.
 */
export function userDataHash(base64: string | undefined): string {
    if (base64 === undefined || base64 === "") return "";
    return crypto
        .createHash("sha256")
        .update(unpacked(Buffer.from(base64, "base64")))
        .digest("hex");
}

function unpacked(bytes: Buffer): Buffer {
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
    try {
        return zlib.gunzipSync(bytes);
    } catch {
        return bytes;
    }
}

/**
 * What a cluster leaves of a machine's user data when the machine has it: the argument `userDataStub`, with the text in
 * `userDataStubBase64`. As long as CloudStack has one or the other, the machine has the user data of its arguments.
 */
export interface UserDataStub {
    /** SHA-256 of the stub, as {@link userDataHash}. */
    readonly hash: string;
    /** SHA-256 of what the stub lacks. */
    readonly secrets: string;
}

/** The hash of the complete user data where a machine has the stub of it, else the given one. */
export function completeHash(actual: string, { userDataStub: stub, userDataHash: last, ...inputs }: Inputs): string {
    if (stub?.hash !== actual) return actual;
    const complete = encodedUserData(inputs);
    return complete === undefined ? (last ?? actual) : userDataHash(complete);
}

/** True for text that decodes as base64 without loss. */
export function isBase64(text: string): boolean {
    return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
