import * as crypto from "node:crypto";
import { echoOf, type Handler, type Inputs, isUnknown, type Outputs, same } from "../handler";
import { lifecycle, type Problems } from "../lifecycle";
import { clock } from "./validity";
import { newPrivateKey, publicKeyOf } from "./x509";

const encodings = ["base64", "base64url", "hex"] as const;

/**
 * The lifecycle of a value that is created once. Only a change of one of the inputs `replacing` creates a new one.
 * Changes of other inputs have no effect.
 */
function madeOnce(
    defaults: Inputs,
    replacing: readonly string[],
    check: (problems: Problems, inputs: Inputs) => void,
    make: (inputs: Inputs) => Outputs,
): Handler {
    return lifecycle({
        async check(problems, inputs) {
            for (const [name, value] of Object.entries(defaults)) inputs[name] ??= value;
            check(problems, inputs);
        },
        diff(_id, olds, news) {
            const replaces = replacing.filter((name) => isUnknown(news[name]) || !same(olds[name], news[name]));
            return { changes: replaces.length > 0, replaces };
        },
        create: async (inputs) => ({ id: crypto.randomUUID(), outs: { ...echoOf(inputs), ...make(inputs) } }),
        // Never called, because every change replaces the resource; but the plugin requires it.
        update: async (_id, olds) => ({ ...olds }),
    });
}

/** The lifecycle of `RandomSecret`. */
export const randomSecret: Handler = madeOnce(
    { bytes: 32, encoding: "base64", keepers: {} },
    ["bytes", "encoding", "keepers"],
    (problems, inputs) => {
        problems.integer(inputs, "bytes", 8, 1024, "bytes");
        problems.oneOf(inputs, "encoding", encodings);
    },
    ({ bytes, encoding }) => ({ value: crypto.randomBytes(bytes).toString(encoding) }),
);

/** The lifecycle of `SigningKeyPair`. */
export const signingKeyPair: Handler = madeOnce(
    { keepers: {} },
    ["keepers"],
    () => undefined,
    () => {
        const privateKey = newPrivateKey();
        return { privateKey, publicKey: publicKeyOf(privateKey) };
    },
);

/** The lifecycle of `ClusterToken`. */
export const clusterToken: Handler = madeOnce(
    { members: [], keepers: {} },
    ["keepers"],
    (problems, inputs) =>
        problems.each(
            inputs,
            "members",
            (value) => typeof value === "string" && value !== "",
            "must be a member's key",
        ),
    ({ members }) => ({
        token: crypto.randomBytes(8).toString("hex"),
        createdAt: Math.floor(clock.now() / 1000),
        founders: [...members].sort(),
        format: 2,
    }),
);
