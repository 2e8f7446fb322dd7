import * as zlib from "node:zlib";
import { ArgumentError } from "../../../../components/problems";
import {
    type CloudConfig,
    decodeUserData,
    placeholder,
    renderCloudConfig,
    renderUserData,
    UserDataTooLongError,
} from "../../../../components/cloudInit";

const script = Array.from({ length: 80 }, (_, line) => `echo "line ${line}"`).join("\n");
const doc: CloudConfig = { writeFiles: [{ path: "/usr/local/sbin/x", content: script }] };

test("the gzip header has neither a time stamp nor an operating system, and the content is the document", () => {
    const { base64, length, text } = renderUserData(doc);
    const bytes = Buffer.from(base64, "base64");
    expect([...bytes.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    expect(length).toBe(base64.length);
    expect(zlib.gunzipSync(bytes).toString()).toBe(text);
    expect(text).toBe(renderCloudConfig(doc));
    expect(renderUserData(structuredClone(doc)).base64).toBe(base64);
    expect(decodeUserData(base64)).toBe(text);
});

test("auto compresses if the result is shorter; always and never do as their names say", () => {
    const small: CloudConfig = { hostname: "a" };
    expect(renderUserData(small).base64).toBe(Buffer.from("#cloud-config\nhostname: a\n").toString("base64"));
    expect(Buffer.from(renderUserData(small, { compress: "always" }).base64, "base64")[0]).toBe(0x1f);
    const plain = renderUserData(doc, { compress: "never" });
    expect(decodeUserData(plain.base64)).toBe(plain.text);
    expect(Buffer.from(plain.base64, "base64").toString()).toBe(plain.text);
    expect(renderUserData(doc).length).toBeLessThan(plain.length);
});

test("a document that is too long is rejected, with the largest files and the cost of each", () => {
    const large: CloudConfig = {
        writeFiles: [
            { path: "/small", content: "x\n" },
            { path: "/noise", content: placeholder("certificate", "a").repeat(1) + placeholder("certificate", "b") },
            { path: "/long-but-simple", content: "x".repeat(9000) },
        ],
    };
    const whole = renderUserData(large).length;
    expect(renderUserData(large, { maxLength: whole }).length).toBe(whole);
    let error: UserDataTooLongError | undefined;
    try {
        renderUserData(large, { maxLength: whole - 1, subject: "user data of etcd-a" });
    } catch (thrown) {
        error = thrown as UserDataTooLongError;
    }
    expect(error).toBeInstanceOf(UserDataTooLongError);
    expect(error).toMatchObject({ length: whole, maxLength: whole - 1 });
    expect(error?.message).toContain(
        `user data of etcd-a has ${whole.toLocaleString("en-US")} characters of base64, 1 more than`,
    );
    const listed = [...(error?.message ?? "").matchAll(/^ {2}(\/\S+): ([\d,]+) bytes, ([\d,]+) characters/gm)];
    expect(listed.map((line) => line[1])).toEqual(["/noise", "/long-but-simple", "/small"]);
    expect(listed[1][2]).toBe("9,000");
    expect(Number(listed[0][3].replace(",", ""))).toBeGreaterThan(1800);
});

test("a document that cloud-init would reject is rejected, with every reason", () => {
    const wrong: CloudConfig = {
        writeFiles: [
            { path: "relative", content: "x", permissions: "rw-r--r--", owner: "a b", encoding: "rot13" },
            { path: "/a", content: "x" },
            { path: "/a", content: "y" },
            { path: "/a", content: "z", append: true },
            { path: "/b" } as any,
        ],
        users: [{ name: "Upper" }, { name: "x" }, { name: "x" }],
        modules: { runcmd: ["x"], swap: {} },
    };
    let error: ArgumentError | undefined;
    try {
        renderUserData(wrong);
    } catch (thrown) {
        error = thrown as ArgumentError;
    }
    expect(error?.problems.map((problem) => problem.path)).toEqual([
        "cloudConfig.writeFiles[0].path",
        "cloudConfig.writeFiles[0].permissions",
        "cloudConfig.writeFiles[0].owner",
        "cloudConfig.writeFiles[0].encoding",
        "cloudConfig.writeFiles[2].path",
        "cloudConfig.writeFiles[4].content",
        "cloudConfig.users[0].name",
        "cloudConfig.users[2].name",
        "cloudConfig.modules.runcmd",
    ]);
    expect(error?.message).toContain("user data: 9 problems\n");
    expect(error?.message).toContain("cloudConfig.modules.runcmd: has a field of its own. Use cloudConfig.runcmd.");
});

test("placeholders are deterministic, differ by seed and do not compress", () => {
    expect(placeholder("certificate", "a")).toBe(placeholder("certificate", "a"));
    expect(placeholder("certificate", "a")).not.toBe(placeholder("certificate", "b"));
    expect(placeholder("privateKey", "a")).toMatch(
        /^-----BEGIN PRIVATE KEY-----\n[\s\S]+\n-----END PRIVATE KEY-----\n$/,
    );
    expect(Buffer.from(placeholder("secret", "a"), "base64")).toHaveLength(32);
    expect(zlib.gzipSync(placeholder("certificate", "a")).length).toBeGreaterThan(700);
});
