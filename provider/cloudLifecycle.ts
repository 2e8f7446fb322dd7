import type { Watched } from "./missing";
import { isMissing } from "./missing";
import type { DiffResult, Handler, Inputs, Outputs } from "./handler";
import type { Lifecycle } from "./lifecycle";
import { lifecycle, wasChecked } from "./lifecycle";
import type { CloudIdentity, Session } from "./session";
import { keepReferences, resolveReference } from "./references";
import { withoutSecrets } from "./secrets";
import { PlaceUnknown, sessionFor } from "./session";
import { warn } from "./status";
import { deadlineOf } from "./timeouts";

/** The cloud of a resource: the one that its state came from. */
export interface Place {
    readonly session: Session;
    /** What outputs keep of it. */
    readonly cloud: CloudIdentity;
}

/** The same for an operation that changes something there. */
export interface TimedPlace extends Place {
    /** Until when it may take, in milliseconds since the epoch. */
    readonly deadline: number;
}

/** What a kind of resource of CloudStack does, at its place. */
export interface CloudLifecycle extends Pick<Lifecycle, "check" | "marks"> {
    /** Compares what is (outputs) with what is wanted (inputs); no I/O. */
    diff(id: string, olds: Outputs, news: Inputs): DiffResult;
    /** Set where a preview warns of what the state has and the cloud has not any more. */
    readonly watched?: Watched;
    /** What messages call one, before its name. */
    readonly kind: string;
    /** The output that has the name. Default `name`. */
    readonly nameOutput?: string;
    create(inputs: Inputs, at: TimedPlace): Promise<{ id: string; outs: Outputs }>;
    /** `undefined` where it is gone. */
    read(id: string, outputs: Outputs, at: Place): Promise<Outputs | undefined>;
    /** The arguments as what was found would have them: see `foundInputs`. Default: those that the engine has. */
    found?(id: string, last: Outputs, found: Outputs, at: Place): Promise<Inputs | undefined> | Inputs | undefined;
    update(id: string, olds: Outputs, news: Inputs, at: TimedPlace): Promise<Outputs>;
    delete(id: string, outputs: Outputs, at: TimedPlace): Promise<void>;
}

/**
 * A handler whose operations refuse to work on a cloud that a resource's state did not come from: there it would look
 * as if it were gone.
 */
export function cloudLifecycle(of: CloudLifecycle): Handler {
    /** @param configured says which cloud is meant; `stored` knows which one it was */
    const place = async (id: string, configured: Inputs, stored: Outputs): Promise<Place> => {
        const session = sessionFor(configured);
        const name = stored[of.nameOutput ?? "name"] ?? id;
        return { session, cloud: await session.assertSameCloud(`${of.kind} ${name}`, stored.cloud) };
    };
    /** An interrupted `destroy`, or somebody else, may have removed it; a run without a refresh believes the state. */
    const warnIfGone = async (id: string, olds: Outputs, watched: Watched): Promise<void> => {
        try {
            if (!(await isMissing(id, watched, sessionFor(olds)))) return;
            // On another cloud everything looks as if it were gone.
            await place(id, olds, olds);
        } catch {
            return;
        }
        const name = withoutSecrets(String(olds[of.nameOutput ?? "name"]), olds);
        await warn(`${of.kind} ${name} (${id}) is in the stack's state, but no longer in the cloud: ${watched.remedy}`);
    };
    return lifecycle({
        marks: of.marks,
        // Arguments have been looked at by themselves when the cloud is first asked.
        check: async (problems, inputs, olds) => {
            const places = ["project", "profile"];
            for (const property of places) problems.optionalString(inputs, property);
            // Where it is to be is asked of the configuration with them.
            if (places.some((property) => inputs[property] !== undefined && typeof inputs[property] !== "string"))
                return;
            // What is in a project stays there: nothing moves between projects.
            if (typeof olds?.project === "string") inputs.project ??= olds.project;
            keepReferences(inputs, olds);
            try {
                await resolveReference(problems, inputs, olds, "project", () => projectOf(inputs));
                await of.check(problems, inputs, olds);
            } catch (error) {
                if (!(error instanceof PlaceUnknown)) throw error;
                if (olds?.zone !== undefined) inputs.zone ??= olds.zone;
            }
        },
        diff: async (id, olds, news) => {
            const diff = of.diff(id, olds, news);
            // What is replaced is made again anyway, and a refresh, which compares too, tells it itself.
            if (of.watched !== undefined && wasChecked(news) && (diff.replaces ?? []).length === 0)
                await warnIfGone(id, olds, of.watched);
            return diff;
        },
        create: async (inputs) => {
            const session = sessionFor(inputs);
            const cloud = await session.identity();
            return of.create(inputs, { session, cloud, deadline: deadlineOf("create", inputs) });
        },
        read: async (id, outputs) => of.read(id, outputs, await place(id, outputs, outputs)),
        found: async (id, last, found) => of.found?.(id, last, found, await place(id, last, last)),
        update: async (id, olds, news) =>
            of.update(id, olds, news, { ...(await place(id, news, olds)), deadline: deadlineOf("update", news) }),
        delete: async (id, outputs) =>
            of.delete(id, outputs, { ...(await place(id, outputs, outputs)), deadline: deadlineOf("delete", outputs) }),
    });
}

/** The project that arguments name. */
async function projectOf(inputs: Inputs): Promise<{ id: string }> {
    const id = await sessionFor(inputs).client.projectId();
    if (id === undefined) throw new Error("the project has no id");
    return { id };
}
