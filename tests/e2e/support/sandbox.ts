import { type CloudOptions, type RunningCloud, startCloud } from "../../../simulator";
import { Client } from "../../contract/simulator/client";
import { cloudEnvironment } from "./mainProject";
import { Project } from "./project";

/** A cloud, clients of its users, and a project in its zone. */
export interface Sandbox {
    readonly cloud: RunningCloud;
    readonly user: Client;
    readonly admin: Client;
    readonly project: Project;
}

export interface SandboxOptions {
    /** The project's first program, which is run before the tests. By default an empty one, which is not run. */
    program?: string;
    cloud?: CloudOptions;
}

/** Creates a sandbox before the tests of a file, and removes it after them. */
export function inSandbox({ program, cloud: options }: SandboxOptions, begin: (sandbox: Sandbox) => void): void {
    let sandbox: Sandbox | undefined;
    beforeAll(async () => {
        const cloud = await startCloud(options);
        const project = new Project({
            program: program ?? "",
            config: { "cloudstack:zone": "sandbox" },
            environment: cloudEnvironment(cloud),
        });
        const [user, admin] = [cloud.accounts.user, cloud.accounts.admin].map((keys) => new Client(cloud, keys));
        sandbox = { cloud, user, admin, project };
        begin(sandbox);
        if (program !== undefined) await project.up();
    });
    afterAll(async () => {
        sandbox?.project.dispose();
        await sandbox?.cloud.close();
    });
}
