import type { Inputs } from "../handler";
import { hasUnknown } from "../handler";
import { Gateway } from "./gateway";
import type { Members } from "./health";
import { defaultTimeoutSeconds } from "./names";

/** Inputs that say how to reach the cluster. Not compared: another certificate is no reason to wait. */
export const ACCESS = ["caCertificate", "clientCertificate", "clientKey", "waitFor", "timeoutSeconds"] as const;

/** A gateway to the cluster; undefined where etcd is not to be asked, or the credentials are not known yet. */
export function gatewayOf(inputs: Inputs, patience?: number): Gateway | undefined {
    const { caCertificate, clientCertificate, clientKey, waitFor } = inputs;
    if (waitFor !== "healthy" || hasUnknown([caCertificate, clientCertificate, clientKey, inputs.members]))
        return undefined;
    return new Gateway({ caCertificate, clientCertificate, clientKey }, patience);
}

export function secondsOf(inputs: Inputs): number {
    return typeof inputs.timeoutSeconds === "number" ? inputs.timeoutSeconds : defaultTimeoutSeconds;
}

/** All members but one. */
export function others(members: Members, name: string): Members {
    return Object.fromEntries(Object.entries(members).filter(([other]) => other !== name));
}
