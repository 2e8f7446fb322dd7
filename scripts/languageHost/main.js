"use strict";

/**
 * A Node language host for the Pulumi engine, for machines where the official `pulumi-language-nodejs` cannot be had:
 * it is published only inside Pulumi's release archives, while the engine itself can be built from its Go module.
 *
 * The engine starts it as `pulumi-language-nodejs [flags] ENGINE_ADDRESS`, reads one line with a port from its output
 * and speaks the gRPC service `pulumirpc.LanguageRuntime` to it (definition: `proto/pulumi/language.proto` of Pulumi).
 * What it leaves out are the services for code generation, which the engine reports as unimplemented.
 */

const { parseArgs } = require("node:util");
const grpc = require("@grpc/grpc-js");
const { LanguageRuntimeService } = require("@pulumi/pulumi/proto/language_grpc_pb");
const { Programs } = require("./program");
const { services } = require("./services");

/** Messages carry whole stack configurations; gRPC's default limit of 4 MiB is too small for large ones. */
const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

/** How often to look whether the engine is still there, in milliseconds. */
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

    const leave = () => {
        programs.cancel();
        server.forceShutdown();
        programs.settled().then(() => process.exit(0));
    };
    process.on("SIGINT", leave);
    process.on("SIGTERM", leave);
    // An engine that is killed has no chance to say goodbye, and its program would go on beside the next one.
    const engine = process.ppid;
    setInterval(() => process.ppid !== engine && leave(), checkMilliseconds).unref();
}

main();
