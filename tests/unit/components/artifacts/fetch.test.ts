import { spawn } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { fetchScript, fetchUnit } from "../../../../components/artifacts";
import { expectSuccess, findTool, runTool, testWithTools, withFolder } from "../../../support/tools";

const arch = { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? "none";
const sha256 = (bytes: Buffer | string) => crypto.createHash("sha256").update(bytes).digest("hex");

/** A mirror in a test's hands. `answer` may change what is sent; requests are recorded. */
interface Mirror {
    readonly url: string;
    readonly requests: string[];
    files: Record<string, Buffer>;
    /** Called per request; true: it has answered itself. */
    intercept: (request: http.IncomingMessage, response: http.ServerResponse, count: number) => boolean;
}

async function withMirror(body: (mirror: Mirror, run: Run, folder: string) => Promise<void>): Promise<void> {
    await withFolder(async (folder) => {
        const mirror: Mirror = { url: "", requests: [], files: {}, intercept: () => false };
        const server = http.createServer((request, response) => {
            mirror.requests.push(`${request.url} ${request.headers.range ?? ""}`.trim());
            if (mirror.intercept(request, response, mirror.requests.length)) return;
            const file = mirror.files[(request.url ?? "").slice(1)];
            if (file === undefined) return void response.writeHead(404).end();
            const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
            if (from > 0 && from >= file.length) return void response.writeHead(416).end();
            response.writeHead(
                from > 0 ? 206 : 200,
                from > 0 ? { "content-range": `bytes ${from}-${file.length - 1}/${file.length}` } : {},
            );
            response.end(file.subarray(from));
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        try {
            const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
            await body(Object.assign(mirror, { url }), (plan) => runScript(folder, plan), folder);
        } finally {
            server.closeAllConnections();
            server.close();
        }
    });
}

type Run = (plan: string) => Promise<{ status: number | null; output: string }>;

function runScript(folder: string, plan: string): Promise<{ status: number | null; output: string }> {
    fs.writeFileSync(path.join(folder, "cs-fetch"), fetchScript);
    fs.writeFileSync(path.join(folder, "plan"), plan);
    return new Promise((resolve, reject) => {
        const child = spawn("bash", [path.join(folder, "cs-fetch"), path.join(folder, "plan")], {
            env: {
                ...process.env,
                CS_FETCH_CACHE: path.join(folder, "cache"),
                CS_FETCH_STAMPS: path.join(folder, "stamps"),
                CS_FETCH_ROOT: path.join(folder, "root"),
                CS_FETCH_MAX_DELAY: "0",
                no_proxy: "127.0.0.1",
            },
        });
        let output = "";
        child.stdout.on("data", (data) => (output += data));
        child.stderr.on("data", (data) => (output += data));
        child.on("error", reject);
        child.on("close", (status) => resolve({ status, output }));
    });
}

const tools = ["bash", findTool("curl") ? "curl" : "wget", "tar", "sha256sum"];
const fetchTest = testWithTools(tools);

testWithTools(["shellcheck"])("the script passes shellcheck", () =>
    withFolder((folder) => {
        fs.writeFileSync(path.join(folder, "cs-fetch"), fetchScript);
        expectSuccess(runTool("shellcheck", [path.join(folder, "cs-fetch")]));
    }),
);

testWithTools(["systemd-analyze"])("the unit passes systemd-analyze", () =>
    withFolder((folder) => {
        const file = path.join(folder, "cs-fetch.service");
        fs.writeFileSync(file, fetchUnit.replace("/usr/local/sbin/cs-fetch", "/bin/true"));
        const result = runTool("systemd-analyze", ["verify", "--man=no", file]);
        expectSuccess(result);
        expect(result.output).not.toContain("cs-fetch.service:");
    }),
);

fetchTest("programs, data and members of archives are installed once", () =>
    withMirror(async (mirror, run, folder) => {
        fs.mkdirSync(path.join(folder, "src/etcd-v1/Documentation"), { recursive: true });
        for (const name of ["etcd", "etcdctl", "README"])
            fs.writeFileSync(path.join(folder, "src/etcd-v1", name), `#!/bin/sh\necho ${name}\n`);
        expectSuccess(
            runTool("tar", ["-czf", path.join(folder, "etcd.tgz"), "-C", path.join(folder, "src"), "etcd-v1"]),
        );
        mirror.files = {
            "etcd.tgz": fs.readFileSync(path.join(folder, "etcd.tgz")),
            kubelet: Buffer.from("#!/bin/sh\n"),
            "images.tar": Buffer.from("x"),
        };
        const line = (name: string, rest: string, forArch = arch) =>
            `${forArch} ${sha256(mirror.files[name])} ${mirror.url}/${name} ${rest}\n`;
        const plan =
            line("etcd.tgz", "tar:1 /usr/local/bin etcd etcdctl") +
            line("kubelet", "program /usr/local/bin/kubelet") +
            line("images.tar", "data /var/lib/images/images.tar", "any") +
            line("kubelet", "program /other", "s390x");
        expect(await run(plan)).toMatchObject({ status: 0 });
        const bin = path.join(folder, "root/usr/local/bin");
        expect(fs.readdirSync(bin).sort()).toEqual(["etcd", "etcdctl", "kubelet"]);
        for (const name of fs.readdirSync(bin)) expect(fs.statSync(path.join(bin, name)).mode & 0o777).toBe(0o755);
        expect(fs.statSync(path.join(folder, "root/var/lib/images/images.tar")).mode & 0o777).toBe(0o644);
        expect(fs.readdirSync(path.join(folder, "cache"))).toEqual([]);
        expect(mirror.requests).toHaveLength(3);

        expect(await run(plan)).toMatchObject({ status: 0 });
        expect(mirror.requests).toHaveLength(3);

        fs.rmSync(path.join(bin, "etcdctl"));
        expect(await run(plan)).toMatchObject({ status: 0 });
        expect(mirror.requests).toHaveLength(4);
        expect(fs.existsSync(path.join(bin, "etcdctl"))).toBe(true);
    }),
);

fetchTest("another version replaces the file; a running program keeps its own", () =>
    withMirror(async (mirror, run, folder) => {
        mirror.files = { a: Buffer.from("one"), b: Buffer.from("two") };
        const plan = (name: string) => `${arch} ${sha256(mirror.files[name])} ${mirror.url}/${name} program /bin/x\n`;
        await run(plan("a"));
        const held = fs.openSync(path.join(folder, "root/bin/x"), "r");
        expect(await run(plan("b"))).toMatchObject({ status: 0 });
        expect(fs.readFileSync(held, "utf8")).toBe("one");
        expect(fs.readFileSync(path.join(folder, "root/bin/x"), "utf8")).toBe("two");
        fs.closeSync(held);
        expect(await run(plan("a"))).toMatchObject({ status: 0 });
        expect(fs.readFileSync(path.join(folder, "root/bin/x"), "utf8")).toBe("one");
    }),
);

fetchTest("a server that is not there yet is waited for, and a broken download goes on where it stopped", () =>
    withMirror(async (mirror, run, folder) => {
        const file = crypto.randomBytes(200_000);
        mirror.files = { big: file };
        mirror.intercept = (_request, response, count) => {
            if (count === 1) {
                response.writeHead(503).end();
                return true;
            }
            if (count !== 2) return false;
            response.writeHead(200, { "content-length": file.length });
            response.write(file.subarray(0, 100_000), () => response.destroy());
            return true;
        };
        const result = await run(`any ${sha256(file)} ${mirror.url}/big data /big\n`);
        expect(result).toMatchObject({ status: 0 });
        expect(result.output).toContain("cannot fetch big from");
        expect(fs.readFileSync(path.join(folder, "root/big")).equals(file)).toBe(true);
        expect(mirror.requests.slice(0, 2)).toEqual(["/big", "/big"]);
        expect(mirror.requests[2]).toMatch(/^\/big bytes=\d+-$/);
    }),
);

fetchTest("a damaged part of an earlier run is thrown away", () =>
    withMirror(async (mirror, run, folder) => {
        const file = Buffer.from("the real content");
        mirror.files = { f: file };
        fs.mkdirSync(path.join(folder, "cache"));
        fs.writeFileSync(path.join(folder, "cache", `${sha256(file)}.part`), "garbage");
        expect(await run(`any ${sha256(file)} ${mirror.url}/f data /f\n`)).toMatchObject({ status: 0 });
        expect(fs.readFileSync(path.join(folder, "root/f"), "utf8")).toBe("the real content");
    }),
);

fetchTest("a wrong sum stops the machine with a message that names the file; nothing is installed", () =>
    withMirror(async (mirror, run, folder) => {
        mirror.files = { "etcd-v3.6.14-linux-amd64.tar.gz": Buffer.from("evil"), later: Buffer.from("x") };
        const wanted = sha256("good");
        const result = await run(
            `any ${wanted} ${mirror.url}/etcd-v3.6.14-linux-amd64.tar.gz program /bin/etcd\n` +
                `any ${sha256("x")} ${mirror.url}/later data /later\n`,
        );
        expect(result.status).toBe(3);
        expect(result.output).toContain(
            `cs-fetch: etcd-v3.6.14-linux-amd64.tar.gz has the wrong SHA-256: expected ${wanted}, ` +
                `got ${sha256("evil")} (from ${mirror.url}/`,
        );
        expect(fs.existsSync(path.join(folder, "root"))).toBe(false);
    }),
);

fetchTest("a plan without anything for this processor is an error, an empty one is not", () =>
    withMirror(async (mirror, run) => {
        expect(await run("")).toMatchObject({ status: 0 });
        const result = await run(`s390x ${sha256("x")} ${mirror.url}/x data /x\n`);
        expect(result).toMatchObject({ status: 1, output: expect.stringContaining(`has nothing for ${arch}`) });
        expect(await run(`any ${sha256("x")} ${mirror.url}/x\n`)).toMatchObject({ status: 2 });
    }),
);
