import * as fc from "fast-check";
import { type GroupKey, planRules, type PlannedRule, ruleTable } from "../../../../components/kubernetesCluster/rules";

/** A rule in a line, without the reason. */
function line({ protocol, ports, icmpType, icmpCode, groups, cidrs }: PlannedRule): string {
    return `${protocol} ${ports ?? `${icmpType}/${icmpCode}`} from ${(groups ?? cidrs ?? []).join(" ")}`;
}

function lines(rules: Record<GroupKey, PlannedRule[]>): Record<string, string[]> {
    return Object.fromEntries(Object.entries(rules).map(([group, planned]) => [group, planned.map(line)]));
}

const icmp = (from: string) => [`icmp 3/4 from ${from}`, `icmp 8/0 from ${from}`];

test("by default only the groups of the table may connect", () => {
    expect(lines(planRules())).toEqual({
        etcd: ["tcp 2379 from controlPlane etcd", "tcp 2380 from etcd", ...icmp("controlPlane etcd")],
        controlPlane: [
            "tcp 6443 from controlPlane workers",
            "tcp 10250 from controlPlane",
            "udp 8472 from controlPlane workers",
            ...icmp("etcd controlPlane workers"),
        ],
        workers: ["tcp 10250 from controlPlane", "udp 8472 from controlPlane workers", ...icmp("controlPlane workers")],
    });
});

test("each argument with networks opens only its own ports", () => {
    const added = (options: Parameters<typeof planRules>[0]) => {
        const usual = lines(planRules());
        const all = lines(planRules(options));
        return Object.fromEntries(
            Object.entries(all).map(([group, rules]) => [group, rules.filter((rule) => !usual[group].includes(rule))]),
        );
    };
    const [a, b] = ["203.0.113.0/24", "198.51.100.7/32"];
    expect(added({ operatorCidrs: [a, b] })).toEqual({
        etcd: [`tcp 2379 from ${a} ${b}`],
        controlPlane: [`tcp 6443 from ${a} ${b}`],
        workers: [],
    });
    expect(added({ nodePortCidrs: [a] })).toEqual({
        etcd: [],
        controlPlane: [],
        workers: [`tcp 30000-32767 from ${a}`, `udp 30000-32767 from ${a}`],
    });
    expect(added({ monitoringCidrs: [a] })).toEqual({
        etcd: [`tcp 2381 from ${a}`],
        controlPlane: [`tcp 9100 from ${a}`],
        workers: [`tcp 9100 from ${a}`],
    });
    const ssh = [`tcp 22 from ${a}`];
    expect(added({ sshCidrs: [a] })).toEqual({ etcd: ssh, controlPlane: ssh, workers: ssh });
});

test("the pod network determines its port", () => {
    const udp = (podNetwork: "vxlan" | "wireguard" | "none") =>
        lines(planRules({ podNetwork })).workers.filter((rule) => rule.startsWith("udp"));
    expect(udp("vxlan")).toEqual(["udp 8472 from controlPlane workers"]);
    expect(udp("wireguard")).toEqual(["udp 51820 from controlPlane workers"]);
    expect(udp("none")).toEqual([]);
});

test("workers cannot reach etcd, and ports for local use are closed", () => {
    const local = [7443, 10248, 10249, 10255, 10256, 10257, 10259, 8081];
    fc.assert(
        fc.property(
            fc.record({
                podNetwork: fc.constantFrom("vxlan" as const, "wireguard" as const, "none" as const),
                operatorCidrs: fc.subarray(["10.0.0.0/8", "192.0.2.1/32"]),
                monitoringCidrs: fc.subarray(["10.0.0.0/8"]),
                nodePortCidrs: fc.subarray(["0.0.0.0/0"]),
                sshCidrs: fc.subarray(["192.0.2.1/32"]),
            }),
            (options) => {
                const planned = planRules(options);
                expect(planned.etcd.some(({ groups }) => groups?.includes("workers"))).toBe(false);
                for (const { ports, groups, cidrs } of Object.values(planned).flat()) {
                    // One kind of source each, as CloudStack takes it, and never an empty one.
                    expect((groups === undefined) !== (cidrs === undefined)).toBe(true);
                    expect((groups ?? cidrs ?? []).length).toBeGreaterThan(0);
                    const [from, to = from] = (ports ?? "0").split("-").map(Number);
                    expect(local.filter((port) => from <= port && port <= to)).toEqual([]);
                }
            },
        ),
    );
});

test("every row has a reason", () => {
    for (const { why } of ruleTable) expect(why).not.toBe("");
});
