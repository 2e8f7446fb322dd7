import type { Inputs } from "../handler";
import { hasUnknown } from "../handler";
import { Gateway } from "./gateway";
import type { Members } from "./health";
import { defaultTimeoutSeconds } from "./names";

/** Inputs that define how to connect to the cluster. A change of these alone does not wait for etcd. */
export const ACCESS = ["caCertificate", "clientCertificate", "clientKey", "waitFor", "timeoutSeconds"] as const;

/** A gateway to the cluster; undefined if etcd must not be contacted or the credentials are not known yet. */
export function gatewayOf(inputs: Inputs, patience?: number): Gateway | undefined {
    const { caCertificate, clientCertificate, clientKey, waitFor } = inputs;
    if (waitFor !== "healthy" || hasUnknown([caCertificate, clientCertificate, clientKey, inputs.members]))
        return undefined;
    return new Gateway({ caCertificate, clientCertificate, clientKey }, patience);
}

export function secondsOf(inputs: Inputs): number {
    return typeof inputs.timeoutSeconds === "number" ? inputs.timeoutSeconds : defaultTimeoutSeconds;
}

/** All members except one. */
export function others(members: Members, name: string): Members {
    return Object.fromEntries(Object.entries(members).filter(([other]) => other !== name));
}
