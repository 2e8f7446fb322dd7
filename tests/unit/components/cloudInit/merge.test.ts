import { type CloudConfig, cloudConfigConflicts, mergeCloudConfig } from "../../../../components/cloudInit";
import { ArgumentError } from "../../../../components/problems";

const base: CloudConfig = {
    hostname: "a",
    packages: ["curl", "jq"],
    users: [{ name: "etcd" }],
    writeFiles: [{ path: "/etc/etcd/etcd.env", content: "X=1\n" }],
    runcmd: ["first"],
    diskSetup: { "/dev/vdb": { tableType: "gpt" } },
    modules: { swap: { size: 0 } },
};

test("without extra configuration the base is unchanged", () => {
    expect(mergeCloudConfig(base, undefined)).toBe(base);
    expect(mergeCloudConfig(base, {})).toEqual(base);
});

test("lists are concatenated, sets have no duplicates, maps are merged, missing values are set", () => {
    const merged = mergeCloudConfig(base, {
        packages: ["htop", "curl"],
        sshAuthorizedKeys: ["ssh-ed25519 A"],
        users: [{ name: "ops" }],
        writeFiles: [{ path: "/etc/motd", content: "hi\n" }],
        runcmd: ["second", "first"],
        timezone: "UTC",
        hostname: "a",
        diskSetup: { "/dev/vdc": { tableType: "gpt" } },
        modules: { swap: { size: 0 }, apt: {} },
    });
    expect(merged).toEqual({
        ...base,
        packages: ["curl", "jq", "htop"],
        sshAuthorizedKeys: ["ssh-ed25519 A"],
        users: [{ name: "etcd" }, { name: "ops" }],
        writeFiles: [
            { path: "/etc/etcd/etcd.env", content: "X=1\n" },
            { path: "/etc/motd", content: "hi\n" },
        ],
        runcmd: ["first", "second", "first"],
        timezone: "UTC",
        diskSetup: { "/dev/vdb": { tableType: "gpt" }, "/dev/vdc": { tableType: "gpt" } },
        modules: { swap: { size: 0 }, apt: {} },
    });
    expect(base.packages).toEqual(["curl", "jq"]);
});

test("every conflict is reported, with its path", () => {
    const extra: CloudConfig = {
        hostname: "b",
        users: [{ name: "etcd" }],
        writeFiles: [
            { path: "/etc/etcd/etcd.env", content: "", append: true },
            { path: "no", content: "" },
        ],
        diskSetup: { "/dev/vdb": { tableType: "mbr" } },
        modules: { swap: { size: 1 } },
    };
    expect(
        cloudConfigConflicts(base, extra)
            .map((problem) => problem.path)
            .sort(),
    ).toEqual([
        "extraCloudConfig.diskSetup./dev/vdb",
        "extraCloudConfig.hostname",
        "extraCloudConfig.modules.swap",
        "extraCloudConfig.users[0].name",
        "extraCloudConfig.writeFiles[0].path",
        "extraCloudConfig.writeFiles[1].path",
    ]);
    expect(() => mergeCloudConfig(base, extra)).toThrow(ArgumentError);
});
