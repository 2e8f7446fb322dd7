import * as crypto from "node:crypto";
import { echoOf, type Handler, type Outputs, same } from "../handler";
import { lifecycle } from "../lifecycle";

/**
 * The lifecycle of `EtcdDataGuard`. While it is protected, the engine refuses to delete it, already at preview. This
 * handler also refuses if the protection was removed by `pulumi state unprotect`.
 */
export const etcdDataGuard: Handler = lifecycle({
    async check() {},
    diff: (_id, olds, news) => ({
        changes: ["cluster", "allowDataLoss"].some((name) => !same(olds[name], news[name])),
    }),
    create: async (inputs) => ({ id: crypto.randomUUID(), outs: echoOf(inputs) }),
    update: async (_id, _olds, news) => echoOf(news),
    delete: async (_id, outputs) => refuseLoss(outputs),
});

/** @throws unless `allowDataLoss` was set before */
export function refuseLoss(outputs: Outputs): void {
    if (outputs.allowDataLoss === true) return;
    throw new Error(
        `the etcd cluster ${outputs.cluster} contains data that would be lost. Nothing was deleted. If the loss is ` +
            "intended, set allowDataLoss: true on the EtcdCluster, run `pulumi up`, then delete it again.",
    );
}
