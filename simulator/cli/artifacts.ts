/** `cloudstack-local artifacts`: the mirror of release files. */
import { parseArgs } from "node:util";
import { ensureReleases, manifestFile, mirrorFolder, SOURCES, type Source } from "../artifacts/mirror";
import { etcdRelease, NEWEST_ETCD } from "../artifacts/releases";
import { cacheFolder } from "../cache";
import { UserError } from "./stateFolder";

export const ARTIFACTS_HELP = `cloudstack-local artifacts [--etcd VERSION]... [--from SOURCE] [--json]

Completes the mirror of release files that machines without the internet fetch from: http://GATEWAY/artifacts, with a
manifest of SHA-256 sums. It lies in the cache ($CLOUDSTACK_LOCAL_CACHE, else the XDG cache folder), for all clouds.

  --etcd VERSION     default ${NEWEST_ETCD}; may be given several times
  --from SOURCE      release: the official files, checked against the sums that this package knows;
                     go: built from the projects' Go modules; auto (default): the first that can be had
  --json             what is there, for programs
`;

export async function artifacts(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: {
            etcd: { type: "string", multiple: true, default: [NEWEST_ETCD] },
            from: { type: "string", default: "auto" },
            json: { type: "boolean", default: false },
        },
    });
    const source = SOURCES.find((one) => one === values.from);
    if (source === undefined) throw new UserError(`--from must be ${SOURCES.join(", ")}, not "${values.from}".`, 2);
    for (const version of values.etcd)
        if (!/^\d+\.\d+\.\d+$/.test(version)) throw new UserError(`--etcd must be like ${NEWEST_ETCD}, not "${version}".`, 2);
    await complete(values.etcd, source, values.json);
}

async function complete(versions: readonly string[], source: Source, asJson: boolean): Promise<void> {
    const cacheDir = cacheFolder();
    const say = (line: string) => console.error(`  ${line}`);
    const outcomes = await ensureReleases(cacheDir, versions.map((one) => etcdRelease(one)), source, say).catch(
        (error: Error) => {
            throw new UserError(error.message);
        },
    );
    if (asJson) {
        console.log(JSON.stringify({ folder: mirrorFolder(cacheDir), manifest: manifestFile(cacheDir), files: outcomes }, null, 2));
        return;
    }
    const words = { mirror: "there already", release: "the official release", go: "built with Go" };
    for (const { fileName, from, seconds } of outcomes)
        console.log(`${fileName}: ${words[from]}${from === "mirror" ? "" : ` (${seconds.toFixed(0)} s)`}`);
    console.log(`Mirror: ${mirrorFolder(cacheDir)}`);
}
