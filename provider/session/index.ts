export * from "./api";
export { Catalogue, NotFound, isId, pick } from "./catalogue";
export { CoalescedReads } from "./coalesced";
export { PlaceUnknown, Session, configureStack, isGone, sessionFor } from "./session";
export type { CloudIdentity, Needs } from "./session";
