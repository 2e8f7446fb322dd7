export { checkArtifacts, checkVersion } from "./check";
export { fetchScript, fetchUnit } from "./fetch";
export {
    buildOf,
    distributionPackages,
    fetchPlanPath,
    fetchService,
    imageFolder,
    renderFetch,
    renderPlan,
    type Versions,
} from "./plan";
export {
    type Architecture,
    architectures,
    type Artifact,
    type ArtifactName,
    artifactNames,
    type Artifacts,
    type ArtifactsArgs,
    resolveArtifact,
    resolveMirrored,
    supportedVersions,
} from "./resolve";
