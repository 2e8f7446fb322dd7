import * as crypto from "node:crypto";
import { type Handler, hasUnknown, type Inputs, isUnknown, type Outputs, same } from "../../provider/handler";
import { say } from "../../provider/lifecycle";
import { Failures, isCount, isText, withDefaults } from "./checks";
import { clock, millisecondsPerDay } from "./clock";
import { defaultValidityDays, describeEnd, endsSoon, lastQuarterDays, warningDays } from "./validity";
import { isIpAddress, issueLeaf, leafNotAfter, newPrivateKey, usageNames } from "./x509";

const compared = [
    "commonName",
    "organizations",
    "dnsNames",
    "ipAddresses",
    "usages",
    "caCertificate",
] as const;

/**
 * The lifecycle of `Certificate`. How long it is good for is not written into the inputs where the program does not say
 * it: another default reaches a certificate that exists when it is renewed, and not before.
 */
export const certificateHandler: Handler = {
    async check(_olds: Inputs, news: Inputs) {
        const inputs = withDefaults(news, { organizations: [], dnsNames: [], ipAddresses: [] });
        return { inputs, failures: checkLeaf(inputs) };
    },

    async diff(_id: string, olds: Outputs, news: Inputs) {
        const isDue = renewalIsDue(olds, news);
        if (isDue) speakOf(olds);
        const given = news.renewBeforeDays !== undefined && !same(olds.renewBeforeDays, news.renewBeforeDays);
        return { changes: hasUnknown(news) || isAnother(olds, news) || given || isDue };
    },

    async create(inputs: Inputs) {
        return { id: crypto.randomUUID(), outs: await issue(inputs, newPrivateKey()) };
    },

    async read(id: string, props?: Outputs) {
        return { id, props };
    },

    async update(_id: string, olds: Outputs, news: Inputs) {
        if (!isAnother(olds, news) && !renewalIsDue(olds, news)) {
            const kept = Object.fromEntries(leafOutputs.map((name) => [name, olds[name]]));
            const { validityDays, renewBeforeDays } = olds;
            return { outs: { validityDays, renewBeforeDays, ...news, ...kept } };
        }
        // A renewed certificate keeps its key, so that a machine which reads the two files one after the other always
        // has a pair; a new authority, which may mean that keys were lost, gets a new one.
        const privateKey = same(olds.caCertificate, news.caCertificate) ? olds.privateKey : newPrivateKey();
        return { outs: await issue(news, privateKey) };
    },

    async delete() {},
};

/** Whether the program asks for another certificate than there is. */
function isAnother(olds: Outputs, news: Inputs): boolean {
    if (news.validityDays !== undefined && !same(olds.validityDays, news.validityDays)) return true;
    return compared.some((name) => !same(olds[name], news[name]));
}

/** One that is near its end is spoken of, though this run renews it: whoever looks at a preview alone has to know. */
function speakOf({ commonName, notBefore, notAfter }: Outputs): void {
    const [start, end] = [notBefore, notAfter].map((text) => Date.parse(text));
    if (!endsSoon(start, end, warningDays)) return;
    say(`the certificate ${commonName} ${describeEnd(end)} (${notAfter}): \`pulumi up\` renews it`);
}

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
    const { validityDays = defaultValidityDays, renewBeforeDays = 0 } = inputs;
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
        ...inputs,
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
