import * as net from "node:net";

/** How long to wait before looking again, in milliseconds. */
const PAUSE = 50;

/**
 * Ends this process, in which handlers run, when the engine that started it is gone. By itself it outlives an engine
 * that was killed, and would go on to change things beside the next run. (The parent of the process does not tell: in
 * Pulumi's releases that is a shell, which outlives the engine too.)
 *
 * The engine listens as long as it lives, at the address that it gives to the process. A connection to it that is cut
 * asks for another; one that is refused is the end. An engine that closes connections that say nothing does no harm,
 * and neither does an address at which nobody ever was.
 *
 * @param address `HOST:PORT` of the engine's gRPC server
 */
export function endWithEngine(address: string | undefined): void {
    const [, host, port] = /^(.+):(\d+)$/.exec(address ?? "") ?? [];
    if (port === undefined) return;
    let wasThere = false;
    const look = (): void => {
        const socket = net.connect({ host, port: Number(port) }, () => (wasThere = true));
        let refused = false;
        socket.on("error", (error: NodeJS.ErrnoException) => (refused = error.code === "ECONNREFUSED"));
        socket.on("close", () => {
            if (refused && wasThere) process.exit(1);
            if (wasThere) setTimeout(look, PAUSE).unref();
        });
        socket.resume().unref();
    };
    look();
}
