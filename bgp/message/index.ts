// The door of the BGP wire codec: bytes in, values out. No socket, timer, logger or clock is known here.
export * from './constants.ts';
export { SessionCodecContext, verdictKey } from './context.ts';
export { Framer, FRAME_OK, FRAME_STOPPED } from './frame.ts';
export type { FrameSink } from './frame.ts';
export * from './nlri.ts';
export { decodeNextHop, isUnicastIpv4, isUnicastIpv6, NextHop } from './next-hop.ts';
export {
  IGNORED_CLASSIC,
  IGNORED_MP_REACH,
  IGNORED_MP_UNREACH,
  judgeUpdate,
  scanUpdate,
  UpdateScan,
} from './update.ts';
export * from './update-encode.ts';
export * from './attributes/verdict.ts';
export * from './attributes/export-plan.ts';
export { validateAttributes } from './attributes/validate.ts';
export { rewriteAttributes } from './attributes/rewrite.ts';
export { buildAttributes } from './attributes/build.ts';
export type { AttributeInput } from './attributes/build.ts';
export type { NotificationError } from './notification.ts';
