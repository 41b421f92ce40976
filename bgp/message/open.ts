// OPEN (RFC 4271 section 4.2, RFC 9072), both directions.
//
//   version (1) | my AS (2) | hold time (2) | BGP identifier (4) | optional parameters' length (1) | parameters
//   parameter: type (1) | length (1) | value
//   extended (RFC 9072): 255 (1) | 255 (1) | parameters' length (2) | parameters with two-octet lengths

import { AS_TRANS, HEADER_LENGTH, OPEN } from './constants.ts';
import { type Capabilities, CapabilityReader, encodeCapabilities } from './capabilities.ts';
import { CODE_OPEN, notification, type NotificationError } from './notification.ts';
import { copyOf, readU16, readU32, writeU16, writeU32 } from './big-endian.ts';
import { writeHeader } from './frame.ts';

const VERSION = 4;
const PARAMETER_CAPABILITIES = 2;
const EXTENDED = 255;
const FIXED_LENGTH = HEADER_LENGTH + 10;

/** Subcodes of the OPEN message error. */
export const OPEN_UNSUPPORTED_VERSION = 1;
export const OPEN_BAD_PEER_AS = 2;
export const OPEN_BAD_IDENTIFIER = 3;
export const OPEN_UNSUPPORTED_PARAMETER = 4;
export const OPEN_UNACCEPTABLE_HOLD_TIME = 6;
export const OPEN_UNSUPPORTED_CAPABILITY = 7;
export const OPEN_ROLE_MISMATCH = 11;

export interface OpenMessage {
  /** The real AS: of the four-octet AS capability, else the two-octet field. */
  readonly asNumber: number;
  readonly holdTimeSeconds: number;
  /** BGP identifier as an unsigned number. */
  readonly routerId: number;
  /** Undefined: no optional parameters at all (also for sending to a peer that refuses them, RFC 5492 section 3). */
  readonly capabilities?: Capabilities | undefined;
}

/** True for the error that decodeOpen and decodeRouteRefresh give instead of a message. */
export function isNotificationError(value: object): value is NotificationError {
  return 'code' in value && 'subcode' in value;
}

/**
 * Reads the OPEN at buf[start, end), header included (the framer saw to at least 29 octets).
 * Only what is wrong by itself is an error here: version, AS 0, identifier 0, hold time 1 and 2, malformed
 * parameters. What does not suit us (another AS, our own identifier, missing capabilities) the session decides.
 */
export function decodeOpen(buf: Uint8Array, start: number, end: number): OpenMessage | NotificationError {
  const at = start + HEADER_LENGTH;
  if (end - start < FIXED_LENGTH) return malformed();
  if (buf[at] !== VERSION) {
    return notification(CODE_OPEN, OPEN_UNSUPPORTED_VERSION, new Uint8Array([0, VERSION]));
  }
  const reader = new CapabilityReader();
  const error = readParameters(reader, buf, at + 9, end);
  if (error !== undefined) return error;
  const capabilities = reader.finish();
  const myAs = readU16(buf, at + 1);
  const asNumber = capabilities.fourByteAs ?? myAs;
  if (asNumber === 0 || myAs === 0) {
    return notification(CODE_OPEN, OPEN_BAD_PEER_AS, copyOf(buf, at + 1, at + 3));
  }
  const holdTimeSeconds = readU16(buf, at + 3);
  if (holdTimeSeconds === 1 || holdTimeSeconds === 2) {
    return notification(CODE_OPEN, OPEN_UNACCEPTABLE_HOLD_TIME, copyOf(buf, at + 3, at + 5));
  }
  const routerId = readU32(buf, at + 5);
  if (routerId === 0) return notification(CODE_OPEN, OPEN_BAD_IDENTIFIER, copyOf(buf, at + 5, at + 9));
  return { asNumber, holdTimeSeconds, routerId, capabilities };
}

/** `at` is the offset of the parameters' length. They must fill the message exactly. */
function readParameters(
  reader: CapabilityReader,
  buf: Uint8Array,
  at: number,
  end: number,
): NotificationError | undefined {
  let length = buf[at]!;
  let parameter = at + 1;
  // The first parameter's type decides (RFC 9072 section 3: even if the length before it is not 255).
  const extended = length > 0 && parameter < end && buf[parameter] === EXTENDED;
  if (extended) {
    if (end - parameter < 3) return malformed();
    length = readU16(buf, parameter + 1);
    parameter += 3;
  }
  if (parameter + length !== end) return malformed();
  const head = extended ? 3 : 2;
  while (parameter < end) {
    if (end - parameter < head) return malformed();
    const value = parameter + head;
    const next = value + (extended ? readU16(buf, parameter + 1) : buf[parameter + 1]!);
    if (next > end) return malformed();
    if (buf[parameter] !== PARAMETER_CAPABILITIES) {
      return notification(CODE_OPEN, OPEN_UNSUPPORTED_PARAMETER);
    }
    const error = reader.read(buf, value, next);
    if (error === 'role conflict') return notification(CODE_OPEN, OPEN_ROLE_MISMATCH);
    if (error === 'malformed') return malformed();
    parameter = next;
  }
  return undefined;
}

/** RFC 4271 section 6.2: a known parameter or the list itself is malformed: subcode 0. */
function malformed(): NotificationError {
  return notification(CODE_OPEN, 0);
}

/** The whole message; the extended form only when the parameters need more than 255 octets. */
export function encodeOpen(open: OpenMessage): Uint8Array {
  const values = open.capabilities === undefined ? new Uint8Array(0) : encodeCapabilities(open.capabilities);
  const hasParameter = values.length > 0;
  const extended = values.length + 2 > 255;
  const parameters = hasParameter ? values.length + (extended ? 6 : 2) : 0;
  const out = new Uint8Array(FIXED_LENGTH + parameters);
  let at = writeHeader(out, 0, OPEN, out.length);
  out[at] = VERSION;
  at = writeU16(out, at + 1, open.asNumber > 65535 ? AS_TRANS : open.asNumber);
  at = writeU32(out, writeU16(out, at, open.holdTimeSeconds), open.routerId);
  if (!hasParameter) return out;
  if (extended) {
    out[at] = EXTENDED;
    out[at + 1] = EXTENDED;
    writeU16(out, at + 2, values.length + 3);
    out[at + 4] = PARAMETER_CAPABILITIES;
    at = writeU16(out, at + 5, values.length);
  } else {
    out[at] = values.length + 2;
    out[at + 1] = PARAMETER_CAPABILITIES;
    out[at + 2] = values.length;
    at += 3;
  }
  out.set(values, at);
  return out;
}
