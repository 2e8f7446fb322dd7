import type { KubernetesApi } from "./api";
import { nodePath } from "./nodes";

/** The file to which cloud-init writes the output of the first boot. */
const BOOTSTRAP_LOG = "cloud-init-output.log";

/** How much of it an error contains, in bytes and in lines. */
const TAIL_BYTES = 4_000;
const TAIL_LINES = 15;

/** The end of a node's bootstrap log, which kubelet serves through the API; otherwise, where to find that log. */
export async function logOf(api: KubernetesApi, node: string): Promise<string> {
    const where =
        `On the machine (console or SSH): /var/log/${BOOTSTRAP_LOG}, and journalctl -u kubelet -u containerd ` +
        "-u 'kubernetes-*'.";
    try {
        const text = await api.tail(`${nodePath(node)}/proxy/logs/${BOOTSTRAP_LOG}`, TAIL_BYTES);
        const lines = String(text).trimEnd().split("\n").slice(-TAIL_LINES);
        return `${where} The last lines of the former:\n${lines.map((line) => `    ${line}`).join("\n")}\n`;
    } catch {
        return where;
    }
}
