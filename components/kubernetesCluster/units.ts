import { fetchService, imageFolder } from "../artifacts";
import { paths } from "./paths";

/** A oneshot service with a timer. */
interface Job {
    description: string;
    /** Programs, run in this order; after a failure the rest is not run. */
    run: readonly string[];
    /** Additional lines of the `[Unit]` section. */
    unit?: readonly string[];
    /** Additional lines of the `[Service]` section. */
    service?: readonly string[];
    /** Whether the service is also started at boot. @default false */
    atBoot?: boolean;
    /** Lines of the `[Timer]` section. */
    timer: readonly string[];
}

/** The unit files of a job: service and timer. */
export function jobFiles(name: string, job: Job): { path: string; content: string }[] {
    return [
        {
            path: `${paths.units}/${name}.service`,
            content: lines(
                ["[Unit]", `Description=${job.description}`, ...(job.unit ?? [])],
                [
                    "[Service]",
                    "Type=oneshot",
                    ...job.run.map((program) => `ExecStart=${program}`),
                    ...(job.service ?? []),
                ],
                ...(job.atBoot ? [["[Install]", "WantedBy=multi-user.target"]] : []),
            ),
        },
        {
            path: `${paths.units}/${name}.timer`,
            content: lines(
                ["[Unit]", `Description=${job.description}, again`],
                ["[Timer]", ...job.timer],
                ["[Install]", "WantedBy=timers.target"],
            ),
        },
    ];
}

/**
 * kubelet's unit. Its prerequisites are `ExecStartPre=` commands and not required units: systemd restarts kubelet if a
 * command fails, but if a required unit fails, kubelet is not started until the next boot.
 *
 * `/etc/default/kubelet` is read because Debian's and Ubuntu's package reads it, too. Without a configuration file the
 * unit is skipped; on a control plane kubeadm writes the file.
 *
 * @param bootstrap whether kubelet may use kubeadm's bootstrap credentials to request its first certificate. Workers
 * have none: with this flag kubelet checks the certificate that kubelet.conf names, which is the initial one, and does
 * not start once that has expired, although it has a renewed one: https://github.com/kubernetes/kubernetes/issues/99645
 */
export function kubeletUnit(bootstrap: boolean): string {
    const flags = [
        `--config=${paths.kubeletConfig}`,
        `--config-dir=${paths.kubeletLocal}`,
        "--kubeconfig=/etc/kubernetes/kubelet.conf",
        ...(bootstrap ? ["--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf"] : []),
        "$KUBELET_KUBEADM_ARGS $KUBELET_NODE_ARGS $KUBELET_EXTRA_ARGS",
    ];
    return lines(
        [
            "[Unit]",
            "Description=Kubernetes node agent",
            "Documentation=https://kubernetes.io/docs/",
            "Wants=network-online.target containerd.service",
            `After=network-online.target ${fetchService} containerd.service kubernetes-images.service`,
            `ConditionPathExists=${paths.kubeletConfig}`,
            "StartLimitIntervalSec=0",
        ],
        [
            "[Service]",
            "EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env",
            "EnvironmentFile=-/etc/kubernetes/kubelet.env",
            "EnvironmentFile=-/etc/default/kubelet",
            `ExecStartPre=${paths.bin}/metadata-guard`,
            `ExecStartPre=${paths.bin}/kubernetes-prepare`,
            `ExecStart=kubelet ${flags.join(" ")}`,
            "Restart=always",
            "RestartSec=5",
        ],
        ["[Install]", "WantedBy=multi-user.target"],
    );
}

/** containerd's unit, since its release archive has none. If a package has installed one, this one overrides it. */
export const containerdUnit = lines(
    [
        "[Unit]",
        "Description=Container runtime",
        "Documentation=https://containerd.io",
        `After=network.target ${fetchService}`,
        "StartLimitIntervalSec=0",
    ],
    [
        "[Service]",
        "Type=notify",
        "ExecStart=containerd",
        "Delegate=yes",
        "KillMode=process",
        "Restart=always",
        "RestartSec=5",
        "OOMScoreAdjust=-999",
        "LimitNOFILE=1048576",
        "LimitNPROC=infinity",
        "LimitCORE=infinity",
        "TasksMax=infinity",
    ],
    ["[Install]", "WantedBy=multi-user.target"],
);

/**
 * Imports images that were downloaded as archives, for nodes that cannot reach a registry. `--local` takes half the time
 * of containerd's transfer service, which the archive is streamed to. `--no-unpack` leaves that to the image's first
 * use: most nodes never run all of them, and control planes start before the last one is unpacked.
 */
export const imagesUnit = lines(
    [
        "[Unit]",
        "Description=Import container images from archives",
        "Wants=containerd.service",
        "After=containerd.service",
    ],
    [
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
        `WorkingDirectory=${imageFolder}`,
        `ExecStart=/bin/sh -c 'for archive in *; do ctr -n k8s.io images import --local --no-unpack "$$archive" || exit 1; done'`,
        "Restart=on-failure",
        "RestartSec=5",
    ],
    ["[Install]", "WantedBy=multi-user.target"],
);

function lines(...sections: readonly (readonly string[])[]): string {
    return sections.map((section) => section.map((line) => `${line}\n`).join("")).join("\n");
}
