import * as fs from "node:fs";
import * as path from "node:path";
import type { RealCloud } from "./cluster";

const script = fs.readFileSync(path.join(__dirname, "findKeys.py"), "utf8");

/** Every private key in the files of a machine: the path of the file, and the public key. */
export async function keysIn(cloud: RealCloud, machine: string): Promise<{ path: string; public: string }[]> {
    return JSON.parse(await cloud.exec(machine, "python3", "-c", script));
}
