/**
 * Layers of images with Debian's programs and the libraries they need. Those of the packet filter come from the machines'
 * own root file system, so that a machine and its containers agree.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { attempt, run } from "../hypervisors/nspawn/host";
import { ensureTemplate, unpackPackages } from "../hypervisors/nspawn/template";
import type { ToolLayer } from "./images";

/** Where its programs come from. */
export const TEMPLATE = "Debian 13";

const PROGRAMS = ["/usr/sbin/nft", "/usr/sbin/xtables-nft-multi", "/usr/sbin/conntrack"];

const BUSYBOX = "/usr/bin/busybox";

/** Names by which xtables-nft-multi is called. */
const XTABLES = ["iptables", "ip6tables", "iptables-nft", "ip6tables-nft"].flatMap((name) =>
    ["", "-save", "-restore"].map((action) => `${name}${action}`),
);

/** Directories that are links in a merged /usr. */
const MERGED = ["bin", "sbin", "lib", "lib64"];

/** @throws Error that says what is missing on this computer */
async function requireTemplateTools(): Promise<void> {
    if (process.getuid?.() !== 0)
        throw new Error("root is needed: they come from the machines' root file system, which only root can make");
    if (!(await attempt("mmdebstrap", ["--version"])))
        throw new Error("mmdebstrap is not installed, which makes the machines' root file system");
}

/** Fills an empty folder; the machines' root file system is built first if it is needed and the cache has none. */
export async function fillToolLayer(
    name: ToolLayer,
    cacheDir: string,
    folder: string,
    onProgress: (text: string) => void,
): Promise<void> {
    await requireTemplateTools();
    if (name === "test") await fillTestTools(folder, onProgress);
    else await copyNetworkTools(await ensureTemplate(cacheDir, TEMPLATE, onProgress), folder);
}

/** @param root a root file system with Debian's packages nftables, iptables, conntrack and busybox-static */
export async function copyNetworkTools(root: string, folder: string): Promise<void> {
    const inFolder = (file: string) => path.join(folder, file);
    for (const name of MERGED) {
        fs.mkdirSync(inFolder(`usr/${name}`), { recursive: true });
        fs.symlinkSync(`usr/${name}`, inFolder(name));
    }
    const extensions = await extensionsOf(root);
    const files = [...PROGRAMS, ...extensions];
    for (const file of [...files, ...(await librariesOf(root, files)), BUSYBOX, "/etc/protocols"])
        copy(root, folder, file);
    for (const name of XTABLES) fs.symlinkSync("xtables-nft-multi", inFolder(`usr/sbin/${name}`));
    for (const name of (await run("chroot", [root, BUSYBOX, "--list"])).trim().split("\n"))
        if (!["bin", "sbin"].some((where) => exists(inFolder(`usr/${where}/${name}`))))
            fs.symlinkSync("busybox", inFolder(`usr/bin/${name}`));
}

/** What tests call in containers. */
const TEST_PACKAGES = [
    ...["bash", "coreutils", "curl", "bind9-dnsutils", "grep", "iperf", "iproute2", "libc-bin", "netcat-openbsd"],
    ...["nginx", "sed", "util-linux"],
];

/** Not needed in a container. */
const LEFT_OUT = [
    "boot",
    "dev",
    "proc",
    "sys",
    "etc/apt",
    "etc/hostname",
    "etc/resolv.conf",
    "var/cache",
    "var/lib/apt",
];

/** Packages, and what their configuration and the tests' own images add: a second name of a program, folders, users. */
async function fillTestTools(folder: string, onProgress: (text: string) => void): Promise<void> {
    await unpackPackages(TEMPLATE, TEST_PACKAGES, folder, onProgress);
    const inFolder = (file: string) => path.join(folder, file);
    for (const name of LEFT_OUT) fs.rmSync(inFolder(name), { recursive: true, force: true });
    fs.symlinkSync("agnhost", inFolder("agnhost-2"));
    // The package's configuration would choose it; busybox's nc, in the layer below, has fewer options.
    fs.symlinkSync("nc.openbsd", inFolder("usr/bin/nc"));
    fs.mkdirSync(inFolder("uploads"));
    fs.symlinkSync("/etc/nginx/sites-available/default", inFolder("etc/nginx/sites-enabled/default"));
    const user = "user-defined-in-image";
    const users = [
        "root:x:0:0:root:/root:/bin/sh",
        "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
        `${user}:x:1000:1000::/:/bin/sh`,
    ];
    const groups = ["root:x:0:", "www-data:x:33:", `${user}:x:1000:`, `group-defined-in-image:x:50000:${user}`];
    for (const [name, lines] of Object.entries({ passwd: users, group: groups }))
        fs.writeFileSync(inFolder(`etc/${name}`), lines.map((line) => `${line}\n`).join(""));
}

function copy(root: string, folder: string, file: string): void {
    const target = path.join(folder, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(path.join(root, file), target);
}

function exists(file: string): boolean {
    return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Extensions of iptables, which it loads by name. */
async function extensionsOf(root: string): Promise<string[]> {
    const libraries = fs.readdirSync(path.join(root, "usr/lib")).filter((name) => name.endsWith("-linux-gnu"));
    const folders = libraries.map((name) => `/usr/lib/${name}/xtables`);
    return folders
        .filter((folder) => fs.existsSync(path.join(root, folder)))
        .flatMap((folder) => fs.readdirSync(path.join(root, folder)).map((name) => `${folder}/${name}`))
        .filter((file) => file.endsWith(".so"));
}

/** The shared libraries of programs, below /usr. */
async function librariesOf(root: string, files: readonly string[]): Promise<string[]> {
    const text = await run("chroot", [root, "ldd", ...files]);
    const found = [...text.matchAll(/(?:=> |^\t)(\/\S+) \(0x/gm)].map(([, file]) => file);
    return [...new Set(found.map((file) => (file.startsWith("/usr/") ? file : `/usr${file}`)))];
}
