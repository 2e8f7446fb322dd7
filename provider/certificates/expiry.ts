import * as crypto from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { describeEnd, endsSoon } from "./validity";

/** What has an end. */
export interface Ending {
    readonly notAfter: pulumi.Output<string>;
}

/** When the first of some certificates ends, in ISO 8601. */
export function firstEnd(certificates: readonly Ending[]): pulumi.Output<string> {
    return pulumi
        .all(certificates.map(({ notAfter }) => notAfter))
        .apply((ends) => ends.filter((end) => typeof end === "string").sort()[0]);
}

/**
 * Warns in a preview and an update about a certificate that is near its end and is not renewed by this run: where it is,
 * its new end is not known yet in the preview, and far away in the update.
 *
 * @param mostDays so many days before its end, though never before the last quarter of its life
 * @param remedy what to do
 */
export function warnBeforeEnd(
    resource: pulumi.CustomResource & { readonly certificate: pulumi.Output<string> },
    mostDays: number,
    remedy: string,
): void {
    resource.certificate.apply((pem) => {
        if (typeof pem !== "string" || !pem.startsWith("-----BEGIN CERTIFICATE-----")) return;
        const { subject, validFrom, validTo } = new crypto.X509Certificate(pem);
        const [start, end] = [validFrom, validTo].map((text) => Date.parse(text));
        if (!endsSoon(start, end, mostDays)) return;
        const name = subject.replace(/\n/g, ", ");
        void pulumi.log.warn(
            `the certificate ${name} ${describeEnd(end)} (${new Date(end).toISOString()}): ${remedy}`,
            resource,
        );
    });
}
