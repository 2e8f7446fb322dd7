import * as fs from "node:fs";
import * as path from "node:path";
import { withFolder } from "../../../../support/tools";
import { diskName, usesDisk, mountPoints } from "../../../../../simulator/hypervisors/nspawn/volumes";

test("disks are named by their device number", () => {
    expect([1, 2, 4].map((deviceId) => diskName({ deviceId }))).toEqual(["vdb", "vdc", "vde"]);
});

test("mount points of a disk are found whatever their names, the latest first", () => {
    const mountInfo = `36 35 0:32 / / rw - overlay overlay rw
40 36 7:1 / /data rw,relatime shared:1 - ext4 /dev/vdb rw
41 36 7:1 /sub /with\\040space rw - ext4 /dev/vdb rw
42 36 7:11 / /other rw - ext4 /dev/vdc rw
`;
    expect(mountPoints(mountInfo, { name: "vdb", major: 7, minor: 1 })).toEqual(["/with space", "/data"]);
    expect(mountPoints(mountInfo, { name: "vdd", major: 7, minor: 2 })).toEqual([]);
});

test("a process with an open file on a disk holds it", async () => {
    await withFolder((folder) => {
        const { dev } = fs.statSync(folder);
        const disk = { name: "x", major: (dev >> 8) & 0xfff, minor: (dev & 0xff) | ((dev >> 12) & 0xfff00) };
        const nowhere = { name: "x", major: 4000, minor: 4000 };
        const handle = fs.openSync(path.join(folder, "file"), "w");
        expect(usesDisk(process.pid, nowhere)).toBe(false);
        // The folder of temporary files may be the only thing that this process uses on its file system.
        if (process.platform === "linux") expect(usesDisk(process.pid, disk)).toBe(true);
        fs.closeSync(handle);
        expect(usesDisk(2 ** 22, disk)).toBe(false);
    });
});
