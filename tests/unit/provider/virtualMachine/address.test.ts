import { BlockList } from "node:net";
import { parkingAddresses } from "../../../../provider/virtualMachine/address";

test("a retired machine gets a free address in the upper half of its network", () => {
    const upper = new BlockList();
    upper.addSubnet("10.1.1.128", 25);
    for (let n = 0; n < 50; n++) {
        const found = parkingAddresses("10.1.1.0/24", ["10.1.1.200"], 3);
        expect(new Set(found).size).toBe(3);
        for (const address of found) {
            expect(upper.check(address)).toBe(true);
            expect(["10.1.1.200", "10.1.1.255"]).not.toContain(address);
        }
    }
});

test("networks whose prefix ends inside an octet, and addresses above 128.0.0.0", () => {
    expect(parkingAddresses("10.147.40.0/23", [], 1, () => 0)).toEqual(["10.147.41.0"]);
    expect(parkingAddresses("192.168.7.64/26", [], 1, () => 0.999)).toEqual(["192.168.7.126"]);
});

test("without a candidate, CloudStack chooses the address", () => {
    expect(parkingAddresses(undefined, [], 3)).toEqual([]);
    expect(parkingAddresses("10.0.0.0/30", [], 3)).toEqual([]);
});
