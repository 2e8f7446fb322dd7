import * as crypto from "node:crypto";
import { echoOf, type Handler, hasUnknown, type Inputs, isUnknown, type Outputs, same } from "../handler";
import { lifecycle, type Problems, say } from "../lifecycle";
import {
    clock,
    defaultValidityDays,
    describeEnd,
    endsSoon,
    lastQuarterDays,
    longestValidityDays,
    millisecondsPerDay,
    warningDays,
} from "./validity";
import { isIpAddress, issueLeaf, leafNotAfter, longestName, newPrivateKey, usageNames } from "./x509";

const compared = ["commonName", "organizations", "dnsNames", "ipAddresses", "usages", "caCertificate"] as const;

/**
 * The lifecycle of `Certificate`. The default validity is not stored in the inputs, so that a changed default applies
 * to an existing certificate only when it is renewed.
 */
export const certificate: Handler = lifecycle({
    async check(problems, inputs) {
        for (const name of ["organizations", "dnsNames", "ipAddresses"]) inputs[name] ??= [];
        checkLeaf(problems, inputs);
    },

    diff(_id, olds, news) {
        const isDue = renewalIsDue(olds, news);
        if (isDue) announceRenewal(olds);
        const given = news.renewBeforeDays !== undefined && !same(olds.renewBeforeDays, news.renewBeforeDays);
        return { changes: hasUnknown(news) || isAnother(olds, news) || given || isDue };
    },

    create: async (inputs) => ({ id: crypto.randomUUID(), outs: await issue(inputs, newPrivateKey()) }),

    async update(_id, olds, news) {
        if (!isAnother(olds, news) && !renewalIsDue(olds, news)) {
            const kept = Object.fromEntries(leafOutputs.map((name) => [name, olds[name]]));
            const { validityDays, renewBeforeDays } = olds;
            return { validityDays, renewBeforeDays, ...echoOf(news), ...kept };
        }
        // A renewed certificate keeps its key, so that the two files on a machine match while they are being replaced.
        // With a new authority, which may have been created because keys were compromised, the key is also new.
        const privateKey = same(olds.caCertificate, news.caCertificate) ? olds.privateKey : newPrivateKey();
        return issue(news, privateKey);
    },
});

/** Whether the arguments differ from those of the existing certificate. */
function isAnother(olds: Outputs, news: Inputs): boolean {
    if (news.validityDays !== undefined && !same(olds.validityDays, news.validityDays)) return true;
    return compared.some((name) => !same(olds[name], news[name]));
}

/** Announces that this run renews a certificate that expires soon. */
function announceRenewal({ commonName, notBefore, notAfter }: Outputs): void {
    const [start, end] = [notBefore, notAfter].map((text) => Date.parse(text));
    if (!endsSoon(start, end, warningDays)) return;
    say(`the certificate ${commonName} ${describeEnd(end)} (${notAfter}): \`pulumi up\` renews it`);
}

/** The outputs that the handler computes. */
const leafOutputs = ["certificate", "privateKey", "notBefore", "notAfter", "serialNumber", "fingerprint"] as const;

function checkLeaf(problems: Problems, inputs: Inputs): void {
    problems.requiredString(inputs, "commonName", "the name of the user or server", longestName);
    problems.each(inputs, "organizations", isName, `must be 1 to ${longestName} characters`);
    problems.each(inputs, "dnsNames", isDnsName, "is not a host name; addresses belong in ipAddresses");
    problems.each(inputs, "ipAddresses", isIpAddress, "is not an IP address; names belong in dnsNames");
    if (inputs.usages === undefined || inputs.usages.length === 0)
        problems.add("usages", `is required: one of ${usageNames.join(", ")}`);
    problems.each(inputs, "usages", (value) => usageNames.includes(value), `must be one of ${usageNames.join(", ")}`);
    pem(problems, inputs, "caCertificate", "CERTIFICATE", "a certificate in PEM");
    problems.integer(inputs, "validityDays", 1, longestValidityDays, "days");
    const { validityDays = defaultValidityDays, renewBeforeDays = 0 } = inputs;
    if (
        !isUnknown(validityDays) &&
        !isUnknown(renewBeforeDays) &&
        !(renewBeforeDays >= 0 && renewBeforeDays < validityDays)
    )
        problems.add("renewBeforeDays", `${renewBeforeDays}: must be 0 to ${validityDays - 1}, less than validityDays`);
    pem(problems, inputs, "caPrivateKey", "PRIVATE KEY", "a PKCS#8 private key in PEM");
}

/** A required value in PEM. It is never printed, because it may be a private key. */
function pem(problems: Problems, inputs: Inputs, property: string, label: string, what: string): void {
    const value = inputs[property];
    if (isUnknown(value)) return;
    if (value === undefined || value === "") problems.add(property, `is required: ${what}`);
    else if (!String(value).startsWith(`-----BEGIN ${label}-----`)) problems.add(property, `must be ${what}`);
}

function isName(value: unknown): boolean {
    return typeof value === "string" && value.length > 0 && value.length <= longestName && !/[\0-\x1f]/.test(value);
}

/**
 * Whether the certificate is in its renewal window and a new one would expire later, which the authority's expiry
 * limits.
 */
function renewalIsDue(olds: Outputs, news: Inputs): boolean {
    if (hasUnknown(news)) return false;
    const [start, end] = [olds.notBefore, olds.notAfter].map((text) => Date.parse(text));
    const window = news.renewBeforeDays ?? lastQuarterDays(start, end);
    if (clock.now() < end - window * millisecondsPerDay) return false;
    return leafNotAfter(news.caCertificate, news.validityDays ?? defaultValidityDays) > end + 1000;
}

async function issue(inputs: Inputs, privateKey: string): Promise<Outputs> {
    const { commonName, organizations, dnsNames, ipAddresses, usages } = inputs;
    const { validityDays = defaultValidityDays } = inputs;
    const authority = { certificate: inputs.caCertificate, privateKey: inputs.caPrivateKey };
    const certificate = await issueLeaf(
        { commonName, organizations, dnsNames, ipAddresses, usages, validityDays },
        privateKey,
        authority,
    );
    const parsed = new crypto.X509Certificate(certificate);
    const [start, end] = [parsed.validFrom, parsed.validTo].map((text) => Date.parse(text));
    return {
        renewBeforeDays: lastQuarterDays(start, end),
        ...echoOf(inputs),
        validityDays,
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
