/** The handlers of the etcd resources, under their keys in `dynamic/v1`. */
export { etcdFounding } from "./foundingHandler";
export { etcdDataGuard } from "./guardHandler";
export { etcdHealth } from "./healthHandler";
export { etcdMember } from "./memberHandler";
export { etcdQuorum } from "./quorumHandler";
