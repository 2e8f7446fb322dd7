import { fetchService } from "../artifacts";
import type { WriteFile } from "../cloudInit";
import { volumeService } from "../node";
import { paths } from "./environment";

export const volumeName = "etcd";

/** Units that are enabled at first boot. */
export const enabledUnits = ["etcd.service", "etcd-snapshot.timer", "etcd-defragment.timer"] as const;

/** The systemd units of a member, without those that `components/node` and `components/artifacts` render. */
export function unitFiles(dataVolume: boolean): WriteFile[] {
    const units: Record<string, string> = {
        "etcd.service": etcdService(dataVolume),
        "etcd-promote.service": promoteService,
        "etcd-snapshot.service": task("Save a verified snapshot of etcd", `${paths.scripts}/etcd-snapshot`),
        "etcd-snapshot.timer": timer("Snapshots of etcd", "hourly", "10min"),
        "etcd-defragment.service": task("Defragment etcd", `${paths.scripts}/etcd-safely defragment`),
        "etcd-defragment.timer": timer("Defragmentation of etcd", "Sun 03:00", "2h"),
    };
    return Object.entries(units).map(([name, content]) => ({ path: `/etc/systemd/system/${name}`, content }));
}

/**
 * The unit is "active" once the member has a quorum. It has no start timeout and no start limit, so that a machine that
 * waits for its volume, its program or the other members recovers as soon as they are available.
 */
function etcdService(dataVolume: boolean): string {
    const needs = [fetchService, ...(dataVolume ? [volumeService(volumeName)] : [])].join(" ");
    return `[Unit]
Description=etcd
Documentation=https://etcd.io/docs
Requires=${needs}
Wants=network-online.target etcd-promote.service
After=network-online.target time-sync.target ${needs}
StartLimitIntervalSec=0
[Service]
Type=notify
User=etcd
Group=etcd
RuntimeDirectory=etcd
RuntimeDirectoryPreserve=yes
StateDirectory=etcd
StateDirectoryMode=0700
EnvironmentFile=${paths.etcdEnvironment}
EnvironmentFile=-${paths.run}/initial.env
ExecStartPre=${paths.scripts}/etcd-prestart
ExecStart=${paths.bin}/etcd
TimeoutStartSec=infinity
Restart=always
RestartSec=2
LimitNOFILE=65536
Nice=-10
IOSchedulingClass=best-effort
IOSchedulingPriority=0
OOMScoreAdjust=-900
NoNewPrivileges=yes
CapabilityBoundingSet=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes
StandardError=journal
[Install]
WantedBy=multi-user.target
`;
}

/** Not ordered after etcd.service, since the script waits for etcd by itself, also while that is restarting. */
const promoteService = `[Unit]
Description=Make this member of etcd a voter
[Service]
Type=simple
User=etcd
Group=etcd
ExecStart=${paths.scripts}/etcd-promote
Restart=on-failure
RestartSec=5
`;

/** 75 (EX_TEMPFAIL) means "not now": the timer runs it again. */
function task(description: string, command: string): string {
    return `[Unit]
Description=${description}
After=etcd.service
[Service]
Type=oneshot
User=etcd
Group=etcd
ExecStart=${command}
SuccessExitStatus=75
Nice=10
IOSchedulingClass=idle
TimeoutStartSec=1h
`;
}

function timer(description: string, calendar: string, delay: string): string {
    return `[Unit]
Description=${description}
[Timer]
OnCalendar=${calendar}
RandomizedDelaySec=${delay}
Persistent=yes
[Install]
WantedBy=timers.target
`;
}
