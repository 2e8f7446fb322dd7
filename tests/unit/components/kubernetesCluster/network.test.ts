import * as fc from "fast-check";
import {
    addressAt,
    contains,
    dnsAddress,
    overlap,
    parseCidr,
    parseIpv4,
    sizeOf,
} from "../../../../components/kubernetesCluster/network";

const network = fc
    .tuple(fc.nat(2 ** 32 - 1), fc.integer({ min: 0, max: 32 }))
    .map(([address, bits]) => ({ first: address - (address % sizeOf({ first: 0, bits })), bits }));
const text = ({ first, bits }: { first: number; bits: number }) => `${addressAt({ first, bits }, 0)}/${bits}`;

test("addresses and networks are parsed and formatted consistently", () => {
    fc.assert(fc.property(network, (each) => expect(parseCidr(text(each))).toEqual(each)));
    fc.assert(
        fc.property(fc.nat(2 ** 32 - 1), (value) =>
            expect(parseIpv4(addressAt({ first: 0, bits: 0 }, value))).toBe(value),
        ),
    );
});

test.each(["10.1.1", "10.1.1.256", "10.01.1.1", "10.1.1.1 ", "", "a.b.c.d", "1.2.3.4.5"])(
    "%j is not an address",
    (address) => {
        expect(parseIpv4(address)).toBeUndefined();
    },
);

test.each(["10.1.1.1/24", "10.1.1.0/33", "10.1.1.0", "10.1.1.0/", "10.0.0.0/8/8"])("%j is no network", (cidr) => {
    expect(parseCidr(cidr)).toBeUndefined();
});

test("two networks overlap if one contains an address of the other", () => {
    fc.assert(
        fc.property(network, network, (a, b) => {
            const last = (each: typeof a) => each.first + sizeOf(each) - 1;
            expect(overlap(a, b)).toBe(Math.max(a.first, b.first) <= Math.min(last(a), last(b)));
            expect(overlap(a, b)).toBe(overlap(b, a));
            expect(contains(a, last(a))).toBe(true);
        }),
    );
});

test("the cluster's DNS service has the tenth address of the service network", () => {
    expect(dnsAddress("10.96.0.0/16")).toBe("10.96.0.10");
    expect(() => dnsAddress("10.96.0.1/16")).toThrow("10.96.0.1/16 is not an IPv4 network in CIDR notation");
});
