/** What there is on the host, and what of it is a cloud's: for tests of what clouds do to it, and leave on it. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** Settings that change by themselves, or that reading changes. */
const RESTLESS = new RegExp(
    `^/proc/sys/(${[
        "kernel/(ns_last_pid|random/|pty/nr|cad_pid)",
        "fs/(aio-nr|dentry-state|file-nr|inode-nr|inode-state|quota)",
        "net/netfilter/nf_conntrack_count",
        "vm/(stat_refresh|drop_caches|compact_memory)",
    ].join("|")})`,
);

/** What a control group allows. */
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
            // Some can be written only, or went meanwhile.
            return [];
        }
    });
}

const mounts = () =>
    fs
        .readFileSync("/proc/self/mounts", "utf8")
        .split("\n")
        .map((line) => line.split(" "));

/** The groups at the top of all hierarchies, and what the tops allow. */
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

/** The host's own things, sorted: none of them names a cloud. */
export interface Host {
    readonly own: readonly string[];
    /** Lines of everything that names the cloud, its processes included. */
    readonly ofCloud: readonly string[];
}

/** Of other tests, which run at the same time. */
const isOfOthers = (line: string) =>
    /\bcsl[0-9a-f]{4}|\/nspawn\/volumes\//.test(line) || line.includes(`${os.tmpdir()}/`);

/** @param prefix of the cloud's names; `folder`, where its state is */
export function lookAtHost(prefix: string, folder: string): Host {
    const lines = [
        ...namesIn("/run/netns"),
        ...namesIn("/sys/class/net"),
        ...namesIn("/run/cloudstack-local"),
        // Two that several programs share, made by whichever is the first one.
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
