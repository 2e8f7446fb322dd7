import type { Handler } from "../../provider/handler";
import { authorityHandler } from "./authorityHandler";
import { certificateHandler } from "./leafHandler";
import { clusterTokenHandler, randomSecretHandler, signingKeyPairHandler } from "./secretHandlers";

/** The handlers of this room, under their keys in `dynamic/v1`. */
export const certificateAuthority: Handler = authorityHandler;
export const certificate: Handler = certificateHandler;
export const randomSecret: Handler = randomSecretHandler;
export const signingKeyPair: Handler = signingKeyPairHandler;
export const clusterToken: Handler = clusterTokenHandler;
