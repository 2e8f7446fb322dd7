"use strict";

/**
 * A Node language host for the Pulumi engine, for machines that cannot download the official `pulumi-language-nodejs`:
 * it is published only in Pulumi's release archives, whereas the engine itself can be built from its Go module.
 *
 * The engine starts it as `pulumi-language-nodejs [flags] ENGINE_ADDRESS`, reads one line with a port from its output
 * and calls the gRPC service `pulumirpc.LanguageRuntime` at it (definition: `proto/pulumi/language.proto` of Pulumi).
 * The methods for code generation are not implemented.
 */

const { parseArgs } = require("node:util");
const grpc = require("@grpc/grpc-js");
const { LanguageRuntimeService } = require("@pulumi/pulumi/proto/language_grpc_pb");
const { Programs } = require("./program");
const { services } = require("./services");

/** Messages carry whole stack configurations; gRPC's default limit of 4 MiB is too small for large ones. */
const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

/** How often to check whether the engine is still running, in milliseconds. */
const checkMilliseconds = 500;

function main() {
    const { positionals, values } = parseArgs({
        options: { tracing: { type: "string" }, version: { type: "boolean" } },
        allowPositionals: true,
        strict: false,
    });
    if (values.version) {
        console.log(require("@pulumi/pulumi/package.json").version);
        return;
    }

    const programs = new Programs(positionals[0]);
    const server = new grpc.Server(unlimited);
    server.addService(LanguageRuntimeService, services(programs));
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
        if (error) {
            console.error(`pulumi-language-nodejs cannot listen on 127.0.0.1: ${error.message}`);
            process.exit(1);
        }
        console.log(String(port));
    });

    const shutDown = () => {
        programs.cancel();
        server.forceShutdown();
        programs.ended().then(() => process.exit(0));
    };
    process.on("SIGINT", shutDown);
    process.on("SIGTERM", shutDown);
    // A killed engine sends no signal, and its program would keep running beside the next one's.
    const engine = process.ppid;
    setInterval(() => process.ppid !== engine && shutDown(), checkMilliseconds).unref();
}

main();
