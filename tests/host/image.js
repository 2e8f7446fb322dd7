"use strict";

/** The disks of a host as users have one: Debian with systemd and control groups of version 2, made without root mounts. */

const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

/** What the hypervisor needs on a host (scripts/hostTools.js), and what any host has. */
const packages = [
    ...[
        "linux-image-cloud-amd64",
        "initramfs-tools",
        "systemd",
        "systemd-sysv",
        "udev",
        "dbus",
        "kmod",
        "procps",
        "mount",
    ],
    ...["systemd-container", "mmdebstrap", "debian-archive-keyring", "dnsmasq-base", "nftables", "iproute2"],
    ...["e2fsprogs", "util-linux", "util-linux-extra", "python3-minimal"],
];

/** Runs what the second disk says, tells the serial console about it, and switches the host off. */
const unit = `[Unit]
Description=The test
RequiresMountsFor=/host
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /host/run.sh
ExecStopPost=/bin/systemctl --no-block poweroff
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
TimeoutStartSec=infinity
[Install]
WantedBy=graphical.target
`;

const hooks = [
    'echo "/dev/vdb /host ext4 defaults 0 2" >"$1/etc/fstab"',
    'mkdir -p "$1/host"',
    `cat >"$1/etc/systemd/system/test.service" <<'UNIT'\n${unit}UNIT`,
    'systemctl --root="$1" enable test.service',
    'systemctl --root="$1" set-default graphical.target',
    'systemctl --root="$1" mask apt-daily.timer apt-daily-upgrade.timer serial-getty@ttyS0.service getty@tty1.service',
    'echo test-host >"$1/etc/hostname"; : >"$1/etc/machine-id"',
];

const size = { root: "3G", data: "6G" };

function run(command, args, options = {}) {
    return execFileSync(command, args, {
        stdio: ["ignore", "pipe", "pipe"],
        encoding: "utf8",
        maxBuffer: 2 ** 28,
        ...options,
    });
}

/** A file system with the content of a folder, on a sparse file. */
function makeDisk(folder, file, bytes) {
    fs.rmSync(file, { force: true });
    run("truncate", ["-s", bytes, file]);
    run("mkfs.ext4", ["-q", "-d", folder, "-E", "lazy_itable_init=0,lazy_journal_init=0", file]);
}

/**
 * The first disk, its kernel and its initial file system; made once per recipe, in the cache.
 *
 * @param {string} cache
 */
function baseImage(cache) {
    const recipe = createHash("sha256")
        .update(JSON.stringify([packages, hooks, size]))
        .digest("hex")
        .slice(0, 10);
    const folder = path.join(cache, "host-test", recipe);
    const files = {
        disk: path.join(folder, "root.ext4"),
        kernel: path.join(folder, "vmlinuz"),
        initrd: path.join(folder, "initrd"),
    };
    if (fs.existsSync(files.initrd)) return files;
    const part = `${folder}.${process.pid}`;
    const root = path.join(part, "root");
    fs.mkdirSync(part, { recursive: true });
    try {
        const options = [
            'APT::Install-Recommends "false"',
            'Acquire::Languages "none"',
            'Acquire::Check-Valid-Until "false"',
        ];
        run("mmdebstrap", [
            ...["--mode=root", "--variant=minbase", `--include=${packages.join(",")}`],
            ...options.map((option) => `--aptopt=${option}`),
            ...["man", "doc", "locale"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
            ...hooks.map((hook) => `--customize-hook=${hook}`),
            ...["trixie", root],
        ]);
        const boot = path.join(root, "boot");
        const named = (start) =>
            path.join(
                boot,
                fs.readdirSync(boot).find((name) => name.startsWith(start)),
            );
        fs.copyFileSync(named("vmlinuz-"), path.join(part, "vmlinuz"));
        fs.copyFileSync(named("initrd.img-"), path.join(part, "initrd"));
        makeDisk(root, path.join(part, "root.ext4"), size.root);
        fs.rmSync(root, { recursive: true });
        fs.rmSync(folder, { recursive: true, force: true });
        fs.renameSync(part, folder);
        return files;
    } finally {
        fs.rmSync(part, { recursive: true, force: true });
    }
}

module.exports = { baseImage, makeDisk, run, size };
