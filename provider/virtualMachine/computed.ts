/** Outputs that are not arguments, but for the address, which can be both. */
export const computedOutputs = [
    "networkInterfaces",
    "state",
    "password",
    "cpuNumber",
    "memoryMiB",
    "zoneId",
    "templateId",
    "serviceOfferingId",
    "userDataHash",
    "created",
    "cloud",
] as const;

/** Outputs that only the handler uses. */
export const internalOutputs = ["userDataFrom", "addressIsFixed"] as const;
