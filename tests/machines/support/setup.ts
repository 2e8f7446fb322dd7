/**
 * Before the first test with machines: whether this host runs any, the root file system that they start from, and whether
 * the mirror has Kubernetes and its own tests.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { filesOf, type Wanted } from "../../../simulator/artifacts/files";
import { artifactsFolder } from "../../../simulator/artifacts/mirror";
import { cacheFolder } from "../../../simulator/cache";
import { ensureTemplate, whyUnsupported } from "../../../simulator/hypervisors/nspawn";
import { NEWEST, TEMPLATE } from "./template";

export default async function setup(): Promise<void> {
    const reason = await whyUnsupported();
    process.env.NO_MACHINES = reason ?? "";
    if (reason === undefined) await ensureTemplate(cacheFolder(), TEMPLATE, console.log);
    // To build them takes longer than all other tests together: `npm run test:machines` does.
    process.env.NO_KUBERNETES = reason ?? whyNot({ kubernetes: [NEWEST] }, "");
    process.env.NO_CONFORMANCE = reason ?? whyNot({ kubernetes: [NEWEST], conformance: [NEWEST] }, " --conformance");
}

/** What the mirror lacks, and how to get it; nothing if it has all. */
function whyNot(wanted: Wanted, option: string): string {
    const folder = artifactsFolder(cacheFolder());
    const missing = filesOf(wanted).filter(({ fileName }) => !fs.existsSync(path.join(folder, fileName)));
    if (missing.length === 0) return "";
    const what = option === "" ? `Kubernetes ${NEWEST}` : `conformance tests of Kubernetes ${NEWEST}`;
    return `no ${what} in the mirror: run npx cloudstack-local artifacts${option}`;
}
