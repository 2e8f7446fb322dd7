import * as pulumi from "@pulumi/pulumi";
import { clock } from "../../../../provider/certificates/validity";
import { certificate, certificateAuthority } from "../../../../provider/certificates/handlers";
import { Certificate, CertificateAuthority } from "../../../../provider/certificates";
import { EtcdCluster } from "../../../../components/etcdCluster";
import { KubernetesCluster } from "../../../../components/kubernetesCluster";
import { look, run } from "../../components/support";

const day = 86_400_000;
const start = Date.parse("2030-01-01T00:00:00Z");
const real = clock.now;
let warned: string[] = [];

beforeEach(() => {
    warned = [];
    jest.spyOn(pulumi.log, "warn").mockImplementation(async (line) => void warned.push(line));
});
afterEach(() => {
    clock.now = real;
    jest.restoreAllMocks();
});

/** The warnings of a program, this many days after its certificates were issued. */
async function after(days: number, validity: { authority?: number; leaf?: number } = {}): Promise<string[]> {
    warned = [];
    for (const handler of [certificateAuthority, certificate]) {
        const make = handler.create;
        jest.spyOn(handler, "create").mockImplementation(async (inputs) => {
            clock.now = () => start;
            const made = await make(inputs);
            clock.now = () => start + days * day;
            return made;
        });
    }
    await run(() => {
        const authority = new CertificateAuthority("ca", { commonName: "ca", validityDays: validity.authority });
        new Certificate("leaf", {
            caCertificate: authority.certificate,
            caPrivateKey: authority.privateKey,
            commonName: "leaf",
            usages: ["client"],
            validityDays: validity.leaf,
        });
    });
    jest.mocked(certificateAuthority.create).mockRestore();
    jest.mocked(certificate.create).mockRestore();
    return warned;
}

test("certificates that the run does not renew are warned about: leaves from 90 days, authorities from a year before their end", async () => {
    expect(await after(1700)).toEqual([]);
    expect(await after(1740)).toEqual([
        expect.stringMatching(/^the certificate CN=leaf expires in 85 days .*: it is not renewed/),
    ]);
    const long = { leaf: 7300 };
    expect(await after(6900, long)).toEqual([]);
    expect(await after(6950, long)).toEqual([
        expect.stringMatching(
            /^the certificate CN=ca expires in 350 days .*: replace the authority by increasing its generation$/,
        ),
    ]);
    expect(await after(3651, { authority: 3650 })).toContainEqual(expect.stringContaining("CN=ca has expired"));
});

test("a cluster's output names the earliest end of its certificates", async () => {
    clock.now = () => start;
    const { result } = await run(() => {
        const common = { serviceOffering: "Small", template: "Debian" };
        const etcd = new EtcdCluster("db", { ...common, members: { a: "10.1.1.11" } });
        const short = new EtcdCluster("short", { ...common, members: { a: "10.1.1.12" }, certificateValidityDays: 30 });
        const cluster = new KubernetesCluster("k", {
            ...{ etcd, template: "Debian" },
            controlPlane: { members: { a: "10.1.1.21" }, serviceOffering: "Medium" },
            pools: { w: { count: 1, serviceOffering: "Medium" } },
        });
        return [etcd, short, cluster].map(({ certificatesExpireAt }) => certificatesExpireAt);
    });
    const ends = await Promise.all(result.map(async (output) => (await look(output)).value));
    expect(ends).toEqual([1825, 30, 1825].map((days) => new Date(start + days * day).toISOString()));
    expect(warned).toEqual([]);
});
