/** The handlers of certificates, secrets and tokens, under their names in `dynamic/v1`. */
export { certificateAuthority } from "./authorityHandler";
export { certificate } from "./certificateHandler";
export { clusterToken, randomSecret, signingKeyPair } from "./secretHandlers";
