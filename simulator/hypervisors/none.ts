/** The hypervisor that boots no machines: every action succeeds immediately, and only the cloud's state changes. */
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
