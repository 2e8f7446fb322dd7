import { type ChildProcess, spawn } from "node:child_process";
import * as path from "node:path";

/** The folder `scripts`: JavaScript, since it runs before anything is compiled. */
export const scripts = path.resolve(__dirname, "../../../scripts");

/**
 * Loads modules of the scripts in a new process, with more in its environment: they read folders when they are loaded.
 */
export function load(module: string, environment: Record<string, string | undefined> = {}): any {
    const before = { ...process.env };
    for (const [name, value] of Object.entries(environment)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
    }
    try {
        let loaded: any;
        jest.isolateModules(() => (loaded = require(path.join(scripts, module))));
        return loaded;
    } finally {
        process.env = before;
    }
}

export interface Script {
    readonly child: ChildProcess;
    /** Its output, when it has ended. */
    readonly ended: Promise<string>;
    /** Resolves when its output contains this text. */
    says(text: string): Promise<void>;
}

/** A Node.js process that runs this text in the folder of the scripts. */
export function script(text: string, environment: Record<string, string> = {}): Script {
    const child = spawn(process.execPath, ["-e", text], {
        cwd: scripts,
        env: { ...process.env, ...environment },
        stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout!.setEncoding("utf8").on("data", (more) => (output += more));
    return {
        child,
        ended: new Promise((resolve) => child.once("close", () => resolve(output))),
        says: (wanted) =>
            new Promise((resolve, reject) => {
                const look = () => output.includes(wanted) && resolve();
                child.stdout!.on("data", look);
                child.once("close", () => reject(new Error(`it ended without "${wanted}": ${output}`)));
                look();
            }),
    };
}
