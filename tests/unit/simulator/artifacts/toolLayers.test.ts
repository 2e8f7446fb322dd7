import * as fs from "node:fs";
import * as path from "node:path";
import { copyNetworkTools, TEMPLATE } from "../../../../simulator/artifacts/toolLayers";
import { cacheFolder } from "../../../../simulator/cache";
import { templateRoot } from "../../../../simulator/hypervisors/nspawn/template";
import { expectSuccess, runTool, withFolder } from "../../../support/tools";

const root = templateRoot(cacheFolder(), TEMPLATE);
const isPossible = process.getuid?.() === 0 && fs.existsSync(root);

(isPossible ? test : test.skip)(
    `contains all that its programs need${isPossible ? "" : " (skipped: needs root, and a machine's root file system)"}`,
    () =>
        withFolder(async (folder) => {
            await copyNetworkTools(root, folder);
            const script =
                "nft --version; iptables --version; ip6tables-restore --version; conntrack --version; cp --help";
            const answer = runTool("chroot", [folder, "/bin/sh", "-ec", `PATH=/usr/sbin:/usr/bin; ${script} 2>&1`]);
            expectSuccess(answer);
            expect(answer.stdout).toMatch(
                /nftables v.*\niptables v.* \(nf_tables\)\nip6tables-restore v.*\nconntrack v/,
            );
            // An extension that iptables loads by its name.
            const help = runTool("chroot", [folder, "/usr/sbin/iptables", "-m", "comment", "-h"]);
            expect(help.stdout).toContain("comment match options");
            const size = fs
                .readdirSync(folder, { recursive: true, withFileTypes: true })
                .filter((entry) => entry.isFile())
                .reduce((sum, { parentPath, name }) => sum + fs.statSync(path.join(parentPath, name)).size, 0);
            expect(size).toBeLessThan(20 * 2 ** 20);
        }),
);
