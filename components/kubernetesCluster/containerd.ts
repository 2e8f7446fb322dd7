import { paths } from "./paths";
import type { ClusterSpec, NodeFile } from "./spec";
import { containerdUnit } from "./units";
import { defaultContainerdVersion, releaseOf } from "./versions";

/**
 * containerd's unit and configuration, and one file per mirrored registry.
 *
 * The format of version 2 differs from that of 1.7, which distributions still ship; `containerdVersion` determines
 * which one is used. Files in `/etc/containerd/conf.d`, for settings of a single machine, override this configuration
 * key by key.
 *
 * Source: https://github.com/containerd/containerd/blob/main/docs/cri/config.md
 */
export function containerdFiles(cluster: ClusterSpec): NodeFile[] {
    const version = cluster.containerdVersion ?? defaultContainerdVersion;
    const sandbox = `registry.k8s.io/pause:${releaseOf(cluster.kubernetesVersion)?.pause}`;
    return [
        {
            path: "/etc/containerd/config.toml",
            content: Number.parseInt(version, 10) >= 2 ? version2(sandbox) : version1(sandbox),
        },
        { path: `${paths.units}/containerd.service`, content: containerdUnit },
        ...Object.entries(cluster.registryMirrors ?? {}).map(([registry, mirrors]) => ({
            path: `/etc/containerd/certs.d/${registry}/hosts.toml`,
            content: mirrors.map((url) => `[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`).join(""),
        })),
    ];
}

function version2(sandbox: string): string {
    return `version = 3
imports = ["${paths.containerdLocal}/*.toml"]

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${sandbox}"

[plugins."io.containerd.cri.v1.images".registry]
  config_path = "/etc/containerd/certs.d"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  SystemdCgroup = true
`;
}

function version1(sandbox: string): string {
    return `version = 2
imports = ["${paths.containerdLocal}/*.toml"]

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${sandbox}"

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = true
`;
}
