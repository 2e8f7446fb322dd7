/** The release files that machines ask a mirror for: their names, their official places, and how Go makes them. */
import sums from "./releases.json";

export type Architecture = "amd64" | "arm64";

/** One release of one program. */
export interface Release {
    readonly program: string;
    readonly version: string;
    readonly fileName: string;
    readonly url: string;
    /** Of the official file, hexadecimal; undefined for a version that this package does not know. */
    readonly sha256: string | undefined;
    readonly build: GoBuild;
}

/** How a Go toolchain makes what is in a release's archive. */
export interface GoBuild {
    /** Modules at the release's version. */
    readonly modules: readonly string[];
    /** Name of the program to the package that it is built from. */
    readonly programs: Readonly<Record<string, string>>;
    /** The folder within the archive. */
    readonly folder: string;
}

export const ARCHITECTURE: Architecture = process.arch === "arm64" ? "arm64" : "amd64";

/** The newest version of etcd that this package knows. */
export const NEWEST_ETCD = Object.keys(sums.etcd).at(-1)!;

export function etcdRelease(version: string, architecture: Architecture = ARCHITECTURE): Release {
    const folder = `etcd-v${version}-linux-${architecture}`;
    const known: Record<string, Record<Architecture, string> | undefined> = sums.etcd;
    return {
        program: "etcd",
        version,
        fileName: `${folder}.tar.gz`,
        url: `https://github.com/etcd-io/etcd/releases/download/v${version}/${folder}.tar.gz`,
        sha256: known[version]?.[architecture],
        build: {
            modules: ["server", "etcdctl", "etcdutl"].map((name) => `go.etcd.io/etcd/${name}/v3`),
            programs: {
                etcd: "go.etcd.io/etcd/server/v3",
                etcdctl: "go.etcd.io/etcd/etcdctl/v3",
                etcdutl: "go.etcd.io/etcd/etcdutl/v3",
            },
            folder,
        },
    };
}
