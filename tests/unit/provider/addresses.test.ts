import {
    cidrOf,
    firstAddressOf,
    includes,
    isHostOf,
    isPrivate,
    netmaskOf,
    parseNetwork,
    toAddress,
    toNumber,
} from "../../../provider/addresses";

const of = (cidr: string) => parseNetwork(cidr)!;

test("networks are parsed, and host bits are ignored", () => {
    expect(cidrOf(of("10.1.2.3/24"))).toBe("10.1.2.0/24");
    expect(cidrOf(of("255.255.255.255/0"))).toBe("0.0.0.0/0");
    expect(cidrOf(of("10.1.2.3/32"))).toBe("10.1.2.3/32");
    for (const text of ["10.1.2.3", "10.1.2/24", "10.1.2.3/33", "10.1.2.3/", "fd00::/64", "", 5, undefined])
        expect(parseNetwork(text)).toBeUndefined();
});

test("netmask, first address and devices of a network", () => {
    expect(netmaskOf(of("10.1.0.0/20"))).toBe("255.255.240.0");
    expect(firstAddressOf(of("10.1.0.0/20"))).toBe("10.1.0.1");
    const hosts = ["10.1.0.0", "10.1.0.1", "10.1.15.254", "10.1.15.255", "10.1.16.1"];
    expect(hosts.map((address) => isHostOf(of("10.1.0.0/20"), address))).toEqual([false, true, true, false, false]);
    expect(toAddress(toNumber("203.0.113.200") + 100)).toBe("203.0.114.44");
});

test("private addresses, and networks within networks", () => {
    const networks = ["10.0.0.0/8", "172.31.0.0/16", "192.168.9.0/24", "100.127.0.0/16", "172.32.0.0/16", "8.0.0.0/7"];
    expect(networks.map((cidr) => isPrivate(of(cidr)))).toEqual([true, true, true, true, false, false]);
    expect(includes(of("10.0.0.0/16"), of("10.0.255.0/24"))).toBe(true);
    expect(includes(of("10.0.0.0/16"), of("10.1.0.0/24"))).toBe(false);
    expect(includes(of("10.0.0.0/24"), of("10.0.0.0/16"))).toBe(false);
});
