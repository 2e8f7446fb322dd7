/**
 * The script that mounts a machine's file systems and starts it, and starts it again when it reboots. It is a file in
 * the machine's folder, since as an argument it would fill every process list of the host.
 */
import type { MachinePlan } from "../hypervisor";
import { shellWord } from "./host";
import { INIT } from "./templateFiles";

/** Exit status of systemd-nspawn when the machine has requested a reboot. */
const EXIT_REBOOT = 133;

/** Capabilities that no machine has: kernel modules and the clock belong to the host. */
export const DROPPED_CAPABILITIES = ["sys_module", "sys_time"] as const;

export interface Boot {
    /** The machine's folder. */
    readonly folder: string;
    /** The template's root file system, the lower layer of the overlay. */
    readonly templateRoot: string;
    /** The folders of its control groups. */
    readonly groups: readonly string[];
    /** The name of its network namespace. */
    readonly network: string;
}

/** Escapes a path for an overlay's or nspawn's option. */
const escaped = (file: string) => file.replace(/[\\:,]/g, "\\$&");

function nspawnArguments(folder: string, machine: MachinePlan): string[] {
    // These cannot be on an overlay file system, since the containers in them use overlays themselves.
    const binds = ["containerd", "kubelet"].map((name) => `--bind=${escaped(`${folder}/${name}`)}:/var/lib/${name}`);
    return [
        ...["--quiet", "--register=no", "--keep-unit", "--settings=no", "--console=read-only"],
        ...[
            "--kill-signal=SIGRTMIN+3",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            `--directory=${folder}/root`,
        ],
        ...[`--machine=${machine.instanceName}`, `--hostname=${machine.name}`, `--uuid=${machine.id}`],
        // The machine manages network interfaces, containers and packet filters of its own.
        "--capability=all",
        `--drop-capability=${DROPPED_CAPABILITIES.map((name) => `CAP_${name.toUpperCase()}`).join(",")}`,
        "--system-call-filter=@keyring",
        ...binds,
        ...[INIT, "--show-status=no"],
    ];
}

/**
 * The script runs as process 1 of a pid namespace, in a mount namespace of its own: when it or its parent is killed,
 * the kernel ends the whole machine and removes its mounts. It survives reboots of the machine, each of which reads the
 * file `disks` again.
 */
export function bootScript(machine: MachinePlan, { folder, templateRoot, groups, network }: Boot): string {
    const layers = `lowerdir=${escaped(templateRoot)},upperdir=upper,workdir=work`;
    return `#!/bin/sh
for group in ${groups.map(shellWord).join(" ")}; do echo 0 >"$group/cgroup.procs" || exit; done
mkdir -p /run/systemd && mount -t tmpfs -o mode=755 tmpfs /run/systemd || exit
cd ${shellWord(folder)} && mount -t overlay overlay -o ${shellWord(layers)} root || exit
export SYSTEMD_NSPAWN_LOCK=0 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
while :; do
  nsenter ${shellWord(`--net=/run/netns/${network}`)} systemd-nspawn --setenv="DISKS=$(cat disks)" \\
    ${nspawnArguments(folder, machine).map(shellWord).join(" ")}
  status=$?
  [ $status = ${EXIT_REBOOT} ] || exit $status
done
`;
}
