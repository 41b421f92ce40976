// The door of ipam/: address blocks of this node, claimed once through the store; single addresses given out
// locally and remembered in a journal on disk.
export { storedBlock } from './node/block-comparison.ts';
export { hostLinkName, ownerKey, POD_LINK } from './node/owner-key.ts';
export { Ipam, type IpamIo, type IpamOptions } from './node/ipam.ts';
export { type OrphanBlock, OrphanBlocks } from './node/orphan-blocks.ts';
export type * from './node/types.ts';
