import { fetchService, imageFolder } from "../artifacts";
import { paths } from "./paths";

/** A unit that runs a program once, and again every so often. */
interface Job {
    description: string;
    /** Programs, one after the other; the first that fails ends it. */
    run: readonly string[];
    /** Further lines of the service. */
    unit?: readonly string[];
    service?: readonly string[];
    /** Whether it runs at boot already, not only when the timer says. @default false */
    atBoot?: boolean;
    /** Lines of the timer. */
    timer: readonly string[];
}

/** The service and the timer of a job. */
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
 * kubelet. What must come before it comes as its own first steps, not as units that it requires: systemd tries kubelet
 * again when a step fails, while a failed requirement would keep it down until the next boot.
 *
 * The folder of drop-ins is always read; `/etc/default/kubelet` is where Debian's package looks for flags, too. It
 * stays down until it has a configuration, which on a control plane kubeadm writes.
 *
 * @param bootstrap whether kubeadm may leave credentials for asking for the first certificate. Not on a worker: kubelet
 * would then take the certificate that a worker comes with for all there is, and stop when that one expires, although
 * it has renewed it long since.
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

/** The release of containerd has programs only. Where a package brings a unit too, this one of the same name counts. */
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

/** Images that were fetched as archives, for nodes that reach no registry. */
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
        `ExecStart=/bin/sh -c 'for archive in *; do ctr -n k8s.io images import "$$archive" || exit 1; done'`,
        "Restart=on-failure",
        "RestartSec=5",
    ],
    ["[Install]", "WantedBy=multi-user.target"],
);

function lines(...sections: readonly (readonly string[])[]): string {
    return sections.map((section) => section.map((line) => `${line}\n`).join("")).join("\n");
}
