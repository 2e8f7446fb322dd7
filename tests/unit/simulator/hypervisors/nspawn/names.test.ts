/** Names of a cloud's things on its host, and which cloud a name or process belongs to. */
import { prefixIn, prefixOf } from "../../../../../simulator/hypervisors/nspawn/names";
import { environmentFor, nspawnFolder, stateDirOf } from "../../../../../simulator/hypervisors/nspawn/owner";

test("a cloud's prefix depends on its folder, however the path is written", () => {
    expect(prefixOf("/srv/cloud")).toMatch(/^csl[0-9a-f]{4}$/);
    expect(prefixOf("/srv/x/../cloud/")).toBe(prefixOf("/srv/cloud"));
    expect(prefixOf("/srv/cloud2")).not.toBe(prefixOf("/srv/cloud"));
});

test.each([
    ["csl1a2b", "csl1a2b"],
    ["csl1a2b-17", "csl1a2b"],
    ["csl1a2bx0f0f", "csl1a2b"],
    ["csl1a2c", "csl1a2c"],
    ["csl1a2", undefined],
    ["csl1a2bc", undefined],
    ["csl1a2b-", undefined],
    ["csl1a2b-db", undefined],
    ["xcsl1a2b", undefined],
    ["cslXYZ0", undefined],
    ["csl-trial-5", undefined],
    ["docker0", undefined],
])("the prefix in %s is %s", (name, prefix) => {
    expect(prefixIn(name)).toBe(prefix);
});

test("the argument of an owner contains the state folder, and no other argument is read as one", () => {
    const folder = nspawnFolder("/srv/a nspawn/cloud");
    expect(stateDirOf(`${folder}/machines/i-3-1-VM`)).toBe("/srv/a nspawn/cloud");
    expect(stateDirOf(`${folder}/networks/csl1a2b`)).toBe("/srv/a nspawn/cloud");
    expect(stateDirOf(folder)).toBeUndefined();
    expect(stateDirOf(`${folder}/machines/i-3-1-VM/upper`)).toBeUndefined();
    expect(stateDirOf("nspawn/machines/x")).toBeUndefined();
    expect(Object.values(environmentFor("/srv/cloud/nspawn/machines/x"))).toContain("/srv/cloud/nspawn/machines/x");
});
