// What `scanUpdate` fills: where the parts of one UPDATE are, and what is wrong with it, as the NOTIFICATION to send
// for a reset and as words for log and status.

import { ACTION_NAMES, ACTION_OK, ACTION_RESET, MAX_EXTENDED_MESSAGE_LENGTH } from './constants.ts';
import { attributeName } from './attributes/table.ts';
import type { AttributeVerdict } from './attributes/verdict.ts';
import { CODE_UPDATE, describeNotification, notification, type NotificationError } from './notification.ts';
import { copyOf } from './big-endian.ts';

/** Bits of `UpdateScan.ignored`: parts that belong to a family which was not agreed (RFC 4760 section 7). */
export const IGNORED_CLASSIC = 1;
export const IGNORED_MP_REACH = 2;
export const IGNORED_MP_UNREACH = 4;

/** Where the parts of one UPDATE are. All offsets are into the message's buffer. Reused for all messages. */
export class UpdateScan {
  /** ACTION_OK, ACTION_TREAT_AS_WITHDRAW or ACTION_RESET. */
  action = ACTION_OK;
  /** NOTIFICATION code and subcode of the strongest error; 0 without one. */
  errorCode = 0;
  errorSubcode = 0;
  /** Type of the offending attribute, 0 when it is not one; its header and value are at [errorOffset, +errorLength). */
  errorType = 0;
  errorOffset = 0;
  errorLength = 0;

  attributesStart = 0;
  attributesEnd = 0;
  /** Classic IPv4 withdrawn routes and NLRI (checked; empty range when IPv4 was not agreed). */
  withdrawnStart = 0;
  withdrawnEnd = 0;
  withdrawnCount = 0;
  nlriStart = 0;
  nlriEnd = 0;
  nlriCount = 0;

  /** Family index (IPV4 or IPV6) of the MP_REACH_NLRI attribute, -1 without one or when not agreed. */
  mpReachFamily = -1;
  mpReachAfi = 0;
  mpReachSafi = 0;
  nextHopStart = 0;
  nextHopLength = 0;
  mpReachStart = 0;
  mpReachEnd = 0;
  mpReachCount = 0;

  mpUnreachFamily = -1;
  mpUnreachAfi = 0;
  mpUnreachSafi = 0;
  mpUnreachStart = 0;
  mpUnreachEnd = 0;
  mpUnreachCount = 0;

  /** Family whose End-of-RIB this is (RFC 4724 section 2), -1 when it is none. */
  endOfRib = -1;
  ignored = 0;
  /** MP_REACH_NLRI of a family that was not agreed still is reachability (for RFC 7606 section 5.2). */
  hasReachable = false;
  hasWithdrawals = false;

  /**
   * All attributes but MP_REACH_NLRI and MP_UNREACH_NLRI in one run: `blob[blobStart, blobEnd)`.
   * `blob` is the message's own buffer unless an MP attribute stood between others; valid until the next scan.
   */
  blob: Uint8Array = EMPTY;
  blobStart = 0;
  blobEnd = 0;

  readonly scratch: Uint8Array = new Uint8Array(MAX_EXTENDED_MESSAGE_LENGTH + 1);
}

const EMPTY: Uint8Array = new Uint8Array(0);

/** Back to "nothing found" for the message in `buf`. */
export function clearScan(out: UpdateScan, buf: Uint8Array): void {
  out.action = ACTION_OK;
  out.errorCode = 0;
  out.errorSubcode = 0;
  out.errorType = 0;
  out.errorOffset = 0;
  out.errorLength = 0;
  out.attributesStart = 0;
  out.attributesEnd = 0;
  out.withdrawnStart = 0;
  out.withdrawnEnd = 0;
  out.withdrawnCount = 0;
  out.nlriStart = 0;
  out.nlriEnd = 0;
  out.nlriCount = 0;
  out.mpReachFamily = -1;
  out.mpReachAfi = 0;
  out.mpReachSafi = 0;
  out.nextHopStart = 0;
  out.nextHopLength = 0;
  out.mpReachStart = 0;
  out.mpReachEnd = 0;
  out.mpReachCount = 0;
  out.mpUnreachFamily = -1;
  out.mpUnreachAfi = 0;
  out.mpUnreachSafi = 0;
  out.mpUnreachStart = 0;
  out.mpUnreachEnd = 0;
  out.mpUnreachCount = 0;
  out.endOfRib = -1;
  out.ignored = 0;
  out.hasReachable = false;
  out.hasWithdrawals = false;
  out.blob = buf;
  out.blobStart = 0;
  out.blobEnd = 0;
}

/** Subcodes whose data is the whole offending attribute (RFC 4271 section 6.3). */
const WITH_ATTRIBUTE: ReadonlySet<number> = new Set([4, 5, 6, 8, 9]);

/** The NOTIFICATION for a scan whose action is a reset; `buf` is the message's buffer. Copies the data. */
export function updateNotification(buf: Uint8Array, scan: UpdateScan): NotificationError {
  const subcode = scan.errorSubcode === 0 ? 1 : scan.errorSubcode;
  if (!WITH_ATTRIBUTE.has(subcode) || scan.errorType === 0) return notification(CODE_UPDATE, subcode);
  return notification(
    CODE_UPDATE,
    subcode,
    copyOf(buf, scan.errorOffset, scan.errorOffset + scan.errorLength),
  );
}

/** An error of an UPDATE in words: what becomes of the message, and why. */
export interface UpdateErrorText {
  /** 'treat as withdraw' */
  readonly action: string;
  /** 'as_path: malformed AS_PATH' */
  readonly reason: string;
}

/**
 * Undefined when nothing was wrong. The verdict is that of the scan's blob; without one (no attributes,
 * withdrawals only) leave it out.
 */
export function describeUpdateError(
  scan: UpdateScan,
  verdict?: AttributeVerdict,
): UpdateErrorText | undefined {
  // A reset for want of routes to withdraw (RFC 7606 section 5.2) names no attribute: the verdict knows which it was.
  const isUnnamed = scan.action === ACTION_RESET && scan.errorType === 0 && scan.blobStart < scan.blobEnd;
  const fromVerdict = verdict !== undefined && verdict.action > 0 && (scan.errorCode === 0 || isUnnamed);
  const action = fromVerdict ? Math.max(verdict.action, scan.action) : scan.action;
  if (action === 0) return undefined;
  const type = fromVerdict ? verdict.errorType : scan.errorType;
  const subcode = fromVerdict ? verdict.errorSubcode : scan.errorSubcode;
  const words = describeNotification(notification(CODE_UPDATE, subcode)).replace(
    'UPDATE message error: ',
    '',
  );
  const subject = type === 0 ? '' : `${attributeName(type)}: `;
  return { action: ACTION_NAMES[action]!, reason: `${subject}${words}` };
}
