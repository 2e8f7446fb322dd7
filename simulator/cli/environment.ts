/** What clients of CloudStack read, each in its own words. */

import { shellWord } from "../shellWord";

export const FORMATS = ["shell", "cmk", "cs"] as const;

export type Format = (typeof FORMATS)[number];

export interface Access {
    readonly endpoint: string;
    readonly apiKey: string;
    readonly secretKey: string;
    /** Of a cloud that runs. */
    readonly cloud?: {
        readonly hypervisor: string;
        readonly gateway: string;
        /** Of this computer in the cloud's network, where machines are real. */
        readonly hostAddress?: string;
        /** Sums of the files on the mirror. */
        readonly manifest: string;
    };
}

/**
 * - `shell`: `export NAME=value` lines for this package (CLOUDSTACK_ENDPOINT, _API_KEY, _SECRET_KEY), the Python
 *   client cs (CLOUDSTACK_ENDPOINT, _KEY, _SECRET) and Terraform's provider (CLOUDSTACK_API_URL, _API_KEY,
 *   _SECRET_KEY); of a cloud that runs also CLOUDSTACK_LOCAL_HYPERVISOR, and where it boots machines
 *   CLOUDSTACK_LOCAL_MIRROR (URL of release files), _MANIFEST (a file with their sums) and _HOST (this computer's
 *   address in the cloud's network, as a CIDR)
 * - `cmk`: the file that cmk reads (`~/.cmk/config`, or `cmk -c FILE`)
 * - `cs`: the file that cs reads (`~/.cloudstack.ini`)
 */
export function environment({ endpoint, apiKey, secretKey, cloud }: Access, format: Format): string {
    switch (format) {
        case "shell":
            return lines([
                `export CLOUDSTACK_ENDPOINT=${endpoint}`,
                `export CLOUDSTACK_API_URL=${endpoint}`,
                `export CLOUDSTACK_API_KEY=${apiKey}`,
                `export CLOUDSTACK_KEY=${apiKey}`,
                `export CLOUDSTACK_SECRET_KEY=${secretKey}`,
                `export CLOUDSTACK_SECRET=${secretKey}`,
                ...ofCloud(cloud),
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

function ofCloud(cloud: Access["cloud"]): string[] {
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
