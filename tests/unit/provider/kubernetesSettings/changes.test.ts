import * as fs from "node:fs";
import * as path from "node:path";
import { changes, laterChanges, refusedChanges } from "../../../../provider/kubernetesSettings/changes";
import { kubernetesSettings } from "../../../../provider/kubernetesSettings/handler";
import { UNKNOWN } from "../../../../provider/handler";

const given = {
    name: "prod",
    etcd: { endpoints: ["https://10.1.1.11:2379", "https://10.1.1.12:2379"] },
};

async function settings(inputs: Record<string, unknown>, olds: Record<string, unknown> = {}) {
    const { inputs: checked, failures } = await kubernetesSettings.check(olds, { ...given, ...inputs });
    return {
        checked: checked as Record<string, any>,
        problems: failures!.map(({ property, reason }) => `${property}: ${reason}`),
    };
}

test("the table has a line for every argument of a cluster", () => {
    const source = ["args.ts", "../placement.ts"]
        .map((file) => fs.readFileSync(path.join(__dirname, "../../../../components/kubernetesCluster", file), "utf8"))
        .join("\n");
    const args = [
        ...source.matchAll(/interface (?:RecipeArgs|KubernetesClusterArgs|PlacementArgs)[^{]*\{(.*?)\n\}/gs),
    ].flatMap(([, body]) => [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name]) => name));
    expect(args.length).toBeGreaterThan(25);
    const lines = Object.keys(changes).filter((name) => !name.includes("."));
    expect(lines.sort()).toEqual([...new Set(args)].sort());
    for (const { why } of Object.values(changes)) expect(why).not.toBe("");
});

test.each<[property: string, value: unknown, reason: string]>([
    ["name", "other", "prod -> other"],
    ["podCidr", "10.245.0.0/16", "10.244.0.0/16 -> 10.245.0.0/16"],
    ["serviceCidr", "10.97.0.0/16", "10.96.0.0/16 -> 10.97.0.0/16"],
    ["dnsDomain", "cluster.test", "cluster.local -> cluster.test"],
    ["endpoint", { mode: "dns", host: "api.example.org" }, 'mode":"nodeLocal"} -> {"mode":"dns"'],
    ["podNetwork", { backend: "wireguard" }, "vxlan -> wireguard"],
    ["etcd", { endpoints: ["https://10.9.9.9:2379"] }, "https://10.9.9.9:2379"],
])("a running cluster cannot change %s (%j)", async (property, value, reason) => {
    const { checked } = await settings({});
    const { problems } = await settings({ [property]: value }, checked);
    expect(problems).toEqual([expect.stringContaining(reason)]);
    expect(problems[0]).toMatch(new RegExp(`^${property}.*: .*Keep .*, or create another cluster and migrate to it$`));
    // A new cluster accepts all of it.
    expect((await settings({ [property]: value })).problems).toEqual([]);
});

test.each<[from: string, to: string, problem: string]>([
    ["1.35.8", "1.36.4", ""],
    ["1.36.4", "1.36.5", ""],
    ["1.36.4", "1.36.3", "Kubernetes cannot go back to an earlier version. Keep 1.36.4"],
    ["1.36.4", "1.35.9", "Kubernetes cannot go back to an earlier version. Keep 1.36.4"],
    ["1.34.9", "1.36.4", "Kubernetes cannot skip a minor version. Upgrade to the newest 1.35 first"],
])("a change of the version from %s to %s: %s", async (from, to, problem) => {
    const { checked } = await settings({ kubernetesVersion: from });
    const { problems } = await settings({ kubernetesVersion: to }, checked);
    expect(problems).toEqual(
        problem ? [expect.stringContaining(`kubernetesVersion: ${from} -> ${to}: ${problem}`)] : [],
    );
});

test("all arguments that cannot change are reported at once", async () => {
    const { checked } = await settings({});
    const { problems } = await settings(
        { podCidr: "10.0.0.0/16", serviceCidr: "10.3.0.0/16", dnsDomain: "x" },
        checked,
    );
    expect(problems).toHaveLength(3);
});

test("an omitted argument keeps its stored value, whatever the default of a later version is", async () => {
    const other = { kubernetesVersion: "1.35.8", podCidr: "10.8.0.0/16", podNetwork: { backend: "wireguard" } };
    const { checked } = await settings({ ...other, endpoint: { mode: "dns", host: "api.example.org" } });
    const later = await settings({}, checked);
    expect(later).toEqual({ checked, problems: [] });
    expect(await kubernetesSettings.diff("x", checked, later.checked)).toEqual({ changes: false });
});

test("unknown values are not compared, and members of etcd may change", async () => {
    const { checked } = await settings({});
    expect(
        (await settings({ podCidr: UNKNOWN, endpoint: UNKNOWN, podNetwork: UNKNOWN, etcd: UNKNOWN }, checked)).problems,
    ).toEqual([]);
    const grown = { endpoints: ["https://10.1.1.12:2379", "https://10.1.1.13:2379"] };
    expect((await settings({ etcd: grown }, checked)).problems).toEqual([]);
});

test("arguments that machines apply only when they are reinstalled are announced", () => {
    const olds = { containerdVersion: "2.3.3", podNetwork: { backend: "vxlan" } };
    expect(
        laterChanges("prod", olds, { containerdVersion: "2.3.4", podNetwork: { backend: "vxlan", mtu: 1450 } }),
    ).toEqual([
        expect.stringMatching(
            /^prod: containerdVersion 2.3.3 -> 2.3.4 applies to a machine when it is created or reinstalled/,
        ),
        expect.stringMatching(
            /^prod: podNetwork.mtu \(none\) -> 1450 applies to a machine when it is created or reinstalled/,
        ),
    ]);
    expect(refusedChanges(olds, olds)).toEqual([]);
});
