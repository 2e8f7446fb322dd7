import {
    type ClusterBirth,
    type EtcdClusterSpec,
    type EtcdMemberSpec,
    placeholderCertificates,
} from "../../../../components/etcdCluster/spec";

export const birth: ClusterBirth = { token: "0123456789abcdef", opensAt: 1_900_000_000, founders: ["a", "b", "c"] };

export const cluster: EtcdClusterSpec = {
    name: "demo",
    members: { a: "10.1.1.11", b: "10.1.1.12", c: "10.1.1.13" },
    version: "3.6.14",
};

/** A member of a cluster of three, with stand-ins for its certificates. */
export function member(changes: Partial<EtcdClusterSpec> = {}, key = "a"): EtcdMemberSpec {
    return { cluster: { ...cluster, ...changes }, key, birth, certificates: placeholderCertificates(key) };
}
