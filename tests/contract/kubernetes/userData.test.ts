/** Secrets leave the user data of machines in the embedded cloud when their nodes have them, and come back when needed. */
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { renderUserData } from "../../../components/cloudInit";
import { decodeUserData } from "../../../components/cloudInit/userData";
import { hashOfSecrets, withoutSecrets } from "../../../components/kubernetesCluster/render";
import { issueAuthority, issueLeaf, newPrivateKey } from "../../../provider/certificates/x509";
import type { MachineStub } from "../../../provider/kubernetes/resources";
import { stubComment } from "../../../provider/virtualMachine/userData";
import { startCloud } from "../../../simulator";
import { type Kind, type Plugin, type Resource, World } from "../provider/support";

const KIND = "kubernetesUserData" as Kind;

/** User data of a node with a secret, and what replaces it. */
function rendered(secret: string, motd = "hello"): { userDataBase64: string; stub: Omit<MachineStub, "id"> } {
    const document = {
        writeFiles: [
            { path: "/etc/motd", content: motd },
            { path: "/etc/key", content: secret, permissions: "0600" },
        ],
        runcmd: ["echo first boot"],
    };
    const { base64 } = renderUserData(document);
    const stub = renderUserData(withoutSecrets(document), { comment: stubComment(base64) }).base64;
    return { userDataBase64: base64, stub: { stub, secrets: hashOfSecrets(document) } };
}

describe("user data of a cluster", () => {
    let world: World;
    let plugin: Plugin;
    let server: https.Server;
    let access: object;
    let machine: Resource;
    /** The secrets that the node has, by its kubelet's answer. */
    let applied = "";

    beforeAll(async () => {
        const authority = await issueAuthority({ commonName: "ca", validityDays: 1 });
        const leaf = async (commonName: string, usage: "server" | "client") => {
            const key = newPrivateKey();
            const subject = {
                commonName,
                organizations: [],
                dnsNames: [],
                ipAddresses: ["127.0.0.1"],
                validityDays: 1,
            };
            return { key, certificate: await issueLeaf({ ...subject, usages: [usage] }, key, authority) };
        };
        const [own, admin] = [await leaf("server", "server"), await leaf("admin", "client")];
        // Only kubelet's file is read from the API: a machine test reads it from a real one.
        server = https.createServer({ key: own.key, cert: own.certificate }, (request, response) => {
            const isFile = request.url === "/api/v1/nodes/node/proxy/logs/cs-secrets";
            response.writeHead(isFile ? 200 : 404).end(isFile ? `${applied}\n` : "");
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        access = {
            controlPlanes: { a: `https://127.0.0.1:${(server.address() as AddressInfo).port}` },
            caCertificate: authority.certificate,
            clientCertificate: admin.certificate,
            clientKey: admin.key,
        };
        world = new World(await startCloud());
        plugin = world.plugin();
        machine = await plugin.create("virtualMachine", machineArgs(rendered("one")));
    });
    afterAll(async () => {
        server?.close();
        await world?.cloud.close();
    });

    const machineArgs = ({ userDataBase64 }: ReturnType<typeof rendered>, more: object = {}) => ({
        ...{ name: "node", owner: "team/test/dev/node", serviceOffering: "Small Instance", template: "Debian 12" },
        userDataBase64,
        ...more,
    });
    const args = ({ stub }: ReturnType<typeof rendered>, more: object = {}) => ({
        ...{ cluster: "k", revision: "1", timeoutSeconds: 1, allowNotReady: [], ...access },
        machines: { node: { id: machine.id, ...stub } },
        ...more,
    });
    const text = async () => decodeUserData((await world.machine(machine.id)).userdata);
    const upMachine = async (...given: Parameters<typeof machineArgs>) =>
        (machine = await plugin.up(machine, machineArgs(...given)));

    test("it keeps its secrets until the node has them", async () => {
        await expect(plugin.create(KIND, args(rendered("one")))).rejects.toThrow(
            /the user data of node node in cluster k still contains secrets, since after 1 s: it has not applied/,
        );
        expect(await text()).toContain("one");
        const { outputs } = await plugin.create(KIND, args(rendered("one"), { allowNotReady: ["node"] }));
        expect([outputs.pending, (await text()).includes("one")]).toEqual([["node"], true]);
    });

    let userData: Resource;

    test("then they are removed, and neither the machine nor a refresh sees a change", async () => {
        applied = rendered("one").stub.secrets;
        userData = await plugin.create(KIND, args(rendered("one")));
        expect(userData.outputs.pending).toEqual([]);
        expect(await text()).toMatch(/^#cloud-config\n# Without secrets.*\n[^]*hello/);
        expect(await text()).not.toMatch(/one|first boot/);
        expect((await plugin.plan("virtualMachine", machineArgs(rendered("one")), machine)).diff?.changes).toBe(false);
        expect((await plugin.plan(KIND, args(rendered("one")), userData)).diff?.changes).toBe(false);
        expect(await plugin.drifted(machine)).toBe(false);
        expect(await plugin.drifted(userData)).toBe(false);
    });

    test("a change of something else is sent, and its secrets are removed again", async () => {
        await upMachine(rendered("one", "welcome"));
        expect(await text()).toContain("welcome");
        userData = await plugin.up(userData, args(rendered("one", "welcome")));
        expect(await text()).toContain("welcome");
        expect(await text()).not.toContain("one");
    });

    test("new secrets stay until the node has them", async () => {
        await upMachine(rendered("two", "welcome"));
        await expect(plugin.up(userData, args(rendered("two", "welcome")))).rejects.toThrow(/still contains secrets/);
        expect(await text()).toContain("two");
        applied = rendered("two").stub.secrets;
        userData = await plugin.up(userData, args(rendered("two", "welcome")));
        expect(await text()).not.toContain("two");
    });

    test("a machine that is reinstalled gets them for its first boot, and they are removed again", async () => {
        const news = rendered("two", "welcome");
        await upMachine(news, { reinstallTrigger: "1" });
        expect(await text()).not.toContain("two");
        world.cloud.clearCalls();
        await upMachine(news, { reinstallTrigger: "2" });
        const commands = world.cloud.calls().map(({ command }) => command);
        expect(commands.indexOf("updateVirtualMachine")).toBeGreaterThanOrEqual(0);
        expect(commands.indexOf("updateVirtualMachine")).toBeLessThan(commands.indexOf("restoreVirtualMachine"));
        expect(await text()).toContain("two");
        userData = await plugin.up(userData, args(news, { revision: "2" }));
        expect(await text()).not.toContain("two");
    });

    test("user data that somebody else has changed is restored, and its secrets are removed again", async () => {
        // The next run of the engine, which has seen no change of arguments.
        plugin = world.plugin();
        const news = rendered("two", "welcome");
        const foreign = Buffer.from("#cloud-config\n{}\n").toString("base64");
        await world.api.user.ok("updateVirtualMachine", { id: machine.id, userdata: foreign });
        machine = (await plugin.read(machine))!;
        userData = (await plugin.read(userData))!;
        expect(userData.outputs.pending).toEqual(["node"]);
        await upMachine(news, { reinstallTrigger: "2" });
        expect(await text()).toContain("two");
        userData = await plugin.up(userData, args(news, { revision: "2" }));
        expect([userData.outputs.pending, (await text()).includes("two")]).toEqual([[], false]);
    });
});
