import * as zlib from "node:zlib";
import { throwProblems } from "../problems";
import { checkCloudConfig } from "./check";
import type { CloudConfig } from "./document";
import { renderCloudConfig } from "./yaml";

/**
 * CloudStack's default limit (`vm.userdata.max.length`) in characters of base64; administrators may raise it.
 */
export const defaultMaxLength = 32768;

/** The options of {@link renderUserData}. */
export interface RenderOptions {
    /** The maximum length in characters of base64. @default 32768 */
    maxLength?: number;
    /**
     * Whether the text is compressed: `auto` compresses if the result is shorter; `never` is for templates with their
     * own user data, since CloudStack cannot append to compressed text. @default "auto"
     */
    compress?: "auto" | "always" | "never";
    /** What the user data belongs to, for the error message. @default "user data" */
    subject?: string;
    /** A comment, written below the first line. @default none */
    comment?: string;
}

/** User data as CloudStack accepts it. */
export interface UserData {
    /** The parameter of `deployVirtualMachine`. */
    base64: string;
    /** Characters of `base64`. */
    length: number;
    /** The document as cloud-init reads it. */
    text: string;
}

/** The user data is longer than the cloud accepts. */
export class UserDataTooLongError extends Error {
    readonly length: number;
    readonly maxLength: number;

    constructor(subject: string, length: number, maxLength: number, largest: string) {
        super(
            `${subject} has ${format(length)} characters of base64, ${format(length - maxLength)} more than the ` +
                `${format(maxLength)} that the cloud accepts. Largest files:\n${largest}\n` +
                "Fetch large files at boot instead, or, where the cloud's vm.userdata.max.length was raised, " +
                "raise userDataMaxLength.",
        );
        this.name = "UserDataTooLongError";
        this.length = length;
        this.maxLength = maxLength;
    }
}

/**
 * Renders a document to user data. The result depends only on the document, not on the time, the host or the account.
 *
 * @throws ArgumentError for a document that cloud-init would reject
 * @throws UserDataTooLongError with the largest files
 */
export function renderUserData(doc: CloudConfig, options: RenderOptions = {}): UserData {
    const { maxLength = defaultMaxLength, compress = "auto", subject = "user data", comment } = options;
    throwProblems(subject, checkCloudConfig(doc));
    const rendered = renderCloudConfig(doc);
    const text = comment === undefined ? rendered : rendered.replace("\n", `\n# ${comment}\n`);
    const base64 = encode(text, compress);
    if (base64.length > maxLength)
        throw new UserDataTooLongError(subject, base64.length, maxLength, largestFiles(doc, base64.length, compress));
    return { base64, length: base64.length, text };
}

/** The text of user data, compressed or not. */
export function decodeUserData(base64: string): string {
    const bytes = Buffer.from(base64, "base64");
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? zlib.gunzipSync(bytes) : bytes).toString("utf8");
}

function encode(text: string, compress: "auto" | "always" | "never"): string {
    const plain = Buffer.from(text, "utf8");
    if (compress === "never") return plain.toString("base64");
    const packed = gzip(plain);
    return (compress === "auto" && plain.length <= packed.length ? plain : packed).toString("base64");
}

/**
 * gzip without a time stamp and with "unknown" as the operating system, which zlib would set, so that the result is the
 * same on every host.
 */
function gzip(bytes: Buffer): Buffer {
    const packed = zlib.gzipSync(bytes, { level: 9, memLevel: 9 });
    packed.writeUInt32LE(0, 4);
    packed[9] = 255;
    return packed;
}

/** The five most expensive files, each with its size and what the user data would save without it. */
function largestFiles(doc: CloudConfig, length: number, compress: "auto" | "always" | "never"): string {
    const files = doc.writeFiles ?? [];
    return files
        .map((file, index) => ({
            path: file.path,
            bytes: Buffer.byteLength(file.content),
            cost:
                length -
                encode(renderCloudConfig({ ...doc, writeFiles: files.filter((_, other) => other !== index) }), compress)
                    .length,
        }))
        .sort((a, b) => b.cost - a.cost)
        .slice(0, 5)
        .map(({ path, bytes, cost }) => `  ${path}: ${format(bytes)} bytes, ${format(cost)} characters of base64`)
        .join("\n");
}

function format(count: number): string {
    return count.toLocaleString("en-US");
}
