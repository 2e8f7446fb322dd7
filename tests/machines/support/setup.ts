/**
 * Before the first test with machines: whether this host runs any, the root file system that they start from, and whether
 * the mirror has Kubernetes.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { filesOf } from "../../../simulator/artifacts/files";
import { artifactsFolder } from "../../../simulator/artifacts/mirror";
import { cacheFolder } from "../../../simulator/cache";
import { ensureTemplate, whyUnsupported } from "../../../simulator/hypervisors/nspawn";
import { NEWEST, TEMPLATE } from "./template";

export default async function setup(): Promise<void> {
    const reason = await whyUnsupported();
    process.env.NO_MACHINES = reason ?? "";
    if (reason === undefined) await ensureTemplate(cacheFolder(), TEMPLATE, console.log);
    const folder = artifactsFolder(cacheFolder());
    const missing = filesOf({ kubernetes: [NEWEST] }).filter(
        ({ fileName }) => !fs.existsSync(path.join(folder, fileName)),
    );
    // To build it takes longer than all other tests together: `npm run test:machines` does.
    process.env.NO_KUBERNETES =
        reason ??
        (missing.length === 0 ? "" : `no Kubernetes ${NEWEST} in the mirror: run npx cloudstack-local artifacts`);
}
