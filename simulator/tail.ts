/** Reads the end of growing files without reading what comes before it. */
import * as fs from "node:fs";

/** How much is read at a time, in bytes. */
const STEP = 65_536;

function withFile<T>(file: string, missing: T, use: (handle: number, size: number) => T): T {
    let handle: number;
    try {
        handle = fs.openSync(file, "r");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return missing;
        throw error;
    }
    try {
        return use(handle, fs.fstatSync(handle).size);
    } finally {
        fs.closeSync(handle);
    }
}

function read(handle: number, from: number, to: number): Buffer {
    const bytes = Buffer.alloc(to - from);
    return bytes.subarray(0, fs.readSync(handle, bytes, 0, bytes.length, from));
}

const NEWLINE = 10;

/** The last whole lines of a file, at most `bytes` long together; empty if there is no file. */
export function endOf(file: string, bytes: number): string {
    return withFile(file, "", (handle, size) => {
        const from = Math.max(0, size - bytes);
        const text = read(handle, from, size);
        return text.subarray(from === 0 ? 0 : text.indexOf(NEWLINE) + 1).toString();
    });
}

/** The last lines of a file, and its size when they were read. */
export function lastLines(file: string, count: number): { text: string; size: number } {
    return withFile(file, { text: "", size: 0 }, (handle, size) => {
        let from = size;
        let newlines = 0;
        let text = Buffer.alloc(0);
        // One newline more than lines, since the one before the first line must be found too.
        while (from > 0 && newlines <= count) {
            const before = from;
            from = Math.max(0, from - STEP);
            const part = read(handle, from, before);
            newlines += part.filter((byte) => byte === NEWLINE).length;
            text = Buffer.concat([part, text]);
        }
        const lines = text.toString().replace(/\n$/, "").split("\n");
        return { text: count === 0 || size === 0 ? "" : `${lines.slice(-count).join("\n")}\n`, size };
    });
}

/**
 * Passes on what is appended to a file; a new file in its place is passed on from its beginning.
 *
 * @param keepFollowing checked before each read; the function ends once it returns false
 */
export async function follow(
    file: string,
    from: number,
    pass: (part: Buffer) => void,
    keepFollowing: () => boolean = () => true,
): Promise<void> {
    let position = from;
    let inode = fs.existsSync(file) ? fs.statSync(file).ino : undefined;
    while (keepFollowing()) {
        withFile(file, undefined, (handle) => {
            const now = fs.fstatSync(handle);
            if ((inode !== undefined && now.ino !== inode) || now.size < position) position = 0;
            inode = now.ino;
            while (position < now.size) {
                const part = read(handle, position, Math.min(now.size, position + STEP));
                position += part.length;
                pass(part);
            }
        });
        await new Promise((resolve) => setTimeout(resolve, 200));
    }
}
