/**
 * Layers of images with programs from the machines' own root file system, and the libraries they need. Those of the
 * packet filter come from there so that a machine and its containers agree.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { attempt, run } from "../hypervisors/nspawn/host";
import { ensureTemplate } from "../hypervisors/nspawn/template";
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

/** Copies the layer's files from the machines' root file system, which is built first if the cache has none. */
export async function fillToolLayer(
    name: ToolLayer,
    cacheDir: string,
    folder: string,
    onProgress: (text: string) => void,
): Promise<void> {
    await requireTemplateTools();
    const root = await ensureTemplate(cacheDir, TEMPLATE, onProgress);
    await (name === "network" ? copyNetworkTools : copyTestTools)(root, folder);
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

/** What the tests' own image has beside its program: a second name of that, curl, a folder, and users. */
async function copyTestTools(root: string, folder: string): Promise<void> {
    const curl = "/usr/bin/curl";
    for (const file of [curl, ...(await librariesOf(root, [curl]))]) copy(root, folder, file);
    fs.symlinkSync("agnhost", path.join(folder, "agnhost-2"));
    for (const name of ["uploads", "tmp", "etc"]) fs.mkdirSync(path.join(folder, name));
    const user = "user-defined-in-image";
    const users = ["root:x:0:0:root:/:/bin/sh", `${user}:x:1000:1000::/:/bin/sh`];
    const groups = ["root:x:0:", `${user}:x:1000:`, `group-defined-in-image:x:50000:${user}`];
    for (const [name, lines] of Object.entries({ passwd: users, group: groups }))
        fs.writeFileSync(path.join(folder, "etc", name), lines.map((line) => `${line}\n`).join(""));
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
