import { fetchPlanPath, renderFetch } from "../artifacts";
import { type CloudConfig, mergeCloudConfig, type WriteFile } from "../cloudInit";
import {
    certificatesTimer,
    type ConvergeRule,
    convergeTimer,
    renderCertificateWatch,
    renderConverge,
    renderVolumes,
    timerCommand,
} from "../node";
import { etcdEnvironment, nodeEnvironment, paths } from "./environment";
import { common } from "./scripts/common";
import { prestart } from "./scripts/prestart";
import { promote } from "./scripts/promote";
import { restore } from "./scripts/restore";
import { safely } from "./scripts/safely";
import { snapshot } from "./scripts/snapshot";
import type { EtcdMemberSpec, MemberCertificates } from "./spec";
import { enabledUnits, unitFiles, volumeName } from "./units";

/** The label of the file system with etcd's data. */
export const volumeLabel = "etcd-data";

/**
 * The cloud-config document of a member, the same for a first start, a restart, a replaced machine and a lost disk. A
 * running machine applies all changes of it except the version of etcd, which requires a reinstallation.
 */
export function renderEtcdMember(spec: EtcdMemberSpec): CloudConfig {
    const { cluster } = spec;
    const dataVolume = cluster.dataVolume ?? true;
    const own = [
        ...pkiFiles(spec.certificates),
        { path: paths.etcdEnvironment, content: etcdEnvironment(spec) },
        { path: paths.nodeEnvironment, content: nodeEnvironment(spec) },
        { path: paths.common, content: common },
        ...scriptFiles,
        ...unitFiles(dataVolume),
        ...renderCertificateWatch([
            { paths: [`${paths.pki}/*ca.crt`], days: 365 },
            { paths: ["server", "peer", "client"].map((name) => `${paths.pki}/${name}.crt`), days: 90 },
        ]),
        ...renderVolumes(
            dataVolume
                ? [{ name: volumeName, label: volumeLabel, mountPoint: paths.home, owner: "etcd:etcd", mode: "0700" }]
                : [],
        ),
    ];
    const fetch = renderFetch({ etcd: cluster.version }, cluster.artifacts);
    const extra = cluster.extraCloudConfig?.writeFiles ?? [];
    const followed = [
        ...own,
        ...fetch.filter(({ path }) => path !== fetchPlanPath),
        ...extra.filter((file) => !file.append),
    ];
    const config: CloudConfig = {
        // In bootcmd, since some files belong to this group, and cloud-init writes files before it creates users:
        // https://github.com/canonical/cloud-init/issues/2573
        bootcmd: [
            "getent passwd etcd >/dev/null || useradd --system --user-group --no-create-home " +
                `--home-dir ${paths.home} --shell /usr/sbin/nologin etcd`,
        ],
        writeFiles: [...own, ...fetch, ...renderConverge(followed.map(rule), cluster.convergeIntervalSeconds)],
        runcmd: [
            "systemctl daemon-reload",
            // --no-block, since etcd waits for its volume and for the other members.
            `systemctl enable --now --no-block ${[...enabledUnits, certificatesTimer, convergeTimer].join(" ")}`,
        ],
    };
    return mergeCloudConfig(config, cluster.extraCloudConfig);
}

const scriptFiles: WriteFile[] = Object.entries({ prestart, promote, snapshot, safely, restore }).map(
    ([name, content]) => ({ path: `${paths.scripts}/etcd-${name}`, content, permissions: "0755" }),
);

function pkiFiles(certificates: MemberCertificates): WriteFile[] {
    const { clientAuthorities, peerAuthorities, server, peer, client } = certificates;
    const file = (name: string, content: string, permissions: string): WriteFile => ({
        path: `${paths.pki}/${name}`,
        content,
        permissions,
        owner: "root:etcd",
    });
    return [
        file("ca.crt", clientAuthorities, "0644"),
        file("peer-ca.crt", peerAuthorities, "0644"),
        ...Object.entries({ server, peer, client }).flatMap(([name, { certificate, privateKey }]) => [
            file(`${name}.crt`, certificate, "0644"),
            file(`${name}.key`, privateKey, "0640"),
        ]),
    ];
}

/**
 * The command to run after a change of a file. etcd reads certificates and keys again for every connection, and scripts
 * read their variables at every run, but the CA certificates and settings are read only when etcd starts.
 */
function rule({ path }: WriteFile): ConvergeRule {
    const restart = `${paths.scripts}/etcd-safely restart`;
    if ([paths.etcdEnvironment, `${paths.pki}/ca.crt`, `${paths.pki}/peer-ca.crt`].includes(path))
        return { path, command: restart };
    if (path === "/etc/systemd/system/etcd.service") return { path, command: `systemctl daemon-reload && ${restart}` };
    if (/^\/etc\/systemd\/system\/.*\.timer$/.test(path))
        return { path, command: timerCommand(path.slice(path.lastIndexOf("/") + 1)) };
    if (path.startsWith("/etc/systemd/system/")) return { path, command: "systemctl daemon-reload" };
    return { path };
}
