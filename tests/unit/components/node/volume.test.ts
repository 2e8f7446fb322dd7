import * as fs from "node:fs";
import * as path from "node:path";
import { renderVolumes, volumeScript, volumeService } from "../../../../components/node";
import { expectCleanScripts, expectCleanUnits } from "../../../support/documents";
import { expectSuccess, findTool, runTool, testWithTools, withFolder } from "../../../support/tools";

const doc = {
    writeFiles: renderVolumes([
        { name: "etcd", label: "etcd-data", mountPoint: "/var/lib/etcd", owner: "etcd:etcd", mode: "0700" },
    ]),
};

test("a machine without volumes has no files for them", () => {
    expect(renderVolumes([])).toEqual([]);
    expect(volumeService("etcd")).toBe("cs-volume@etcd.service");
    expect(doc.writeFiles.at(-1)).toEqual({
        path: "/etc/cs/volumes/etcd.env",
        content: "LABEL=etcd-data\nMOUNT_POINT=/var/lib/etcd\nOWNER=etcd:etcd\nMODE=0700\n",
    });
});

testWithTools(["shellcheck"])("the script passes shellcheck", () => expectCleanScripts(doc));
testWithTools(["systemd-analyze"])("the unit passes systemd-analyze", () => expectCleanUnits(doc));

/** Loop devices need root and a kernel that has some left. */
const loops = (() => {
    if (process.getuid?.() !== 0) return "no root";
    for (const tool of ["losetup", "mkfs.ext4", "blkid", "mount", "unshare"]) if (!findTool(tool)) return `no ${tool}`;
    if (runTool("losetup", ["-f"]).status !== 0) return "no loop device";
    return undefined;
})();
const loopTest =
    loops === undefined
        ? test
        : (name: string, body: jest.ProvidesCallback) => test.skip(`${name} (skipped: ${loops})`, body);

/** Disks of a test, detached whatever happens. */
async function withDisks(
    count: number,
    body: (folder: string, disks: string[], run: () => ReturnType<typeof runTool>) => void,
): Promise<void> {
    await withFolder((folder) => {
        const disks: string[] = [];
        try {
            for (let index = 0; index < count; index++) {
                const file = path.join(folder, `disk${index}`);
                fs.writeFileSync(file, "");
                fs.truncateSync(file, 64 * 2 ** 20);
                const result = runTool("losetup", ["--find", "--show", file]);
                expectSuccess(result);
                disks.push(result.stdout.trim());
            }
            fs.writeFileSync(path.join(folder, "cs-volume"), volumeScript);
            fs.writeFileSync(
                path.join(folder, "env"),
                `LABEL=etcd-data\nMOUNT_POINT=${folder}/mnt\nOWNER=nobody:nogroup\nMODE=0700\n`,
            );
            // Mounts in a namespace of their own, gone with it; what is on the disk is shown before it ends.
            const command = [
                "timeout 5 bash cs-volume ./env",
                "status=$?",
                "[ $status = 0 ] || exit $status",
                "stat -c '%U:%G %a' mnt; date +%s%N >>mnt/marks; cat mnt/marks; df --output=size mnt",
            ].join("; ");
            body(folder, disks, () =>
                runTool("unshare", ["--mount", "bash", "-c", command], {
                    cwd: folder,
                    env: { CS_VOLUME_DEVICES: disks.join(" ") },
                }),
            );
        } finally {
            for (const disk of disks) runTool("losetup", ["--detach", disk]);
        }
    });
}

const marks = (output: string) => output.match(/^\d{18,}$/gm)?.length;

loopTest("a blank disk is formatted once, and known again by its label", () =>
    withDisks(2, (_folder, [other, disk], run) => {
        expectSuccess(runTool("mkfs.ext4", ["-q", "-L", "something", other]));
        const first = run();
        expect(first).toMatchObject({
            status: 0,
            output: expect.stringContaining(`formatting ${disk}, which is blank, as etcd-data`),
        });
        expect(first.stdout).toContain("nobody:nogroup 700");
        const second = run();
        expect(second.status).toBe(0);
        expect(second.output).not.toContain("formatting");
        expect(marks(second.stdout)).toBe(2);
        expect(runTool("blkid", ["-p", "-s", "LABEL", "-o", "value", other]).stdout.trim()).toBe("something");
    }),
);

loopTest("an empty file system without a label is taken, one with content is not", () =>
    withDisks(1, (folder, [disk], run) => {
        const content = path.join(folder, "content");
        fs.mkdirSync(content);
        fs.writeFileSync(path.join(content, "file"), "precious");
        expectSuccess(runTool("mkfs.ext4", ["-q", "-d", content, disk]));
        expect(run()).toMatchObject({
            status: 124,
            output: expect.stringContaining("waiting for a volume with the label etcd-data"),
        });
        expectSuccess(runTool("mkfs.ext4", ["-q", "-F", disk]));
        expect(run()).toMatchObject({ status: 0, output: expect.stringContaining("which has an empty file system") });
    }),
);

loopTest("with several blank disks nobody guesses", () =>
    withDisks(2, (_folder, disks, run) => {
        expect(run()).toMatchObject({ status: 124, output: expect.stringContaining("several disks are blank") });
        for (const disk of disks) expect(runTool("blkid", ["-p", disk]).status).toBe(2);
    }),
);

loopTest("a volume that has grown is used whole", () =>
    withDisks(1, (folder, [disk], run) => {
        const size = (output: string) => Number(/1K-blocks\n\s*(\d+)/.exec(output)?.[1]);
        const before = size(run().stdout);
        fs.truncateSync(path.join(folder, "disk0"), 128 * 2 ** 20);
        expectSuccess(runTool("losetup", ["--set-capacity", disk]));
        expect(size(run().stdout)).toBeGreaterThan(before * 1.8);
    }),
);
