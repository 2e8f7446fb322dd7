import { certificate, certificateAuthority } from "../../../../provider/certificates/handlers";
import { clock } from "../../../../provider/certificates/validity";

export const day = 86_400_000;

/** Sets the clock of the certificates' handlers during `body`. */
export async function at<T>(milliseconds: number, body: () => Promise<T>): Promise<T> {
    const real = clock.now;
    clock.now = () => milliseconds;
    try {
        return await body();
    } finally {
        clock.now = real;
    }
}

/** An authority as the engine would create it: checked, then created. */
export async function newAuthority(inputs: Record<string, any> = {}) {
    const { inputs: checked, failures } = await certificateAuthority.check(
        {},
        { commonName: "test authority", ...inputs },
    );
    expect(failures).toEqual([]);
    const { id, outs } = await certificateAuthority.create(checked!);
    return { id, inputs: checked as any, outs: outs as any };
}

/** A certificate of an authority, created in the same way. */
export async function newCertificate(authority: any, inputs: Record<string, any> = {}) {
    const { inputs: checked, failures } = await certificate.check({}, leafInputs(authority, inputs));
    expect(failures).toEqual([]);
    const { id, outs } = await certificate.create(checked!);
    return { id, inputs: checked as any, outs: outs as any };
}

export function leafInputs(authority: any, inputs: Record<string, any> = {}) {
    return {
        caCertificate: authority.certificate,
        caPrivateKey: authority.privateKey,
        commonName: "etcd-a",
        usages: ["peer"],
        dnsNames: ["etcd-a", "localhost"],
        ipAddresses: ["10.1.1.11", "127.0.0.1"],
        ...inputs,
    };
}

/** What the plugin sends must be JSON without `undefined`, and not the same object as before. */
export function expectClean(value: unknown): void {
    expect(value).toStrictEqual(JSON.parse(JSON.stringify(value)));
}
