import * as fc from "fast-check";
import * as path from "node:path";
import * as fs from "node:fs";
import { type CloudConfig, renderCloudConfig } from "../../../../components/cloudInit";
import { expectSuccess, runTool, testWithTools, withFolder } from "../../../support/tools";

const everything: CloudConfig = {
    hostname: "etcd-a",
    fqdn: "etcd-a.example.org",
    manageEtcHosts: true,
    timezone: "Europe/Berlin",
    locale: "en_GB.UTF-8",
    ntp: { enabled: true, ntpClient: "chrony", servers: ["10.1.1.1"], pools: ["0.debian.pool.ntp.org"] },
    groups: ["etcd"],
    users: [
        {
            name: "etcd",
            gecos: "etcd",
            primaryGroup: "etcd",
            groups: ["adm"],
            shell: "/usr/sbin/nologin",
            homedir: "/var/lib/etcd",
            noCreateHome: true,
            system: true,
            sudo: "ALL=(ALL) NOPASSWD:ALL",
            sshAuthorizedKeys: ["ssh-ed25519 AAAA x"],
            lockPasswd: true,
            passwd: "$6$x",
        },
    ],
    sshAuthorizedKeys: ["ssh-ed25519 AAAA y"],
    sshPasswordAuthentication: false,
    packageUpdate: true,
    packageUpgrade: false,
    packages: ["curl"],
    diskSetup: {
        "/dev/vdb": { tableType: "gpt", layout: [50, 50], overwrite: false },
        "/dev/vdc": { tableType: "gpt" },
    },
    fsSetup: [{ device: "/dev/vdb", filesystem: "ext4", label: "data", partition: "auto", overwrite: false }],
    mounts: [["LABEL=data", "/data", "ext4", "defaults,nofail", "0", "2"]],
    writeFiles: [
        { path: "/etc/a", content: "0644\n", permissions: "0600", owner: "root:root", append: false, defer: false },
        { path: "/usr/local/sbin/b", content: "#!/bin/sh\necho '  yes: no' # x\n", encoding: "text/plain" },
    ],
    bootcmd: ["echo early"],
    runcmd: ["echo late"],
    modules: { swap: { filename: "/swap", size: 1048576 }, ca_certs: { remove_defaults: false } },
};

test("every field has its cloud-config key, in a fixed order", () => {
    expect(renderCloudConfig(everything)).toMatchSnapshot();
    const reversed = Object.fromEntries(Object.entries(everything).reverse()) as CloudConfig;
    expect(renderCloudConfig(reversed)).toBe(renderCloudConfig(everything));
});

test("an empty document is valid", () => {
    expect(renderCloudConfig({})).toBe("#cloud-config\n{}\n");
    expect(renderCloudConfig({ packages: [], runcmd: [] })).toBe("#cloud-config\n{}\n");
});

test("the template's default user is kept unless defaultUser is false", () => {
    expect(renderCloudConfig({ users: [{ name: "x" }] })).toContain("users:\n  - default\n  - name: x\n");
    expect(renderCloudConfig({ users: [{ name: "x" }], defaultUser: false })).not.toContain("default");
    expect(renderCloudConfig({ defaultUser: false })).toContain("users: []\n");
});

testWithTools(["cloud-init"])("cloud-init's schema takes every field", () =>
    withFolder((folder) => {
        const file = path.join(folder, "everything.yaml");
        fs.writeFileSync(file, renderCloudConfig(everything));
        expectSuccess(runTool("cloud-init", ["schema", "-c", file]));
    }),
);

testWithTools(["cloud-init"])("the schema check does find mistakes", () =>
    withFolder((folder) => {
        const file = path.join(folder, "wrong.yaml");
        fs.writeFileSync(file, renderCloudConfig({ modules: { swap: { filename: 7 } } }));
        expect(runTool("cloud-init", ["schema", "-c", file]).status).not.toBe(0);
    }),
);

/** What cloud-init's own YAML library (YAML 1.1, unlike js-yaml's) makes of a text. */
function pythonReads(texts: string[]): any[] {
    const script = "import json, sys, yaml; print(json.dumps([yaml.safe_load(t) for t in json.load(sys.stdin)]))";
    const result = runTool("python3", ["-c", script], { input: JSON.stringify(texts) });
    expectSuccess(result);
    return JSON.parse(result.stdout);
}

const hasPyYaml = (() => {
    try {
        return runTool("python3", ["-c", "import yaml"]).status === 0;
    } catch {
        return false;
    }
})();

(hasPyYaml ? test : test.skip)(`any content arrives as it was${hasPyYaml ? "" : " (skipped: no python3-yaml)"}`, () => {
    const awkward = [
        "yes",
        "0644",
        "12:30:45",
        "1_000",
        "0o7",
        "~",
        "null",
        "1e3",
        "=",
        "2001-01-01",
        "\ta\n",
        " a\n b",
        "a\n\n\n",
        "#x",
        "é\u{1F600}\n",
        "a: b\n",
        "\\n",
    ];
    const sampled = fc.sample(fc.string({ unit: "grapheme", maxLength: 40 }), { numRuns: 300, seed: 1 });
    const lines = fc.sample(
        fc.array(fc.constantFrom("", " ", "  x", "y: z", "- q", "#", "\t", "'\"", "%", "…"), { maxLength: 6 }),
        { numRuns: 300, seed: 2 },
    );
    const contents = [...awkward, ...sampled, ...lines.map((parts) => parts.join("\n"))];
    const read = pythonReads(
        contents.map((content) => renderCloudConfig({ runcmd: [content], writeFiles: [{ path: "/x", content }] })),
    );
    expect(read.map((doc) => doc.write_files[0].content)).toEqual(contents);
    expect(read.map((doc) => doc.runcmd[0])).toEqual(contents);
});
