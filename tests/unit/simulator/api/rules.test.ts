import { readTraffic } from "../../../../simulator/api/commands/securityGroups";
import { sizeOf } from "../../../../simulator/api/commands/machineRules";
import { isHostName } from "../../../../simulator/api/parameters";
import { firstFree, isCidr, isWithin, rangeOf, toAddress, toNumber } from "../../../../simulator/state/addresses";
import type { ServiceOffering } from "../../../../simulator/state/records";

describe("valid and invalid rules of security groups", () => {
    test.each([
        [{}, { protocol: "all", from: 0, to: 0 }],
        [{ protocol: "ALL" }, { protocol: "all", from: 0, to: 0 }],
        [
            { protocol: "TCP", startport: 22, endport: 22 },
            { protocol: "tcp", from: 22, to: 22 },
        ],
        [
            { protocol: "udp", startport: 0, endport: 0 },
            { protocol: "udp", from: 0, to: 65535 },
        ],
        [
            { protocol: "icmp", icmptype: -1, icmpcode: -1 },
            { protocol: "icmp", from: -1, to: -1 },
        ],
        [
            { protocol: "icmp", icmptype: 8, icmpcode: 0 },
            { protocol: "icmp", from: 8, to: 0 },
        ],
        [{ protocol: "1" }, { protocol: "icmp", from: -1, to: -1 }],
        [{ protocol: "4" }, { protocol: "4", from: 0, to: 0 }],
        [
            { protocol: "112", startport: 5, endport: 6 },
            { protocol: "112", from: 0, to: 0 },
        ],
    ])("%j", (asked, traffic) => expect(readTraffic(asked)).toEqual(traffic));

    test.each([
        [{ protocol: "xyz" }, "Invalid protocol xyz"],
        [{ protocol: "256" }, "Invalid protocol number: 256"],
        [{ protocol: "all", startport: 1 }, "Cannot specify startPort or endPort without specifying protocol"],
        [{ protocol: "tcp" }, "Invalid port range specified, startPort = null, endPort = null"],
        [{ protocol: "tcp", startport: 1 }, "Invalid port range specified, startPort = 1, endPort = null"],
        [{ protocol: "tcp", startport: 5, endport: 4 }, "Invalid port range 5:4"],
        [{ protocol: "tcp", startport: 5, endport: 65536 }, "Invalid port numbers 5:65536"],
        [{ protocol: "tcp", startport: -1, endport: 4 }, "Invalid port range -1:4"],
        [{ protocol: "icmp" }, "Invalid ICMP type/code specified, icmpType = null, icmpCode = null"],
        [{ protocol: "icmp", icmptype: -1, icmpcode: 0 }, "Invalid icmp code"],
        [{ protocol: "icmp", icmptype: 8, icmpcode: -1 }, "Invalid icmp code: need non-negative icmp code "],
        [{ protocol: "icmp", icmptype: 256, icmpcode: 0 }, "Invalid icmp type/code "],
    ])("%j is refused", (asked, text) => expect(() => readTraffic(asked)).toThrow(new Error(text)));
});

describe("addresses", () => {
    test("a network's range leaves room at both ends", () => {
        expect(rangeOf("10.1.1.0/24")).toEqual({
            cidr: "10.1.1.0/24",
            gateway: "10.1.1.1",
            netmask: "255.255.255.0",
            start: "10.1.1.10",
            end: "10.1.1.250",
        });
        expect(rangeOf("10.147.41.9/23")).toMatchObject({
            cidr: "10.147.40.0/23",
            netmask: "255.255.254.0",
            end: "10.147.41.250",
        });
        expect(rangeOf("192.168.255.224/27")).toMatchObject({ start: "192.168.255.234", end: "192.168.255.250" });
    });

    test.each([
        "10.1.1.0",
        "10.1.1.0/33",
        "10.1.1.0/28",
        "10.0.0.0/8",
        "300.1.1.0/24",
        "2001:db8::/64",
        "10.1.1.0/x",
        "",
    ])("%j is not a valid network for machines", (cidr) => {
        expect(() => rangeOf(cidr)).toThrow(RangeError);
    });

    test("numbers and addresses are converted both ways", () => {
        for (const address of ["0.0.0.0", "10.1.1.10", "192.168.0.1", "255.255.255.255"])
            expect(toAddress(toNumber(address))).toBe(address);
    });

    test("the first free address is taken, and none from a full range", () => {
        expect(firstFree("10.0.0.254", "10.0.1.1", new Set(["10.0.0.254", "10.0.0.255"]))).toBe("10.0.1.0");
        expect(firstFree("10.0.0.1", "10.0.0.2", new Set(["10.0.0.1", "10.0.0.2"]))).toBeUndefined();
        expect([
            isWithin("10.0.0.5", "10.0.0.5", "10.0.0.9"),
            isWithin("10.0.0.10", "10.0.0.5", "10.0.0.9"),
            isWithin("10.0.0", "0.0.0.0", "255.255.255.255"),
        ]).toEqual([true, false, false]);
    });

    test.each([
        ["10.0.0.0/8", true],
        ["10.0.0.1/32", true],
        ["0.0.0.0/0", true],
        ["2001:db8::/32", true],
        ["::/0", true],
        ["10.0.0.0/99", false],
        ["10.0.0.0", false],
        ["x/8", false],
        ["2001:db8::/129", false],
        ["10.0.0.0/8/8", false],
        ["10.0.0.0/-1", false],
    ])("%s as a rule's network: %s", (text, right) => expect(isCidr(text)).toBe(right));
});

test.each([
    ["rec-1", true],
    ["a", true],
    ["A9", true],
    ["1a", false],
    ["-a", false],
    ["a-", false],
    ["a.b", false],
    ["a_b", false],
    ["", false],
    ["a".repeat(63), true],
    ["a".repeat(64), false],
])("%j as a host name: %s", (name, right) => expect(isHostName(name)).toBe(right));

describe("the size of a machine", () => {
    const common = { id: "o", number: 1, name: "o", created: 0, diskOfferingId: "d" };
    const fixed: ServiceOffering = { ...common, cpuNumber: 2, cpuSpeed: 1000, memory: 2048 };
    const constrained: ServiceOffering = {
        ...common,
        cpuSpeed: 1000,
        bounds: { minCpu: 2, maxCpu: 4, minMemory: 512, maxMemory: 1024 },
    };
    const free: ServiceOffering = { ...common, bounds: { minCpu: 1, maxCpu: 1e9, minMemory: 32, maxMemory: 1e9 } };

    test("is the offering's, or what the details ask for within its limits", () => {
        expect(sizeOf(fixed, {})).toEqual({ cpuNumber: 2, cpuSpeed: 1000, memory: 2048 });
        expect(sizeOf(constrained, { cpuNumber: "4", memory: "512" })).toEqual({
            cpuNumber: 4,
            cpuSpeed: 1000,
            memory: 512,
        });
        expect(sizeOf(free, { cpuNumber: "40", memory: "99999", cpuSpeed: "3000" })).toEqual({
            cpuNumber: 40,
            cpuSpeed: 3000,
            memory: 99999,
        });
    });

    test.each([
        [fixed, { cpuNumber: "1" }, /cannot be specified/],
        [constrained, {}, /Invalid CPU cores value, specify a value between 2 and 4/],
        [constrained, { cpuNumber: "5", memory: "512" }, /CPU cores/],
        [constrained, { cpuNumber: "2.5", memory: "512" }, /CPU cores/],
        [constrained, { cpuNumber: "2", memory: "2048" }, /Invalid memory value, specify a value between 512 and 1024/],
        [free, { cpuNumber: "2", memory: "2048" }, /CPU speed/],
    ])("%# is refused", (offering, details, text) =>
        expect(() => sizeOf(offering, details as Record<string, string>)).toThrow(text),
    );
});
