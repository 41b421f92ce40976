// What went wrong in an UPDATE: the NOTIFICATION to send for a reset, and words for log and status.

import { ACTION_NAMES, ACTION_RESET } from './constants.ts';
import { attributeName } from './attributes/table.ts';
import type { AttributeVerdict } from './attributes/verdict.ts';
import { CODE_UPDATE, describeNotification, notification, type NotificationError } from './notification.ts';
import { copyOf } from './octets.ts';
import type { UpdateScan } from './update-scan.ts';

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
