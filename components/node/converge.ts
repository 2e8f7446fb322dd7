import type { WriteFile } from "../cloudInit";
import { convergeScript } from "./convergeScript";

/** A file that may change on a running machine, and what is to be done then. */
export interface ConvergeRule {
    /** The file's path, as in the machine's user data. */
    readonly path: string;
    /**
     * A shell command for after the change; several files with the same one run it once. It is repeated until it
     * succeeds.
     */
    readonly command?: string;
}

/** What follows on a change of a timer's file: it is enabled, too, since a running machine may not have had it before. */
export function timerCommand(name: string): string {
    return `systemctl daemon-reload && systemctl enable ${name} && systemctl restart ${name}`;
}

/** The timer to enable. */
export const convergeTimer = "cs-converge.timer";
export const convergeRulesPath = "/etc/cs/converge";

/**
 * The files that let a running machine follow its user data: a timer reads it again from the virtual router, and files
 * that have changed are written by cloud-init's own module. Only files of `rules` are followed: all others take a
 * reinstallation. The rules themselves are among them.
 */
export function renderConverge(rules: readonly ConvergeRule[], intervalSeconds = 300): WriteFile[] {
    const lines = [{ path: convergeRulesPath }, ...rules].map(({ path, command }: ConvergeRule) =>
        command === undefined ? path : `${path} ${command}`,
    );
    for (const line of lines) if (line.includes("\n")) throw new Error(`a rule has one line: ${JSON.stringify(line)}`);
    return [
        { path: "/usr/local/sbin/cs-converge", content: convergeScript, permissions: "0755" },
        { path: convergeRulesPath, content: lines.map((line) => `${line}\n`).join("") },
        { path: "/etc/systemd/system/cs-converge.service", content: service },
        { path: `/etc/systemd/system/${convergeTimer}`, content: timer(intervalSeconds) },
    ];
}

/** 75 is no failure: the virtual router may be away, or a command waits for its turn. */
const service = `[Unit]
Description=Follow the user data of this machine
Wants=network-online.target
After=network-online.target cloud-final.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/cs-converge
SuccessExitStatus=75
TimeoutStartSec=30min
`;

function timer(intervalSeconds: number): string {
    return `[Unit]
Description=Follow the user data of this machine
[Timer]
OnActiveSec=${intervalSeconds}
OnUnitInactiveSec=${intervalSeconds}
RandomizedDelaySec=${Math.floor(intervalSeconds / 10)}
AccuracySec=1s
[Install]
WantedBy=timers.target
`;
}
