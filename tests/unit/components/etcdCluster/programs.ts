import * as fs from "node:fs";
import * as path from "node:path";
import { artifactsFolder, readManifest, sumOf } from "../../../../simulator/artifacts/manifest";
import { knownVersions, releaseOf } from "../../../../simulator/artifacts/releases";
import { cacheFolder } from "../../../../simulator/cache";
import { expectSuccess, findTool, runTool } from "../../../support/tools";

/** Where programs of etcd 3.5 or later come from: a folder that has them, or an archive of the mirror. */
export interface EtcdPrograms {
    readonly folder?: string;
    readonly archive?: { readonly file: string; readonly sha256: string };
}

const NAMES = ["etcd", "etcdctl", "etcdutl"];

/**
 * `ETCD_BIN_DIR`, else the PATH, else the newest archive that `cloudstack-local artifacts` has put into the mirror of this
 * user, as the tests with machines do; undefined where there is none of them.
 */
export function findPrograms(
    env: NodeJS.ProcessEnv = process.env,
    inPath = findTool("etcdutl"),
): EtcdPrograms | undefined {
    const folder = env.ETCD_BIN_DIR ?? (inPath && path.dirname(inPath));
    if (folder !== undefined && NAMES.every((name) => fs.existsSync(path.join(folder, name)))) return { folder };
    // Whoever names a folder wants that one.
    if (env.ETCD_BIN_DIR !== undefined || findTool("tar") === undefined) return undefined;
    const cache = cacheFolder(env);
    const manifest = readManifest(cache);
    const fileNames = knownVersions("etcd").map((version) => releaseOf("etcd", version).fileName);
    const newest = fileNames.findLast(
        (name) => manifest[name] && fs.existsSync(path.join(artifactsFolder(cache), name)),
    );
    if (newest === undefined) return undefined;
    return { archive: { file: path.join(artifactsFolder(cache), newest), sha256: manifest[newest] } };
}

/** The folder with the programs; an archive is unpacked into `target` first. */
export async function unpacked({ folder, archive }: EtcdPrograms, target: string): Promise<string> {
    if (archive === undefined) return folder!;
    if ((await sumOf(archive.file)) !== archive.sha256)
        throw new Error(`${archive.file} is not what its manifest says`);
    fs.mkdirSync(target, { recursive: true });
    expectSuccess(runTool("tar", ["-xzf", archive.file, "--strip-components=1", "--no-same-owner", "-C", target]));
    return target;
}
