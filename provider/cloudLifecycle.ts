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
    /** The identity that the outputs contain. */
    readonly cloud: CloudIdentity;
}

/** The same for an operation that changes something. */
export interface TimedPlace extends Place {
    /** The deadline of the operation in milliseconds since the epoch. */
    readonly deadline: number;
}

/** The operations of a kind of resource in its cloud. */
export interface CloudLifecycle extends Pick<Lifecycle, "check" | "marks"> {
    /** Compares the current state (outputs) with the desired state (inputs), without I/O. */
    diff(id: string, olds: Outputs, news: Inputs): DiffResult;
    /** Set if a preview warns of resources that are in the state and no longer exist in the cloud. */
    readonly watched?: Watched;
    /** The kind as messages call it, before the name of a resource. */
    readonly kind: string;
    /** The output that contains the name. Default `name`. */
    readonly nameOutput?: string;
    create(inputs: Inputs, at: TimedPlace): Promise<{ id: string; outs: Outputs }>;
    /** `undefined` if it does not exist. */
    read(id: string, outputs: Outputs, at: Place): Promise<Outputs | undefined>;
    /** The arguments that match what a refresh found: see `foundInputs`. Default: those that the engine has. */
    found?(id: string, last: Outputs, found: Outputs, at: Place): Promise<Inputs | undefined> | Inputs | undefined;
    update(id: string, olds: Outputs, news: Inputs, at: TimedPlace): Promise<Outputs>;
    delete(id: string, outputs: Outputs, at: TimedPlace): Promise<void>;
}

/**
 * A handler whose operations are refused on another cloud than the one in a resource's state: there the resource would
 * look deleted.
 */
export function cloudLifecycle(of: CloudLifecycle): Handler {
    /** @param configured determines the cloud; `stored` contains the previous one */
    const place = async (id: string, configured: Inputs, stored: Outputs): Promise<Place> => {
        const session = sessionFor(configured);
        const name = stored[of.nameOutput ?? "name"] ?? id;
        return { session, cloud: await session.assertSameCloud(`${of.kind} ${name}`, stored.cloud) };
    };
    /** An interrupted `destroy` or another user may have deleted it, which a run without a refresh does not notice. */
    const warnIfGone = async (id: string, olds: Outputs, watched: Watched): Promise<void> => {
        try {
            if (!(await isMissing(id, watched, sessionFor(olds)))) return;
            // On another cloud every resource would look deleted.
            await place(id, olds, olds);
        } catch {
            return;
        }
        const name = withoutSecrets(String(olds[of.nameOutput ?? "name"]), olds);
        await warn(`${of.kind} ${name} (${id}) is in the stack's state, but no longer in the cloud: ${watched.remedy}`);
    };
    return lifecycle({
        marks: of.marks,
        // `project` and `profile` are validated before the first API call, because they determine the cloud.
        check: async (problems, inputs, olds) => {
            const places = ["project", "profile"];
            for (const property of places) problems.optionalString(inputs, property);
            // They select the configuration, so invalid values cannot be used.
            if (places.some((property) => inputs[property] !== undefined && typeof inputs[property] !== "string"))
                return;
            // A resource cannot move between projects, so it stays in its project if the argument is removed.
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
            // Not for a replacement, which creates the resource anyway, nor during a refresh, which reports it itself.
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

/** The project in the arguments. */
async function projectOf(inputs: Inputs): Promise<{ id: string }> {
    const id = await sessionFor(inputs).client.projectId();
    if (id === undefined) throw new Error("the project has no id");
    return { id };
}
