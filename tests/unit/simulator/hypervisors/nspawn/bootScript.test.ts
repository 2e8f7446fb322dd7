/** The script in which a machine runs, executed by a shell with stand-ins for all programs that it calls. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { bootScript } from "../../../../../simulator/hypervisors/nspawn/bootScript";
import type { MachinePlan } from "../../../../../simulator/hypervisors/hypervisor";

const plan = { id: "id-1", instanceName: "i-2-7-VM", name: "web" } as MachinePlan;

describe("a folder of any name", () => {
    const base = fs.mkdtempSync(path.join(os.tmpdir(), "boot script's "));
    const folder = path.join(base, "a, b: $c");
    const groups = [path.join(base, "group 1"), path.join(base, "group 2")];
    let lines: string[];

    beforeAll(() => {
        for (const made of [folder, ...groups]) fs.mkdirSync(made);
        fs.writeFileSync(path.join(folder, "disks"), "vdb:7:3 vdc:7:4");
        const bin = path.join(base, "bin");
        fs.mkdirSync(bin);
        // Each prints its arguments; the machine first asks for a reboot, then ends.
        const say = (name: string) => `#!/bin/sh\n{ printf '%s|' ${name} "$@"; echo; } >>"$SAID"\n`;
        const again = '[ $(grep -c nsenter "$SAID") = 1 ] && exit 133\nexit 0\n';
        for (const [name, more] of [
            ["mount", ""],
            ["mkdir", ""],
            ["nsenter", again],
        ])
            fs.writeFileSync(path.join(bin, name), `${say(name)}${more}`, { mode: 0o755 });
        const script = path.join(base, "boot");
        const where = { folder, groups, templateRoot: "/cache/with:colon,comma/root", network: "csl1a2b-7" };
        fs.writeFileSync(script, bootScript(plan, where));
        const callsFile = path.join(base, "said");
        execFileSync("sh", [script], { env: { PATH: `${bin}:${process.env.PATH}`, SAID: callsFile }, cwd: "/" });
        lines = fs.readFileSync(callsFile, "utf8").trim().split("\n");
    });

    afterAll(() => fs.rmSync(base, { recursive: true }));

    test("its processes are in its control groups", () => {
        for (const group of groups) expect(fs.readFileSync(path.join(group, "cgroup.procs"), "utf8")).toBe("0\n");
    });

    test("its root is an overlay on the template, whose path may contain separators of mount options", () => {
        expect(lines).toContain(
            "mount|-t|overlay|overlay|-o|lowerdir=/cache/with\\:colon\\,comma/root,upperdir=upper,workdir=work|root|",
        );
    });

    test("a machine that asks for a reboot starts again in its network, with its current disks", () => {
        const boots = lines.filter((line) => line.startsWith("nsenter|"));
        expect(boots).toHaveLength(2);
        for (const boot of boots) {
            const words = boot.split("|");
            expect(words.slice(0, 4)).toEqual([
                ...["nsenter", "--net=/run/netns/csl1a2b-7", "systemd-nspawn", "--setenv=DISKS=vdb:7:3 vdc:7:4"],
            ]);
            expect(words).toContain(`--directory=${folder}/root`);
            expect(words).toContain(`--bind=${folder.replace(/[:,]/g, "\\$&")}/kubelet:/var/lib/kubelet`);
            expect(words).toContain("--hostname=web");
            expect(words).toContain("--drop-capability=CAP_SYS_MODULE,CAP_SYS_TIME");
        }
    });
});
