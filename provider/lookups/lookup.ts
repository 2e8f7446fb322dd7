import * as pulumi from "@pulumi/pulumi";
import type { Session } from "../session";
import { configureStack, sessionFor } from "../session";

/** What every lookup takes beside its own arguments. */
export interface LookupScope {
    /** The name or id of the project. @default `cloudstack:project` */
    project?: string;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: string;
}

/** The session of the program itself: lookups run in the program, while it runs. */
function programSession(scope: LookupScope): Session {
    const config = new pulumi.Config("cloudstack");
    configureStack((key) => config.get(key.replace(/^cloudstack:/, "")));
    return sessionFor(scope);
}

/** A lookup whose failure is shown to the user as a message, without a stack. */
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

/** The twin of a lookup that takes outputs and gives one; a secret argument makes a secret of the result. */
export function outputTwin<A extends object, R>(
    find: (args: A) => Promise<R>,
): (args: pulumi.Inputs) => pulumi.Output<R> {
    return (args) => pulumi.output(args).apply((resolved) => find(resolved as A)) as pulumi.Output<R>;
}
