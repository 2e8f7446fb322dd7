import * as crypto from "node:crypto";
import { echoOf, type Handler, hasUnknown, type Inputs, UNKNOWN } from "../../../provider/handler";
import { announce, lifecycle } from "../../../provider/lifecycle";
import { isNewborn } from "../../certificates/secretHandlers";
import { machinesThere } from "../../../provider/machineNames";

/**
 * The lifecycle of `EtcdFounding`: from when on founders without data may found the cluster, for `windowSeconds`. A window
 * that is over opens anew as long as there can have been no cluster: while most of its founders have never been made. In
 * arguments stays what a run has seen (the engine keeps them where nothing else changes), so that this is never so twice.
 */
export const etcdFounding: Handler = lifecycle({
    async check(problems, inputs, olds) {
        const { founders, bornAt, windowSeconds, token } = inputs;
        inputs.wasThere = olds?.wasThere ?? false;
        inputs.opensAt = olds?.opensAt ?? bornAt;
        if (inputs.wasThere === true || hasUnknown([founders, bornAt, windowSeconds, inputs.project, inputs.profile])) return;
        const found = await problems.attempt("", () => machinesThere(inputs, founders));
        if (found === undefined) return;
        if (2 * found.names.length > founders.length || founders.length === 0) inputs.wasThere = true;
        // One that was made by a version without this has its own time.
        else if (olds === undefined) inputs.opensAt = isNewborn(token) ? found.now : bornAt;
        // Half a window is enough for a run that goes through; another time each run would tell machines something new.
        else if (found.now > inputs.opensAt + windowSeconds / 2) inputs.opensAt = found.now;
    },
    diff(_id, olds, news) {
        const opensAnew = news.opensAt !== UNKNOWN && news.opensAt > olds.opensAt;
        if (!opensAnew || olds.wasRefreshed !== true) return { changes: opensAnew };
        // A refresh may have found that they are gone, and their data with them.
        announce(
            news,
            `etcd ${news.cluster}: most of its founders' machines are not there. Those that are made now found no cluster, ` +
                "since one may have been lost with them. If there never was one: raise bootstrapWindowSeconds to " +
                `${news.opensAt - olds.opensAt + news.windowSeconds} or more.`,
        );
        return { changes: false };
    },
    create: async (inputs) => ({ id: crypto.randomUUID(), outs: outputsOf(inputs) }),
    read: async (_id, outputs) => ({ ...outputs, wasRefreshed: true }),
    update: async (_id, _olds, news) => outputsOf(news),
    async delete() {},
});

function outputsOf(inputs: Inputs): Inputs {
    const { wasThere: _wasThere, ...outs } = echoOf(inputs);
    return { ...outs, wasRefreshed: false };
}
