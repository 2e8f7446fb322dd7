import { createRequire } from "node:module";

/** Says something to the engine, once it is connected. */
type Log = (urn: string, message: string) => void;

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
    engine?.(urn, message);
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
        return (urn, message) => {
            const request = new LogRequest();
            request.setSeverity(LogSeverity.INFO);
            request.setUrn(urn);
            request.setMessage(message);
            request.setEphemeral(true);
            // A status that does not arrive is no reason for anything to fail.
            client.log(request, () => undefined);
        };
    } catch {
        return null;
    }
}
