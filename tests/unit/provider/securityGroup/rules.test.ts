import * as fc from "fast-check";
import { UNKNOWN } from "../../../../provider/handler";
import { Problems } from "../../../../provider/lifecycle";
import { checkRules } from "../../../../provider/securityGroup/check";
import { parsePorts } from "../../../../provider/securityGroup/normal";
import {
    actualRules,
    batches,
    compareRules,
    describeRule,
    wantedRules,
} from "../../../../provider/securityGroup/rules";

const group = (ingressrule: any[], egressrule: any[] = []) => ({ id: "g", name: "web", ingressrule, egressrule });

test("a rule with several sources becomes one tuple per source, without duplicates", () => {
    const { rules } = wantedRules({
        name: "web",
        ingress: [
            { ports: "443", cidrs: ["10.0.0.0/8", "2001:DB8::/32"], groups: ["db"], self: true },
            { ports: "443", cidrs: ["10.0.0.0/8"] },
        ],
        egress: [{ protocol: "all", cidrs: ["0.0.0.0/0"] }],
    });
    expect(rules.map(describeRule)).toEqual([
        "ingress tcp 443 from 10.0.0.0/8",
        "ingress tcp 443 from 2001:db8::/32",
        "ingress tcp 443 from group db",
        "ingress tcp 443 from group web",
        "egress all to 0.0.0.0/0",
    ]);
});

test("the rules in CloudStack's answer equal the requested ones", () => {
    const asked = wantedRules({
        name: "web",
        ingress: [
            { protocol: "6", ports: "22", cidrs: ["10.0.0.0/8"] },
            { protocol: "tcp", cidrs: ["10.1.0.0/16"] },
            { protocol: "icmp", cidrs: ["0.0.0.0/0"] },
            { protocol: "1", icmpType: 3, icmpCode: 4, cidrs: ["0.0.0.0/0"] },
            { protocol: "all", cidrs: ["10.1.0.0/16"] },
            { protocol: "4", cidrs: ["10.1.0.0/16"] },
            { ports: "2380", self: true },
        ],
        egress: [{ protocol: "UDP", ports: "53", cidrs: ["0.0.0.0/0"] }],
    }).rules;
    const answered = actualRules(
        group(
            [
                { ruleid: "1", protocol: "tcp", startport: 22, endport: 22, cidr: "10.0.0.0/8" },
                { ruleid: "2", protocol: "tcp", startport: 0, endport: 65535, cidr: "10.1.0.0/16" },
                { ruleid: "3", protocol: "icmp", icmptype: -1, icmpcode: -1, cidr: "0.0.0.0/0" },
                { ruleid: "4", protocol: "icmp", icmptype: 3, icmpcode: 4, cidr: "0.0.0.0/0" },
                { ruleid: "5", protocol: "all", startport: 0, endport: 0, cidr: "10.1.0.0/16" },
                { ruleid: "6", protocol: "4", startport: 0, endport: 0, cidr: "10.1.0.0/16" },
                {
                    ruleid: "7",
                    protocol: "tcp",
                    startport: 2380,
                    endport: 2380,
                    securitygroupname: "web",
                    account: "a",
                },
            ],
            [{ ruleid: "8", protocol: "udp", startport: 53, endport: 53, cidr: "0.0.0.0/0" }],
        ),
    );
    expect(compareRules(asked, answered)).toEqual({ missing: [], extra: [] });
});

test("only the differences are authorised and revoked", () => {
    const wanted = wantedRules({
        name: "web",
        ingress: [
            { ports: "80", cidrs: ["0.0.0.0/0"] },
            { ports: "443", cidrs: ["0.0.0.0/0"] },
        ],
    }).rules;
    const actual = actualRules(
        group([
            { ruleid: "1", protocol: "tcp", startport: 80, endport: 80, cidr: "0.0.0.0/0" },
            { ruleid: "2", protocol: "tcp", startport: 22, endport: 22, cidr: "0.0.0.0/0" },
        ]),
    );
    const { missing, extra } = compareRules(wanted, actual);
    expect(missing.map(describeRule)).toEqual(["ingress tcp 443 from 0.0.0.0/0"]);
    expect(extra.map((rule) => rule.id)).toEqual(["2"]);
});

test("rules that one call can authorise are grouped", () => {
    const { rules } = wantedRules({
        name: "web",
        ingress: [
            { ports: "443", cidrs: ["10.0.0.0/8", "11.0.0.0/8"], groups: ["db"] },
            { ports: "80", cidrs: ["10.0.0.0/8"] },
        ],
    });
    expect(batches(rules).map((batch) => batch.length)).toEqual([2, 1, 1]);
});

test("a rule with an unknown part is left out and reported as unknown", () => {
    expect(wantedRules({ name: "web", ingress: [{ ports: "443", groups: [UNKNOWN] }] })).toEqual({
        rules: [],
        unknown: true,
    });
    expect(wantedRules({ name: "web", ingress: UNKNOWN }).unknown).toBe(true);
});

test("every port and range is read back as it was written", () => {
    fc.assert(
        fc.property(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 0, max: 65_535 }), (a, b) => {
            const [start, end] = a < b ? [a, b] : [b, a];
            expect(parsePorts(`${start}-${end}`)).toEqual([start, end]);
            expect(parsePorts(String(a))).toEqual([a, a]);
        }),
    );
    for (const wrong of ["", "x", "1-", "-1", "9-8", "65536", "1-65536", "1 2"])
        expect(parsePorts(wrong)).toBeUndefined();
});

test("all problems of all rules are reported at once, each with its path", () => {
    const problems = new Problems();
    checkRules(problems, {
        ingress: [
            { protocol: "xyz", cidrs: ["10.0.0.0/99"] },
            { ports: "80-70", cidrs: ["0.0.0.0/0"] },
            { ports: "22" },
            { protocol: "all", ports: "1", cidrs: ["10.0.0.1"] },
            { icmpType: 8, cidrs: ["0.0.0.0/0"] },
        ],
        egress: [{ protocol: "icmp", icmpCode: 300, cidrs: ["::/0"] }],
    });
    expect(problems.list.map((item) => item.property)).toEqual([
        "ingress[0].protocol",
        "ingress[0].cidrs[0]",
        "ingress[1].ports",
        "ingress[2]",
        "ingress[3].ports",
        "ingress[3].cidrs[0]",
        "ingress[4].icmpType",
        "egress[0].icmpCode",
    ]);
});
