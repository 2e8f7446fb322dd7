import { denyRules } from "../../../../../simulator/hypervisors/nspawn/devices";

const devices = `Character devices:
  1 mem
  4 tty
  5 /dev/tty
  5 /dev/ptmx
 10 misc
136 pts
254 rtc

Block devices:
  7 loop
  8 sd
259 blkext
`;
const misc = `229 fuse
200 tun
237 loop-control
130 watchdog
`;

const own = { name: "vdb", major: 7, minor: 3 };
const rules = denyRules({ devices, misc, loops: [3, 4, 70] }, [own]);

test("every disk of the host is denied, and every loop device except the machine's own", () => {
    const forbidden = ["b 8:* rw", "b 259:* rw", "b 7:0 rw", "b 7:4 rw", "b 7:63 rw", "b 7:70 rw"];
    expect(rules).toEqual(expect.arrayContaining(forbidden));
    expect(rules).not.toContain("b 7:3 rw");
    // That would deny the machine's own, too.
    expect(rules).not.toContain("b 7:* rw");
});

test("devices for the host's memory, clock, watchdog and loop devices are denied", () => {
    expect(rules).toEqual(expect.arrayContaining(["c 1:1 rw", "c 4:* rw", "c 254:* rw", "c 10:237 rw", "c 10:130 rw"]));
});

test("devices that runc allows for a container are not denied", () => {
    const minorsOf = (major: number) => rules.filter((rule) => rule.startsWith(`c ${major}:`));
    for (const minor of [3, 5, 7, 8, 9]) expect(rules).not.toContain(`c 1:${minor} rw`);
    expect([...minorsOf(5), ...minorsOf(136)]).toEqual([]);
    expect(minorsOf(10).filter((rule) => /:(200|229) /.test(rule))).toEqual([]);
    // Creating any node is allowed: a rule against it would conflict with runc's "m".
    expect(rules.filter((rule) => !/ rw$/.test(rule))).toEqual([]);
});
