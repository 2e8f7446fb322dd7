/** A client of CloudStack's API that does not depend on Pulumi. */
export { Client, type ClientOptions } from "./client";
export { ConfigurationError, CloudStackError, type CloudStackErrorFacts, type Outcome } from "./errors";
export { resolveSettings } from "./config";
export { encodeParams } from "./params";
export { keepOut, scrub } from "./redact";
export { sign, stringToSign } from "./sign";
export type { Accepted, ClientSettings, Clock, Params, ParamValue, StackSettings } from "./types";
