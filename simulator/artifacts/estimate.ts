/** How long it takes to make files. */
import type { GoBuild } from "./builds";
import { buildsOf, isImageArchive, type MirrorFile } from "./files";

/** Time that no number of processors shortens: downloads, the root file system of machines, linking, packing. */
const FIXED_SECONDS = { releases: 30, images: 60 };

/** Of files that Go builds from nothing; what was compiled before takes no time. */
export function secondsToMake(files: readonly MirrorFile[], processors: number): number {
    const builds = new Map<string, GoBuild>();
    for (const { build } of files.flatMap(buildsOf)) builds.set(build.folder, build);
    const seconds = [...builds.values()].reduce((sum, build) => sum + build.seconds, 0);
    return seconds / processors + (files.some(isImageArchive) ? FIXED_SECONDS.images : FIXED_SECONDS.releases);
}
