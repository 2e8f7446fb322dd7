import * as crypto from "node:crypto";
import { type Handler, hasUnknown, type Inputs, isUnknown, type Outputs, same } from "../../provider/handler";
import { Failures, isCount, isText, withDefaults } from "./checks";
import { clock, millisecondsPerDay } from "./clock";
import { isIpAddress, issueLeaf, leafNotAfter, newPrivateKey, usageNames } from "./x509";

const compared = [
    "commonName",
    "organizations",
    "dnsNames",
    "ipAddresses",
    "usages",
    "validityDays",
    "caCertificate",
] as const;

/** The lifecycle of `Certificate`. */
export const certificateHandler: Handler = {
    async check(_olds: Inputs, news: Inputs) {
        const inputs = withDefaults(news, { organizations: [], dnsNames: [], ipAddresses: [], validityDays: 365 });
        if (!isUnknown(inputs.validityDays)) inputs.renewBeforeDays ??= Math.floor(inputs.validityDays / 4);
        return { inputs, failures: checkLeaf(inputs) };
    },

    async diff(_id: string, olds: Outputs, news: Inputs) {
        const changed = hasUnknown(news) || compared.some((name) => !same(olds[name], news[name]));
        return { changes: changed || !same(olds.renewBeforeDays, news.renewBeforeDays) || renewalIsDue(olds, news) };
    },

    async create(inputs: Inputs) {
        return { id: crypto.randomUUID(), outs: await issue(inputs, newPrivateKey()) };
    },

    async read(id: string, props?: Outputs) {
        return { id, props };
    },

    async update(_id: string, olds: Outputs, news: Inputs) {
        if (!compared.some((name) => !same(olds[name], news[name])) && !renewalIsDue(olds, news)) {
            const kept = Object.fromEntries(leafOutputs.map((name) => [name, olds[name]]));
            return { outs: { ...news, ...kept } };
        }
        // A renewed certificate keeps its key, so that a machine which reads the two files one after the other always
        // has a pair; a new authority, which may mean that keys were lost, gets a new one.
        const privateKey = same(olds.caCertificate, news.caCertificate) ? olds.privateKey : newPrivateKey();
        return { outs: await issue(news, privateKey) };
    },

    async delete() {},
};

/** What only the handler knows. */
const leafOutputs = ["certificate", "privateKey", "notBefore", "notAfter", "serialNumber", "fingerprint"] as const;

function checkLeaf(inputs: Inputs) {
    const failures = new Failures(inputs);
    for (const name of ["commonName", "caCertificate", "caPrivateKey", "usages"]) failures.required(name);
    failures.unless("commonName", isText, "must be 1 to 64 characters");
    failures.each("organizations", isText, "must be 1 to 64 characters");
    failures.each("dnsNames", isDnsName, "is no host name; addresses go to ipAddresses");
    failures.each("ipAddresses", isIpAddress, "is no IP address; names go to dnsNames");
    failures.each("usages", (value) => usageNames.includes(value), `must be one of ${usageNames.join(", ")}`);
    failures.unless(
        "usages",
        (value) => Array.isArray(value) && value.length > 0,
        `must name one of ${usageNames.join(", ")}`,
    );
    failures.unless("validityDays", isCount(1, 36500), "must be 1 to 36500 days");
    failures.unless("caCertificate", (value) => /^-----BEGIN CERTIFICATE-----/.test(value), "is no certificate in PEM");
    const { validityDays, renewBeforeDays } = inputs;
    if (!isUnknown(validityDays) && !isUnknown(renewBeforeDays) && !isCount(0, validityDays - 1)(renewBeforeDays))
        failures.add("renewBeforeDays", `${renewBeforeDays}: must be 0 to ${validityDays - 1}, less than validityDays`);
    // A failing private key must never be printed.
    if (
        typeof inputs.caPrivateKey === "string" &&
        !isUnknown(inputs.caPrivateKey) &&
        !/^-----BEGIN PRIVATE KEY-----/.test(inputs.caPrivateKey)
    )
        failures.add("caPrivateKey", "is no PKCS#8 private key in PEM");
    return failures.list;
}

/**
 * True in the window before the end, if a new certificate would last longer: near its own end an authority cannot give
 * more.
 */
function renewalIsDue(olds: Outputs, news: Inputs): boolean {
    const end = Date.parse(olds.notAfter);
    if (hasUnknown(news) || clock.now() < end - news.renewBeforeDays * millisecondsPerDay) return false;
    return leafNotAfter(news.caCertificate, news.validityDays) > end + 1000;
}

async function issue(inputs: Inputs, privateKey: string): Promise<Outputs> {
    const { commonName, organizations, dnsNames, ipAddresses, usages, validityDays } = inputs;
    const authority = { certificate: inputs.caCertificate, privateKey: inputs.caPrivateKey };
    const certificate = await issueLeaf(
        { commonName, organizations, dnsNames, ipAddresses, usages, validityDays },
        privateKey,
        authority,
    );
    const parsed = new crypto.X509Certificate(certificate);
    return {
        ...inputs,
        certificate,
        privateKey,
        notBefore: new Date(parsed.validFrom).toISOString(),
        notAfter: new Date(parsed.validTo).toISOString(),
        serialNumber: parsed.serialNumber.toLowerCase(),
        fingerprint: parsed.fingerprint256.replaceAll(":", "").toLowerCase(),
    };
}

function isDnsName(name: unknown): boolean {
    const label = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?";
    return (
        typeof name === "string" &&
        !isIpAddress(name) &&
        new RegExp(`^(\\*\\.)?${label}(\\.${label})*$`, "i").test(name)
    );
}
