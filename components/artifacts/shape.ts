import { boolean, fields, list, record, text } from "../shape";

/** What `ArtifactsArgs` have to look like; what they say is for `checkArtifacts`. */
export const artifactsShape = fields({
    mirror: text,
    manifest: record(text),
    inTemplate: boolean,
    imageArchives: list(text),
    packages: text,
    packageFiles: list(text),
});
