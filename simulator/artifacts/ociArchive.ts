/**
 * Archives of container images in the OCI image layout, one tar with any number of images, whose bytes depend on nothing
 * but what is in them. Layers are not compressed: a node unpacks them at once, and a mirror is on the same computer.
 *
 * Source: https://github.com/opencontainers/image-spec (image-layout.md, manifest.md, config.md)
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { sumOf } from "./manifest";
import type { Architecture } from "./releases";
import { pack } from "./tar";

const MEDIA_TYPES = {
    layer: "application/vnd.oci.image.layer.v1.tar",
    config: "application/vnd.oci.image.config.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    index: "application/vnd.oci.image.index.v1+json",
};

/** Commands are found by their names alone. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A file in the image's layer format. */
export interface Layer {
    readonly file: string;
    /** `sha256:` and hexadecimal digits. */
    readonly digest: string;
    readonly bytes: number;
}

export interface ImageContent {
    /** With registry and tag: containerd finds an image by nothing less. */
    readonly name: string;
    /** From the lowest one. */
    readonly layers: readonly Layer[];
    readonly entrypoint?: readonly string[];
    readonly command?: readonly string[];
}

/** Makes a layer of what a folder holds. */
export async function makeLayer(folder: string, file: string, signal?: AbortSignal): Promise<Layer> {
    await pack(folder, file, { keepsModes: true, signal });
    return { file, digest: `sha256:${await sumOf(file)}`, bytes: fs.statSync(file).size };
}

/** @param work an empty working folder, on the file system of the layers */
export async function makeImageArchive(
    images: readonly ImageContent[],
    architecture: Architecture,
    work: string,
    file: string,
    signal?: AbortSignal,
): Promise<void> {
    const blobs = path.join(work, "blobs", "sha256");
    fs.mkdirSync(blobs, { recursive: true });
    const blobOf = (digest: string) => path.join(blobs, digest.slice("sha256:".length));
    const put = (mediaType: string, content: object) => {
        const text = JSON.stringify(content);
        const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
        fs.writeFileSync(blobOf(digest), text);
        return { mediaType, digest, size: Buffer.byteLength(text) };
    };
    const platform = { architecture, os: "linux" };
    const manifests = images.map(({ name, layers, entrypoint, command }) => {
        for (const layer of layers)
            if (!fs.existsSync(blobOf(layer.digest))) fs.linkSync(layer.file, blobOf(layer.digest));
        const config = put(MEDIA_TYPES.config, {
            ...platform,
            config: { Env: [`PATH=${PATH}`], Entrypoint: entrypoint, Cmd: command },
            rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
        });
        const manifest = put(MEDIA_TYPES.manifest, {
            schemaVersion: 2,
            mediaType: MEDIA_TYPES.manifest,
            config,
            layers: layers.map(({ digest, bytes }) => ({ mediaType: MEDIA_TYPES.layer, digest, size: bytes })),
        });
        return { ...manifest, platform, annotations: { "io.containerd.image.name": name } };
    });
    const write = (name: string, content: object) => fs.writeFileSync(path.join(work, name), JSON.stringify(content));
    write("oci-layout", { imageLayoutVersion: "1.0.0" });
    write("index.json", { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests });
    await pack(work, file, { signal });
}
