import * as crypto from "node:crypto";
import { createOrAdopt } from "../adopt";
import { cloudLifecycle } from "../cloudLifecycle";
import type { DiffResult, Inputs } from "../handler";
import { echoOf, isUnknown, same } from "../handler";
import type { Problems } from "../lifecycle";
import { isInState } from "../lifecycle";
import { markedName } from "../marks";
import { replacedBy } from "../references";
import type { ApiKeyPair, Session } from "../session";
import { isGone, sessionFor } from "../session";

/** Longest public key that CloudStack takes, in characters. */
const PUBLIC_KEY_LENGTH = 5120;

export const sshKeyPair = cloudLifecycle({
    kind: "SSH key pair",

    async check(problems, inputs, olds): Promise<void> {
        const name = problems.text(inputs, "name", "give the key pair a name");
        problems.optionalText(inputs, "publicKey", PUBLIC_KEY_LENGTH);
        if (name !== undefined && !isUnknown(inputs.owner)) inputs.name = nameFor(name, inputs, olds);
        const key = inputs.publicKey;
        if (key === undefined || isUnknown(key)) return;
        if (isPublicKey(key)) return olds === undefined ? checkKeyIsFree(problems, inputs) : undefined;
        const secret = /PRIVATE KEY/.test(String(key))
            ? " (this is a private key: give the file that ends in .pub)"
            : "";
        problems.add(
            "publicKey",
            `is not a public key in OpenSSH's format, such as "ssh-ed25519 AAAA… comment"${secret}`,
        );
    },

    diff(_id, olds, news): DiffResult {
        const replaces = replacedBy(olds, news, ["name", "project"]);
        if (!same(keyOf(olds.publicKey), keyOf(news.publicKey))) replaces.push("publicKey");
        return { changes: replaces.length > 0, replaces, deleteBeforeReplace: replaces.length > 0 };
    },

    async create(inputs, { session, cloud }) {
        const pair = await createPair(session, inputs);
        const { id, fingerprint, privatekey: privateKey } = pair;
        return { id, outs: { ...echoOf(inputs), fingerprint, privateKey, cloud } };
    },

    async read(id, outputs, { session, cloud }) {
        const pair = await session.keyPairs.get(id);
        return pair === undefined ? undefined : { ...outputs, name: pair.name, fingerprint: pair.fingerprint, cloud };
    },

    /** Nothing of a key pair can be changed; the engine asks for an update only after a failed creation. */
    async update(_id, olds, inputs, { cloud }) {
        return { ...olds, ...echoOf(inputs), cloud };
    },

    async delete(id, outputs, { session }) {
        // CloudStack deletes by name, and the name may belong to a newer key pair.
        if ((await session.keyPairs.get(id)) !== undefined) await deletePair(session, outputs.name);
    },
});

/**
 * Another public key gets another name: machines know key pairs by their names, so they see that they are to have another key, and a name
 * never stands for two contents. (Names of 0.1.0 stay while their keys do.)
 */
function nameFor(name: string, inputs: Inputs, olds: Inputs | undefined): string {
    const plain = markedName(name, inputs.owner, 255);
    const key = isUnknown(inputs.publicKey) || !isPublicKey(inputs.publicKey) ? undefined : keyOf(inputs.publicKey);
    if (key === undefined || (olds?.name === plain && keyOf(olds.publicKey) === key)) return plain;
    return markedName(name, `${inputs.owner} ${key}`, 255);
}

/**
 * Registers or generates a key pair. One that has our mark in its name and is not in the state was left by an interrupted run: its private
 * key, if it had one, is lost, so it is deleted and made again.
 */
async function createPair(session: Session, inputs: Inputs): Promise<ApiKeyPair> {
    const make = async (): Promise<ApiKeyPair> => {
        session.keyPairs.changed();
        const command = inputs.publicKey === undefined ? "createSSHKeyPair" : "registerSSHKeyPair";
        return (await session.client.call(command, { name: inputs.name, publickey: inputs.publicKey })).keypair;
    };
    return createOrAdopt(make, async () => {
        session.keyPairs.changed();
        const left = (await session.keyPairs.all()).find((pair) => pair.name === inputs.name && !isInState(pair.id));
        if (left === undefined) return undefined;
        await deletePair(session, left.name);
        return make();
    });
}

async function deletePair(session: Session, name: string): Promise<void> {
    try {
        await session.change("deleteSSHKeyPair", { name });
    } catch (error) {
        // "A key pair with name '…' does not exist for account …": it is gone, which is what was wanted.
        if (!isGone(error)) throw error;
    } finally {
        session.keyPairs.changed();
    }
}

/** CloudStack takes a public key once per account, and tells so without telling where it is. */
async function checkKeyIsFree(problems: Problems, inputs: Inputs): Promise<void> {
    const print = fingerprint(inputs.publicKey);
    const holder = (await sessionFor(inputs).keyPairs.before()).find(
        (pair) => pair.fingerprint === print && pair.name !== inputs.name && !isInState(pair.id),
    );
    if (holder === undefined) return;
    problems.add(
        "publicKey",
        `is registered already, as key pair "${holder.name}", and CloudStack takes a key once per account: use sshKeyPairs: ["${holder.name}"], ` +
            "another key, or delete that pair",
    );
}

/** CloudStack's fingerprint of a public key: MD5 of its bytes, in hexadecimal with colons. */
function fingerprint(publicKey: string): string {
    const bytes = Buffer.from(publicKey.trim().split(/\s+/)[1], "base64");
    return crypto.createHash("md5").update(bytes).digest("hex").match(/../g)!.join(":");
}

function isPublicKey(text: unknown): boolean {
    return (
        typeof text === "string" &&
        /^(ssh-(rsa|ed25519|dss)|ecdsa-sha2-nistp(256|384|521)|sk-[\w-]+@openssh\.com) [A-Za-z0-9+/]+={0,3}(\s.*)?$/s.test(
            text.trim(),
        )
    );
}

/** What a public key is, without its comment and the line's end. */
function keyOf(text: string | undefined): string | undefined {
    return text?.trim().split(/\s+/).slice(0, 2).join(" ");
}
