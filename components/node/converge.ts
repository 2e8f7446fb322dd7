import type { WriteFile } from "../cloudInit";
import { convergeScript } from "./convergeScript";

/** A file that may change on a running machine, and the command to run then. */
export interface ConvergeRule {
    /** The file's path, as in the machine's user data. */
    readonly path: string;
    /**
     * A shell command to run after the change, once for all files that have the same one. It is repeated until it
     * succeeds.
     */
    readonly command?: string;
}

/** The command after a change of a timer's file. It also enables the timer, which may be new to a running machine. */
export function timerCommand(name: string): string {
    return `systemctl daemon-reload && systemctl enable ${name} && systemctl restart ${name}`;
}

/** The timer to enable. */
export const convergeTimer = "cs-converge.timer";
export const convergeRulesPath = "/etc/cs/converge";

/**
 * The files that apply changes of user data to a running machine. A timer reads the user data again from the virtual
 * router, and cloud-init's own module writes the changed files. Only files in `rules`, and the rules file itself, are
 * updated: a change of any other file requires a reinstallation.
 */
export function renderConverge(rules: readonly ConvergeRule[], intervalSeconds = 300): WriteFile[] {
    const lines = [{ path: convergeRulesPath }, ...rules].map(({ path, command }: ConvergeRule) =>
        command === undefined ? path : `${path} ${command}`,
    );
    for (const line of lines)
        if (line.includes("\n")) throw new Error(`a rule must be one line: ${JSON.stringify(line)}`);
    return [
        { path: "/usr/local/sbin/cs-converge", content: convergeScript, permissions: "0755" },
        { path: convergeRulesPath, content: lines.map((line) => `${line}\n`).join("") },
        { path: "/etc/systemd/system/cs-converge.service", content: service },
        { path: `/etc/systemd/system/${convergeTimer}`, content: timer(intervalSeconds) },
    ];
}

/** 75 (EX_TEMPFAIL) is not a failure: the virtual router may be unavailable, or a command must wait. */
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
