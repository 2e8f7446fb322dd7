/** The hypervisor that keeps states only: every machine does at once, and perfectly, what it is told. */
import type { Hypervisor } from "./hypervisor";

const done = () => Promise.resolve();

export const none: Hypervisor = {
    name: "none",
    start: done,
    stop: done,
    reboot: done,
    reinstall: done,
    expunge: done,
    attach: done,
    detach: done,
    resize: done,
    deleteVolume: done,
    updateMetadata: done,
    console: () => "",
    hostAddress: () => undefined,
    watch: () => undefined,
    close: done,
    cutPower: () => undefined,
    filter: done,
};
