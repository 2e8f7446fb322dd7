/** The handlers of certificates and of what is made once, under their names in `dynamic/v1`. */
export { certificateAuthority } from "./authorityHandler";
export { certificate } from "./certificateHandler";
export { clusterToken, randomSecret, signingKeyPair } from "./secretHandlers";
