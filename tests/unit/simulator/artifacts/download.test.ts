import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { download } from "../../../../simulator/artifacts/download";
import { withFolder } from "../../../support/tools";
import { elsewhere, NOWHERE, withServer } from "./support";

const sha256 = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest("hex");
const patience = { answer: 200, silence: 200 };

test("a file is downloaded completely, with its progress", () =>
    withFolder((folder) => {
        const content = Buffer.alloc(300_000, "x");
        return withServer(
            (_, response) => response.writeHead(200, { "content-length": content.length }).end(content),
            async (url) => {
                const file = path.join(folder, "file");
                const heard: (number | undefined)[][] = [];
                const onBytes = (...numbers: (number | undefined)[]) => heard.push(numbers);
                const sum = await download(elsewhere(url, { sha256: sha256(content) }), file, { onBytes });
                expect(sum).toBe(sha256(content));
                expect(fs.readFileSync(file).equals(content)).toBe(true);
                expect(heard.at(-1)).toEqual([content.length, content.length]);
            },
        );
    }));

test("failures are reported in words", () =>
    withFolder(async (folder) => {
        const file = path.join(folder, "file");
        await expect(download(elsewhere(NOWHERE), file)).rejects.toThrow(/ECONNREFUSED|bad port/);
        await withServer(
            (_, response) => response.writeHead(404).end(),
            (url) =>
                expect(download(elsewhere(url), file)).rejects.toThrow(`${new URL(url).host} answered 404 for ${url}`),
        );
        await withServer(
            (_, response) => {
                response.writeHead(200, { "content-length": 10 });
                response.write("12345", () => response.destroy());
            },
            (url) => expect(download(elsewhere(url), file)).rejects.toThrow(/closed|terminated|aborted/),
        );
        const unknown = elsewhere(NOWHERE, { version: "9.9.9", sha256: undefined });
        await expect(download(unknown, file)).rejects.toThrow("the SHA-256 of version 9.9.9 is not known");
    }));

test("a server that does not answer, or stops in the middle, is not waited for", () =>
    withFolder(async (folder) => {
        const file = path.join(folder, "file");
        await withServer(
            () => undefined,
            (url) =>
                expect(download(elsewhere(url), file, { patience })).rejects.toThrow("did not answer within 0.2 s"),
        );
        await withServer(
            (_, response) => void response.writeHead(200, { "content-length": 10 }).write("12345"),
            (url) => expect(download(elsewhere(url), file, { patience })).rejects.toThrow("sent nothing for 0.2 s"),
        );
        // As long as data arrives, a download may take long.
        await withServer(
            async (_, response) => {
                for (const part of ["o", "f", "f", "i", "c", "i", "a", "l"]) {
                    response.write(part);
                    await new Promise((resolve) => setTimeout(resolve, 60));
                }
                response.end();
            },
            (url) => download(elsewhere(url, { sha256: sha256("official") }), file, { patience }),
        );
    }));

test("the error says so if a proxy is set that Node.js does not use by itself", () =>
    withFolder(async (folder) => {
        const { https_proxy, NODE_USE_ENV_PROXY } = process.env;
        process.env.https_proxy = "http://127.0.0.1:9";
        delete process.env.NODE_USE_ENV_PROXY;
        try {
            await expect(download(elsewhere(NOWHERE), path.join(folder, "file"))).rejects.toThrow(
                "(for Node to use this environment's proxy: NODE_USE_ENV_PROXY=1)",
            );
        } finally {
            if (https_proxy === undefined) delete process.env.https_proxy;
            else process.env.https_proxy = https_proxy;
            if (NODE_USE_ENV_PROXY !== undefined) process.env.NODE_USE_ENV_PROXY = NODE_USE_ENV_PROXY;
        }
    }));
