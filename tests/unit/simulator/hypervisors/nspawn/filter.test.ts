import type { FilterPlan } from "../../../../../simulator/hypervisors/hypervisor";
import { filterScript } from "../../../../../simulator/hypervisors/nspawn/filter";
import { expectSuccess, runTool, testWithTools } from "../../../../support/tools";

const machine = (number: number, ...securityGroupIds: string[]) => ({
    instanceName: `i-2-${number}-VM`,
    address: `10.1.1.${number}`,
    mac: `1e:00:00:00:00:${String(number).padStart(2, "0")}`,
    securityGroupIds,
});
const plan: FilterPlan = {
    cidr: "10.1.1.0/24",
    hostAddress: "10.1.1.254",
    machines: [machine(11, "web"), machine(12, "web", "db"), machine(13)],
    groups: [
        {
            id: "web",
            rules: [
                { direction: "ingress", protocol: "tcp", from: 80, to: 81, cidr: "0.0.0.0/0" },
                { direction: "ingress", protocol: "icmp", from: -1, to: -1, cidr: "10.0.0.0/8" },
                { direction: "ingress", protocol: "tcp", from: 1, to: 1, cidr: "2001:db8::/32" },
            ],
        },
        {
            id: "db",
            rules: [
                { direction: "ingress", protocol: "tcp", from: 5432, to: 5432, sourceGroupId: "web" },
                { direction: "ingress", protocol: "47", from: 0, to: 0, cidr: "10.2.0.0/16" },
                { direction: "egress", protocol: "udp", from: 53, to: 53, cidr: "0.0.0.0/0" },
            ],
        },
    ],
};

/** The lines of a chain. */
function chain(script: string, name: string): string[] {
    const body = new RegExp(`chain ${name} \\{\\n([^}]*(?:\\{[^}]*\\}[^}]*)*?)\\n  \\}`).exec(script)?.[1] ?? "";
    return body.split("\n").map((line) => line.trim());
}

const script = filterScript(plan);

test("ingress is what the rules of a machine's groups allow, and all else is dropped", () => {
    expect(chain(script, "in_m11")).toEqual([
        "tcp dport 80-81 accept",
        "ip saddr 10.0.0.0/8 ip protocol icmp accept",
        "drop",
    ]);
    expect(chain(script, "in_m12")).toEqual([
        "tcp dport 80-81 accept",
        "ip saddr 10.0.0.0/8 ip protocol icmp accept",
        "ip saddr @group_web tcp dport 5432 accept",
        "ip saddr 10.2.0.0/16 ip protocol 47 accept",
        "drop",
    ]);
    expect(chain(script, "in_m13")).toEqual(["drop"]);
});

test("egress is unrestricted until one of a machine's groups has an egress rule", () => {
    expect(chain(script, "out_m11")).toEqual(["return"]);
    expect(chain(script, "out_m12")).toEqual(["udp dport 53 return", "drop"]);
});

test("a group as a source means its members", () => {
    expect(script).toContain("set group_web { type ipv4_addr; elements = { 10.1.1.11, 10.1.1.12 }; }");
});

test("each port allows its machine's addresses only", () => {
    expect(chain(script, "from_m11")).toContain("ether type ip ip saddr != { 10.1.1.11, 0.0.0.0 } drop");
    expect(chain(script, "from_m11")).toContain("ether saddr != 1e:00:00:00:00:11 drop");
});

test("a network without machines has a filter, too", () => {
    expect(filterScript({ ...plan, machines: [], groups: [] })).not.toContain("vmap");
});

testWithTools(["nft", "unshare"])("nft accepts it, and another one after it", () => {
    const empty = filterScript({ ...plan, machines: [], groups: [] });
    const input = script + empty + script;
    expectSuccess(runTool("unshare", ["--user", "--map-root-user", "--net", "nft", "-f", "-"], { input }));
});
