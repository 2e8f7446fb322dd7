/** The cache that all clouds of a user share: root file systems, and release files for nodes. */
import * as os from "node:os";
import * as path from "node:path";

/** `$CLOUDSTACK_LOCAL_CACHE`, else the XDG cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
    const xdg = env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
    return path.resolve(env.CLOUDSTACK_LOCAL_CACHE || path.join(xdg, "cloudstack-local"));
}
