export { convergeRulesPath, type ConvergeRule, convergeTimer, renderConverge } from "./converge";
export { convergeScript } from "./convergeScript";
export { type DataVolume, renderVolumes, volumeScript, volumeService } from "./volume";
