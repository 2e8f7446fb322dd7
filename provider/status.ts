import { createRequire } from "node:module";

/** Says something to the engine, once it is connected; settled when it has heard. */
type Log = (level: "status" | "warning", urn: string, message: string) => Promise<void>;

/** Undefined until there is something to say; null where no engine is. */
let engine: Log | null | undefined;

/**
 * Shows what is under way on a resource's own row, as long as it is under way: nothing of it stays among the messages
 * at the end. What stays true belongs into `say`, what went wrong into an error.
 *
 * @param urn of the resource; nothing is shown where it is not known
 */
export function status(urn: unknown, message: string): void {
    if (typeof urn !== "string" || urn === "") return;
    engine ??= connect();
    void engine?.("status", urn, message);
}

/** Warns, below the stack. It stays among the messages at the end. */
export async function warn(message: string): Promise<void> {
    engine ??= connect();
    if (engine) await engine("warning", "", message);
    else console.error(message);
}

/**
 * The plugin's process has the engine's address as its argument. It has the SDK's own bindings loaded, too: they are
 * taken from there, since loading them again would take half a second.
 */
function connect(): Log | null {
    const [, program, address] = process.argv;
    if (!/\bdynamic-provider\b/.test(program ?? "") || !/^.+:\d+$/.test(address ?? "")) return null;
    try {
        const load = createRequire(require.main?.filename ?? program);
        const grpc = load("@grpc/grpc-js");
        const { EngineClient } = load("../../proto/engine_grpc_pb");
        const { LogRequest, LogSeverity } = load("../../proto/engine_pb");
        const client = new EngineClient(address, grpc.credentials.createInsecure());
        return (level, urn, message) => {
            const request = new LogRequest();
            request.setSeverity(level === "warning" ? LogSeverity.WARNING : LogSeverity.INFO);
            request.setUrn(urn);
            request.setMessage(message);
            request.setEphemeral(level === "status");
            // A message that does not arrive is no reason for anything to fail.
            return new Promise((resolve) => client.log(request, () => resolve()));
        };
    } catch {
        return null;
    }
}
