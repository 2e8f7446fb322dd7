import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import type { CloudConfig } from "../../../../components/cloudInit";
import { findTool } from "../../../support/tools";

/**
 * A folder that stands for a machine: the files of a document, with all paths moved into it, and programs before those
 * of this machine on the PATH. Scripts are the real ones but for the paths.
 */
export class Machine {
    readonly folder: string;

    constructor(folder: string, document: CloudConfig, programs: Record<string, string>) {
        this.folder = folder;
        fs.mkdirSync(this.path("/run"), { recursive: true });
        fs.mkdirSync(this.path("/etc/kubernetes/manifests"), { recursive: true });
        for (const { path: name, content } of document.writeFiles ?? [])
            if (/^\/(usr\/local|etc\/kubernetes)\//.test(name)) this.write(name, this.moved(content));
        for (const [name, text] of Object.entries(programs))
            this.write(`/programs/${name}`, `#!/bin/bash\n${this.moved(text)}\n`);
    }

    /** Where a path of the machine is on this one. */
    path(name: string): string {
        return path.join(this.folder, name);
    }

    write(name: string, content: string): void {
        fs.mkdirSync(path.dirname(this.path(name)), { recursive: true });
        fs.writeFileSync(this.path(name), content, { mode: 0o755 });
    }

    read(name: string): string {
        return fs.existsSync(this.path(name)) ? fs.readFileSync(this.path(name), "utf8") : "";
    }

    /** What the stand-ins were asked to do so far, a line each. */
    get calls(): string[] {
        return this.read("/calls")
            .split("\n")
            .filter((line) => line !== "");
    }

    /** Runs one of the machine's programs; `kill` ends it, as a crash of the machine would. */
    start(
        name: string,
        env: Record<string, string> = {},
    ): { ended: Promise<{ status: number | null; output: string }>; kill: () => void } {
        const child = spawn("bash", [this.path(`/usr/local/sbin/${name}`)], {
            detached: true,
            env: { PATH: `${this.path("/programs")}:${process.env.PATH}:/usr/sbin:/sbin`, ...env },
        });
        let output = "";
        child.stdout.on("data", (data) => (output += data));
        child.stderr.on("data", (data) => (output += data));
        const ended = new Promise<{ status: number | null; output: string }>((resolve) =>
            child.on("exit", (status) => resolve({ status, output })),
        );
        return { ended, kill: () => process.kill(-(child.pid as number), "SIGKILL") };
    }

    async run(name: string, env: Record<string, string> = {}): Promise<{ status: number | null; output: string }> {
        return this.start(name, env).ended;
    }

    private moved(text: string): string {
        return text.replace(
            /(?<![\w.])\/(etc\/kubernetes|var\/lib\/kubernetes|usr\/local\/lib\/kubernetes|run\/kubernetes)/g,
            `${this.folder}/$1`,
        );
    }
}

/** How much faster than real time leases and `sleep` go by in these tests. */
export const haste = 100;

/**
 * Programs of a control plane. All machines of a cloud share a folder that says which addresses answer as a ready API,
 * and which version the cluster names.
 */
export function standIns(cloud: string, address: string): Record<string, string> {
    return {
        sleep: `exec ${findTool("sleep")} "$(awk -v s="$1" 'BEGIN { print s / ${haste} }')"`,
        "kubernetes-prepare": ":",
        kubeadm: `
[ "$*" != "version -o short" ] || { cat "${cloud}/kubeadm" 2>/dev/null || echo v1.36.4; exit; }
echo "kubeadm $*" >>"$(dirname "$0")/../calls"
[ ! -e "$(dirname "$0")/../fail-kubeadm" ] || { rm "$(dirname "$0")/../fail-kubeadm"; exit 1; }
[ ! -e "$(dirname "$0")/../slow-kubeadm" ] || ${findTool("sleep")} 30
case "$1 $2" in
"init --config") touch "${cloud}/answers-${address}"; echo "init ${address}" >>"${cloud}/events" ;;
"join --config") touch "${cloud}/answers-${address}"; echo "join ${address}" >>"${cloud}/events" ;;
reset*) rm -f "${cloud}/answers-${address}" ;;
esac`,
        kubectl: `
echo "kubectl \${*//$'\\n'/ }" >>"$(dirname "$0")/../calls"
case "$*" in
*"get configmap kubeadm-config"*) echo "kubernetesVersion: $(cat "${cloud}/version" 2>/dev/null || echo v1.36.4)" ;;
*"get csr"*) cat "${cloud}/requests" ;;
*"get node "*) grep -xF "node/$3" "${cloud}/nodes" 2>/dev/null ;;
*"get nodes -l"*) cat "${cloud}/versions" ;;
*"status.addresses"*) cat "${cloud}/addresses" ;;
*"get nodes"*) cat "${cloud}/nodes" ;;
apply*) cat >>"$(dirname "$0")/../applied" 2>/dev/null </dev/null ;;
esac`,
        getent: `awk -v n="$2" '$1 == n { print $2 }' "${cloud}/names"`,
        curl: `
for last in "$@"; do :; done
[ "$last" = https://kubernetes:6443/readyz ] || exec ${findTool("curl")} "$@"
address=$(sed -n 's/.*--resolve kubernetes:6443:\\([0-9.]*\\).*/\\1/p' <<<"$*")
[ -e "${cloud}/answers-$address" ]`,
    };
}

/** Stands in for etcd's JSON gateway: the few requests that the scripts make, with the same answers. */
export class Gateway {
    readonly values = new Map<string, { value: string; lease?: string }>();
    private readonly leases = new Map<string, NodeJS.Timeout>();
    private readonly server = http.createServer((request, response) => {
        let body = "";
        request.on("data", (data) => (body += data));
        request.on("end", () => response.end(JSON.stringify(this.answer(request.url ?? "", JSON.parse(body)))));
    });

    async listen(): Promise<string> {
        await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
        return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    }

    close(): void {
        for (const timer of this.leases.values()) clearTimeout(timer);
        this.server.closeAllConnections();
        this.server.close();
    }

    /** The value of a mark of cluster `demo`. */
    mark(name: string): string | undefined {
        const value = this.values.get(this.key(name))?.value;
        return value === undefined ? undefined : Buffer.from(value, "base64").toString();
    }

    setMark(name: string, text: string): void {
        this.values.set(this.key(name), { value: Buffer.from(text).toString("base64") });
    }

    private key(name: string): string {
        return Buffer.from(`/pulumi-cloudstack/demo/${name}`).toString("base64");
    }

    private answer(url: string, body: any): object {
        switch (url) {
            case "/v3/kv/range": {
                const found = this.values.get(body.key);
                return found === undefined
                    ? { header: {} }
                    : { header: {}, kvs: [{ key: body.key, value: found.value }], count: "1" };
            }
            case "/v3/kv/put":
                this.values.set(body.key, { value: body.value, lease: body.lease });
                return { header: {} };
            case "/v3/kv/txn": {
                const fits = body.compare.every((each: any) => {
                    const found = this.values.get(each.key);
                    return each.target === "CREATE" ? found === undefined : found?.value === each.value;
                });
                if (fits)
                    for (const { request_put: put } of body.success)
                        this.values.set(put.key, { value: put.value, lease: put.lease });
                return fits ? { header: {}, succeeded: true } : { header: {} };
            }
            case "/v3/lease/grant": {
                const id = String(7587883212297104000n + BigInt(this.leases.size));
                this.keep(id, Number(body.TTL));
                return { header: {}, ID: id, TTL: body.TTL };
            }
            case "/v3/lease/keepalive":
                if (this.leases.has(body.ID)) this.keep(body.ID, 60);
                return { result: { header: {}, ID: body.ID } };
            case "/v3/lease/revoke":
                this.end(body.ID);
                return { header: {} };
            default:
                throw new Error(`the stand-in does not know ${url}`);
        }
    }

    private keep(id: string, seconds: number): void {
        clearTimeout(this.leases.get(id));
        this.leases.set(id, setTimeout(() => this.end(id), (seconds * 1000) / haste).unref());
    }

    private end(id: string): void {
        clearTimeout(this.leases.get(id));
        for (const [key, { lease }] of this.values) if (lease === id) this.values.delete(key);
    }
}
