/**
 * The HTTP server of a virtual router: meta data and user data (port 80), passwords (port 8080), and the mirror of
 * release files (/artifacts/). It runs as a separate process in the network's namespace, so that it keeps running while
 * the management server is stopped. It identifies a machine by the source address of the request.
 *
 *     node routerMain ADDRESS FOLDER MIRROR
 *
 * FOLDER/machines/*.json hold the data of each machine (`MachineEntry` of `router.ts`), FOLDER/passwords/ID the
 * password of a machine that has not fetched it yet. Files are read for each request. This module imports Node's
 * modules only.
 */
import * as fs from "node:fs";
import * as http from "node:http";
import * as path from "node:path";

interface Entry {
    readonly address: string;
    readonly metaData: Readonly<Record<string, string>>;
    /** Base64. */
    readonly userData: string;
}

const [gateway, folder, mirror] = process.argv.slice(2);

function entryOf(address: string): Entry | undefined {
    const machines = path.join(folder, "machines");
    for (const name of fs.readdirSync(machines).filter((file) => file.endsWith(".json"))) {
        try {
            const entry = JSON.parse(fs.readFileSync(path.join(machines, name), "utf8")) as Entry;
            if (entry.address === address) return entry;
        } catch {
            // The file was just removed.
        }
    }
    return undefined;
}

const clientOf = (request: http.IncomingMessage) => (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");

function respond(response: http.ServerResponse, status: number, body: string | Buffer): void {
    response.writeHead(status, { "Content-Type": "text/plain", "Content-Length": Buffer.byteLength(body) });
    response.end(body);
}

function serveMetaData(request: http.IncomingMessage, response: http.ServerResponse, where: string): void {
    const entry = entryOf(clientOf(request));
    if (entry === undefined) return respond(response, 404, "no machine of this network has this address\n");
    if (where === "user-data") return respond(response, 200, Buffer.from(entry.userData, "base64"));
    if (/^meta-data\/?$/.test(where)) return respond(response, 200, Object.keys(entry.metaData).join("\n") + "\n");
    const value = entry.metaData[where.replace(/^meta-data\//, "")];
    return value === undefined ? respond(response, 404, "") : respond(response, 200, value);
}

function release(request: http.IncomingMessage, response: http.ServerResponse, name: string): void {
    const file = path.join(mirror, path.basename(name));
    let size: number;
    try {
        size = fs.statSync(file).size;
    } catch {
        return respond(response, 404, `${name} is not on this mirror: cloudstack-local artifacts adds it\n`);
    }
    response.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": size });
    if (request.method === "HEAD") return void response.end();
    fs.createReadStream(file)
        .on("error", () => response.destroy())
        .pipe(response);
}

function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const where = decodeURIComponent(new URL(request.url ?? "/", "http://router").pathname);
    if (where.startsWith("/artifacts/")) return release(request, response, where.slice("/artifacts/".length));
    if (where.startsWith("/latest/")) return serveMetaData(request, response, where.slice("/latest/".length));
    return respond(response, 404, "");
}

/** Serves a password until the machine confirms with `saved_password` that it has it. */
function password(request: http.IncomingMessage, response: http.ServerResponse): void {
    const id = entryOf(clientOf(request))?.metaData["vm-id"] ?? "nobody";
    const file = path.join(folder, "passwords", id);
    const has = fs.existsSync(file);
    switch (request.headers.domu_request) {
        case "send_my_password":
            return respond(response, 200, `${has ? fs.readFileSync(file, "utf8") : "saved_password"}\n`);
        case "saved_password":
            fs.rmSync(file, { force: true });
            return respond(response, 200, "saved_password\n");
        default:
            return respond(response, 200, "bad_request\n");
    }
}

function listen(port: number, handler: http.RequestListener): Promise<void> {
    const guarded: http.RequestListener = (request, response) => {
        try {
            handler(request, response);
        } catch (error) {
            console.error(`${request.method} ${request.url}: ${(error as Error).message}`);
            if (!response.headersSent) respond(response, 500, "");
        }
    };
    return new Promise((resolve) => void http.createServer(guarded).listen(port, gateway, resolve));
}

void Promise.all([listen(80, answer), listen(8080, password)]).then(() => console.log("ready"));
