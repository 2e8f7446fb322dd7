import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { addToManifest, artifactsFolder, sumOf } from "../../../../simulator/artifacts/manifest";
import { releaseOf } from "../../../../simulator/artifacts/releases";
import { withFolder } from "../../../support/tools";
import { findPrograms, unpacked } from "./programs";

const programs = ["etcd", "etcdctl", "etcdutl"];

/** Files of that name, as an archive of the mirror has them. */
async function addArchive(cache: string, version: string): Promise<string> {
    const { fileName } = releaseOf("etcd", version);
    const inside = fileName.replace(".tar.gz", "");
    fs.mkdirSync(path.join(cache, inside), { recursive: true });
    for (const name of programs) fs.writeFileSync(path.join(cache, inside, name), version, { mode: 0o755 });
    fs.mkdirSync(artifactsFolder(cache), { recursive: true });
    const file = path.join(artifactsFolder(cache), fileName);
    execFileSync("tar", ["-czf", file, "-C", cache, inside]);
    addToManifest(cache, fileName, (await sumOf(file))!);
    return file;
}

test("tests with a real etcd use the newest archive of the mirror if there is no other, and no damaged one", () =>
    withFolder(async (folder) => {
        const env = { CLOUDSTACK_LOCAL_CACHE: folder };
        const find = (more: object = {}) => findPrograms({ ...env, ...more }, undefined);
        expect(find()).toBeUndefined();
        const file = await addArchive(folder, "3.6.14");
        await addArchive(folder, "3.5.33");
        const found = find()!;
        expect(found.archive!.file).toBe(file);
        const bin = await unpacked(found, path.join(folder, "bin"));
        expect(programs.map((name) => fs.readFileSync(path.join(bin, name), "utf8"))).toEqual([
            "3.6.14",
            "3.6.14",
            "3.6.14",
        ]);
        fs.appendFileSync(file, "x");
        await expect(unpacked(found, path.join(folder, "other"))).rejects.toThrow("is not what its manifest says");
        expect(find({ ETCD_BIN_DIR: bin })).toEqual({ folder: bin });
        expect(find({ ETCD_BIN_DIR: folder })).toBeUndefined();
    }));
