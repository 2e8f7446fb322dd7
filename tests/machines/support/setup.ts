/** Before the first test with machines: whether this host runs any, and the root file system that they start from. */
import { cacheFolder } from "../../../simulator/cache";
import { ensureTemplate, whyUnsupported } from "../../../simulator/hypervisors/nspawn";
import { TEMPLATE } from "./template";

export default async function setup(): Promise<void> {
    const reason = await whyUnsupported();
    process.env.NO_MACHINES = reason ?? "";
    if (reason === undefined) await ensureTemplate(cacheFolder(), TEMPLATE, console.log);
}
