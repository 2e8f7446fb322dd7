import * as fs from "node:fs";
import * as path from "node:path";
import { loadAll } from "js-yaml";
import { type CloudConfig, renderUserData } from "../../../../components/cloudInit";
import {
    hashOfSecrets,
    renderControlPlane,
    renderWorker,
    withoutSecrets,
} from "../../../../components/kubernetesCluster/render";
import { NEW_EC_KEY, expectSuccess, runTool, testWithTools, withFolder } from "../../../support/tools";
import { controlPlane, keys, variants, worker } from "./specs";

const documents = Object.entries(variants).flatMap(([name, spec]): [string, CloudConfig][] => [
    [`control plane, ${name}`, renderControlPlane(spec.controlPlane)],
    [`worker, ${name}`, renderWorker(spec.worker)],
]);
const files = (document: CloudConfig) => document.writeFiles ?? [];
const file = (document: CloudConfig, name: string) => files(document).find((each) => each.path === name)?.content;
/** Every file of all documents once, whichever variants have it. */
const everyFile = [
    ...new Map(
        documents.flatMap(([, document]) => files(document)).map((each) => [each.path + each.content, each]),
    ).values(),
];

describe("user data", () => {
    const length = (document: CloudConfig) => renderUserData(document).length;

    // The cloud takes 32,768; what is left is for what users add.
    const budgets = { "control plane": 28_400, worker: 15_600 };

    test.each(
        documents.map(([name, document]) => {
            const budget = budgets[name.split(",")[0] as keyof typeof budgets];
            return [name, length(document), budget] as const;
        }),
    )("of a %s: %i characters of base64, %i at most", (_, characters, budget) => {
        expect(characters).toBeLessThan(budget);
    });

    test("is deterministic", () => {
        expect(renderUserData(renderControlPlane(controlPlane()))).toEqual(
            renderUserData(renderControlPlane(controlPlane())),
        );
    });

    testWithTools(["cloud-init"])(
        "passes cloud-init's schema",
        () =>
            withFolder((folder) => {
                const names = documents.map(([, document], index) => {
                    const name = path.join(folder, `${index}.yaml`);
                    fs.writeFileSync(name, renderUserData(document).text);
                    return name;
                });
                for (const name of names) expectSuccess(runTool("cloud-init", ["schema", "--config-file", name]));
            }),
        120_000,
    );
});

describe("secrets", () => {
    const text = (document: CloudConfig) => renderUserData(document).text;
    const privateKeys = (document: CloudConfig) => text(document).match(/BEGIN [A-Z ]*PRIVATE KEY/g) ?? [];
    const holds = (document: CloudConfig, key: string) => files(document).some(({ content }) => content.includes(key));

    test.each(Object.entries(variants))("the only key of a worker is its own: %s", (_, spec) => {
        const document = renderWorker(spec.worker);
        expect(privateKeys(document)).toHaveLength(1);
        expect(file(document, "/etc/kubernetes/pki/kubelet-client.key")).toBe(keys.worker);
        for (const key of [keys.ca, keys.frontProxy, keys.serviceAccounts, keys.etcdClient, keys.encryption])
            expect(holds(document, key)).toBe(false);
    });

    test.each(Object.entries(variants))(
        "a control plane has the keys of the authorities and of its etcd client: %s",
        (_, spec) => {
            const document = renderControlPlane(spec.controlPlane);
            expect(privateKeys(document)).toHaveLength(4);
            const owned = Object.entries({
                ca: keys.ca,
                "front-proxy-ca": keys.frontProxy,
                sa: keys.serviceAccounts,
                "apiserver-etcd-client": keys.etcdClient,
            });
            for (const [name, key] of owned) expect(file(document, `/etc/kubernetes/pki/${name}.key`)).toBe(key);
            expect(files(document).map((each) => each.path)).not.toContain("/etc/kubernetes/pki/etcd/ca.key");
            expect(holds(document, keys.worker)).toBe(false);
        },
    );

    /** Files without a secret that the CIS Kubernetes Benchmark closes as well. */
    const closed = [
        "/etc/systemd/system/kubelet.service",
        "/etc/kubernetes/kubelet.conf",
        "/var/lib/kubelet/config.yaml",
    ];

    test.each(documents)("only root may read secrets and kubelet's files: %s", (_, document) => {
        for (const { path: name, content, permissions } of files(document)) {
            const secret = /PRIVATE KEY/.test(content) || Object.values(keys).some((key) => content.includes(key));
            expect([name, permissions === "0600"]).toEqual([name, secret || closed.includes(name)]);
        }
    });

    const passwd = "$6$salt$hash";
    const withBootcmd = renderWorker(
        worker({ extraCloudConfig: { bootcmd: ["modprobe x"], users: [{ name: "alice", passwd }] } }),
    );

    test.each([...documents, ["worker, extra", withBootcmd] as const])(
        "what is applied again is kept without secrets: %s",
        (_, document) => {
            const stub = withoutSecrets(document);
            expect(privateKeys(stub)).toHaveLength(0);
            for (const key of Object.values(keys)) expect(holds(stub, key)).toBe(false);
            expect(files(stub)).toEqual(
                files(document).filter(
                    ({ path: name, permissions }) => permissions !== "0600" || closed.includes(name),
                ),
            );
            expect({ ...stub, writeFiles: 0 }).toEqual({ writeFiles: 0, bootcmd: document.bootcmd });
            expect(text(stub)).not.toContain(passwd);
        },
    );

    test("the last file says which secrets a machine has", () => {
        const hash = (document: CloudConfig) => files(document).at(-1);
        const usual = renderWorker(worker());
        expect(hash(usual)).toEqual({ path: "/var/log/cs-secrets", content: `${hashOfSecrets(usual)}\n` });
        expect(file(usual, "/etc/cs/converge")?.trim().split("\n").at(-1)).toBe("/var/log/cs-secrets");
        const labelled = renderWorker(worker({ labels: { tier: "back" } }));
        expect(hash(labelled)).toEqual(hash(usual));
        const renewed = renderWorker(worker({ clientKey: keys.ca }));
        const extra = [{ path: "/etc/token", content: "x", permissions: "0600" }];
        const more = renderWorker(worker({ extraCloudConfig: { writeFiles: extra } }));
        expect(new Set([usual, renewed, more].map((document) => hash(document)?.content)).size).toBe(3);
        expect(files(more).at(-1)?.path).toBe("/var/log/cs-secrets");
    });
});

describe("stored renderings", () => {
    /** Without what is the same everywhere and has a source of its own to read: scripts and certificates. */
    const stored = (document: CloudConfig) => ({
        ...document,
        writeFiles: files(document).filter(
            ({ path: name }) => !/^\/usr\/local\/|\/pki\/|\/cs-\w+.service$|\/cs-secrets$/.test(name),
        ),
    });
    const base = { controlPlane: renderControlPlane(controlPlane()), worker: renderWorker(worker()) };

    test.each(Object.entries(base))("%s", (_, document) => {
        expect(renderUserData(stored(document)).text).toMatchSnapshot();
    });

    /** Of the variants only what differs. */
    test.each(documents.filter(([name]) => !name.endsWith(", default")))("%s, what differs", (name, document) => {
        const other = base[name.startsWith("worker") ? "worker" : "controlPlane"];
        const changed = files(document).filter(({ path: at, content }) => file(other, at) !== content);
        const gone = files(other)
            .map(({ path: at }) => at)
            .filter((at) => file(document, at) === undefined);
        const { writeFiles: _files, ...rest } = document;
        const { writeFiles: _others, ...usual } = other;
        expect({
            changed: Object.fromEntries(changed.map(({ path: at, content }) => [at, content])),
            gone,
            ...(JSON.stringify(rest) !== JSON.stringify(usual) && { rest }),
        }).toMatchSnapshot();
    });
});

describe("files", () => {
    const scripts = everyFile.filter(
        ({ path: name, content }) => name.startsWith("/usr/local/") && !content.startsWith("#!/usr/bin/python3"),
    );

    testWithTools(["shellcheck"])("every script passes shellcheck", () =>
        withFolder((folder) => {
            const names = scripts.map(({ path: name, content }, index) => {
                const copy = path.join(folder, `${index}-${path.basename(name)}`);
                fs.writeFileSync(copy, content);
                return copy;
            });
            expect(names.length).toBeGreaterThan(7);
            // node.env and the library are read at run time, so it cannot see who sets and who uses a variable.
            expectSuccess(runTool("shellcheck", ["--shell=bash", "--exclude=SC1091,SC2034", ...names]));
        }),
    );

    testWithTools(["systemd-analyze"])("every unit passes systemd-analyze", () =>
        withFolder((folder) => {
            const units = everyFile.filter(({ path: name }) => name.startsWith("/etc/systemd/system/"));
            const programs = path.join(folder, "bin");
            fs.mkdirSync(programs);
            // What the units start is not on this machine: stand-ins, so that all else about the units is checked.
            const standIn = (program: string) => {
                const name = path.join(programs, path.basename(program));
                fs.writeFileSync(name, "#!/bin/sh\n", { mode: 0o755 });
                return name;
            };
            const names = units.map(({ path: name, content }) => {
                const copy = path.join(folder, path.basename(name));
                fs.writeFileSync(
                    copy,
                    content.replace(/^(Exec\w+=)(\S+)/gm, (_, key, program) => key + standIn(program)),
                );
                return copy;
            });
            expect(names.length).toBeGreaterThan(8);
            const result = runTool("systemd-analyze", ["verify", "--man=no", ...names], {
                env: { SYSTEMD_UNIT_PATH: `${folder}:` },
            });
            expectSuccess(result);
            // It only warns of lines that it does not know.
            expect(result.output).not.toContain(folder);
        }),
    );

    testWithTools(["haproxy", "openssl"])("haproxy takes its configuration", () =>
        withFolder((folder) => {
            const document = renderWorker(worker());
            const authority = path.join(folder, "ca.crt");
            const self = ["req", "-x509", ...NEW_EC_KEY, "-subj", "/CN=ca"];
            expectSuccess(runTool("openssl", [...self, "-keyout", `${authority}.key`, "-out", authority]));
            const name = path.join(folder, "haproxy.cfg");
            const text = file(document, "/etc/haproxy/haproxy.cfg") ?? "";
            fs.writeFileSync(name, text.replaceAll("/etc/kubernetes/pki/ca.crt", authority));
            expectSuccess(runTool("haproxy", ["-c", "-f", name]));
        }),
    );

    test.each([
        [
            "/etc/kubernetes/kubeadm-init.yaml",
            ["InitConfiguration", "ClusterConfiguration", "KubeletConfiguration", "KubeProxyConfiguration"],
        ],
        ["/etc/kubernetes/kubeadm-join.yaml", ["JoinConfiguration"]],
        ["/etc/kubernetes/conf/admission.yaml", ["AdmissionConfiguration"]],
        ["/etc/kubernetes/conf/audit-policy.yaml", ["Policy"]],
        ["/etc/kubernetes/conf/authentication.yaml", ["AuthenticationConfiguration"]],
        ["/etc/kubernetes/conf/encryption.yaml", ["EncryptionConfiguration"]],
        [
            "/etc/kubernetes/addons/flannel.yaml",
            ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "DaemonSet"],
        ],
    ])("%s has the right kinds", (name, kinds) => {
        const content = file(renderControlPlane(controlPlane()), name) ?? "";
        expect((loadAll(content) as { kind: string }[]).map(({ kind }) => kind)).toEqual(kinds);
    });

    testWithTools(["kubeadm"])("kubeadm takes its files", () =>
        withFolder((folder) => {
            for (const [index, { path: name, content }] of everyFile.entries()) {
                if (!path.basename(name).startsWith("kubeadm-")) continue;
                const copy = path.join(folder, `${index}.yaml`);
                // It asks that the file with the credentials is there.
                fs.writeFileSync(copy, content.replace("/etc/kubernetes/admin.conf", __filename));
                expectSuccess(runTool("kubeadm", ["config", "validate", "--config", copy]));
            }
        }),
    );

    test("a running machine applies changes of all files except those of a version", () => {
        const extraCloudConfig: CloudConfig = {
            writeFiles: [
                { path: "/etc/motd", content: "x" },
                { path: "/etc/hosts", content: "x", append: true },
            ],
        };
        for (const document of [
            renderControlPlane(controlPlane({ extraCloudConfig })),
            renderWorker(worker({ extraCloudConfig })),
        ]) {
            const rules = (file(document, "/etc/cs/converge") ?? "").trim().split("\n");
            const followed = rules.map((line) => line.split(" ")[0]);
            const others = files(document)
                .map(({ path: name }) => name)
                .filter((name) => !followed.includes(name));
            expect(others.filter((name) => !/cs-converge/.test(name))).toEqual(["/etc/cs/artifacts", "/etc/hosts"]);
            expect(rules).toContain("/etc/haproxy/haproxy.cfg systemctl reload haproxy");
        }
        const worked = file(renderWorker(worker()), "/etc/cs/converge") ?? "";
        expect(worked).toContain("/var/lib/kubelet/config.yaml systemctl restart kubelet");
    });

    test("there are directories for settings of a single machine", () => {
        const document = renderControlPlane(controlPlane());
        expect(file(document, "/etc/containerd/config.toml")).toContain('imports = ["/etc/containerd/conf.d/*.toml"]');
        expect(file(document, "/etc/systemd/system/kubelet.service")).toContain(
            "--config-dir=/etc/kubernetes/kubelet.conf.d",
        );
        expect(file(document, "/etc/kubernetes/kubeadm-init.yaml")).toContain(
            "directory: /etc/kubernetes/kubeadm.d/patches",
        );
        expect(file(document, "/usr/local/sbin/kubernetes-control-plane")).toContain(
            "/etc/kubernetes/kubeadm.d/*.ignore",
        );
    });
});
