/** The handlers of this room, under their keys in `dynamic/v1`. */
export { etcdHealth } from "./healthHandler";
export { etcdMember } from "./memberHandler";
export { etcdQuorum } from "./quorumHandler";
