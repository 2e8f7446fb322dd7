/** The configuration that CloudStack clients read, in the format of each. */

import { shellWord } from "../hypervisors/nspawn/host";

export const FORMATS = ["shell", "cmk", "cs"] as const;

export type Format = (typeof FORMATS)[number];

export interface ClientAccess {
    readonly endpoint: string;
    readonly apiKey: string;
    readonly secretKey: string;
    /** Only for a running cloud. */
    readonly cloud?: {
        readonly hypervisor: string;
        readonly gateway: string;
        /** This computer's address in the cloud's network; undefined where no machines boot. */
        readonly hostAddress?: string;
        /** Path of the file with the SHA-256 sums of the mirror's files. */
        readonly manifest: string;
    };
}

/**
 * - `shell`: `export NAME=value` lines for this package (CLOUDSTACK_ENDPOINT, _API_KEY, _SECRET_KEY), the Python
 *   client cs (CLOUDSTACK_ENDPOINT, _KEY, _SECRET) and Terraform's provider (CLOUDSTACK_API_URL, _API_KEY,
 *   _SECRET_KEY); for a running cloud also CLOUDSTACK_LOCAL_HYPERVISOR, and where it boots machines
 *   CLOUDSTACK_LOCAL_MIRROR (URL of release files), _MANIFEST (a file with their sums) and _HOST (this computer's
 *   address in the cloud's network, as a CIDR)
 * - `cmk`: the configuration file of CloudMonkey (`~/.cmk/config`, or `cmk -c FILE`)
 * - `cs`: the configuration file of cs (`~/.cloudstack.ini`)
 */
export function environment({ endpoint, apiKey, secretKey, cloud }: ClientAccess, format: Format): string {
    switch (format) {
        case "shell":
            return lines([
                `export CLOUDSTACK_ENDPOINT=${endpoint}`,
                `export CLOUDSTACK_API_URL=${endpoint}`,
                `export CLOUDSTACK_API_KEY=${apiKey}`,
                `export CLOUDSTACK_KEY=${apiKey}`,
                `export CLOUDSTACK_SECRET_KEY=${secretKey}`,
                `export CLOUDSTACK_SECRET=${secretKey}`,
                ...cloudVariables(cloud),
            ]);
        case "cmk":
            return lines([
                "asyncblock = true",
                "timeout = 1800",
                "output = json",
                "verifycert = true",
                "profile = local",
                "",
                "[local]",
                `url = ${endpoint}`,
                `apikey = ${apiKey}`,
                `secretkey = ${secretKey}`,
                "domain = /",
            ]);
        case "cs":
            return lines(["[cloudstack]", `endpoint = ${endpoint}`, `key = ${apiKey}`, `secret = ${secretKey}`]);
    }
}

function cloudVariables(cloud: ClientAccess["cloud"]): string[] {
    if (cloud === undefined) return [];
    const hypervisor = `export CLOUDSTACK_LOCAL_HYPERVISOR=${cloud.hypervisor}`;
    if (cloud.hostAddress === undefined) return [hypervisor];
    return [
        hypervisor,
        `export CLOUDSTACK_LOCAL_MIRROR=http://${cloud.gateway}/artifacts`,
        `export CLOUDSTACK_LOCAL_MANIFEST=${shellWord(cloud.manifest)}`,
        `export CLOUDSTACK_LOCAL_HOST=${cloud.hostAddress}/32`,
    ];
}

const lines = (all: string[]) => `${all.join("\n")}\n`;
