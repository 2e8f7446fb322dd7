/** `cloudstack-local artifacts`: completes the mirror of release files and images. */
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { secondsToMake } from "../artifacts/estimate";
import type { MirrorFile } from "../artifacts/files";
import { KUBERNETES_MINORS } from "../artifacts/images";
import {
    artifactsFolder,
    ensureArtifacts,
    manifestFile,
    type Outcome,
    SOURCES,
    type Source,
    type Wanted,
} from "../artifacts/mirror";
import { knownVersions, newestVersion } from "../artifacts/releases";
import { TESTED_MINOR } from "../artifacts/conformanceImages";
import { cacheFolder } from "../cache";
import { UserError } from "./stateFolder";
import { counted, duration, size } from "./table";
import { WaitingLine } from "./waiting";

const NEWEST = { etcd: newestVersion("etcd"), kubernetes: newestVersion("kubelet") };

export const ARTIFACTS_HELP = `cloudstack-local artifacts [--etcd VERSION]... [--kubernetes VERSION]... [--without-kubernetes]
                           [--conformance] [--from SOURCE] [--cache DIR] [--json]

Completes the mirror of release files and container images, which machines without the internet fetch from
http://GATEWAY/artifacts: one folder with a manifest of SHA-256 sums, for all clouds of this user. Existing files are
kept.

  --etcd VERSION        may be repeated (default ${NEWEST.etcd}). Known versions:
                        ${knownVersions("etcd").join(", ")}; Go can build others
  --kubernetes VERSION  may be repeated (default ${NEWEST.kubernetes}): kubelet, kubeadm, kubectl, containerd, runc, the CNI
                        plugins, and two archives of images: of control planes, and of all nodes. Known versions:
                        ${knownVersions("kubelet").join(", ")};
                        Go can build other patches of ${KUBERNETES_MINORS.join(" and ")}
  --without-kubernetes  nothing of that
  --conformance         also Kubernetes' own conformance tests and the images that they need, of versions of ${TESTED_MINOR}
  --from SOURCE         release: the official files, checked against the SHA-256 sums in this package;
                        go: built from the projects' Go modules;
                        auto (default): the official files if they can be downloaded, else Go.
                        Images are always built: with Go, and as root with mmdebstrap
  --cache DIR           the mirror is the folder "artifacts" in it (default: $CLOUDSTACK_LOCAL_CACHE, else the XDG cache
                        folder); a cloud serves the mirror of the cache that it was started with
  --json                print the files of the mirror as JSON
`;

export async function artifacts(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: {
            cache: { type: "string" },
            etcd: { type: "string", multiple: true, default: [NEWEST.etcd] },
            kubernetes: { type: "string", multiple: true },
            "without-kubernetes": { type: "boolean", default: false },
            conformance: { type: "boolean", default: false },
            from: { type: "string", default: "auto" },
            json: { type: "boolean", default: false },
        },
    });
    const source = SOURCES.find((one) => one === values.from);
    if (source === undefined)
        throw new UserError(`--from must be one of ${SOURCES.join(", ")}, not "${values.from}".`, 2);
    if (values["without-kubernetes"] && values.kubernetes !== undefined)
        throw new UserError("--without-kubernetes and --kubernetes exclude each other.", 2);
    const kubernetes = values["without-kubernetes"] ? [] : (values.kubernetes ?? [NEWEST.kubernetes]);
    checkVersions("etcd", values.etcd);
    checkVersions("kubernetes", kubernetes);
    for (const version of kubernetes)
        if (!KUBERNETES_MINORS.some((minor) => version.startsWith(`${minor}.`)))
            throw new UserError(
                `--kubernetes must be a version of ${KUBERNETES_MINORS.join(" or ")}, not "${version}".`,
                2,
            );
    const conformance = values.conformance ? kubernetes : [];
    if (conformance.some((version) => !version.startsWith(`${TESTED_MINOR}.`)))
        throw new UserError(`--conformance is possible for versions of Kubernetes ${TESTED_MINOR} only.`, 2);
    const cacheDir = values.cache === undefined ? cacheFolder() : path.resolve(values.cache);
    await complete(cacheDir, { etcd: values.etcd, kubernetes, conformance }, source, values.json);
}

function checkVersions(option: keyof typeof NEWEST, versions: readonly string[]): void {
    for (const version of versions)
        if (!/^\d+\.\d+\.\d+$/.test(version))
            throw new UserError(`--${option} must be a version such as ${NEWEST[option]}, not "${version}".`, 2);
}

async function complete(cacheDir: string, wanted: Wanted, source: Source, asJson: boolean): Promise<void> {
    const waiting = new WaitingLine();
    let steps: readonly string[] = ["checking the mirror"];
    // A step may report no progress for a while.
    const timer = setInterval(() => waiting.show(steps.join("; ")), 250);
    const say = (line: string, to: "log" | "error") => {
        waiting.clear();
        console[to](line);
    };
    const [folder, manifest] = [artifactsFolder(cacheDir), manifestFile(cacheDir)];
    const interruption = new AbortController();
    const interrupt = () =>
        interruption.abort(new Error("Interrupted. Nothing unfinished is left, and Go keeps what it has compiled."));
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    try {
        const files = await ensureArtifacts(cacheDir, wanted, {
            source,
            signal: interruption.signal,
            onMissing: (missing) => say(announcement(missing), "error"),
            onProgress: (texts) => (steps = texts),
            onFile: (outcome) => {
                if (!asJson) say(lineOf(outcome), "log");
            },
            onFailed: (fileName, reason) => say(`${fileName}: FAILED: ${reason.split("\n")[0]}`, "error"),
        });
        waiting.clear();
        if (asJson) console.log(JSON.stringify({ folder, manifest, files }, null, 2));
        else console.log(`Mirror: ${folder}`);
    } catch (error) {
        throw new UserError((error as Error).message, interruption.signal.aborted ? 130 : 1);
    } finally {
        process.removeListener("SIGINT", interrupt).removeListener("SIGTERM", interrupt);
        clearInterval(timer);
        waiting.clear();
    }
}

function announcement(missing: readonly MirrorFile[]): string {
    const processors = os.availableParallelism();
    const minutes = Math.ceil(secondsToMake(missing, processors) / 60);
    return [
        "Missing:",
        ...missing.map(({ fileName }) => `  ${fileName}`),
        `To build all of this with Go takes about ${counted(minutes, "minute")} on ${counted(processors, "processor")}, once; ` +
            "what can be downloaded, and what Go has compiled before, takes less.",
    ].join("\n");
}

function lineOf({ fileName, from, because, bytes, seconds }: Outcome): string {
    const origin = { mirror: "already present", release: "the official release", go: "built with Go" }[from];
    const details = [
        size(bytes),
        ...(from === "mirror" ? [] : [duration(seconds)]),
        ...(because === undefined ? [] : [`no official release: ${because}`]),
    ];
    return `${fileName}: ${origin} (${details.join(", ")})`;
}
