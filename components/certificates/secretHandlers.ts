import * as crypto from "node:crypto";
import { type Handler, type Inputs, isUnknown, type Outputs, same } from "../../provider/handler";
import { Failures, isCount, withDefaults } from "./checks";
import { clock } from "./clock";
import { newPrivateKey, publicKeyOf } from "./x509";

const encodings = ["base64", "base64url", "hex"] as const;

/**
 * The lifecycle of what is made once and stays: only a change of one of `replacing` makes another one. Other inputs
 * count at creation alone.
 */
function madeOnce(
    defaults: Inputs,
    replacing: readonly string[],
    check: (failures: Failures) => void,
    make: (inputs: Inputs) => Outputs,
): Handler {
    return {
        async check(_olds: Inputs, news: Inputs) {
            const inputs = withDefaults(news, defaults);
            const failures = new Failures(inputs);
            check(failures);
            return { inputs, failures: failures.list };
        },
        async diff(_id: string, olds: Outputs, news: Inputs) {
            const replaces = replacing.filter((name) => isUnknown(news[name]) || !same(olds[name], news[name]));
            return { changes: replaces.length > 0, replaces };
        },
        async create(inputs: Inputs) {
            return { id: crypto.randomUUID(), outs: { ...inputs, ...make(inputs) } };
        },
        async read(id: string, props?: Outputs) {
            return { id, props };
        },
        // Never asked for: every change replaces. The plugin wants an answer all the same.
        async update(_id: string, olds: Outputs) {
            return { outs: { ...olds } };
        },
        async delete() {},
    };
}

/** The lifecycle of `RandomSecret`. */
export const randomSecretHandler: Handler = madeOnce(
    { bytes: 32, encoding: "base64", keepers: {} },
    ["bytes", "encoding", "keepers"],
    (failures) => {
        failures.unless("bytes", isCount(8, 1024), "must be 8 to 1024");
        failures.unless("encoding", (value) => encodings.includes(value), `must be one of ${encodings.join(", ")}`);
    },
    ({ bytes, encoding }) => ({ value: crypto.randomBytes(bytes).toString(encoding) }),
);

/** The lifecycle of `SigningKeyPair`. */
export const signingKeyPairHandler: Handler = madeOnce(
    { keepers: {} },
    ["keepers"],
    () => undefined,
    () => {
        const privateKey = newPrivateKey();
        return { privateKey, publicKey: publicKeyOf(privateKey) };
    },
);

/** The lifecycle of `ClusterToken`. */
export const clusterTokenHandler: Handler = madeOnce(
    { members: [], keepers: {} },
    ["keepers"],
    (failures) =>
        failures.each("members", (value) => typeof value === "string" && value !== "", "must be a member's key"),
    ({ members }) => ({
        token: crypto.randomBytes(8).toString("hex"),
        createdAt: Math.floor(clock.now() / 1000),
        founders: [...members].sort(),
        format: 2,
    }),
);
