/** `cloudstack-local artifacts`: the mirror of release files. */
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
import { Waiting } from "./waiting";

const NEWEST = newestVersion("etcd");

export const ARTIFACTS_HELP = `cloudstack-local artifacts [--cache DIR] [--etcd VERSION]... [--from SOURCE] [--json]

Completes the mirror of release files, which machines without the internet fetch from http://GATEWAY/artifacts: one
folder with a manifest of SHA-256 sums, for all clouds of this user. Files that are there stay as they are.

  --cache DIR        the mirror is the folder "artifacts" in it (default: $CLOUDSTACK_LOCAL_CACHE, else the XDG cache
                     folder); clouds serve that of the cache they were started with
  --etcd VERSION     may be given several times (default ${NEWEST}). Known are
                     ${knownVersions("etcd").join(", ")}; Go builds others, too
  --from SOURCE      release: the official files, checked against the sums that this package knows;
                     go: built from the projects' Go modules, a minute or two each;
                     auto (default): the official ones where they can be reached, else Go
  --json             what is there, for programs
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
    let waiting = new Waiting();
    let doing = "looking at what is there";
    // What is being done may say nothing for a while.
    const timer = setInterval(() => waiting.show(doing), 250);
    const onProgress = (text: string) => (doing = text);
    const onFile = (outcome: Outcome) => {
        waiting.end();
        waiting = new Waiting();
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
    const origin = { mirror: "there already", release: "the official release", go: "built with Go" }[from];
    const details = [
        size(bytes),
        ...(from === "mirror" ? [] : [duration(seconds)]),
        ...(because === undefined ? [] : [`no official release: ${because}`]),
    ];
    return `${fileName}: ${origin} (${details.join(", ")})`;
}
