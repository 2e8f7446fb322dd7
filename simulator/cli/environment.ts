/** What clients of CloudStack read, each in its own words. */

export const FORMATS = ["shell", "cmk", "cs"] as const;

export type Format = (typeof FORMATS)[number];

export interface Access {
    readonly endpoint: string;
    readonly apiKey: string;
    readonly secretKey: string;
}

/**
 * - `shell`: `export NAME=value` lines for this package (CLOUDSTACK_ENDPOINT, _API_KEY, _SECRET_KEY), the Python
 *   client cs
 *   (CLOUDSTACK_ENDPOINT, _KEY, _SECRET) and Terraform's provider (CLOUDSTACK_API_URL, _API_KEY, _SECRET_KEY)
 * - `cmk`: the file that cmk reads (`~/.cmk/config`, or `cmk -c FILE`)
 * - `cs`: the file that cs reads (`~/.cloudstack.ini`)
 */
export function environment({ endpoint, apiKey, secretKey }: Access, format: Format): string {
    switch (format) {
        case "shell":
            return lines([
                `export CLOUDSTACK_ENDPOINT=${endpoint}`,
                `export CLOUDSTACK_API_URL=${endpoint}`,
                `export CLOUDSTACK_API_KEY=${apiKey}`,
                `export CLOUDSTACK_KEY=${apiKey}`,
                `export CLOUDSTACK_SECRET_KEY=${secretKey}`,
                `export CLOUDSTACK_SECRET=${secretKey}`,
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

const lines = (all: string[]) => `${all.join("\n")}\n`;
