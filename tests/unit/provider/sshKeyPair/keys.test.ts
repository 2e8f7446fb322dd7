import { createPublicKey } from "node:crypto";
import { fingerprint, generateKeys, isPublicKey } from "../../../../provider/sshKeyPair/keys";

test("a generated key pair matches, in the formats of CloudStack and OpenSSH", async () => {
    const { publicKey, privateKey } = await generateKeys();
    expect(privateKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
    expect(isPublicKey(publicKey)).toBe(true);
    const { n, e } = createPublicKey(privateKey).export({ format: "jwk" });
    const blob = Buffer.from(publicKey.split(" ")[1], "base64");
    const fields: Buffer[] = [];
    for (let at = 0; at < blob.length; at += 4 + blob.readUInt32BE(at))
        fields.push(blob.subarray(at + 4, at + 4 + blob.readUInt32BE(at)));
    expect(fields[0].toString()).toBe("ssh-rsa");
    expect(fields[1].equals(Buffer.from(e!, "base64url"))).toBe(true);
    // The leading zero marks the number as positive.
    expect(fields[2].equals(Buffer.concat([Buffer.from([0]), Buffer.from(n!, "base64url")]))).toBe(true);
    expect(fields).toHaveLength(3);
});

test("the fingerprint of a public key does not depend on its comment", () => {
    const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHf2mQ8f0JbT3b1m0S8Vd1o3gV0c9zM0c9kYt9q2n5uK test";
    expect(fingerprint(key)).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    expect(fingerprint(key)).toBe(fingerprint(key.replace(" test", "")));
});
