import { execFileSync } from "node:child_process";
import dns from "node:dns";
import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { Duplex } from "node:stream";
import { Client } from "../../../../provider/client";
import { close, failure, hurriedClock, listen, ok, settingsFor, standIn, type StandIn } from "./support";
import { NEW_EC_KEY } from "../../../support/tools";

const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [
    name,
    name.toLowerCase(),
]);
const before = { ...process.env };
const opened: { close(): Promise<void> }[] = [];

beforeEach(() => PROXY_VARIABLES.forEach((name) => delete process.env[name]));

afterEach(async () => {
    PROXY_VARIABLES.forEach((name) =>
        before[name] === undefined ? delete process.env[name] : (process.env[name] = before[name]),
    );
    await Promise.all(opened.splice(0).map((server) => server.close()));
});

function client(endpoint: string, more = {}, options = {}): Client {
    return new Client(settingsFor(endpoint, more), { ...hurriedClock(), ...options });
}

async function serve(server: http.Server | https.Server): Promise<number> {
    const sockets = new Set<net.Socket>();
    server.on("connection", (socket: net.Socket) => sockets.add(socket));
    opened.push({
        close: () => {
            sockets.forEach((socket) => socket.destroy());
            return close(server);
        },
    });
    return listen(server);
}

async function cloud(): Promise<StandIn> {
    const server = await standIn(({ params }) => ok(params.command!, { zone: [{ id: "z" }] }));
    opened.push(server);
    return server;
}

async function message(endpoint: string, more = {}): Promise<string> {
    const error = await failure(client(endpoint, more).call("createSecurityGroup", { name: "a" }));
    expect(error).toMatchObject({ outcome: "unsent", command: "createSecurityGroup" });
    expect(error.message).toContain("environment CLOUDSTACK_ENDPOINT");
    return error.message;
}

describe("an endpoint that does not answer", () => {
    test("where nothing listens: the error comes within seconds and names the embedded cloud", async () => {
        const server = http.createServer();
        const port = await listen(server);
        await close(server);
        const clock = hurriedClock();
        const error = await failure(
            new Client(settingsFor(`http://127.0.0.1:${port}/client/api`), clock).call("listZones"),
        );
        expect(error.message).toContain("nothing listens there (connection refused)");
        expect(error.message).toContain("cloudstack-local start");
        expect(clock.slept.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(5_000);
    });

    test("that has answered before: a refused connection is retried, also for changes", async () => {
        const server = http.createServer((_, response) => response.end(JSON.stringify({ xresponse: {} })));
        const port = await listen(server);
        const clock = hurriedClock();
        const retried = new Client(settingsFor(`http://127.0.0.1:${port}/client/api`), clock);
        await retried.call("listZones");
        await close(server);
        const again = retried.call("createSecurityGroup", { name: "a" });
        expect(await failure(again)).toMatchObject({ outcome: "unsent" });
        expect(clock.slept.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(30_000);
    });

    test.each([
        ["ENOTFOUND", "its host name cannot be resolved (DNS)"],
        ["EAI_AGAIN", "its host name cannot be resolved at the moment (DNS)"],
    ])("with a host name that does not resolve (%s)", async (code, text) => {
        const noAddress = (...args: unknown[]): void => {
            const answer = args.at(-1) as (error: Error) => void;
            setImmediate(() => answer(Object.assign(new Error(code), { code, syscall: "getaddrinfo" })));
        };
        const lookUp = jest.spyOn(dns, "lookup").mockImplementation(noAddress as never);
        expect(await message("https://cloud.example.invalid/client/api")).toContain(text);
        lookUp.mockRestore();
    });

    test("that never accepts the connection: nothing was sent", async () => {
        // With TLS, nothing is sent before the server has answered.
        const silent = net.createServer(() => undefined);
        await new Promise<void>((ready) => silent.listen(0, "127.0.0.1", ready));
        const { port } = silent.address() as net.AddressInfo;
        const text = await message(`https://127.0.0.1:${port}/client/api`, { httpTimeoutSeconds: 0.2 });
        expect(text).toContain("it does not accept the connection (timeout)");
        silent.close();
    });
});

describe("an endpoint that is not a CloudStack API", () => {
    test.each<[string, number, string, Record<string, string>, RegExp]>([
        [
            "another web server",
            404,
            "<html><head><title>Not Found</title></head></html>",
            {},
            /is not a CloudStack API: it answered HTTP 404 "Not Found".*client\/api/,
        ],
        [
            "CloudStack's user interface",
            200,
            "<!doctype html><title>CloudStack</title>",
            {},
            /HTTP 200 "CloudStack".*\/client\/api/,
        ],
        ["another API", 200, '{"hello":"world"}', {}, /is not a CloudStack API/],
        [
            "a redirect",
            301,
            "",
            { Location: "https://cloud.example.com/client/api?x=1" },
            /redirects to https:\/\/cloud\.example\.com\/client\/api\. Set the endpoint/,
        ],
        ["a proxy's login", 407, "<title>Proxy</title>", {}, /requires a user name and a password/],
    ])("%s", async (_, status, body, headers, text) => {
        const port = await serve(
            http.createServer((_request, response) => response.writeHead(status, headers).end(body)),
        );
        expect(await message(`http://127.0.0.1:${port}/client/api`)).toMatch(text);
    });

    test("TLS to a server without it, and the other way round", async () => {
        const plain = await serve(http.createServer((_, response) => response.end("{}")));
        expect(await message(`https://127.0.0.1:${plain}/client/api`)).toMatch(/does not speak TLS.*Is it an http:/);
        const odd = net.createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"));
        await new Promise<void>((ready) => odd.listen(0, "127.0.0.1", ready));
        const error = await failure(
            client(`http://127.0.0.1:${(odd.address() as net.AddressInfo).port}/`).call("createSecurityGroup"),
        );
        expect(error.message).toMatch(/HPE_/);
        odd.close();
    });
});

describe("connections", () => {
    test("are kept for the next request", async () => {
        let connections = 0;
        const server = http.createServer((_, response) => response.end(JSON.stringify({ xresponse: {} })));
        server.on("connection", () => connections++);
        const one = client(`http://127.0.0.1:${await serve(server)}/client/api`);
        for (let i = 0; i < 5; i++) {
            await one.call("listZones");
        }
        expect(connections).toBe(1);
    });

    test("are not shared by changes: each has its own, which no server closes because it was idle", async () => {
        let connections = 0;
        const server = http.createServer((_, response) => response.end(JSON.stringify({ xresponse: {} })));
        server.on("connection", () => connections++);
        const one = client(`http://127.0.0.1:${await serve(server)}/client/api`);
        for (const command of ["listZones", "createSecurityGroup", "deleteSecurityGroup", "listZones"]) {
            await one.call(command);
        }
        expect(connections).toBe(1 + 2);
    });

    test("wait longer for an answer than an idle connection is kept", async () => {
        const server = http.createServer(
            (_, response) => void setTimeout(() => response.end(JSON.stringify({ xresponse: {} })), 4_600),
        );
        const one = client(`http://127.0.0.1:${await serve(server)}/client/api`);
        expect(await one.call("listZones")).toEqual({});
        expect(one.calls).toBe(1);
    }, 15_000);
});

const hasOpenssl = (() => {
    try {
        return Boolean(execFileSync("openssl", ["version"]));
    } catch {
        return false;
    }
})();

(hasOpenssl ? describe : describe.skip)("TLS (needs openssl)", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cloudstack-tls-"));
    const file = (name: string): string => path.join(folder, name);

    function certificate(name: string, subjectAltName: string): https.ServerOptions {
        const key = [...NEW_EC_KEY, "-keyout", file(`${name}.key`)];
        const subject = ["-subj", "/CN=test", "-addext", `subjectAltName=${subjectAltName}`];
        execFileSync("openssl", ["req", "-x509", ...key, "-out", file(`${name}.pem`), ...subject], { stdio: "ignore" });
        return { key: fs.readFileSync(file(`${name}.key`)), cert: fs.readFileSync(file(`${name}.pem`)) };
    }

    afterAll(() => fs.rmSync(folder, { recursive: true }));

    async function secureCloud(name: string, subjectAltName = "IP:127.0.0.1"): Promise<string> {
        const server = https.createServer(certificate(name, subjectAltName), (_, response) =>
            response.end(JSON.stringify({ xresponse: { secure: true } })),
        );
        return `https://127.0.0.1:${await serve(server)}/client/api`;
    }

    test("an unknown authority is refused, and the error says how to trust it", async () => {
        const text = await message(await secureCloud("unknown"));
        expect(text).toMatch(
            /not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)\. Set caFile \(CLOUDSTACK_CA_FILE\) or NODE_EXTRA_CA_CERTS to the authority's PEM file/,
        );
    });

    test("the error says that verification cannot be turned off by a profile", async () => {
        const sources = {
            endpoint: "environment CLOUDSTACK_ENDPOINT",
            tls: "TLS is verified although x turns verification off",
        };
        expect(await message(await secureCloud("noted"), { sources })).toContain(
            "TLS is verified although x turns verification off.",
        );
    });

    test("a caFile with the authority makes the server trusted", async () => {
        const endpoint = await secureCloud("trusted");
        expect(await client(endpoint, { caFile: file("trusted.pem") }).call("listZones")).toEqual({ secure: true });
    });

    test("a caFile with another authority does not", async () => {
        const endpoint = await secureCloud("mine");
        certificate("other", "IP:127.0.0.1");
        expect(await message(endpoint, { caFile: file("other.pem") })).toContain("not trusted");
    });

    test("a caFile that does not exist is refused", async () => {
        const endpoint = await secureCloud("nofile");
        expect(await message(endpoint, { caFile: file("missing.pem") })).toMatch(/the caFile cannot be read: ENOENT/);
    });

    test("a certificate for another host is refused", async () => {
        const other = await secureCloud("altname", "DNS:other.example.com");
        expect(await message(other, { caFile: file("altname.pem") })).toMatch(/is not valid.*host name/i);
    });

    test("an expired certificate is refused", async () => {
        const ended = certificate("ended", "IP:127.0.0.1");
        const request = ["req", "-new", "-key", file("ended.key"), "-subj", "/CN=test", "-out", file("ended.csr")];
        execFileSync("openssl", request, { stdio: "ignore" });
        const signed = ["-signkey", file("ended.key"), "-days", "-1", "-out", file("ended.pem")];
        execFileSync("openssl", ["x509", "-req", "-in", file("ended.csr"), ...signed], { stdio: "ignore" });
        const port = await serve(https.createServer({ ...ended, cert: fs.readFileSync(file("ended.pem")) }));
        const text = await message(`https://127.0.0.1:${port}/client/api`, { caFile: file("ended.pem") });
        expect(text).toMatch(/is not valid: certificate has expired.*clock/);
    });

    test("HTTPS_PROXY: the certificate is verified through the tunnel", async () => {
        const endpoint = await secureCloud("tunnel");
        const tunnels: string[] = [];
        const proxy = http.createServer();
        proxy.on("connect", (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
            tunnels.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`);
            const [host, port] = request.url!.split(":");
            const target = net.connect(Number(port), host, () => {
                socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
                target.write(head);
                target.pipe(socket).pipe(target);
            });
            target.on("error", () => socket.destroy());
            socket.on("error", () => target.destroy());
        });
        process.env.HTTPS_PROXY = `http://me:secret99@127.0.0.1:${await serve(proxy)}`;
        const through = client(endpoint, { caFile: file("tunnel.pem") });
        expect(await through.call("listZones")).toEqual({ secure: true });
        expect(tunnels).toEqual([`${new URL(endpoint).host} Basic ${Buffer.from("me:secret99").toString("base64")}`]);
        expect(await message(endpoint)).toContain("not trusted");
        process.env.NO_PROXY = "127.0.0.1";
        tunnels.length = 0;
        expect(await client(endpoint, { caFile: file("tunnel.pem") }).call("listZones")).toEqual({ secure: true });
        expect(tunnels).toEqual([]);
    });

    test("HTTPS_PROXY: a proxy that refuses the tunnel, and one that does not exist", async () => {
        const endpoint = await secureCloud("refused");
        const proxy = http.createServer();
        proxy.on("connect", (_, socket: Duplex) =>
            socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
        );
        process.env.HTTPS_PROXY = `http://127.0.0.1:${await serve(proxy)}`;
        expect(await message(endpoint, { caFile: file("refused.pem") })).toMatch(
            /proxy.*requires a user name and a password/,
        );
        process.env.HTTPS_PROXY = "http://me:secret99@127.0.0.1:1";
        const text = await message(endpoint, { caFile: file("refused.pem") });
        expect(text).toMatch(/connection refused.*HTTPS_PROXY/);
        expect(text).not.toContain("secret99");
    });
});

test("HTTP_PROXY: the proxy gets the whole URL", async () => {
    const { endpoint, received } = await cloud();
    const asked: string[] = [];
    const proxy = http.createServer((request, response) => {
        asked.push(request.url!);
        request.pipe(
            http.request(request.url!, { method: request.method, headers: request.headers }, (answer) =>
                answer.pipe(response),
            ),
        );
    });
    process.env.HTTP_PROXY = `http://127.0.0.1:${await serve(proxy)}`;
    expect(await client(endpoint).list("listZones")).toEqual([{ id: "z" }]);
    expect(asked.length).toBe(1);
    expect(asked[0]).toMatch(new RegExp(`^${endpoint}\\?`));
    expect(received.length).toBe(1);
});
