/**
 * The layer of images that set up a node's network: a shell, and the programs of the packet filter with the libraries
 * they need, from the machines' own root file system, so that a machine and its containers agree.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { attempt, run } from "../hypervisors/nspawn/host";
import { ensureTemplate } from "../hypervisors/nspawn/template";

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
        throw new Error(
            "root is needed: network tools come from the machines' root file system, which only root can make",
        );
    if (!(await attempt("mmdebstrap", ["--version"])))
        throw new Error("mmdebstrap is not installed, which makes the machines' root file system");
}

/** Copies the layer's files from the machines' root file system, which is built first if the cache has none. */
export async function fillNetLayer(
    cacheDir: string,
    folder: string,
    onProgress: (text: string) => void,
): Promise<void> {
    await requireTemplateTools();
    await copyNetworkTools(await ensureTemplate(cacheDir, TEMPLATE, onProgress), folder);
}

/** @param root a root file system with Debian's packages nftables, iptables, conntrack and busybox-static */
export async function copyNetworkTools(root: string, folder: string): Promise<void> {
    const inFolder = (file: string) => path.join(folder, file);
    const copy = (file: string) => {
        fs.mkdirSync(path.dirname(inFolder(file)), { recursive: true });
        fs.copyFileSync(path.join(root, file), inFolder(file));
    };
    for (const name of MERGED) {
        fs.mkdirSync(inFolder(`usr/${name}`), { recursive: true });
        fs.symlinkSync(`usr/${name}`, inFolder(name));
    }
    const extensions = await extensionsOf(root);
    const files = [...PROGRAMS, ...extensions];
    for (const file of [...files, BUSYBOX, "/etc/protocols"]) copy(file);
    for (const library of await librariesOf(root, files)) copy(library);
    for (const name of XTABLES) fs.symlinkSync("xtables-nft-multi", inFolder(`usr/sbin/${name}`));
    for (const name of (await run("chroot", [root, BUSYBOX, "--list"])).trim().split("\n"))
        if (!["bin", "sbin"].some((where) => exists(inFolder(`usr/${where}/${name}`))))
            fs.symlinkSync("busybox", inFolder(`usr/bin/${name}`));
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
