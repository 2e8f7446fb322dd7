export * from "./virtualMachine";
export * from "./securityGroup";
export * from "./sshKeyPair";
export * from "./affinityGroup";
export * from "./volume";
export * from "./lookups";
export type { LookupScope } from "./lookups/lookup";
export type { OperationTimeouts } from "./timeouts";
export type { CloudIdentity } from "./session";
