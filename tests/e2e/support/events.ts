import { existsSync, readFileSync } from "node:fs";

/**
 * The engine's events as `--event-log` writes them: one JSON object per line, each with one of these fields
 * (https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/apitype#EngineEvent). Only what tests use is typed.
 */
export interface EngineEvent {
    sequence: number;
    timestamp: number;
    resourcePreEvent?: { metadata: StepMetadata; planning?: boolean };
    resOutputsEvent?: { metadata: StepMetadata; planning?: boolean };
    resOpFailedEvent?: { metadata: StepMetadata; status: number; steps: number };
    diagnosticEvent?: { urn?: string; message: string; severity: Severity; ephemeral?: boolean; prefix?: string };
    summaryEvent?: {
        maybeCorrupt: boolean;
        durationSeconds: number;
        resourceChanges: Record<string, number>;
    };
}

export type Severity = "debug" | "info" | "info#err" | "warning" | "error";

export interface StepMetadata {
    op: Operation;
    urn: string;
    type: string;
    old?: StepState;
    new?: StepState;
    /** Names of the inputs that caused the step. */
    diffs?: string[] | null;
    detailedDiff?: Record<string, { diffKind: string; inputDiff: boolean }> | null;
    keys?: string[];
}

export interface StepState {
    id: string;
    type: string;
    urn: string;
    inputs: Record<string, any>;
    outputs: Record<string, any>;
    protect?: boolean;
}

export type Operation =
    | "same"
    | "create"
    | "update"
    | "delete"
    | "replace"
    | "create-replacement"
    | "delete-replaced"
    | "read"
    | "refresh"
    | "discard"
    | "import";

/** An operation on a resource that the engine did, or at preview would do. */
export interface Step extends StepMetadata {
    /** The resource's name: the last part of its URN. */
    name: string;
    /** False if the operation failed. */
    succeeded: boolean;
}

/** Reads an event log. An incomplete last line, as a killed engine leaves, is ignored. */
export function readEvents(file: string): EngineEvent[] {
    if (!existsSync(file)) {
        return [];
    }
    const lines = readFileSync(file, "utf8").split("\n");
    return lines
        .slice(0, -1)
        .filter(Boolean)
        .map((line) => JSON.parse(line));
}

/** The finished steps of all resources except the stack and the providers, in the order in which they ended. */
export function stepsOf(events: EngineEvent[]): Step[] {
    return events.flatMap((event) => {
        const metadata = (event.resOutputsEvent ?? event.resOpFailedEvent)?.metadata;
        if (!metadata || /^pulumi:(pulumi:Stack|providers:)/.test(metadata.type)) {
            return [];
        }
        return [{ ...metadata, name: nameOf(metadata.urn), succeeded: !event.resOpFailedEvent }];
    });
}

/** The messages that were displayed, one string each, without trailing line feeds and colour codes. */
export function messagesOf(events: EngineEvent[], ...severities: Severity[]): string[] {
    return events.flatMap(({ diagnosticEvent: d }) =>
        d && !d.ephemeral && (!severities.length || severities.includes(d.severity))
            ? [d.message.replace(/<\{%.*?%\}>/g, "").trimEnd()]
            : [],
    );
}

/** The name of a resource, from its URN. */
export function nameOf(urn: string): string {
    return urn.slice(urn.lastIndexOf("::") + 2);
}
