import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { renderCertificateWatch, timerCommand } from "../../../../components/node";
import { at, day, newAuthority, newCertificate } from "../../provider/certificates/support";
import { expectCleanUnits } from "../../../support/documents";
import { testWithTools, withFolder } from "../../../support/tools";

const watched = [{ paths: ["/etc/x/*.crt", "/etc/y.crt"], days: 90 }];
const file = (name: string) => renderCertificateWatch(watched).find(({ path: at }) => at.endsWith(name))!.content;

testWithTools(["bash", "openssl"])(
    "a machine says of each certificate when it ends, and warns when that is near",
    async () => {
        // An hour ago: whole days from now on are one fewer.
        const now = Date.now() - day / 24;
        const authority = await at(now - 100 * day, () => newAuthority());
        const certificateOf = async (days: number, madeAt = now) =>
            (await at(madeAt, () => newCertificate(authority.outs, { validityDays: days }))).outs.certificate as string;
        await withFolder(async (folder) => {
            const write = (name: string, content: string) => fs.writeFileSync(path.join(folder, name), content);
            fs.mkdirSync(path.join(folder, "metrics"));
            write("young.crt", await certificateOf(400));
            write("bundle.crt", (await certificateOf(50)) + (await certificateOf(400)));
            write("dead.crt", await certificateOf(50, now - 60 * day));
            const data = Buffer.from(await certificateOf(30)).toString("base64");
            write("admin.conf", `users:\n- user:\n    client-certificate-data: ${data}\n`);
            write(
                "kubelet.conf",
                "users:\n- user:\n    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem\n",
            );
            write("broken.crt", "x");
            write("list", `90 ${folder}/*.crt ${folder}/none/*.crt\n20 ${folder}/*.conf\n`);
            write("script", file("/cs-certificates"));
            const env = { ...process.env, CS_CERTIFICATES: `${folder}/list`, CS_METRICS_FOLDER: `${folder}/metrics` };
            const { status, stderr } = spawnSync("bash", [path.join(folder, "script")], { env, encoding: "utf8" });
            expect([status, stderr.trim().split("\n").sort()]).toEqual([
                0,
                [
                    expect.stringMatching(/^<3>.*\/dead.crt has expired$/),
                    expect.stringMatching(/^<4>.*\/bundle.crt expires in 49 days$/),
                ],
            ]);
            const metrics = fs.readFileSync(path.join(folder, "metrics/cs-certificates.prom"), "utf8");
            const ends = [...metrics.matchAll(/^cs_certificate_not_after_seconds\{path="(.*)"\} (\d+)$/gm)];
            const days = ends.map(([, at, end]) => [path.basename(at), Math.round((Number(end) * 1000 - now) / day)]);
            expect(Object.fromEntries(days)).toEqual({
                ...{ "young.crt": 400, "bundle.crt": 50, "dead.crt": -10, "admin.conf": 30 },
            });
            expect(fs.readdirSync(path.join(folder, "metrics"))).toEqual(["cs-certificates.prom"]);
        });
    },
);

testWithTools(["systemd-analyze"])("its units are units", () =>
    expectCleanUnits({ writeFiles: renderCertificateWatch(watched) }),
);

test("each watched set of files is a line; a timer that is new to a running machine is also enabled", () => {
    expect(file("/certificates")).toBe("90 /etc/x/*.crt /etc/y.crt\n");
    expect(timerCommand("x.timer")).toBe(
        "systemctl daemon-reload && systemctl enable x.timer && systemctl restart x.timer",
    );
});
