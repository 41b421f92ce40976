// The door of ipam/: address blocks of this node, claimed once through the store; single addresses given out
// locally and remembered in a journal on disk.
export { hostLinkName, ownerKey } from './owner-key.ts';
export { Ipam, type IpamIo, type IpamOptions } from './ipam.ts';
export { FAMILIES } from './types.ts';
export type * from './types.ts';
