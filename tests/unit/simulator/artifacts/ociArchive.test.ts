import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { makeImageArchive, makeLayer } from "../../../../simulator/artifacts/ociArchive";
import { expectSuccess, runTool, testWithTools, withFolder } from "../../../support/tools";

const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");

/** Two images that share a layer. The times of the files and the order of their creation differ from call to call. */
async function archive(folder: string, names: readonly string[]): Promise<string> {
    const work = fs.mkdtempSync(path.join(folder, "work-"));
    const layers = [];
    for (const [index, layer] of [["sh", "nft"], ["flanneld"]].entries()) {
        const root = path.join(work, `layer-${index}`);
        fs.mkdirSync(path.join(root, "usr/bin"), { recursive: true });
        for (const name of names.filter((one) => layer.includes(one)))
            fs.writeFileSync(path.join(root, "usr/bin", name), name, { mode: 0o700 });
        fs.symlinkSync("usr/bin", path.join(root, "bin"));
        if (index === 1) {
            fs.mkdirSync(path.join(root, "tmp"));
            fs.chmodSync(path.join(root, "tmp"), 0o1777);
            fs.writeFileSync(path.join(root, "usr/su"), "");
            fs.chmodSync(path.join(root, "usr/su"), 0o4755);
        }
        fs.utimesSync(root, Math.random() * 1e9, Math.random() * 1e9);
        layers.push(await makeLayer(root, path.join(work, `layer-${index}.tar`)));
    }
    const file = path.join(work, "images.tar");
    const oci = path.join(work, "oci");
    fs.mkdirSync(oci);
    const images = [
        { name: "registry.example.org/tools:v1", layers: layers.slice(0, 1) },
        { name: "registry.example.org/flannel:v2", layers, entrypoint: ["/usr/bin/flanneld"] },
    ];
    await makeImageArchive(images, "amd64", oci, file);
    return file;
}

testWithTools(["tar"])("archives of the same images have the same bytes", () =>
    withFolder(async (folder) => {
        const one = await archive(folder, ["sh", "nft", "flanneld"]);
        const umask = process.umask(0o077);
        try {
            const two = await archive(folder, ["flanneld", "nft", "sh"]);
            expect(fs.readFileSync(two).equals(fs.readFileSync(one))).toBe(true);
        } finally {
            process.umask(umask);
        }
    }),
);

testWithTools(["tar"])(
    "an archive is an OCI image layout: every reference has its blob, with its size and digest",
    () =>
        withFolder(async (folder) => {
            const file = await archive(folder, ["sh", "nft", "flanneld"]);
            const at = (...parts: string[]) => path.join(folder, "unpacked", ...parts);
            fs.mkdirSync(at());
            expectSuccess(runTool("tar", ["-xf", file, "-C", at()]));
            const json = (...parts: string[]) => JSON.parse(fs.readFileSync(at(...parts), "utf8"));
            const seen = new Set<string>();
            const blob = ({ digest, size }: { digest: string; size: number }) => {
                const hex = digest.replace("sha256:", "");
                const content = fs.readFileSync(at("blobs/sha256", hex));
                expect([sha256(content), content.length]).toEqual([hex, size]);
                seen.add(hex);
                return content;
            };
            expect(json("oci-layout")).toEqual({ imageLayoutVersion: "1.0.0" });
            const { manifests } = json("index.json");
            expect(manifests.map(({ annotations }: any) => annotations["io.containerd.image.name"])).toEqual([
                "registry.example.org/tools:v1",
                "registry.example.org/flannel:v2",
            ]);
            const contents = manifests.map((descriptor: any) => {
                const manifest = JSON.parse(blob(descriptor).toString());
                const config = JSON.parse(blob(manifest.config).toString());
                expect(config).toMatchObject({ architecture: "amd64", os: "linux" });
                // Layers are not compressed, so that their digests are those of their content.
                expect(config.rootfs.diff_ids).toEqual(manifest.layers.map(({ digest }: any) => digest));
                manifest.layers.forEach(blob);
                return { manifest, config };
            });
            expect(contents[0].config.config.Entrypoint).toBeUndefined();
            expect(contents[1].config.config.Entrypoint).toEqual(["/usr/bin/flanneld"]);
            expect(contents[0].config.config.Env[0]).toMatch(/^PATH=.*\/usr\/local\/bin/);
            // The shared layer exists once.
            expect(contents[1].manifest.layers[0]).toEqual(contents[0].manifest.layers[0]);
            expect(fs.readdirSync(at("blobs/sha256")).sort()).toEqual([...seen].sort());
            const listed = runTool("tar", ["-tvf", at("blobs/sha256", contents[1].manifest.layers[1].digest.slice(7))]);
            expect(
                listed.stdout
                    .trim()
                    .split("\n")
                    .map((line) => line.split(/\s+/)[0]),
            ).toEqual(["lrwxrwxrwx", "drwxrwxrwt", "drwxr-xr-x", "drwxr-xr-x", "-rwxr-xr-x", "-rwsr-xr-x"]);
        }),
);
