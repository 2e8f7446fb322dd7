import * as pulumi from "@pulumi/pulumi";
import type { Session } from "../session";
import { configureStack, sessionFor } from "../session";

/** The arguments that all lookups have. */
export interface LookupScope {
    /** The name or id of the project. @default `cloudstack:project` */
    project?: string;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: string;
}

/** The session of the program. Lookups run in the program's process, not in the plugin. */
function programSession(scope: LookupScope): Session {
    const config = new pulumi.Config("cloudstack");
    configureStack((key) => config.get(key.replace(/^cloudstack:/, "")));
    return sessionFor(scope);
}

/** A lookup whose errors are shown to the user without a stack trace. */
export function lookup<A extends LookupScope, R>(
    find: (session: Session, args: A) => Promise<R>,
): (args: A) => Promise<R> {
    return async (args) => {
        try {
            return await find(programSession(args), args);
        } catch (error) {
            throw new pulumi.RunError((error as Error).message);
        }
    };
}

/** The variant of a lookup that accepts outputs and returns one. If an argument is secret, so is the result. */
export function outputTwin<A extends object, R>(
    find: (args: A) => Promise<R>,
): (args: pulumi.Inputs) => pulumi.Output<R> {
    return (args) => pulumi.output(args).apply((resolved) => find(resolved as A)) as pulumi.Output<R>;
}
