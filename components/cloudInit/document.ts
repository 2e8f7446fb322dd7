import type * as pulumi from "@pulumi/pulumi";

/**
 * A cloud-config document: what a machine does at its first boot, with cloud-init's own keys in camel case, and types.
 * Every field is optional. The package renders one per machine; users extend it with `extraCloudConfig`.
 *
 * @example
 * ```ts
 * const extra: CloudConfigArgs = {
 *     packages: ["htop"],
 *     writeFiles: [{ path: "/etc/motd", content: "Mind the gap.\n" }],
 *     runcmd: ["systemctl restart ssh"],
 * };
 * ```
 *
 * Source: https://cloudinit.readthedocs.io/en/latest/reference/modules.html
 */
export interface CloudConfigArgs {
    /** The host name. Set it only to differ from the machine's name, which CloudStack provides. */
    hostname?: pulumi.Input<string>;
    /** The host name with its domain. */
    fqdn?: pulumi.Input<string>;
    /**
     * Whether cloud-init writes `127.0.1.1 <fqdn> <hostname>` to `/etc/hosts` at every boot. @default the template's
     */
    manageEtcHosts?: pulumi.Input<boolean>;
    /** Such as `Europe/Berlin`. @default the template's, usually UTC */
    timezone?: pulumi.Input<string>;
    /** Such as `en_GB.UTF-8`. @default the template's */
    locale?: pulumi.Input<string>;
    /** Time servers. @default the template's @example { servers: ["ntp.example.org"] } */
    ntp?: pulumi.Input<NtpArgs>;
    /** Groups to create, by name. */
    groups?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Users to create, in addition to the template's default user.
     *
     * @example [{ name: "alice", sshAuthorizedKeys: ["ssh-ed25519 AAAA…"] }]
     */
    users?: pulumi.Input<pulumi.Input<UserArgs>[]>;
    /** Whether the template's default user is kept if `users` is set. @default true */
    defaultUser?: pulumi.Input<boolean>;
    /** Public keys of the default user, in addition to those of the machine's SSH key pairs. */
    sshAuthorizedKeys?: pulumi.Input<pulumi.Input<string>[]>;
    /** Whether ssh accepts passwords. @default the template's */
    sshPasswordAuthentication?: pulumi.Input<boolean>;
    /**
     * Whether the package lists are updated before anything is installed. @default cloud-init's: only if `packages` is
     * set
     */
    packageUpdate?: pulumi.Input<boolean>;
    /** Whether installed packages are upgraded at first boot. @default false */
    packageUpgrade?: pulumi.Input<boolean>;
    /** Packages of the template's distribution, by name. */
    packages?: pulumi.Input<pulumi.Input<string>[]>;
    /** Partition tables, by device. @example { "/dev/vdb": { tableType: "gpt", layout: [50, 50] } } */
    diskSetup?: pulumi.Input<{ [device: string]: pulumi.Input<DiskArgs> }>;
    /** File systems to create. @example [{ device: "/dev/vdb1", filesystem: "ext4" }] */
    fsSetup?: pulumi.Input<pulumi.Input<FileSystemArgs>[]>;
    /**
     * Lines of `/etc/fstab`, each a list of its fields: device, mount point, type, options, dump, pass.
     *
     * @example [["/dev/vdb1", "/data", "ext4", "defaults,nofail", "0", "2"]]
     */
    mounts?: pulumi.Input<pulumi.Input<pulumi.Input<string>[]>[]>;
    /**
     * Files, written before packages are installed and users created (see `defer`).
     *
     * @example [{ path: "/etc/motd", content: "Mind the gap.\n" }]
     */
    writeFiles?: pulumi.Input<pulumi.Input<WriteFileArgs>[]>;
    /**
     * Shell commands that run early at every boot, before the network configuration is written.
     *
     * @example ["modprobe br_netfilter"]
     */
    bootcmd?: pulumi.Input<pulumi.Input<string>[]>;
    /** Shell commands that run last at the first boot. @example ["systemctl restart ssh"] */
    runcmd?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Any other modules of cloud-init by their own keys, such as `apt`, `ca_certs` or `swap`, passed on unchanged.
     *
     * @example { swap: { filename: "/swapfile", size: "1G" } }
     */
    modules?: pulumi.Input<{ [key: string]: any }>;
}

/** A file that cloud-init writes. */
export interface WriteFileArgs {
    /** Absolute path; missing directories are created. */
    path: pulumi.Input<string>;
    /** The content, encoded as `encoding` says. */
    content: pulumi.Input<string>;
    /** Octal, such as `0600`. @default "0644" */
    permissions?: pulumi.Input<string>;
    /** `user:group`; both must exist by then, see `defer`. @default "root:root" */
    owner?: pulumi.Input<string>;
    /** `text/plain`, `b64`, `gzip` or `gz+b64`. @default "text/plain" */
    encoding?: pulumi.Input<string>;
    /** Whether the content is appended to an existing file. @default false */
    append?: pulumi.Input<boolean>;
    /** Whether the file is written at the end, after packages are installed and users created. @default false */
    defer?: pulumi.Input<boolean>;
}

/** A user that cloud-init creates. */
export interface UserArgs {
    /** User name. */
    name: pulumi.Input<string>;
    /** Full name. */
    gecos?: pulumi.Input<string>;
    /** The user's primary group. @default the user's name */
    primaryGroup?: pulumi.Input<string>;
    /** Further groups. */
    groups?: pulumi.Input<pulumi.Input<string>[]>;
    /** Login shell. @default the distribution's */
    shell?: pulumi.Input<string>;
    /** Home directory. @default /home/NAME */
    homedir?: pulumi.Input<string>;
    /** Whether no home directory is created. @default false */
    noCreateHome?: pulumi.Input<boolean>;
    /** Whether it is a system account: no home directory, a low user id. @default false */
    system?: pulumi.Input<boolean>;
    /** A sudoers rule, such as `ALL=(ALL) NOPASSWD:ALL`. @default none */
    sudo?: pulumi.Input<string>;
    /** Public keys. */
    sshAuthorizedKeys?: pulumi.Input<pulumi.Input<string>[]>;
    /** Whether login with a password is disabled. @default true */
    lockPasswd?: pulumi.Input<boolean>;
    /** Password hash (`mkpasswd --method=SHA-512`). @default none */
    passwd?: pulumi.Input<string>;
}

/** Time servers. */
export interface NtpArgs {
    /** Whether cloud-init configures an NTP client at all. @default true */
    enabled?: pulumi.Input<boolean>;
    /** `chrony`, `ntp`, `systemd-timesyncd` or `auto`. @default "auto" */
    ntpClient?: pulumi.Input<string>;
    /** Host names or addresses of servers. */
    servers?: pulumi.Input<pulumi.Input<string>[]>;
    /** Names of pools. */
    pools?: pulumi.Input<pulumi.Input<string>[]>;
}

/** A disk's partition table. */
export interface DiskArgs {
    /** `gpt` or `mbr`. @default "mbr" */
    tableType?: pulumi.Input<string>;
    /** Percentages of the disk, one per partition; empty: one partition on the whole disk. */
    layout?: pulumi.Input<pulumi.Input<number>[]>;
    /** Whether an existing partition table is overwritten. @default false */
    overwrite?: pulumi.Input<boolean>;
}

/** A file system. */
export interface FileSystemArgs {
    /** Such as `/dev/vdb`. */
    device: pulumi.Input<string>;
    /** Such as `ext4`. */
    filesystem: pulumi.Input<string>;
    /** Its label. */
    label?: pulumi.Input<string>;
    /** `auto`, `any`, `none` or a number. @default cloud-init's */
    partition?: pulumi.Input<string>;
    /** Whether an existing file system is overwritten. @default false */
    overwrite?: pulumi.Input<boolean>;
}

/** {@link CloudConfigArgs} with every value known, for the pure functions. */
export type CloudConfig = pulumi.Unwrap<CloudConfigArgs>;
/** {@link WriteFileArgs} with every value known. */
export type WriteFile = pulumi.Unwrap<WriteFileArgs>;
/** {@link UserArgs} with every value known. */
export type User = pulumi.Unwrap<UserArgs>;

/**
 * The fields of {@link CloudConfigArgs} with their keys in cloud-config, in the order in which they are rendered.
 */
export const cloudConfigKeys: readonly (readonly [field: keyof CloudConfig, key: string])[] = [
    ["hostname", "hostname"],
    ["fqdn", "fqdn"],
    ["manageEtcHosts", "manage_etc_hosts"],
    ["timezone", "timezone"],
    ["locale", "locale"],
    ["ntp", "ntp"],
    ["groups", "groups"],
    ["users", "users"],
    ["sshAuthorizedKeys", "ssh_authorized_keys"],
    ["sshPasswordAuthentication", "ssh_pwauth"],
    ["packageUpdate", "package_update"],
    ["packageUpgrade", "package_upgrade"],
    ["packages", "packages"],
    ["diskSetup", "disk_setup"],
    ["fsSetup", "fs_setup"],
    ["mounts", "mounts"],
    ["writeFiles", "write_files"],
    ["bootcmd", "bootcmd"],
    ["runcmd", "runcmd"],
];
