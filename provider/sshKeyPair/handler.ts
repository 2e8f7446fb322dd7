import { createOrAdopt } from "../adopt";
import { cloudLifecycle } from "../cloudLifecycle";
import type { DiffResult, Inputs } from "../handler";
import { echoOf, isUnknown, same } from "../handler";
import { formerOf } from "../identity";
import type { Problems } from "../lifecycle";
import { isInState, say } from "../lifecycle";
import { markedName, unmarkedName } from "../marks";
import { replacedBy } from "../references";
import type { ApiKeyPair, Session } from "../session";
import { isGone, sessionFor } from "../session";
import { fingerprint, generateKeys, isPublicKey, keyOf } from "./keys";

/** The longest public key that CloudStack accepts, in characters. */
const PUBLIC_KEY_LENGTH = 5120;

export const sshKeyPair = cloudLifecycle({
    kind: "SSH key pair",

    async check(problems, inputs, olds): Promise<void> {
        const name = problems.requiredString(inputs, "name", "give the key pair a name");
        problems.optionalString(inputs, "publicKey", PUBLIC_KEY_LENGTH);
        if (name !== undefined && !isUnknown(inputs.owner)) inputs.name = nameFor(name, inputs, olds);
        const key = inputs.publicKey;
        const given = key !== undefined && !isUnknown(key);
        if (given && !isPublicKey(key)) {
            const secret = /PRIVATE KEY/.test(String(key))
                ? " (this is a private key: give the file that ends in .pub)"
                : "";
            return problems.add(
                "publicKey",
                `is not a public key in OpenSSH's format, such as "ssh-ed25519 AAAA… comment"${secret}`,
            );
        }
        if (olds !== undefined) return;
        if (name !== undefined && !isUnknown(inputs.name)) await announceAdoption(inputs);
        if (given) await checkKeyIsFree(problems, inputs);
    },

    diff(_id, olds, news): DiffResult {
        const replaces = replacedBy(olds, news, ["name", "project"]);
        if (!same(keyOf(olds.publicKey), keyOf(news.publicKey))) replaces.push("publicKey");
        return { changes: replaces.length > 0, replaces, deleteBeforeReplace: replaces.length > 0 };
    },

    async create(inputs, { session, cloud }) {
        const keys = inputs.publicKey === undefined ? await generateKeys() : { publicKey: inputs.publicKey };
        const { id, fingerprint } = await register(session, inputs.name, keys.publicKey);
        const privateKey = "privateKey" in keys ? keys.privateKey : undefined;
        return { id, outs: { ...echoOf(inputs), fingerprint, privateKey, cloud } };
    },

    async read(id, outputs, { session, cloud }) {
        const pair = await session.keyPairs.get(id);
        return pair === undefined ? undefined : { ...outputs, name: pair.name, fingerprint: pair.fingerprint, cloud };
    },

    /** A key pair cannot be changed. The engine calls this only after a failed creation. */
    async update(_id, olds, inputs, { cloud }) {
        return { ...olds, ...echoOf(inputs), cloud };
    },

    async delete(id, outputs, { session }) {
        // CloudStack deletes by name, and the name may belong to a newer key pair.
        if ((await session.keyPairs.get(id)) !== undefined) await deletePair(session, outputs.name);
    },
});

/**
 * The name contains a hash of the public key. Machines refer to key pairs by name, so they are updated when the key
 * changes. (Names of version 0.1.0 are kept until their keys change.)
 */
function nameFor(given: string, inputs: Inputs, olds: Inputs | undefined): string {
    const key = isUnknown(inputs.publicKey) || !isPublicKey(inputs.publicKey) ? undefined : keyOf(inputs.publicKey);
    // With a default name, `given` is the current name of the pair.
    const kept = given === (olds?.name ?? formerOf(inputs)?.name);
    if (kept && olds !== undefined && keyOf(olds.publicKey) === key) return given;
    const name = kept ? unmarkedName(given) : given;
    const plain = markedName(name, inputs.owner, 255);
    if (key === undefined || (olds?.name === plain && keyOf(olds.publicKey) === key)) return plain;
    return markedName(name, `${inputs.owner} ${key}`, 255);
}

/**
 * Registers a public key. An existing pair with this name and this key is adopted; keys are generated locally, so no
 * other run has the same one. A pair with another key is not touched.
 */
async function register(session: Session, name: string, publicKey: string): Promise<ApiKeyPair> {
    const make = async (): Promise<ApiKeyPair> => {
        session.keyPairs.changed();
        return (await session.client.call("registerSSHKeyPair", { name, publickey: publicKey })).keypair;
    };
    try {
        return await createOrAdopt(make, async () => {
            session.keyPairs.changed();
            const left = (await session.keyPairs.all()).find((pair) => pair.name === name && !isInState(pair.id));
            if (left === undefined || left.fingerprint === fingerprint(publicKey)) return left;
            throw new Error(nameTaken(left));
        });
    } finally {
        session.keyPairs.changed();
    }
}

/**
 * The error for a pair with another key. If CloudStack or an interrupted run generated that key, its private key is
 * lost.
 */
function nameTaken({ id, name }: ApiKeyPair): string {
    return (
        `SSH key pair ${name} (${id}) has this resource's mark, as after an interrupted run, but has another key, and is ` +
        `not removed automatically: if no machine needs it, delete it (command deleteSSHKeyPair, name=${name}), then run \`pulumi up\` again; ` +
        "or give this resource another name"
    );
}

/**
 * Announces that the creation will fail because a pair with this name has another key. This is not reported as a
 * problem, because `pulumi up --replace` may be about to delete that pair, and the engine does not say so.
 */
async function announceAdoption(inputs: Inputs): Promise<void> {
    const key = inputs.publicKey;
    const left = (await sessionFor(inputs).keyPairs.before()).find(
        (pair) => pair.name === inputs.name && !isInState(pair.id),
    );
    if (left === undefined || formerOf(inputs) !== undefined || isUnknown(key)) return;
    if (key === undefined || left.fingerprint !== fingerprint(key))
        say(`creating SSH key pair ${left.name} will fail unless this run replaces it: ${nameTaken(left)}`);
    else say(`SSH key pair ${left.name} (${left.id}) has this resource's mark and will be adopted`);
}

async function deletePair(session: Session, name: string): Promise<void> {
    try {
        await session.change("deleteSSHKeyPair", { name });
    } catch (error) {
        // "A key pair with name '…' does not exist for account …" means that it is deleted already.
        if (!isGone(error)) throw error;
    } finally {
        session.keyPairs.changed();
    }
}

/** Reports a key that is registered already. CloudStack accepts a key once per account, and its error has no name. */
async function checkKeyIsFree(problems: Problems, inputs: Inputs): Promise<void> {
    const print = fingerprint(inputs.publicKey);
    const holder = (await sessionFor(inputs).keyPairs.before()).find(
        (pair) => pair.fingerprint === print && pair.name !== inputs.name && !isInState(pair.id),
    );
    if (holder === undefined) return;
    problems.add(
        "publicKey",
        `is registered already, as key pair "${holder.name}", and CloudStack accepts a key once per account: use sshKeyPairs: ["${holder.name}"], ` +
            "another key, or delete that pair",
    );
}
