/**
 * The cloud that commands and jobs work on: its state, its settings, its clock and the hypervisor behind its
 * machines.
 */
import { randomUUID } from "node:crypto";
import type { Hypervisor } from "./hypervisors/hypervisor";
import type { Event } from "./state/records";
import type { Store } from "./state/store";

export interface Settings {
    /** How long every job takes, in seconds; 0 for as fast as possible. */
    readonly jobSeconds: number;
    /**
     * Scale of a real server's durations: 0 for none; 1 for all of them, with its locks; 0.1 for the same ten times
     * faster.
     */
    readonly timing: number;
    /** How long a destroyed machine waits until it is expunged, in seconds (CloudStack's `expunge.delay`: a day). */
    readonly expungeSeconds: number;
    /**
     * How often statistics of running machines are collected, in seconds (CloudStack's `vm.stats.interval`: a minute).
     */
    readonly statisticsSeconds: number;
    /** Longest user data in base64 characters (`vm.userdata.max.length`). */
    readonly userDataLength: number;
}

export const DEFAULT_SETTINGS: Settings = {
    jobSeconds: 0,
    timing: 0,
    expungeSeconds: 86_400,
    statisticsSeconds: 60,
    userDataLength: 32_768,
};

export interface Cloud {
    readonly store: Store;
    readonly settings: Settings;
    readonly hypervisor: Hypervisor;
    readonly now: () => number;
}

/** How many events are kept. */
const EVENTS_KEPT = 2_000;

/** Records an event for `listEvents`. */
export function record(cloud: Cloud, event: Omit<Event, "id" | "created" | "state">): void {
    const { events } = cloud.store;
    events.insert({ id: randomUUID(), created: cloud.now(), state: "Completed", ...event });
    const number = cloud.store.next("event");
    if (number <= EVENTS_KEPT) return;
    const oldest = events.find(() => true);
    if (oldest !== undefined) events.remove(oldest.id);
}

/** A time in CloudStack's format: 2026-01-02T03:04:05+0000. */
export function timestamp(moment: number): string {
    return new Date(moment).toISOString().replace(/\.\d+Z$/, "+0000");
}
