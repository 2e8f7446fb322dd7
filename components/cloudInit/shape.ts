import { anything, atLeast, list, record } from "../shape";

/** What a `CloudConfigArgs` has to look like as far as `checkCloudConfig` looks into it; cloud-init checks the rest. */
export const cloudConfigShape = atLeast({
    writeFiles: list(anything),
    users: list(anything),
    modules: record(anything),
    packages: list(anything),
    runcmd: list(anything),
    bootcmd: list(anything),
});
