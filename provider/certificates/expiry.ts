import * as crypto from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { describeEnd, endsSoon } from "./validity";

/** A certificate with an expiry date. */
export interface Ending {
    readonly notAfter: pulumi.Output<string>;
}

/** The earliest expiry date of some certificates, in ISO 8601. */
export function firstEnd(certificates: readonly Ending[]): pulumi.Output<string> {
    return pulumi
        .all(certificates.map(({ notAfter }) => notAfter))
        .apply((ends) => ends.filter((end) => typeof end === "string").sort()[0]);
}

/**
 * Warns in a preview and an update about a certificate that expires soon and is not renewed by this run. (If it is
 * renewed, its new expiry date is unknown in the preview, and far in the future in the update.)
 *
 * @param mostDays how many days before the expiry, but not before the last quarter of the validity
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
