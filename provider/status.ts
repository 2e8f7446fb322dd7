import { createRequire } from "node:module";

/** Sends a message to the engine; resolves when it is delivered. */
type Log = (level: "status" | "warning", urn: string, message: string) => Promise<void>;

/** `undefined` before the first message; `null` if there is no engine. */
let engine: Log | null | undefined;

/**
 * Shows a temporary status in the resource's row. It is not among the messages at the end; use `say` for lasting
 * messages and errors for failures.
 *
 * @param urn of the resource; without it, nothing is shown
 */
export function status(urn: unknown, message: string): void {
    if (typeof urn !== "string" || urn === "") return;
    engine ??= connect();
    void engine?.("status", urn, message);
}

/** Shows a warning below the stack, which remains among the messages at the end. */
export async function warn(message: string): Promise<void> {
    engine ??= connect();
    if (engine) await engine("warning", "", message);
    else console.error(message);
}

/**
 * The plugin process has the engine's address as its argument. It has already loaded the SDK's gRPC bindings; these are
 * reused, because loading them again would take half a second.
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
            // Errors are ignored: a lost message must not make the operation fail.
            return new Promise((resolve) => client.log(request, () => resolve()));
        };
    } catch {
        return null;
    }
}
