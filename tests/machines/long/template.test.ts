/** Root file systems that are not in the cache are created from Debian's packages. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ensureTemplate } from "../../../simulator/hypervisors/nspawn";
import { CLOUD_INIT_SUCCEEDED, Lab } from "../support/lab";
import { withMachines } from "../support/possible";

withMachines("templates", () => {
    const cacheDir = fs.mkdtempSync(path.join(os.tmpdir(), "cloudstack-local-cache-"));

    afterAll(() => fs.rmSync(cacheDir, { recursive: true, force: true }));

    const folders = () => fs.readdirSync(path.join(cacheDir, "templates"));

    test("without a mirror no incomplete one is left, and the error says what to do", async () => {
        process.env.CLOUDSTACK_LOCAL_DEBIAN_MIRROR = "http://127.0.0.1:1/debian";
        try {
            await expect(ensureTemplate(cacheDir, "Debian 13")).rejects.toThrow(
                /"Debian 13" could not be built: [^]*CLOUDSTACK_LOCAL_DEBIAN_MIRROR sets another one[^]*--hypervisor none/,
            );
        } finally {
            delete process.env.CLOUDSTACK_LOCAL_DEBIAN_MIRROR;
        }
        const [folder] = folders();
        expect(fs.readdirSync(path.join(cacheDir, "templates", folder))).toEqual(["lock"]);
        await expect(ensureTemplate(cacheDir, "Windows")).rejects.toThrow(
            'The hypervisor nspawn has no root file system for the template "Windows"',
        );
    });

    test("machines of every release boot without errors", async () => {
        const lab = await Lab.start("10.1.48.0/24");
        try {
            for (const [template, codename] of [
                ["Debian 12 with password", "bookworm"],
                ["Debian 13 with password", "trixie"],
            ]) {
                const userData = "#cloud-config\nruncmd: [touch /ran]\n";
                const guest = await lab.deploy(codename, { template, userData });
                expect(await guest.waitForCloudInit()).toMatchObject({ status: "done", errors: [] });
                expect(await guest.outputOf(". /etc/os-release; echo $VERSION_CODENAME; hostname; ls -d /ran")).toBe(
                    `${codename}\n${codename}\n/ran`,
                );
                expect(await guest.hasPassword("debian", guest.deployed.password)).toBe(true);
                expect(await guest.outputOf("systemctl --failed --plain --no-legend")).toBe("");
            }
        } finally {
            expect(await lab.dispose()).toEqual([]);
        }
    });

    test("is created once by simultaneous requests, and boots", async () => {
        const lab = await Lab.start("10.1.48.0/24", { cacheDir });
        try {
            const guests = await Promise.all([
                lab.deploy("first", { template: "Debian 13" }),
                lab.deploy("second", { template: "Debian 13 with password" }),
            ]);
            for (const guest of guests) {
                expect(await guest.waitForCloudInit()).toMatchObject(CLOUD_INIT_SUCCEEDED);
                expect(await guest.outputOf(". /etc/os-release; echo $VERSION_CODENAME")).toBe("trixie");
            }
            const [folder, ...others] = folders();
            expect(others).toEqual([]);
            expect(fs.readdirSync(path.join(cacheDir, "templates", folder)).sort()).toEqual(["lock", "root"]);
            expect(lab.hypervisorLog.filter((line) => /making the root file system/.test(line)).length).toBeGreaterThan(
                0,
            );
        } finally {
            expect(await lab.dispose()).toEqual([]);
        }
    }, 600_000);
});
