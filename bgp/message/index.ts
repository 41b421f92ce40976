// The door of the BGP wire codec: bytes in, values out. No socket, timer, logger or clock is known here.
export * from './constants.ts';
export { SessionCodecContext, verdictKey } from './context.ts';
export { Framer, FRAME_OK, FRAME_STOPPED } from './frame.ts';
export type { FrameSink } from './frame.ts';
export * from './nlri.ts';
export { decodeNextHop, NextHop } from './next-hop.ts';
export { judgeUpdate, scanUpdate } from './update.ts';
export { describeUpdateError, UpdateScan, updateNotification } from './update-scan.ts';
export * from './update-encode.ts';
export {
  AttributeVerdict,
  HAS_GRACEFUL_SHUTDOWN,
  HAS_LLGR_STALE,
  HAS_NO_ADVERTISE,
  HAS_NO_EXPORT,
  HAS_NO_EXPORT_SUBCONFED,
  HAS_NO_LLGR,
  isOnlyIncomplete,
  PRESENT_AGGREGATOR,
  PRESENT_MED,
  PRESENT_OTC,
} from './attributes/verdict.ts';
export * from './attributes/export-plan.ts';
export { validateAttributes } from './attributes/validate.ts';
export { rewriteAttributes } from './attributes/rewrite.ts';
export { buildAttributes } from './attributes/originate.ts';
export { AttributeRange, findAttribute } from './attributes/attribute-list.ts';
export { formatAttributes } from './attributes/table.ts';
export { printNextHop } from './attributes/kinds/reachability.ts';
export { clusterListContains } from './attributes/kinds/preferences.ts';
export { countAs, startsWithAs } from './attributes/kinds/as-path.ts';
export { formatAsPath, PathElements } from './attributes/kinds/as-segments.ts';
export {
  formatCommunities,
  formatCommunity,
  parseCommunity,
  parseLargeCommunity,
} from './attributes/kinds/communities.ts';
export type { LargeCommunity } from './attributes/kinds/communities.ts';
export * from './attributes/kinds/community-pattern.ts';
export { LINK_BANDWIDTHS, linkBandwidthText, shownCommunity } from './attributes/kinds/ext-communities.ts';
export { carriesCommunity } from './attributes/kinds/community-list.ts';
export * from './notification.ts';
export { encodeKeepalive } from './frame.ts';
export { copyOf, readU32 } from './big-endian.ts';
export * from './route-refresh.ts';
export * from './open.ts';
export * from './capabilities.ts';
export { describeCapabilities } from './capability-text.ts';
