/** SSH key pairs: registered by their public key, or generated. */
import { createHash, generateKeyPairSync, randomUUID } from "node:crypto";
import type { KeyPair } from "../../state/records";
import type { Cloud } from "../../cloud";
import type { Commands, Request } from "../command";
import { invalid } from "../errors";
import { contains, matches, page } from "../lists";
import { ownerFields, ownerOf, scopeOf } from "../ownership";

function keyPairAnswer(cloud: Cloud, pair: KeyPair): object {
    const { domainpath: _, ...owner } = ownerFields({ cloud }, pair.ownerId);
    return { id: pair.id, name: pair.name, ...owner, fingerprint: pair.fingerprint, hasannotations: false };
}

function fingerprintOf(blob: Buffer): string {
    return createHash("md5").update(blob).digest("hex").match(/../g)!.join(":");
}

/** One field of SSH's wire format: its length, then its bytes. */
function field(bytes: Buffer): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
}

/** An mpint of SSH's wire format is signed: if its highest bit is set, a zero byte precedes it. */
function number(bytes: Buffer): Buffer {
    return field(bytes[0] >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

/** The key's bytes if its content has the stated type. */
function blobOf(publicKey: string): Buffer {
    const [type, base64] = publicKey.trim().split(/\s+/);
    const blob = Buffer.from(base64 ?? "", "base64");
    const fits =
        /^(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp\d+)$/.test(type ?? "") &&
        blob.subarray(4, 4 + type.length).toString("latin1") === type;
    if (!fits) throw invalid("Public key is invalid");
    return blob;
}

function insert(request: Request, publicKey: string, blob: Buffer): KeyPair {
    const { store } = request.cloud;
    const owner = ownerOf(request);
    return store.keyPairs.insert({
        id: randomUUID(),
        name: request.arguments.name,
        ownerId: owner.id,
        publicKey,
        fingerprint: fingerprintOf(blob),
    });
}

function checkNameIsFree(request: Request): void {
    const { name } = request.arguments;
    const owner = ownerOf(request);
    if (request.cloud.store.keyPairs.find((pair) => pair.ownerId === owner.id && pair.name === name) !== undefined) {
        throw invalid(`A key pair with name '${name}' already exists.`);
    }
}

function createSSHKeyPair(request: Request): object {
    checkNameIsFree(request);
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { n, e } = publicKey.export({ format: "jwk" });
    const blob = Buffer.concat([
        field(Buffer.from("ssh-rsa")),
        number(Buffer.from(e!, "base64url")),
        number(Buffer.from(n!, "base64url")),
    ]);
    const pair = insert(request, `ssh-rsa ${blob.toString("base64")} \n`, blob);
    return {
        keypair: {
            privatekey: privateKey.export({ type: "pkcs1", format: "pem" }),
            ...keyPairAnswer(request.cloud, pair),
        },
    };
}

function registerSSHKeyPair(request: Request): object {
    checkNameIsFree(request);
    const given = request.arguments.publickey as string;
    const blob = blobOf(given);
    const publicKey = given.trim().split(/\s+/).slice(0, 2).join(" ");
    const owner = ownerOf(request);
    if (
        request.cloud.store.keyPairs.find(
            (pair) => pair.ownerId === owner.id && pair.publicKey.trim() === publicKey,
        ) !== undefined
    ) {
        throw invalid(`A key pair with key '${publicKey}' already exists for this account.`);
    }
    return { keypair: keyPairAnswer(request.cloud, insert(request, publicKey, blob)) };
}

function deleteSSHKeyPair(request: Request): object {
    const { name } = request.arguments;
    const owner = ownerOf(request);
    const pair = request.cloud.store.keyPairs.find((p) => p.ownerId === owner.id && p.name === name);
    if (pair === undefined)
        throw invalid(`A key pair with name '${name}' does not exist for account ${owner.name} in specified domain id`);
    request.cloud.store.keyPairs.remove(pair.id);
    return { success: true };
}

function listSSHKeyPairs(request: Request): object {
    const { cloud } = request;
    const { id, name, fingerprint, keyword } = request.arguments;
    const inScope = scopeOf(request);
    const pairs = cloud.store.keyPairs.filter(
        (pair) =>
            matches(pair.id, id) &&
            matches(pair.name, name) &&
            matches(pair.fingerprint, fingerprint) &&
            contains(pair.name, keyword) &&
            inScope(pair.ownerId),
    );
    return page(request, "sshkeypair", pairs.reverse(), (pair) => keyPairAnswer(cloud, pair));
}

export const keyPairCommands: Commands = {
    createSSHKeyPair: { event: "REGISTER.SSH.KEYPAIR", run: createSSHKeyPair },
    registerSSHKeyPair: { event: "REGISTER.SSH.KEYPAIR", run: registerSSHKeyPair },
    deleteSSHKeyPair: { event: "DELETE.SSH.KEYPAIR", run: deleteSSHKeyPair },
    listSSHKeyPairs: { entity: "sshKeyPair", run: listSSHKeyPairs },
};
