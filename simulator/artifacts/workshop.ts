/** Makes files of the mirror: downloads what can be downloaded, builds the rest, as much side by side as makes sense. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { GoBuild } from "./builds";
import { download } from "./download";
import { buildsOf, type BuiltProgram, isImageArchive, isRelease, type MirrorFile } from "./files";
import { buildPrograms } from "./goBuild";
import type { ImageArchive, ImageProgram, ToolLayer } from "./images";
import { fillToolLayer } from "./toolLayers";
import { type Layer, makeImageArchive, makeLayer } from "./ociArchive";
import { Gate } from "./process";
import type { Architecture, Release } from "./releases";
import { pack } from "./tar";

export const SOURCES = ["auto", "release", "go"] as const;
/** Where files come from: the official release, a Go toolchain, or the first of them that works. */
export type Source = (typeof SOURCES)[number];

/** How a file was made. */
export interface Made {
    readonly from: "release" | "go";
    /** Why the official release could not be used, if that was tried first. */
    readonly because?: string;
}

/** All sources of a file have failed. */
export class Failure extends Error {
    readonly reasons: readonly string[];

    constructor(reasons: readonly string[]) {
        super(reasons.join("; "));
        this.reasons = reasons;
    }
}

export interface WorkshopOptions {
    readonly cacheDir: string;
    /** An empty working folder, on the mirror's file system. */
    readonly work: string;
    readonly source: Source;
    readonly signal?: AbortSignal;
    /** Called often with what is being done, one text for each of several things. */
    readonly onProgress: (texts: readonly string[]) => void;
}

/** Beside the longest one. More make sense only with many processors: Go itself uses all of them. */
const BUILDS_AT_A_TIME = Math.max(1, Math.floor(os.availableParallelism() / 4));
const DOWNLOADS_AT_A_TIME = 4;

type Programs = Promise<Record<string, string>>;

export class Workshop {
    private readonly options: WorkshopOptions;
    private readonly gates = { download: new Gate(1), compile: new Gate(BUILDS_AT_A_TIME) };
    private readonly downloads = new Gate(DOWNLOADS_AT_A_TIME);
    private readonly steps = new Map<string, string | undefined>();
    private readonly wanted = new Map<string, { readonly build: GoBuild; readonly programs: Set<string> }>();
    private readonly builds = new Map<string, Programs>();
    private readonly tools = new Map<ToolLayer, Promise<Layer>>();
    private readonly programLayers = new Map<string, Promise<Layer>>();

    constructor(options: WorkshopOptions) {
        this.options = options;
    }

    /**
     * Makes files of one architecture, at least one. Each is passed on as soon as it is finished, or has failed. Those that
     * need the same build share it.
     *
     * @param onMade is given the path of the finished file, which it may move away
     * @param onFailed is given a `Failure`, or the reason of an interruption
     */
    async make(
        files: readonly MirrorFile[],
        onMade: (file: MirrorFile, part: string, made: Made) => Promise<void>,
        onFailed: (file: MirrorFile, failure: Error) => void,
    ): Promise<void> {
        const settle = async (file: MirrorFile, made: Promise<Made>) => {
            try {
                await onMade(file, this.partOf(file), await made);
            } catch (error) {
                onFailed(file, error as Error);
            }
        };
        const archives = files.filter(isImageArchive);
        for (const name of archives.flatMap(({ images }) => images.flatMap(({ tools = [] }) => tools)))
            if (!this.tools.has(name)) this.startTools(name);
        // What is to be built is known only when all downloads have ended: one call of Go builds all programs of a build.
        const left: { release: Release; because?: string }[] = [];
        await Promise.all(
            files.filter(isRelease).map(async (release) => {
                const because = await this.tryDownload(release);
                if (because === true) await settle(release, Promise.resolve({ from: "release" }));
                else left.push({ release, because });
            }),
        );
        const others = files.filter((file) => !isRelease(file));
        const toBuild = [...(this.options.source === "release" ? [] : left.map(({ release }) => release)), ...others];
        for (const { build, programs } of toBuild.flatMap(buildsOf)) this.want(build, programs);
        this.startBuilds(files[0].architecture);
        await Promise.all([
            ...left.map(({ release, because }) => settle(release, this.makeRelease(release, because))),
            ...others.map((file) =>
                settle(file, isImageArchive(file) ? this.makeArchive(file) : this.makeProgram(file)),
            ),
        ]);
    }

    private partOf({ fileName }: MirrorFile): string {
        return path.join(this.options.work, `part-${fileName}`);
    }

    private newFolder(name: string): string {
        return fs.mkdtempSync(path.join(this.options.work, `${name.replaceAll(/\W+/g, "-")}-`));
    }

    /** Runs a job whose steps are shown while it runs; one that only waits is not shown. */
    private async showing<T>(title: string, job: (onProgress: (text?: string) => void) => Promise<T>): Promise<T> {
        const set = (step: string | undefined) => {
            this.steps.set(title, step);
            this.show();
        };
        set(undefined);
        try {
            return await job(set);
        } finally {
            this.steps.delete(title);
            this.show();
        }
    }

    private show(): void {
        const entries = [...this.steps];
        const texts = entries.filter(([, step]) => step !== undefined).map(([name, step]) => `${name}: ${step}`);
        const waiting = entries.length - texts.length;
        this.options.onProgress(waiting > 0 ? [...texts, `${waiting} waiting`] : texts);
    }

    /** True if the official file was downloaded, otherwise why not; undefined if it was not to be. */
    private async tryDownload(release: Release): Promise<true | string | undefined> {
        if (this.options.source === "go") return undefined;
        const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
        try {
            await this.downloads.pass(() =>
                this.showing(`downloading ${release.fileName}`, (onProgress) =>
                    download(release, this.partOf(release), {
                        signal: this.options.signal,
                        onBytes: (received, total = NaN) =>
                            onProgress(`${mebibytes(received)}${total ? ` of ${mebibytes(total)}` : ""} MiB`),
                    }),
                ),
            );
            return true;
        } catch (error) {
            return (error as Error).message;
        }
    }

    private want(build: GoBuild, programs: readonly string[]): void {
        const entry = this.wanted.get(build.folder) ?? { build, programs: new Set() };
        for (const program of programs) entry.programs.add(program);
        this.wanted.set(build.folder, entry);
    }

    /** The longest one waits for nothing: the others are done beside it. */
    private startBuilds(architecture: Architecture): void {
        const { signal } = this.options;
        const longestFirst = [...this.wanted.values()].sort((a, b) => b.build.seconds - a.build.seconds);
        for (const [index, { build, programs }] of longestFirst.entries()) {
            const gates = index === 0 ? { download: new Gate(1), compile: new Gate(1) } : this.gates;
            const built = this.showing(build.title, (onProgress) =>
                buildPrograms(build, [...programs], this.newFolder(build.name), {
                    architecture,
                    gates,
                    signal,
                    onProgress,
                }),
            );
            built.catch(() => undefined);
            this.builds.set(build.folder, built);
        }
    }

    /** @throws Failure */
    private async programs(build: GoBuild, before: readonly string[] = []): Programs {
        try {
            return await this.builds.get(build.folder)!;
        } catch (error) {
            throw this.failure(error, "Go", before);
        }
    }

    private failure(error: unknown, source: string, before: readonly string[] = []): Error {
        if (this.options.signal?.aborted) return error as Error;
        return new Failure([...before, `${source}: ${(error as Error).message}`]);
    }

    private async makeRelease(release: Release, because: string | undefined): Promise<Made> {
        const before = because === undefined ? [] : [`the official release: ${because}`];
        if (this.options.source === "release") throw new Failure(before);
        const programs = await this.programs(release.build, before);
        const part = this.partOf(release);
        if (/\.(tar\.gz|tgz)$/.test(release.fileName)) {
            const folder = this.newFolder("pack");
            for (const [where, program] of Object.entries(release.members)) place(programs[program], folder, where);
            await pack(folder, part, { gzip: true, signal: this.options.signal });
        } else {
            const [program] = Object.values(release.members);
            copy(programs[program], part);
        }
        return { from: "go", ...(because !== undefined && { because }) };
    }

    private async makeProgram(file: BuiltProgram): Promise<Made> {
        copy((await this.programs(file.build))[file.program], this.partOf(file));
        return { from: "go" };
    }

    private startTools(name: ToolLayer): void {
        const folder = this.newFolder("tools");
        const layer = this.showing(`${name} tools of the images`, async (onProgress) => {
            await fillToolLayer(name, this.options.cacheDir, folder, onProgress);
            return makeLayer(folder, `${folder}.tar`, this.options.signal);
        }).catch((error: unknown) => {
            throw this.failure(error, `the images' ${name} tools`);
        });
        layer.catch(() => undefined);
        this.tools.set(name, layer);
    }

    private async makeArchive(archive: ImageArchive): Promise<Made> {
        const images = await Promise.all(
            archive.images.map(async (image) => {
                const layers = await Promise.all((image.tools ?? []).map((name) => this.tools.get(name)!));
                const own = await Promise.all(image.programs.map((program) => this.programLayer(program)));
                return { ...image, layers: [...layers, ...own] };
            }),
        );
        await this.showing(archive.fileName, async (onProgress) => {
            onProgress("packing");
            const folder = this.newFolder("oci");
            await makeImageArchive(images, archive.architecture, folder, this.partOf(archive), this.options.signal);
            fs.rmSync(folder, { recursive: true });
        });
        return { from: "go" };
    }

    /** Each program has its own, so that images, and nodes, have a program once. */
    private programLayer(program: ImageProgram): Promise<Layer> {
        const key = [program.build.folder, program.program, program.path].join(" ");
        const layer = this.programLayers.get(key) ?? this.makeProgramLayer(program);
        this.programLayers.set(key, layer);
        return layer;
    }

    private async makeProgramLayer({ build, program, path: where, isSetUid }: ImageProgram): Promise<Layer> {
        const folder = this.newFolder("layer");
        const built = (await this.programs(build))[program];
        if (isSetUid === true) fs.chmodSync(built, 0o4755);
        place(built, folder, where);
        return makeLayer(folder, `${folder}.tar`, this.options.signal);
    }
}

/** A file of its own, whose mode may be changed. */
function copy(file: string, target: string): void {
    fs.copyFileSync(file, target, fs.constants.COPYFILE_FICLONE);
}

function place(file: string, folder: string, where: string): void {
    const target = path.join(folder, where);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.linkSync(file, target);
}
