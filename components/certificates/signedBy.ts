import type { CertificateAuthority } from "./certificateAuthority";

/** The authority among the arguments of a `Certificate`. */
export function signedBy(authority: CertificateAuthority) {
    return { caCertificate: authority.certificate, caPrivateKey: authority.privateKey };
}
