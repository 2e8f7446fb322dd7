export { checkCloudConfig } from "./check";
export type {
    CloudConfig,
    CloudConfigArgs,
    DiskArgs,
    FileSystemArgs,
    NtpArgs,
    User,
    UserArgs,
    WriteFile,
    WriteFileArgs,
} from "./document";
export { userDataProblem } from "./length";
export { cloudConfigConflicts, mergeCloudConfig } from "./merge";
export { placeholder } from "./placeholder";
export { envFile, sh } from "./script";
export {
    decodeUserData,
    defaultMaxLength,
    renderUserData,
    type RenderOptions,
    type UserData,
    UserDataTooLongError,
} from "./userData";
export { renderCloudConfig } from "./yaml";
