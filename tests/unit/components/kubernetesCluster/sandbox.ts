import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Gateway } from "./machines";

/** Where the scripts of a test run. */
export interface Sandbox {
    /** The folder of all files of the test. */
    folder: string;
    /** A folder that all machines share, in place of the network; see `standIns`. */
    cloud: string;
    /** In place of etcd; a test may replace it. */
    gateway: Gateway;
    /** The URL of the first gateway. */
    endpoint: string;
}

/** Creates a sandbox before each test of a file, and removes it after it. */
export function useSandbox(): Sandbox {
    const sandbox = {} as Sandbox;

    beforeEach(async () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-cloudstack-test-"));
        const cloud = path.join(folder, "cloud");
        fs.mkdirSync(cloud);
        const gateway = new Gateway();
        Object.assign(sandbox, { folder, cloud, gateway, endpoint: await gateway.listen() });
    });

    afterEach(() => {
        sandbox.gateway.close();
        fs.rmSync(sandbox.folder, { recursive: true, force: true, maxRetries: 5 });
    });

    return sandbox;
}
