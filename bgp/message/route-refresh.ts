// ROUTE-REFRESH (RFC 2918), with the subtypes of enhanced refresh (RFC 7313).
//
//   AFI (2) | subtype (1) | SAFI (1)

import { HEADER_LENGTH, MAX_MESSAGE_LENGTH, ROUTE_REFRESH } from './constants.ts';
import { CODE_ROUTE_REFRESH, notification, type NotificationError } from './notification.ts';
import { copyOf, readU16, writeU16 } from './big-endian.ts';
import { writeHeader } from './frame.ts';

export const REFRESH_REQUEST = 0;
/** Beginning and end of a refresh (BoRR, EoRR). */
export const REFRESH_BEGIN = 1;
export const REFRESH_END = 2;

const LENGTH = HEADER_LENGTH + 4;

export interface RouteRefresh {
  readonly afi: number;
  readonly safi: number;
  /** REFRESH_*; a receiver ignores others (RFC 7313 section 4.2). */
  readonly subtype: number;
}

/** Reads the message at buf[start, end), or gives 7/1 with the whole message as data (RFC 7313 section 5). */
export function decodeRouteRefresh(
  buf: Uint8Array,
  start: number,
  end: number,
): RouteRefresh | NotificationError {
  if (end - start !== LENGTH) {
    return notification(CODE_ROUTE_REFRESH, 1, copyOf(buf, start, Math.min(end, start + MAX_MESSAGE_LENGTH)));
  }
  const at = start + HEADER_LENGTH;
  return { afi: readU16(buf, at), subtype: buf[at + 2]!, safi: buf[at + 3]! };
}

export function encodeRouteRefresh(refresh: RouteRefresh): Uint8Array {
  const out = new Uint8Array(LENGTH);
  const at = writeU16(out, writeHeader(out, 0, ROUTE_REFRESH, LENGTH), refresh.afi);
  out[at] = refresh.subtype;
  out[at + 1] = refresh.safi;
  return out;
}
