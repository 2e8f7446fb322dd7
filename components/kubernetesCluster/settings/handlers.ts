/** The handlers of this room, under their keys in `dynamic/v1`. */
export { kubernetesSettings } from "./settingsHandler";
