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
 * The lifecycle of `Certificate`. How long it is good for is not written into the inputs where the program does not say
 * it: another default reaches a certificate that exists when it is renewed, and not before.
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
        // A renewed certificate keeps its key, so that a machine which reads the two files one after the other always
        // has a pair; a new authority, which may mean that keys were lost, gets a new one.
        const privateKey = same(olds.caCertificate, news.caCertificate) ? olds.privateKey : newPrivateKey();
        return issue(news, privateKey);
    },
});

/** Whether the program asks for another certificate than there is. */
function isAnother(olds: Outputs, news: Inputs): boolean {
    if (news.validityDays !== undefined && !same(olds.validityDays, news.validityDays)) return true;
    return compared.some((name) => !same(olds[name], news[name]));
}

/** Says that a certificate near its end is renewed by this run, for those who run previews only. */
function announceRenewal({ commonName, notBefore, notAfter }: Outputs): void {
    const [start, end] = [notBefore, notAfter].map((text) => Date.parse(text));
    if (!endsSoon(start, end, warningDays)) return;
    say(`the certificate ${commonName} ${describeEnd(end)} (${notAfter}): \`pulumi up\` renews it`);
}

/** What only the handler knows. */
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

/** A text in PEM that must be given. It is never printed: it may be a private key. */
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
 * True in the window before the end, if a new certificate would last longer: near its own end an authority cannot give
 * more.
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
