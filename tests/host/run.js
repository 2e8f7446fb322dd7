"use strict";

/**
 * `npm run test:host`: the embedded cloud on a host as users have one, in a virtual machine: systemd, control groups of
 * version 2, no network, nothing but the packed package. It runs an etcd cluster, then its power is cut during writes:
 * what was acknowledged has to be there after the next start.
 */

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const readline = require("node:readline");

const checkout = path.resolve(__dirname, "..", "..");
const { findEngine } = require("../../scripts/find");
const { baseImage, makeDisk, run, size } = require("./image");

const help = `Usage: npm run test:host

Boots a Debian host in QEMU (with KVM where that can be used) and runs the embedded cloud in it: needs Linux, root, qemu-system-x86 and what
npm run setup installs. Ten minutes the first time, which makes the image; then about four.`;

/** How many acknowledged writes there are when the power is cut. */
const writes = 300;
/** How long one boot may take in all, in milliseconds: software emulation is slow. */
const patience = 20 * 60_000;

let passed = 0;
let failed = 0;
function count(ok, what) {
    if (ok) passed += 1;
    else failed += 1;
    console.log(`${ok ? "  ok    " : "  FAILED"}  ${what}`);
}

/** The package as npm packs it, installed with a program beside it, and the engine that runs it. */
function makeDataDisk(work, cache, file) {
    const folder = path.join(work, "host");
    const project = path.join(folder, "project");
    fs.mkdirSync(project, { recursive: true });
    const [{ filename }] = JSON.parse(
        run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", work], { cwd: checkout }),
    );
    const manifest = require(path.join(checkout, "package.json"));
    fs.writeFileSync(path.join(project, "package.json"), JSON.stringify({ name: "host", private: true }));
    const sdk = `@pulumi/pulumi@${manifest.dependencies["@pulumi/pulumi"]}`;
    const node = `node@${manifest.devDependencies.node}`;
    run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", path.join(work, filename), sdk, node], {
        cwd: project,
    });
    fs.copyFileSync(path.join(__dirname, "program.ts"), path.join(project, "index.ts"));
    fs.writeFileSync(
        path.join(project, "Pulumi.yaml"),
        "name: host\nmain: index.ts\nruntime:\n  name: nodejs\n  options: { typescript: false, nodeargs: --disable-warning=ExperimentalWarning }\n",
    );
    copyEngine(folder, project);
    for (const name of ["guest.sh", "write.js", "held.js"])
        fs.copyFileSync(path.join(__dirname, name), path.join(folder, name === "guest.sh" ? "run.sh" : name));
    fs.copyFileSync(path.join(checkout, "scripts", "etcdCheck.js"), path.join(folder, "etcdCheck.js"));
    fs.mkdirSync(path.join(folder, "cache"));
    run("cp", ["-a", path.join(cache, "templates"), path.join(folder, "cache", "templates")]);
    // Of the mirror only what this test needs: the disk is small.
    fs.mkdirSync(path.join(folder, "cache", "artifacts"));
    for (const name of fs.readdirSync(path.join(cache, "artifacts")))
        if (/^(etcd-|manifest\.json$)/.test(name))
            fs.copyFileSync(path.join(cache, "artifacts", name), path.join(folder, "cache", "artifacts", name));
    makeDisk(folder, file, size.data);
}

/** Where Pulumi has no Node language host of its own, this package's stands in, below the project that has the SDK. */
function copyEngine(folder, project) {
    const { engine } = findEngine();
    if (engine === undefined) throw new Error("There is no Pulumi engine; run: npm run setup -- --engine");
    const bin = path.join(folder, "engine");
    fs.mkdirSync(bin);
    fs.cpSync(path.join(checkout, "scripts"), path.join(project, "scripts"), { recursive: true });
    fs.copyFileSync(fs.realpathSync(path.join(engine.folder, "pulumi")), path.join(bin, "pulumi"));
    for (const name of ["pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"]) {
        const script = fs.readFileSync(path.join(engine.folder, name));
        // Ours are scripts that name their checkout; Pulumi's own are programs.
        const text = script.subarray(0, 2).toString() === "#!" ? script.toString() : undefined;
        const moved = text === undefined ? script : text.replaceAll(/'[^']*\/scripts\//g, "'/host/project/scripts/");
        fs.writeFileSync(path.join(bin, name), moved, { mode: 0o755 });
    }
    fs.chmodSync(path.join(bin, "pulumi"), 0o755);
}

/** Boots the host; `onLine` hears what the test in it says, and may cut its power. */
function boot(image, root, data, accelerator, onLine) {
    const cpu = accelerator === "kvm" ? "host" : "max";
    const args = [
        ...["-machine", `q35,accel=${accelerator}`, "-cpu", cpu, "-smp", "2", "-m", "3072"],
        ...["-kernel", image.kernel, "-initrd", image.initrd],
        ...[
            "-append",
            "root=/dev/vda rw console=ttyS0 quiet systemd.show_status=no systemd.unified_cgroup_hierarchy=1",
        ],
        // Written through to the host: what the guest has flushed is there after its end, and nothing else.
        ...[root, data].flatMap((file) => ["-drive", `file=${file},format=raw,if=virtio,cache=writethrough`]),
        ...["-nic", "none", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"],
    ];
    return new Promise((resolve, reject) => {
        const child = spawn("qemu-system-x86_64", args, { stdio: ["ignore", "pipe", "pipe"] });
        const cut = () => child.kill("SIGKILL");
        const timer = setTimeout(() => {
            console.log("  (it took too long: power cut)");
            cut();
        }, patience);
        let errors = "";
        child.stderr.on("data", (text) => {
            errors += text;
            // Where this machine is virtual itself, KVM may be there and not work.
            if (/KVM internal error/.test(text)) cut();
        });
        readline.createInterface({ input: child.stdout }).on("line", (line) => {
            if (process.env.HOST_CONSOLE) console.log(`    | ${line}`);
            onLine(line.replace(/\r$/, ""), cut);
        });
        child.once("error", reject);
        child.once("exit", (code, signal) => {
            clearTimeout(timer);
            resolve({ code, signal, errors });
        });
    });
}

/**
 * The first line that the test in the host says decides whether KVM can be used: where it cannot, QEMU ends at once.
 */
function accelerators() {
    try {
        fs.accessSync("/dev/kvm", fs.constants.R_OK | fs.constants.W_OK);
        return ["kvm", "tcg"];
    } catch {
        return ["tcg"];
    }
}

/** One boot, with what it says counted. */
async function phase(image, root, data, accelerator, more) {
    const started = Date.now();
    let ended = false;
    const result = await boot(image, root, data, accelerator, (line, cut) => {
        const [, word, rest = ""] = /^.*test: (\w+) ?(.*)$/.exec(line) ?? [];
        if (word === undefined) return;
        if (word === "ok" || word === "failed") count(word === "ok", rest);
        else if (word === "figures")
            console.log(`          ${rest} (${((Date.now() - started) / 1000).toFixed(0)} s after power-on)`);
        if (word === "end") ended = true;
        more(word, rest, cut);
    });
    return { ...result, ended, seconds: (Date.now() - started) / 1000 };
}

async function hostTest() {
    const cache = require(path.join(checkout, "dist/simulator/cache.js")).cacheFolder();
    const { ensureTemplate } = require(path.join(checkout, "dist/simulator/hypervisors/nspawn"));
    await ensureTemplate(cache, "Debian 13");
    run(process.execPath, [path.join(checkout, "dist/simulator/main.js"), "artifacts", "--without-kubernetes"]);
    const work = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-cloudstack-host-"));
    try {
        let started = Date.now();
        console.log("The host's image");
        const image = baseImage(cache);
        console.log(`          ${((Date.now() - started) / 1000).toFixed(0)} s`);
        const root = path.join(work, "root.ext4");
        const data = path.join(work, "data.ext4");
        run("cp", ["--sparse=always", image.disk, root]);
        started = Date.now();
        makeDataDisk(work, cache, data);
        console.log(`          its disk with the package: ${((Date.now() - started) / 1000).toFixed(0)} s`);
        await twoBoots(image, root, data);
    } finally {
        fs.rmSync(work, { recursive: true, force: true });
    }
}

async function twoBoots(image, root, data) {
    let acknowledged = 0;
    const first = (word, rest, cut) => {
        if (word === "acknowledged") {
            acknowledged = Number(rest);
            if (acknowledged >= writes) cut();
        }
    };
    let accelerator;
    for (accelerator of accelerators()) {
        console.log(`First boot (${accelerator === "kvm" ? "KVM" : "software emulation"})`);
        const { seconds, errors } = await phase(image, root, data, accelerator, first);
        if (acknowledged > 0 || passed + failed > 0) break;
        console.log(`          not usable after ${seconds.toFixed(0)} s: ${errors.trim().split("\n").at(-1)}`);
    }
    count(acknowledged >= writes, `the power was cut during writes, after ${acknowledged} acknowledged ones`);
    console.log("Second boot");
    let held = 0;
    const second = (word, rest) => {
        if (word === "held") held = parseInt(rest, 10);
    };
    const { ended } = await phase(image, root, data, accelerator, second);
    count(held >= acknowledged, `every acknowledged write is there: ${held} held, ${acknowledged} acknowledged`);
    count(ended, "the test in the host came to its end");
}

async function main() {
    const has = (program) =>
        (process.env.PATH ?? "")
            .split(":")
            .concat("/usr/sbin")
            .some((folder) => fs.existsSync(path.join(folder, program)));
    const missing = ["qemu-system-x86_64", "mmdebstrap", "mkfs.ext4"].filter((program) => !has(program));
    if (process.platform !== "linux" || process.getuid() !== 0 || missing.length > 0) {
        console.log(
            `The embedded cloud on a host with systemd: skipped (${missing.length ? `${missing.join(", ")} missing` : "needs Linux and root"})`,
        );
        console.log("0 passed, 0 failed, 1 skipped");
        return;
    }
    try {
        await hostTest();
    } catch (error) {
        count(false, error.stderr || error.message);
    }
    console.log(`${passed} passed, ${failed} failed, 0 skipped`);
    process.exitCode = failed === 0 ? 0 : 1;
}

if (process.argv.includes("--help")) console.log(help);
else main();
