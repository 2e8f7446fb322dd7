/** A mirror of release files that can be out of reach for a while. */
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { artifactsFolder } from "../../../simulator/artifacts/mirror";
import { cacheFolder } from "../../../simulator/cache";

export class Mirror {
    readonly url: string;
    /** Names of the files that were asked for. */
    readonly served: string[] = [];
    private readonly address: string;
    private readonly port: number;
    private server: http.Server | undefined;

    private constructor(address: string, port: number) {
        this.address = address;
        this.port = port;
        this.url = `http://${address}:${port}`;
    }

    /** One that nobody can connect to yet. @param address of this computer in the machines' network */
    static async closed(address: string): Promise<Mirror> {
        const server = http.createServer();
        await new Promise<void>((resolve) => server.listen(0, address, resolve));
        const { port } = server.address() as AddressInfo;
        await new Promise((resolve) => server.close(resolve));
        return new Mirror(address, port);
    }

    async open(): Promise<void> {
        this.server = http.createServer((request, response) => {
            const name = path.basename(request.url ?? "");
            const file = path.join(artifactsFolder(cacheFolder()), name);
            if (!fs.existsSync(file)) return void response.writeHead(404).end();
            this.served.push(name);
            response.writeHead(200, { "Content-Length": fs.statSync(file).size });
            fs.createReadStream(file).pipe(response);
        });
        await new Promise<void>((resolve) => this.server!.listen(this.port, this.address, resolve));
    }

    async close(): Promise<void> {
        const { server } = this;
        if (server === undefined) return;
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
    }
}
