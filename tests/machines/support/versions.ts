/** The versions of a cluster's parts, as a client sees them while the cluster is upgraded. */
import * as https from "node:https";
import { credentialsOf } from "./apiWriter";

/** What runs at one moment, by node; parts that do not answer are missing. */
export interface Versions {
    /** API servers. */
    readonly api: Readonly<Record<string, string>>;
    readonly kubelet: Readonly<Record<string, string>>;
    /** That of kube-proxy's DaemonSet. */
    readonly proxy: string;
}

/**
 * What violates Kubernetes' version skew policy: a kubelet must not be newer than the API servers that it may talk to (its
 * own one on a control plane, all of them on a worker), and kube-proxy not newer than any API server.
 *
 * Source: https://kubernetes.io/releases/version-skew-policy/
 */
export function violations({ api, kubelet, proxy }: Versions): string[] {
    const oldest = Math.min(...Object.values(api).map(minorOf));
    return [
        ...Object.entries(kubelet)
            .filter(([node, version]) => minorOf(version) > (api[node] === undefined ? oldest : minorOf(api[node])))
            .map(([node, version]) => `kubelet ${version} of ${node}, with API servers ${JSON.stringify(api)}`),
        ...(minorOf(proxy) > oldest ? [`kube-proxy ${proxy}, with API servers ${JSON.stringify(api)}`] : []),
    ];
}

function minorOf(version: string): number {
    return Number(/^v?1\.(\d+)\./.exec(version)![1]);
}

/** Every state that was seen while something happened, in order, without repetitions. */
export async function versionsDuring(
    kubeconfigs: Readonly<Record<string, string>>,
    action: () => Promise<unknown>,
): Promise<readonly Versions[]> {
    const watch = new VersionsWatch(kubeconfigs);
    try {
        await action();
    } finally {
        await watch.end();
    }
    return watch.seen;
}

/** Looks at the versions again and again, until it is ended. */
class VersionsWatch {
    readonly seen: Versions[] = [];
    private readonly kubeconfigs: Readonly<Record<string, string>>;
    private readonly working: Promise<void>;
    private ends = false;
    /** The last version of each API server: one that is being replaced counts as what it was. */
    private api: Record<string, string> = {};

    /** @param kubeconfigs one for each control plane, by the name of its node */
    constructor(kubeconfigs: Readonly<Record<string, string>>) {
        this.kubeconfigs = kubeconfigs;
        this.working = this.work();
    }

    private async work(): Promise<void> {
        while (!this.ends) {
            const found = await this.look();
            if (found !== undefined && JSON.stringify(found) !== JSON.stringify(this.seen.at(-1)))
                this.seen.push(found);
            await new Promise((resolve) => setTimeout(resolve, 500));
        }
    }

    private async look(): Promise<Versions | undefined> {
        const all = Object.entries(this.kubeconfigs);
        const before = { ...this.api };
        await Promise.all(
            all.map(async ([node, kubeconfig]) => {
                const answer = await ask(kubeconfig, "/version").catch(() => undefined);
                if (answer !== undefined) this.api[node] = answer.gitVersion;
            }),
        );
        for (const [, kubeconfig] of all) {
            try {
                const { items } = await ask(kubeconfig, "/api/v1/nodes");
                const proxy = await ask(kubeconfig, "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy");
                const kubelet = Object.fromEntries(
                    items.map(({ metadata, status }: any) => [metadata.name, status.nodeInfo.kubeletVersion]),
                );
                const [, tag] = proxy.spec.template.spec.containers[0].image.split(/:(?=v)/);
                // The nodes are looked at after the API servers, so a server that was older then is looked at again.
                if (JSON.stringify(before) !== JSON.stringify(this.api)) return undefined;
                return { api: { ...this.api }, kubelet, proxy: tag };
            } catch {
                continue;
            }
        }
        return undefined;
    }

    async end(): Promise<void> {
        this.ends = true;
        await this.working;
    }
}

/** What an API server answers to a GET request. @throws where it does not, or not well */
function ask(kubeconfig: string, path: string): Promise<any> {
    const { server, ca, certificate: cert, key } = credentialsOf(kubeconfig);
    return new Promise((resolve, reject) => {
        const options = { ca, cert, key, agent: false, timeout: 3_000 };
        const request = https.get(new URL(path, server), options, (response) => {
            let text = "";
            response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
            response.on("error", reject);
            response.on("end", () => {
                if (response.statusCode === 200) resolve(JSON.parse(text));
                else reject(new Error(`status ${response.statusCode}`));
            });
        });
        request.on("timeout", () => request.destroy(new Error("no answer")));
        request.on("error", reject);
    });
}
