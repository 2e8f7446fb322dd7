/** Runs Kubernetes' own conformance tests, `e2e.test`, against a cluster on real machines. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { executable, RealKubernetes } from "../machines/support/kubernetes";
import { LEFT_OUT } from "./leftOut";
import { type Outcome, outcomeOf, type Spec } from "./report";

/** Two workers, the fewest that the tests want, with the tests' images in addition to those of every node. */
export function conformanceCluster(cidr: string): Promise<RealKubernetes> {
    return RealKubernetes.create(
        cidr,
        { etcd: "a", controlPlanes: "a", pools: { worker: { count: 2, serviceOffering: "Large Instance" } } },
        { images: ["node", "test"], kubernetes: { nodePortCidrs: [cidr] } },
    );
}

/** Tests wait more than they compute. */
const PROCESSES = Math.max(4, 2 * os.availableParallelism());

export interface SuiteOptions {
    /** Parts of names. Default: all conformance tests. */
    readonly names?: readonly string[];
    /** Where the report and the log stay. */
    readonly folder: string;
    /** Called now and then with what is done, and with the name of each test that fails. */
    readonly onProgress?: (text: string) => void;
}

/**
 * Runs tests in parallel where they may; those that are marked `[Serial]` run alone, at the end.
 *
 * @throws Error if the tests could not be started
 */
export async function runSuite(
    cluster: RealKubernetes,
    { names, folder, onProgress = () => undefined }: SuiteOptions,
): Promise<Outcome> {
    fs.mkdirSync(folder, { recursive: true });
    const [ginkgo, tests] = ["ginkgo", "e2e.test"].map((program) => executable(program, folder));
    const literally = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
    const selection = [
        "--label-filter=Conformance",
        ...(names ?? []).map((name) => `--focus=${literally(name)}`),
        ...[...LEFT_OUT.keys()].map((name) => `--skip=${literally(name)}`),
    ];
    const report = path.join(folder, "report.json");
    fs.rmSync(report, { force: true });
    const output = ["--no-color", "--timeout=6h", `--output-dir=${folder}`, "--json-report=report.json"];
    const args = [`--procs=${PROCESSES}`, ...selection, ...output, tests, "--"];
    const ofCluster = [`--kubeconfig=${cluster.kubeconfig}`, `--kubectl-path=${cluster.client()}`];
    const end = await follow(ginkgo, [...args, ...ofCluster, "--provider=skeleton"], folder, onProgress);
    if (!fs.existsSync(report)) throw new Error(`ginkgo has written no report: ${end}`);
    const [{ SpecReports: specs }] = JSON.parse(fs.readFileSync(report, "utf8")) as [{ SpecReports: Spec[] }];
    return outcomeOf(specs, LEFT_OUT);
}

/** How often progress is told, in milliseconds. */
const INTERVAL = 30_000;

/** Runs Ginkgo to its end, whatever its exit code is; its output goes to a file. @returns the end of the output */
function follow(
    command: string,
    args: readonly string[],
    folder: string,
    onProgress: (text: string) => void,
): Promise<string> {
    const log = fs.createWriteStream(path.join(folder, "ginkgo.log"));
    const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    const started = Date.now();
    let [marks, failures, tail] = [0, 0, ""];
    const tell = () => {
        const minutes = ((Date.now() - started) / 60_000).toFixed(1);
        onProgress(`${minutes} min: ${marks} tests done, ${failures} of them failed`);
    };
    const timer = setInterval(tell, INTERVAL);
    const read = (chunk: Buffer) => {
        log.write(chunk);
        const text = chunk.toString();
        // Ginkgo prints this mark once for each test.
        marks += text.split("•").length - 1;
        const lines = (tail + text).split("\n");
        tail = lines.pop()!;
        for (const line of lines.filter((one) => /^\s*• \[(FAILED|TIMEDOUT|PANICKED)\]/.test(one))) {
            failures += 1;
            onProgress(line.trim());
        }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", () => {
            clearInterval(timer);
            tell();
            log.end();
            resolve(fs.readFileSync(path.join(folder, "ginkgo.log"), "utf8").slice(-2_000));
        });
    });
}
