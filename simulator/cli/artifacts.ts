/** `cloudstack-local artifacts`: completes the mirror of release files. */
import * as path from "node:path";
import { parseArgs } from "node:util";
import {
    artifactsFolder,
    ensureArtifacts,
    manifestFile,
    type Outcome,
    SOURCES,
    type Source,
    type Versions,
} from "../artifacts/mirror";
import { knownVersions, newestVersion } from "../artifacts/releases";
import { cacheFolder } from "../cache";
import { UserError } from "./stateFolder";
import { duration, size } from "./table";
import { WaitingLine } from "./waiting";

const NEWEST = newestVersion("etcd");

export const ARTIFACTS_HELP = `cloudstack-local artifacts [--cache DIR] [--etcd VERSION]... [--from SOURCE] [--json]

Completes the mirror of release files, which machines without the internet fetch from http://GATEWAY/artifacts: one
folder with a manifest of SHA-256 sums, for all clouds of this user. Existing files are kept.

  --cache DIR        the mirror is the folder "artifacts" in it (default: $CLOUDSTACK_LOCAL_CACHE, else the XDG cache
                     folder); a cloud serves the mirror of the cache that it was started with
  --etcd VERSION     may be repeated (default ${NEWEST}). Known versions:
                     ${knownVersions("etcd").join(", ")}; Go can build others
  --from SOURCE      release: the official files, checked against the SHA-256 sums in this package;
                     go: built from the projects' Go modules, a minute or two each;
                     auto (default): the official files if they can be downloaded, else Go
  --json             print the files of the mirror as JSON
`;

export async function artifacts(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: {
            cache: { type: "string" },
            etcd: { type: "string", multiple: true, default: [NEWEST] },
            from: { type: "string", default: "auto" },
            json: { type: "boolean", default: false },
        },
    });
    const source = SOURCES.find((one) => one === values.from);
    if (source === undefined)
        throw new UserError(`--from must be one of ${SOURCES.join(", ")}, not "${values.from}".`, 2);
    for (const version of values.etcd)
        if (!/^\d+\.\d+\.\d+$/.test(version))
            throw new UserError(`--etcd must be a version such as ${NEWEST}, not "${version}".`, 2);
    const cacheDir = values.cache === undefined ? cacheFolder() : path.resolve(values.cache);
    await complete(cacheDir, { etcd: values.etcd }, source, values.json);
}

async function complete(cacheDir: string, versions: Versions, source: Source, asJson: boolean): Promise<void> {
    let waiting = new WaitingLine();
    let currentStep = "checking the mirror";
    // A step may report no progress for a while.
    const timer = setInterval(() => waiting.show(currentStep), 250);
    const onProgress = (text: string) => (currentStep = text);
    const onFile = (outcome: Outcome) => {
        waiting.end();
        waiting = new WaitingLine();
        if (!asJson) console.log(lineOf(outcome));
    };
    try {
        const files = await ensureArtifacts(cacheDir, versions, { source, onProgress, onFile });
        const [folder, manifest] = [artifactsFolder(cacheDir), manifestFile(cacheDir)];
        if (asJson) console.log(JSON.stringify({ folder, manifest, files }, null, 2));
        else console.log(`Mirror: ${folder}`);
    } catch (error) {
        throw new UserError((error as Error).message);
    } finally {
        clearInterval(timer);
        waiting.end();
    }
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
