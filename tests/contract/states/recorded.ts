/** Stacks as released versions left them: a program, the stack's state, and the cloud that it belongs to. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as zlib from "node:zlib";
import { type RunningCloud, startCloud } from "../../../simulator";
import { Project } from "../../e2e/support/project";

/** One folder per version. */
export const folder = __dirname;

/** A placeholder for the port of the recorded cloud. */
const ENDPOINT = "http://127.0.0.1:0/client/api";

export interface Stand {
    readonly cloud: RunningCloud;
    readonly project: Project;
    /** The state folder of the cloud. */
    readonly stateDir: string;
    /** @param last runs after the cloud is closed, while its state still exists */
    readonly dispose: (last?: () => void) => Promise<void>;
}

export const file = (version: string, name: string) => path.join(folder, version, name);

/** A cloud and a project for the program of a version; the cloud is a recorded one, or new. */
export async function stand(version: string): Promise<Stand> {
    const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-cloudstack-state-"));
    const recording = file(version, "cloud.sqlite.gz");
    if (fs.existsSync(recording))
        fs.writeFileSync(path.join(stateDir, "cloud.sqlite"), zlib.gunzipSync(fs.readFileSync(recording)));
    const cloud = await startCloud({ stateDir });
    const { apiKey, secretKey } = cloud.accounts.expunger;
    const project = new Project({
        name: "recorded",
        program: fs.readFileSync(file(version, "program.ts"), "utf8"),
        config: { "cloudstack:zone": "sandbox" },
        environment: {
            CLOUDSTACK_ENDPOINT: cloud.endpoint,
            CLOUDSTACK_API_KEY: apiKey,
            CLOUDSTACK_SECRET_KEY: secretKey,
        },
    });
    return {
        cloud,
        project,
        stateDir,
        dispose: async (last) => {
            project.dispose();
            await cloud.close();
            last?.();
            fs.rmSync(stateDir, { recursive: true, force: true });
        },
    };
}

/** Records the current state of a stack and its cloud. */
export async function record(version: string, { cloud, project, stateDir, dispose }: Stand): Promise<void> {
    const { stdout } = await project.run(["stack", "export", "--stack", project.stack]);
    await cloud.idle();
    const text = stdout.replaceAll(cloud.endpoint, ENDPOINT);
    fs.writeFileSync(file(version, "state.json.gz"), zlib.gzipSync(text, { level: 9 }));
    const sqlite = path.join(stateDir, "cloud.sqlite");
    // Closed, so that its journal is part of the recording.
    await dispose(() =>
        fs.writeFileSync(file(version, "cloud.sqlite.gz"), zlib.gzipSync(fs.readFileSync(sqlite), { level: 9 })),
    );
}

/** Imports the recorded stack into the project, with the recorded cloud at its new address. */
export async function replay(version: string, { cloud, project }: Stand): Promise<void> {
    const text = zlib.gunzipSync(fs.readFileSync(file(version, "state.json.gz"))).toString();
    project.write("state.json", text.replaceAll(ENDPOINT, cloud.endpoint));
    await project.run(["stack", "import", "--stack", project.stack, "--file", "state.json"]);
}
