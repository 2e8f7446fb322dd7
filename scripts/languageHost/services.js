"use strict";

const path = require("node:path");
const { spawn } = require("node:child_process");
const grpc = require("@grpc/grpc-js");
const empty = require("google-protobuf/google/protobuf/empty_pb");
const language = require("@pulumi/pulumi/proto/language_pb");
const plugin = require("@pulumi/pulumi/proto/plugin_pb");
const { runnerCommand } = require("./program");
const { readOptions } = require("./options");
const { dependencies, packageManager, requiredPlugins } = require("./packages");

/**
 * The methods of `pulumirpc.LanguageRuntime` that are needed to run a program. gRPC answers all others (code
 * generation, plugins in source form) with UNIMPLEMENTED, which the engine handles.
 *
 * @param {import("./program").Programs} programs
 * @returns {Record<string, (call: any, callback: any) => void>}
 */
function services(programs) {
    return {
        handshake: unary(({ request }) => {
            programs.engineAddress = request.getEngineAddress();
            return new language.LanguageHandshakeResponse();
        }),
        getPluginInfo: unary(() => {
            const answer = new plugin.PluginInfo();
            answer.setVersion(require("@pulumi/pulumi/package.json").version);
            return answer;
        }),
        getRequiredPackages: unary(({ request }) => {
            const answer = new language.GetRequiredPackagesResponse();
            answer.setPackagesList(requiredPlugins(request.getInfo().getProgramDirectory()).map(packageDependency));
            return answer;
        }),
        run: unary(async (call) => {
            const answer = new language.RunResponse();
            try {
                const start = runnerCommand(call.request, programs.engineAddress);
                const { error, bail } = await programs.run(start, (cancel) => call.on("cancelled", cancel));
                answer.setError(error);
                answer.setBail(bail);
            } catch (error) {
                answer.setError(messageOf(error));
            }
            return answer;
        }),
        cancel: unary(() => {
            programs.cancel();
            return new empty.Empty();
        }),
        about: unary(({ request }) => {
            const info = request.getInfo();
            const answer = new language.AboutResponse();
            answer.setExecutable(process.execPath);
            answer.setVersion(process.version);
            const options = readOptions(info?.getOptions()?.toJavaScript() ?? {});
            const manager = packageManager(info?.getProgramDirectory() ?? process.cwd(), options.packageManager);
            answer.getMetadataMap().set("packagemanager", manager);
            return answer;
        }),
        getProgramDependencies: unary(({ request }) => {
            const answer = new language.GetProgramDependenciesResponse();
            const found = dependencies(request.getInfo().getProgramDirectory(), request.getTransitivedependencies());
            answer.setDependenciesList(
                found.map(({ name, version }) => {
                    const one = new language.DependencyInfo();
                    one.setName(name);
                    one.setVersion(version);
                    return one;
                }),
            );
            return answer;
        }),
        runtimeOptionsPrompts: unary(() => new language.RuntimeOptionsResponse()),
        installDependencies,
    };
}

/**
 * Wraps a function from call to response as a gRPC handler.
 *
 * @param {(call: any) => any} answer
 * @returns {(call: any, callback: any) => void}
 */
function unary(answer) {
    return (call, callback) => {
        Promise.resolve()
            .then(() => answer(call))
            .then(
                (response) => callback(null, response),
                (error) => callback({ code: grpc.status.UNKNOWN, details: messageOf(error) }),
            );
    };
}

/** @param {unknown} error */
function messageOf(error) {
    return error instanceof Error ? error.message : String(error);
}

/** @param {import("./packages").RequiredPlugin} required */
function packageDependency(required) {
    const answer = new plugin.PackageDependency();
    answer.setName(required.name);
    answer.setKind("resource");
    answer.setVersion(required.version);
    answer.setServer(required.server);
    if (required.parameterization) {
        const parameterization = new plugin.PackageParameterization();
        parameterization.setName(required.parameterization.name);
        parameterization.setVersion(required.parameterization.version);
        parameterization.setValue(required.parameterization.value);
        answer.setParameterization(parameterization);
    }
    return answer;
}

/**
 * `pulumi install`: runs the package manager in the program's folder and streams its output.
 *
 * @param {any} call
 */
function installDependencies(call) {
    const request = call.request;
    const folder = request.getInfo()?.getProgramDirectory() || request.getDirectory();
    const options = readOptions(request.getInfo()?.getOptions()?.toJavaScript() ?? {});
    const child = spawn(packageManager(folder, options.packageManager), ["install"], {
        cwd: path.resolve(folder),
        stdio: ["ignore", "pipe", "pipe"],
    });
    const forward = (/** @type {"setStdout" | "setStderr"} */ set) => (/** @type {Buffer} */ bytes) => {
        const answer = new language.InstallDependenciesResponse();
        answer[set](bytes);
        call.write(answer);
    };
    child.stdout.on("data", forward("setStdout"));
    child.stderr.on("data", forward("setStderr"));
    call.on("cancelled", () => child.kill("SIGINT"));
    const fail = (/** @type {string} */ details) => call.emit("error", { code: grpc.status.UNKNOWN, details });
    child.on("error", (error) => fail(`Cannot run ${child.spawnfile}: ${error.message}`));
    child.on("close", (code) => (code === 0 ? call.end() : fail(`${child.spawnfile} install ended with code ${code}`)));
}

module.exports = { services };
