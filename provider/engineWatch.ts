import * as net from "node:net";

/** The wait before the next connection, in milliseconds. */
const PAUSE = 50;

/**
 * Ends this plugin process when the engine that started it has ended. Otherwise the process would survive an engine
 * that was killed, and would continue to change resources concurrently with the next run. (The parent process cannot be
 * watched instead: in Pulumi's releases that is a shell, which survives the engine, too.)
 *
 * The engine passes its address to the process and listens there until it ends. When a connection is closed, a new one
 * is opened; when that is refused, the process exits. It does not exit if the engine only closes idle connections, or
 * if nothing ever listened at the address.
 *
 * @param address `HOST:PORT` of the engine's gRPC server
 */
export function endWithEngine(address: string | undefined): void {
    const [, host, port] = /^(.+):(\d+)$/.exec(address ?? "") ?? [];
    if (port === undefined) return;
    let wasConnected = false;
    const connect = (): void => {
        const socket = net.connect({ host, port: Number(port) }, () => (wasConnected = true));
        let refused = false;
        socket.on("error", (error: NodeJS.ErrnoException) => (refused = error.code === "ECONNREFUSED"));
        socket.on("close", () => {
            if (refused && wasConnected) process.exit(1);
            if (wasConnected) setTimeout(connect, PAUSE).unref();
        });
        socket.resume().unref();
    };
    connect();
}
