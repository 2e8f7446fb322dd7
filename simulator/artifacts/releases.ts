/**
 * The release files that a mirror can have. Each program has an entry in `PROGRAMS`, and the SHA-256 sums of its
 * official files in `releases.json`.
 */
import sums from "./releases.json";

export type Architecture = "amd64" | "arm64";

/** The architecture of this computer and its machines. */
export const ARCHITECTURE: Architecture = process.arch === "arm64" ? "arm64" : "amd64";

/** In strings, `{v}` is the version and `{a}` the architecture. */
interface Program {
    /** The official URL. */
    readonly url: string;
    /** The file name on a mirror. @default the last part of `url` */
    readonly fileName?: string;
    readonly go: GoRecipe;
}

/** How a Go toolchain builds the file. */
export interface GoRecipe {
    /** Modules, each at the version of the release. */
    readonly modules: readonly string[];
    /**
     * The packages that programs are built from, by their path in the archive. A file that is not an archive
     * (`.tar.gz`, `.tgz`) has one, whose path is ignored.
     */
    readonly programs: Readonly<Record<string, string>>;
    /** Values of variables that the linker sets. */
    readonly variables?: Readonly<Record<string, string>>;
}

const etcdFolder = "etcd-v{v}-linux-{a}";

const PROGRAMS = {
    etcd: {
        url: `https://github.com/etcd-io/etcd/releases/download/v{v}/${etcdFolder}.tar.gz`,
        go: {
            modules: ["server", "etcdctl", "etcdutl"].map((name) => `go.etcd.io/etcd/${name}/v3`),
            programs: {
                [`${etcdFolder}/etcd`]: "go.etcd.io/etcd/server/v3",
                [`${etcdFolder}/etcdctl`]: "go.etcd.io/etcd/etcdctl/v3",
                [`${etcdFolder}/etcdutl`]: "go.etcd.io/etcd/etcdutl/v3",
            },
            // The module contains the version but not the commit.
            variables: { "go.etcd.io/etcd/api/v3/version.GitSHA": "built-from-go-modules" },
        },
    },
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof PROGRAMS;

export const PROGRAM_NAMES = Object.keys(PROGRAMS) as ProgramName[];

/** One release of one program for one architecture. */
export interface Release {
    readonly program: string;
    readonly version: string;
    readonly architecture: Architecture;
    readonly fileName: string;
    readonly url: string;
    /** Hexadecimal SHA-256 of the official file; undefined for a version that this package does not know. */
    readonly sha256: string | undefined;
    /** The versions that this package knows, oldest first. */
    readonly knownVersions: readonly string[];
    readonly go: GoRecipe;
}

/** The versions of a program whose official sums this package knows, oldest first. */
export function knownVersions(program: ProgramName): string[] {
    return Object.keys(sums[program]);
}

export function newestVersion(program: ProgramName): string {
    return knownVersions(program).at(-1)!;
}

export function releaseOf(program: ProgramName, version: string, architecture = ARCHITECTURE): Release {
    const { url, fileName, go }: Program = PROGRAMS[program];
    const fill = (text: string) => text.replaceAll("{v}", version).replaceAll("{a}", architecture);
    const known: Record<string, Record<Architecture, string> | undefined> = sums[program];
    const filledUrl = fill(url);
    return {
        program,
        version,
        architecture,
        fileName: fileName === undefined ? filledUrl.slice(filledUrl.lastIndexOf("/") + 1) : fill(fileName),
        url: filledUrl,
        sha256: known[version]?.[architecture],
        knownVersions: knownVersions(program),
        go: {
            ...go,
            programs: Object.fromEntries(Object.entries(go.programs).map(([where, source]) => [fill(where), source])),
        },
    };
}
