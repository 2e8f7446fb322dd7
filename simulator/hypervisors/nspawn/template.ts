/**
 * Templates are root file systems, made once from Debian's packages by mmdebstrap and kept in the cache. A machine is
 * an overlay on one: it is never written to.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { attempt, HOST_ENV, HostError, run } from "./host";
import { DISABLED_UNITS, ENABLED_UNITS, MASKED_UNITS, REMOVED_FILES, TEMPLATE_FILES } from "./templateFiles";

/** Debian's releases by the number in a template's name. */
const SUITES: Readonly<Record<string, string>> = { "12": "bookworm", "13": "trixie" };

/**
 * The packages of a cloud image, then those that a Kubernetes node needs and cannot download in a network without
 * internet access (docs/local-cloud.md lists them).
 */
const PACKAGES = [
    ...["systemd", "systemd-sysv", "systemd-resolved", "libnss-myhostname", "dbus", "udev", "cloud-init"],
    ...["ca-certificates", "curl", "wget", "openssl", "iproute2", "iputils-ping", "nftables", "procps", "mount"],
    ...["e2fsprogs", "util-linux-extra", "netbase", "sudo", "openssh-server", "kmod", "busybox-static"],
    ...["haproxy", "conntrack", "iptables", "ethtool", "socat"],
];

const DPKG_EXCLUDES = ["man", "doc", "locale"].map((name) => `path-exclude=/usr/share/${name}/*`);

/** The Debian suite of a template's name. @throws Error that lists the available templates */
export function suiteOf(templateName: string): string {
    const suite = SUITES[/^Debian (\d+)/.exec(templateName)?.[1] ?? ""];
    if (suite === undefined)
        throw new Error(
            `The hypervisor nspawn has no root file system for the template "${templateName}", only for Debian ` +
                `${Object.keys(SUITES).join(" and ")}.`,
        );
    return suite;
}

/** A folder name with a hash of all inputs of the root file system. */
function recipeName(suite: string): string {
    const recipe = JSON.stringify([
        PACKAGES,
        DPKG_EXCLUDES,
        TEMPLATE_FILES,
        REMOVED_FILES,
        MASKED_UNITS,
        ENABLED_UNITS,
        DISABLED_UNITS,
    ]);
    return `${suite}-${createHash("sha256").update(recipe).digest("hex").slice(0, 8)}`;
}

/** The path of a template's root file system, whether it exists or not. */
export function templateRoot(cacheDir: string, templateName: string): string {
    return path.join(cacheDir, "templates", recipeName(suiteOf(templateName)), "root");
}

/** The host's own apt options for its package mirror: proxies, and whether expired indexes are accepted. */
async function hostAptOptions(): Promise<string[]> {
    const names = ["Acquire::Check-Valid-Until", "Acquire::http::Proxy", "Acquire::https::Proxy"];
    if (!(await attempt("apt-config", ["--version"]))) return [];
    const text = await run("apt-config", ["dump", ...names]);
    return text.split("\n").filter((line) => names.some((name) => line.startsWith(`${name} `)));
}

/** What every call of mmdebstrap is given, and where to get packages from, if not from Debian's own mirror. */
async function packageOptions(): Promise<{ options: string[]; mirror: string[] }> {
    const apt = ['APT::Install-Recommends "false"', 'Acquire::Languages "none"', ...(await hostAptOptions())];
    const mirror = process.env.CLOUDSTACK_LOCAL_DEBIAN_MIRROR;
    const options = [
        ...["--mode=root", `--architectures=${process.arch === "arm64" ? "arm64" : "amd64"}`],
        ...apt.map((option) => `--aptopt=${option}`),
        ...DPKG_EXCLUDES.map((option) => `--dpkgopt=${option}`),
    ];
    return { options, mirror: mirror === undefined ? [] : [mirror] };
}

async function mmdebstrapArguments(suite: string, files: string, target: string): Promise<string[]> {
    const { options, mirror } = await packageOptions();
    const inRoot = [
        `rm -f ${REMOVED_FILES.map((file) => `"$1"${file}`).join(" ")}`,
        `cp -R ${files}/. "$1"/`,
        `systemctl --root="$1" enable ${ENABLED_UNITS.join(" ")}`,
        `systemctl --root="$1" disable ${DISABLED_UNITS.join(" ")}`,
        `systemctl --root="$1" mask ${MASKED_UNITS.join(" ")}`,
    ];
    return [
        ...options,
        "--variant=minbase",
        `--include=${PACKAGES.join(",")}`,
        ...inRoot.map((command) => `--customize-hook=${command}`),
        ...[suite, target, ...mirror],
    ];
}

/**
 * Unpacks packages of a template's Debian release, and what they need, into a new folder; nothing is configured.
 *
 * @throws HostError
 */
export async function unpackPackages(
    templateName: string,
    packages: readonly string[],
    folder: string,
    onStep: (line: string) => void,
): Promise<void> {
    const { options, mirror } = await packageOptions();
    const suite = suiteOf(templateName);
    const include = `--include=${packages.join(",")}`;
    await mmdebstrap("mmdebstrap", [...options, "--variant=extract", include, suite, folder, ...mirror], onStep);
}

function writeFiles(folder: string): void {
    for (const { path: where, text, mode } of TEMPLATE_FILES) {
        const file = path.join(folder, where);
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, text, { mode: mode ?? 0o644 });
        fs.chmodSync(file, mode ?? 0o644);
    }
}

/** Makes a template. */
function build(args: string[], target: string, finished: string, onStep: (line: string) => void): Promise<void> {
    // A process that waited for another one's build finds the result under the lock.
    const script = 'final=$1 target=$2; shift 2; test -d "$final" || { mmdebstrap "$@" && mv "$target" "$final"; }';
    const lock = path.join(path.dirname(finished), "lock");
    return mmdebstrap("flock", ["--close", lock, "sh", "-c", script, "sh", finished, target, ...args], onStep);
}

/** Runs mmdebstrap, and passes on its progress messages. */
function mmdebstrap(command: string, args: readonly string[], onStep: (line: string) => void): Promise<void> {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, { env: HOST_ENV, stdio: ["ignore", "ignore", "pipe"] });
        let tail = "";
        child.stderr.on("data", (chunk: Buffer) => {
            tail = (tail + chunk.toString()).slice(-4_000);
            for (const [, step] of chunk.toString().matchAll(/^I: (.*)$/gm)) onStep(step);
        });
        child.once("error", (error) => reject(new HostError("mmdebstrap", error.message)));
        child.once("exit", (code) => {
            if (code === 0) return resolve();
            const errors = tail.split("\n").filter((line) => /^E:|error|failed/i.test(line));
            reject(new HostError("mmdebstrap", errors.slice(-5).join("\n") || tail));
        });
    });
}

/**
 * Returns the root file system of a template, and builds it if the cache has none: a minute, and some 240 MiB.
 *
 * @param onStep called with the steps of a build
 * @throws Error that says what to do if Debian's packages cannot be downloaded
 */
export async function ensureTemplate(
    cacheDir: string,
    templateName: string,
    say: (line: string) => void = () => undefined,
): Promise<string> {
    const root = templateRoot(cacheDir, templateName);
    if (fs.existsSync(root)) return root;
    const suite = suiteOf(templateName);
    const folder = path.dirname(root);
    fs.mkdirSync(folder, { recursive: true });
    const files = fs.mkdtempSync(path.join(os.tmpdir(), "cloudstack-local-template-"));
    const target = path.join(folder, `new-${process.pid}`);
    try {
        writeFiles(files);
        say(`building the root file system of "${templateName}" from Debian's packages (${suite}), once`);
        await build(await mmdebstrapArguments(suite, files, target), target, root, say);
        return root;
    } catch (error) {
        throw new Error(
            `The root file system of "${templateName}" could not be built: ${(error as Error).message}\n` +
                "It needs Debian's package mirror (CLOUDSTACK_LOCAL_DEBIAN_MIRROR sets another one), or use " +
                "--hypervisor none.",
        );
    } finally {
        fs.rmSync(files, { recursive: true, force: true });
        fs.rmSync(target, { recursive: true, force: true });
    }
}

const CLOUD_CONFIG = "etc/cloud/cloud.cfg";

/**
 * Configures cloud-init to set a password at every boot for which the router has a new one, not only at the first boot,
 * as CloudStack's documentation requires for templates with passwords.
 *
 * @param upper the machine's own layer over the template, not mounted
 */
export function enablePasswordUpdates(root: string, upper: string): void {
    const file = path.join(upper, CLOUD_CONFIG);
    if (fs.existsSync(file)) return;
    const text = fs.readFileSync(path.join(root, CLOUD_CONFIG), "utf8");
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
    fs.writeFileSync(file, text.replace(/^( *- )set[-_]passwords$/m, "$1[set-passwords, always]"), { mode: 0o644 });
}
