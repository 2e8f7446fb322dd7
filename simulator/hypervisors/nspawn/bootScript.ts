/**
 * What a machine runs in: a script that makes its mounts and starts it, and starts it anew when it reboots. It lies in
 * the machine's folder: as an argument it would fill every list of processes of the host.
 */
import type { MachinePlan } from "../hypervisor";
import { shellWord } from "../../shellWord";
import { INIT } from "./templateFiles";

/** What nspawn says at the end of a machine that wants to start again. */
const EXIT_REBOOT = 133;

/** Rights that no machine has: modules and the clock are the host's. */
export const DROPPED_CAPABILITIES = ["sys_module", "sys_time"] as const;

export interface Boot {
    /** The machine's folder. */
    readonly folder: string;
    /** The root file system below its overlay. */
    readonly templateRoot: string;
    /** The folders of the control groups that it is to be in. */
    readonly groups: readonly string[];
    /** Its namespace of network. */
    readonly network: string;
}

/** A path within an option of an overlay or of nspawn. */
const escaped = (file: string) => file.replace(/[\\:,]/g, "\\$&");

function nspawnArguments(folder: string, machine: MachinePlan): string[] {
    // Neither may lie on an overlay: containers have overlays of their own in them.
    const binds = ["containerd", "kubelet"].map((name) => `--bind=${escaped(`${folder}/${name}`)}:/var/lib/${name}`);
    return [
        ...["--quiet", "--register=no", "--keep-unit", "--settings=no", "--console=read-only"],
        ...["--kill-signal=SIGRTMIN+3", "--resolv-conf=off", "--timezone=off", "--link-journal=no", `--directory=${folder}/root`],
        ...[`--machine=${machine.instanceName}`, `--hostname=${machine.name}`, `--uuid=${machine.id}`],
        // Network, containers and packet filters are the machine's own.
        "--capability=all",
        `--drop-capability=${DROPPED_CAPABILITIES.map((name) => `CAP_${name.toUpperCase()}`).join(",")}`,
        "--system-call-filter=@keyring",
        ...binds,
        ...[INIT, "--show-status=no"],
    ];
}

/**
 * Runs as the first process of a process namespace, in a mount namespace of its own: whatever kills it, or its parent,
 * ends the whole machine and takes its mounts along. It outlives reboots of the machine, which finds the disks then
 * that it has then.
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
