export { certificatesTimer, renderCertificateWatch, type WatchedCertificates } from "./certificates";
export { convergeRulesPath, type ConvergeRule, convergeTimer, renderConverge, timerCommand } from "./converge";
export { convergeScript } from "./convergeScript";
export { type DataVolume, renderVolumes, volumeScript, volumeService } from "./volume";
