/** Checks whether this host can run machines. */
import * as fs from "node:fs";
import * as path from "node:path";
import { readGroupFile, makeGroup, removeGroup } from "./cgroups";
import { attempt, HOST_ENV, HostError, run } from "./host";

/** The programs that the hypervisor runs, with Debian's package of each. */
export const HOST_PROGRAMS: Readonly<Record<string, string>> = {
    "systemd-nspawn": "systemd-container",
    mmdebstrap: "mmdebstrap",
    dnsmasq: "dnsmasq-base",
    nft: "nftables",
    ip: "iproute2",
    unshare: "util-linux",
    nsenter: "util-linux",
    flock: "util-linux",
    losetup: "mount",
};

/**
 * Parts of the kernel that may be modules which are not loaded yet. br_netfilter passes bridged packets to nftables.
 */
const KERNEL_MODULES = ["overlay", "bridge", "br_netfilter", "veth", "loop", "nf_tables", "nf_conntrack", "nft_ct"];

function has(program: string): boolean {
    return (HOST_ENV.PATH ?? "").split(":").some((folder) => fs.existsSync(path.join(folder, program)));
}

/**
 * Why no machine can run on this host, as a message for the user; undefined if machines can run. The kernel's features
 * and the user's privileges are tested in namespaces that end with the test.
 */
export async function whyUnsupported(): Promise<string | undefined> {
    if (process.platform !== "linux") return "real machines need Linux";
    if (process.getuid?.() !== 0) return "real machines need root";
    const missing = Object.keys(HOST_PROGRAMS).filter((program) => !has(program));
    if (missing.length > 0) {
        const packages = [...new Set(missing.map((program) => HOST_PROGRAMS[program]))];
        return `${missing.join(", ")} missing (Debian: apt-get install ${packages.join(" ")})`;
    }
    // A failure does not matter: modules may be built into the kernel, and the checks below find what is missing.
    await attempt("modprobe", ["--all", "--quiet", ...KERNEL_MODULES]);
    if (!/\boverlay$/m.test(fs.readFileSync("/proc/filesystems", "utf8")))
        return "the kernel has no overlay file system";
    const trial =
        "ip link add bridge0 type bridge && ip link add left0 type veth peer name right0 && " +
        "nft 'add table ip t; add chain ip t c { type filter hook forward priority 0; }; add rule ip t c ct state new drop' && " +
        "test -e /proc/sys/net/bridge/bridge-nf-call-iptables";
    try {
        await run("unshare", ["--net", "--mount", "--pid", "--fork", "sh", "-c", trial]);
    } catch (error) {
        if (!(error instanceof HostError)) throw error;
        const [reason] = error.stderr.trim().split("\n");
        return `this host does not allow a network namespace with a bridge and a packet filter (${reason || "br_netfilter is missing"})`;
    }
    return undefined;
}

/** Which limits of machines the kernel enforces, tested with a temporary control group. */
export async function enforcedLimits(): Promise<{ memory: boolean; processors: boolean }> {
    const group = `csl-trial-${process.pid}`;
    const machine = `${group}/1`;
    try {
        makeGroup(machine, { memoryMiB: 64, cpuNumber: 1 });
        const memory = readGroupFile(machine, "memory.limit_in_bytes", "memory.max");
        const quota = readGroupFile(machine, "cpu.cfs_quota_us", "cpu.max");
        return { memory: memory === String(64 * 2 ** 20), processors: quota?.split(" ")[0] === "100000" };
    } finally {
        await removeGroup(group);
    }
}
