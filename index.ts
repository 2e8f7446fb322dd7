/** Apache CloudStack for Pulumi: resources, lookups, and components that assemble clusters. */
export * from "./provider";
export type { Artifacts, ArtifactsArgs } from "./components/artifacts";
export type { CloudConfigArgs } from "./components/cloudInit";
export * from "./components/etcdCluster";
export * from "./components/kubernetesCluster";
export * from "./components/machineGroup";
export type { PlacementArgs } from "./components/placement";
export { ArgumentError, type Problem } from "./components/problems";
