/** Stacks that were created by a released version continue with this one: see `states/record.js`. */
import * as fs from "node:fs";
import * as zlib from "node:zlib";
import { folder, replay, type Stand, stand } from "./states/recorded";
import { Client } from "./simulator/client";

const versions = fs.readdirSync(folder).filter((name) => /^\d+\.\d+\.\d+$/.test(name));

test("there are recordings of released versions", () => expect(versions).toContain("0.1.0"));

describe.each(versions)("a stack of version %s", (version) => {
    let replayed: Stand;

    beforeAll(async () => {
        replayed = await stand(version);
        await replay(version, replayed);
    });
    afterAll(() => replayed.dispose());

    test("is updated without a replacement or deletion, and only user data of clusters changes", async () => {
        const { steps, changes } = await replayed.project.preview();
        const moved = steps.filter(({ op }) => op !== "same");
        // A later version may add user data to the machines of clusters, and may add gates.
        expect(Object.keys(changes).filter((op) => !["same", "update", "create"].includes(op))).toEqual([]);
        const known =
            /:(VirtualMachine|EtcdQuorum|EtcdMember|EtcdHealth|EtcdFounding|EtcdDataGuard|KubernetesSettings|KubernetesReady|KubernetesUserData)$/;
        // A group's ingress rules are now a child resource, which takes over the existing rules.
        const isChild = ({ op, name }: { op: string; name: string }) => op === "create" && name.endsWith("-ingress");
        expect(moved.filter((step) => !known.test(step.type) && !isChild(step))).toEqual([]);
        await replayed.project.up();
        await replayed.project.expectNoChanges();
    });

    test("is refreshed without changes", async () => {
        const { changes } = await replayed.project.refresh();
        expect(Object.keys(changes)).toEqual(["same"]);
    });

    test("accepts each kind of update without a replacement", async () => {
        await replayed.project.setConfig("changed", "true");
        const { changes } = await replayed.project.up();
        expect(Object.keys(changes).filter((op) => /replace|delete/.test(op))).toEqual([]);
        expect(changes.update).toBeGreaterThanOrEqual(5);
        await replayed.project.expectNoChanges();
    });

    test("is destroyed completely", async () => {
        await replayed.project.destroy();
        const client = new Client(replayed.cloud, replayed.cloud.accounts.expunger);
        expect(await client.list("listVirtualMachines")).toEqual([]);
        expect(await client.list("listVolumes")).toEqual([]);
        expect((await client.list("listSecurityGroups")).map(({ name }) => name)).toEqual(["default"]);
        expect(await client.list("listSSHKeyPairs")).toEqual([]);
        expect(await client.list("listAffinityGroups")).toEqual([]);
    });
});

test("machines of an etcd cluster of 0.1.0 that were lost before this version saw them do not create a new cluster", async () => {
    const { cloud, project, dispose } = await stand("0.1.0");
    try {
        await replay("0.1.0", { cloud, project } as Stand);
        const client = new Client(cloud, cloud.accounts.expunger);
        const member = async () =>
            (await client.list("listVirtualMachines")).find(({ name }) => name.endsWith("-etcd-a"));
        const lost = await member();
        await client.done("destroyVirtualMachine", { id: lost.id, expunge: true });
        const { infos } = await project.up({ args: ["--refresh"] });
        const { id } = await member();
        expect(id).not.toBe(lost.id);
        const { virtualmachineuserdata } = await client.ok("getVirtualMachineUserData", { virtualmachineid: id });
        const text = zlib.gunzipSync(Buffer.from(virtualmachineuserdata.userdata, "base64")).toString();
        expect(Number(/WINDOW_END=(\d+)/.exec(text)![1])).toBeLessThan(Date.now() / 1000);
        expect(infos.join("\n")).toMatch(
            /most of its founders' machines do not exist.*bootstrapWindowSeconds: \d+ opens the window again/,
        );
    } finally {
        await dispose();
    }
});
