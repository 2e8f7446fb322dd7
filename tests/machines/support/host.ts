/** The state of the host, and which of it belongs to a cloud: for tests of what clouds change on their host. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** Settings that change by themselves, or when they are read. */
const RESTLESS = new RegExp(
    `^/proc/sys/(${[
        "kernel/(ns_last_pid|random/|pty/nr|cad_pid)",
        "fs/(aio-nr|dentry-state|file-nr|inode-nr|inode-state|quota)",
        "net/netfilter/nf_conntrack_count",
        "vm/(stat_refresh|drop_caches|compact_memory)",
    ].join("|")})`,
);

/** Files of control groups that hold limits or permissions. */
const ALLOWANCES = /(limit_in_bytes|subtree_control|cfs_quota_us|clone_children|cpuset\.cpus|devices\.list)$/;

function print(command: string, ...args: string[]): string[] {
    return execFileSync(command, args, { encoding: "utf8" })
        .split("\n")
        .filter((line) => line.trim() !== "");
}

function namesIn(folder: string): string[] {
    return fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => path.join(folder, name)) : [];
}

/** All settings of the kernel, as "FILE VALUE". */
function settings(folder = "/proc/sys"): string[] {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const file = path.join(folder, entry.name);
        if (entry.isDirectory()) return settings(file);
        if (RESTLESS.test(file)) return [];
        try {
            return [`${file} ${fs.readFileSync(file, "utf8").trim()}`];
        } catch {
            // It cannot be read, or has gone meanwhile.
            return [];
        }
    });
}

const mounts = () =>
    fs
        .readFileSync("/proc/self/mounts", "utf8")
        .split("\n")
        .map((line) => line.split(" "));

/** The top-level groups of all hierarchies, and the limits of the hierarchies' roots. */
function controlGroups(): string[] {
    const roots = mounts()
        .filter(([, , type]) => /^cgroup2?$/.test(type ?? ""))
        .map(([, where]) => where);
    return roots.flatMap((root) => [
        ...namesIn(root).filter((file) => fs.statSync(file).isDirectory()),
        ...namesIn(root)
            .filter((file) => ALLOWANCES.test(file))
            .map((file) => `${file} ${fs.readFileSync(file, "utf8").trim()}`),
    ]);
}

function processes(): string[] {
    return fs
        .readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .flatMap((pid) => {
            try {
                const files = ["cmdline", "environ", "cgroup"].map((name) => `/proc/${pid}/${name}`);
                const text = files.map((file) => fs.readFileSync(file, "utf8"));
                return [`process ${pid} ${text.join(" ").replace(/[\0\n]/g, " ")}`];
            } catch {
                return [];
            }
        });
}

const withoutTimes = (line: string) => line.replace(/\b(valid_lft|preferred_lft|expires) \w+/g, "").trim();

/** The host's own state, sorted: no line contains the name of a cloud. */
export interface Host {
    readonly own: readonly string[];
    /** All lines with the name of the cloud, including its processes. */
    readonly ofCloud: readonly string[];
}

/** Belongs to another test that is running at the same time. */
const isOfOthers = (line: string) =>
    /\bcsl[0-9a-f]{4}|\/nspawn\/volumes\//.test(line) || line.includes(`${os.tmpdir()}/`);

/** @param prefix of the cloud's names @param folder of its state */
export function lookAtHost(prefix: string, folder: string): Host {
    const lines = [
        ...namesIn("/run/netns"),
        ...namesIn("/sys/class/net"),
        ...namesIn("/run/cloudstack-local"),
        // Two folders that several programs share, created by the first of them.
        ...namesIn("/run").filter((file) => !["/run/cloudstack-local", "/run/netns"].includes(file)),
        ...print("ip", "-o", "address").map(withoutTimes),
        ...print("ip", "route", "show", "table", "all"),
        ...print("ip", "-6", "route", "show", "table", "all").map(withoutTimes),
        ...print("ip", "rule"),
        ...print("nft", "list", "ruleset").map((line) => `nft ${line}`),
        ...print("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE"),
        ...mounts()
            .map((words) => words.join(" "))
            .filter((line) => !line.includes(" /run/netns ")),
        ...controlGroups(),
        ...settings(),
    ];
    const isOfCloud = (line: string) => new RegExp(`\\b${prefix}`).test(line) || line.includes(`${folder}/`);
    const others = processes().filter((line) => !line.startsWith(`process ${process.pid} `));
    return {
        own: lines.filter((line) => !isOfOthers(line) && !isOfCloud(line)).sort(),
        ofCloud: [...lines, ...others].filter(isOfCloud),
    };
}
