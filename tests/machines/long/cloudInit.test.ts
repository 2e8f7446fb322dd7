/** What a machine gets from its network's virtual router, and what an unmodified cloud-init does with it. */
import { gzipSync } from "node:zlib";
import { CLOUD_INIT_SUCCEEDED, type Guest, Lab } from "../support/lab";
import { withMachines } from "../support/possible";

const config = (text: string) => `#cloud-config\nwrite_files:\n  - {path: /etc/told, content: "${text}"}\n`;

/** A request from a machine to its router; the body of the response, or the error. */
const ask = (guest: Guest, where: string, ...options: string[]) =>
    guest.run("curl", "--silent", "--show-error", "--fail-with-body", ...options, `http://data-server${where}`);

withMachines("user data, meta data and passwords", () => {
    let lab: Lab;
    let configured: Guest;
    let silent: Guest;
    let secret: Guest;

    beforeAll(async () => {
        lab = await Lab.start("10.1.42.0/24");
        await lab.user.ok("createSSHKeyPair", { name: "one" });
        await lab.user.ok("createSSHKeyPair", { name: "two" });
        [configured, silent, secret] = await Promise.all([
            lab.deploy("told", { userData: gzipSync(config("zipped")), keypairs: "one,two" }),
            lab.deploy("silent"),
            lab.deploy("secret", { template: "Debian 13 with password", userData: "#!/bin/sh\necho ran >/etc/told\n" }),
        ]);
    });

    afterAll(async () => {
        expect(await lab.dispose()).toEqual([]);
    });

    test("cloud-init succeeds with compressed user data, without user data, and with a script", async () => {
        for (const guest of [configured, silent, secret])
            expect(await guest.waitForCloudInit()).toMatchObject(CLOUD_INIT_SUCCEEDED);
        expect(await configured.outputOf("cat /etc/told")).toBe("zipped");
        expect(await secret.outputOf("cat /etc/told")).toBe("ran");
        expect(await configured.outputOf("wc -l <~debian/.ssh/authorized_keys")).toBe("2");
        expect(await silent.outputOf("cat ~debian/.ssh/authorized_keys")).toBe("");
        // cloud-init found the data source itself: no file in the machine names it.
        expect(await configured.outputOf("cloud-init query platform; grep -rl 10.1.42.1 /etc/cloud")).toBe(
            "cloudstack",
        );
    });

    test("meta data is that of CloudStack's virtual router", async () => {
        const keys = (await ask(configured, "/latest/meta-data/")).split("\n");
        const values = await Promise.all(keys.map((key) => ask(configured, `/latest/meta-data/${key}`)));
        expect(Object.fromEntries(keys.map((key, index) => [key, values[index]]))).toEqual({
            "instance-id": configured.id,
            "vm-id": configured.id,
            "local-hostname": "told",
            "local-ipv4": configured.address,
            "public-ipv4": configured.address,
            "public-hostname": configured.address,
            "service-offering": "Small Instance",
            "availability-zone": "sandbox",
            "cloud-identifier": expect.stringMatching(/^CloudStack-\{.*\}$/),
            "hypervisor-host-name": expect.any(String),
            "public-keys": expect.stringMatching(/^ssh-rsa \S+.*\nssh-rsa \S+/),
        });
        expect(await ask(configured, "/latest/meta-data/nothing").catch((error) => error.message)).toContain("404");
    });

    test("user data is returned unchanged, and a change of it is visible at once", async () => {
        const zipped = await configured.outputOf("curl -s http://data-server/latest/user-data | gunzip");
        expect(zipped).toBe(config("zipped").trim());
        expect(await ask(silent, "/latest/user-data")).toBe("");
        for (const text of ["first", "second"]) {
            const userdata = Buffer.from(config(text)).toString("base64");
            await lab.user.ok("updateVirtualMachine", { id: configured.id, userdata });
            expect(await ask(configured, "/latest/user-data")).toBe(config(text).trim());
        }
    });

    test("a machine cannot read the data of another", async () => {
        const headers = ["X-Forwarded-For", "X-Real-IP", "Forwarded"];
        const claims = headers.flatMap((name) => ["-H", `${name}: ${configured.address}`]);
        expect(await ask(silent, "/latest/user-data", ...claims)).toBe("");
        expect(await ask(silent, "/latest/meta-data/instance-id", ...claims)).toBe(silent.id);
        const { address } = configured;
        const paths = [`/latest/user-data/${address}`, `/userdata/${address}/user-data`, "/latest/../machines"];
        for (const where of paths)
            expect(await ask(silent, where, "--path-as-is").catch((error) => error.message)).toContain("404");
        await silent.runScript(`ip address add ${address}/32 dev eth0`);
        const asOther = ask(silent, "/latest/meta-data/instance-id", "--interface", address, "--max-time", "2");
        expect(await asOther.catch((error) => error.message)).toMatch(/timed out|timeout/i);
        await silent.runScript(`ip address delete ${address}/32 dev eth0`);
        const { password } = secret.deployed;
        expect(await ask(silent, ":8080/", "-H", "DomU_Request: send_my_password", ...claims)).not.toContain(password);
    });

    describe("a password", () => {
        const has = (password: string) => secret.hasPassword("debian", password);

        test("is set once", async () => {
            expect(secret.deployed.password).toMatch(/^\S{8}$/);
            expect(await has(secret.deployed.password)).toBe(true);
            expect(await ask(secret, ":8080/", "-H", "DomU_Request: send_my_password")).toBe("saved_password");
            await secret.outputOf("echo debian:mine | chpasswd");
            const { leader } = secret.machine;
            await secret.call("rebootVirtualMachine");
            expect(secret.machine.leader).not.toBe(leader);
            expect(await secret.waitForCloudInit()).toMatchObject(CLOUD_INIT_SUCCEEDED);
            expect(await has("mine")).toBe(true);
        });

        test("is set again after it was reset", async () => {
            await secret.call("stopVirtualMachine");
            const { virtualmachine } = await secret.call("resetPasswordForVirtualMachine");
            await secret.call("startVirtualMachine");
            await secret.waitForCloudInit();
            expect(await has(virtualmachine.password)).toBe(true);
        });
    });
});
