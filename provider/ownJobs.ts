import * as crypto from "node:crypto";
import { isLost } from "./adopt";
import { CloudStackError } from "./client";
import type { Accepted, Params } from "./client";
import type { TimedPlace } from "./cloudLifecycle";
import type { Inputs, Outputs } from "./handler";
import { PartialFailure } from "./handler";
import { isInState } from "./lifecycle";
import type { Session } from "./session";
import { secondsUntil } from "./timeouts";
import type { EndedJob, Unanswered } from "./unanswered";
import { endOf } from "./unanswered";

/**
 * The creation of entities for which the creating command has no place for an owner mark, such as public addresses.
 *
 * The client may choose the id of a job. Here it follows from the owner mark and the number of the attempt, so that a
 * later run finds the jobs of an interrupted one, and what they created. CloudStack keeps jobs for a day.
 */

/** How often a creating command is sent. */
const ATTEMPTS = 3;

export interface OwnCreation {
    readonly command: string;
    readonly params: Params;
    /** More locks: see `RunOptions`. */
    readonly queue?: string;
    /** The outputs for the state if the creation does not end in time. */
    readonly outputs: Outputs;
    /** Whether what an earlier job of this resource has created is still there, and is not used for anything else. */
    isLeft(id: string, job: EndedJob): Promise<boolean>;
}

/**
 * Creates an entity, or adopts one that an earlier job of this resource has created and that is not in the state.
 *
 * @param lost receives the requests that were never answered
 * @returns its id
 */
export async function createOwn(
    inputs: Inputs,
    { session, deadline }: TimedPlace,
    creation: OwnCreation,
    lost: Unanswered[],
): Promise<string> {
    const { command, params, queue, outputs } = creation;
    for (let attempt = 1; ; attempt++) {
        const { left, jobId } = await findOwn(session, inputs, creation, lost, deadline);
        if (left !== undefined) return left;
        const sent = Date.now();
        let accepted: Accepted | undefined;
        try {
            const onAccepted = (answer: Accepted) => void (accepted = answer);
            const timeoutSeconds = secondsUntil(deadline);
            await session.client.run(command, params, { timeoutSeconds, queue, jobId, onAccepted });
            return accepted!.id!;
        } catch (error) {
            const id = accepted?.id;
            if (error instanceof CloudStackError && error.outcome !== "failed" && id !== undefined)
                throw new PartialFailure(error.message, id, outputs, inputs);
            if (!isLost(error) || attempt === ATTEMPTS) throw error;
            lost.push({ job: jobId, sent });
        }
    }
}

/** What earlier jobs have left, and the id of the next job. */
async function findOwn(
    session: Session,
    inputs: Inputs,
    { command, isLeft }: OwnCreation,
    lost: readonly Unanswered[],
    deadline: number,
): Promise<{ left?: string; jobId: string }> {
    const ended: EndedJob[] = [];
    for (let number = 0; ; number++) {
        const jobId = jobIdOf(inputs.owner, command, number);
        const job = await endOf(session, jobId, deadline);
        if (job !== undefined) ended.push(job);
        else if (!lost.some((request) => request.job === jobId)) {
            for (const { id, created } of ended.reverse())
                if (id !== undefined && !isInState(id) && (await isLeft(id, { created }))) return { left: id, jobId };
            return { jobId };
        }
    }
}

/** The id of the n-th job with which a resource is created, in the form of a UUID. */
export function jobIdOf(owner: string, command: string, number: number): string {
    const hex = crypto
        .createHash("sha256")
        .update(JSON.stringify([owner, command, number]))
        .digest("hex");
    return [
        hex.slice(0, 8),
        hex.slice(8, 12),
        `8${hex.slice(13, 16)}`,
        `a${hex.slice(17, 20)}`,
        hex.slice(20, 32),
    ].join("-");
}
