// NOTIFICATION (RFC 4271 section 4.5): both directions, and in words; with the text that an operator sends in
// Cease/2 and Cease/4 (RFC 9003).
//
//   code (1) | subcode (1) | data            shutdown communication: length (1) | UTF-8 text

import { HEADER_LENGTH, MAX_MESSAGE_LENGTH, MESSAGE_NAMES, NOTIFICATION } from './constants.ts';
import { copyOf, hex, printable, readU16, readU32 } from './big-endian.ts';
import { writeHeader } from './frame.ts';

/** A protocol error as it goes over the wire. */
export interface NotificationError {
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
}

export const CODE_HEADER = 1;
export const CODE_OPEN = 2;
export const CODE_UPDATE = 3;
export const CODE_HOLD_TIMER = 4;
export const CODE_FSM = 5;
export const CODE_CEASE = 6;
export const CODE_ROUTE_REFRESH = 7;
const CODE_SEND_HOLD_TIMER = 8;

/** Subcodes of Cease (RFC 4486, RFC 8538, RFC 9384). */
export const CEASE_MAX_PREFIXES = 1;
export const CEASE_ADMIN_SHUTDOWN = 2;
export const CEASE_DECONFIGURED = 3;
export const CEASE_ADMIN_RESET = 4;
export const CEASE_REJECTED = 5;
export const CEASE_OTHER_CONFIG = 6;
export const CEASE_COLLISION = 7;
export const CEASE_RESOURCES = 8;
export const CEASE_HARD_RESET = 9;
export const CEASE_BFD_DOWN = 10;

const NO_DATA: Uint8Array = new Uint8Array(0);
const MAX_DATA = MAX_MESSAGE_LENGTH - HEADER_LENGTH - 2;
const MAX_TEXT_OCTETS = 255;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export function notification(code: number, subcode: number, data: Uint8Array = NO_DATA): NotificationError {
  return { code, subcode, data };
}

/** The whole message; data that does not fit into 4,096 octets is cut. */
export function encodeNotification(error: NotificationError): Uint8Array {
  const data = error.data.subarray(0, MAX_DATA);
  const out = new Uint8Array(HEADER_LENGTH + 2 + data.length);
  const at = writeHeader(out, 0, NOTIFICATION, out.length);
  out[at] = error.code;
  out[at + 1] = error.subcode;
  out.set(data, at + 2);
  return out;
}

/** Reads the message at buf[start, end), header included; the framer has checked that it has 21 octets. */
export function decodeNotification(buf: Uint8Array, start: number, end: number): NotificationError {
  const at = start + HEADER_LENGTH;
  return notification(buf[at] ?? 0, buf[at + 1] ?? 0, copyOf(buf, Math.min(at + 2, end), end));
}

/** RFC 4486 section 4: AFI, SAFI and the limit that was passed. */
export function maxPrefixesReached(afi: number, safi: number, limit: number): NotificationError {
  const data = new Uint8Array([afi >>> 8, afi, safi, limit >>> 24, limit >>> 16, limit >>> 8, limit]);
  return notification(CODE_CEASE, CEASE_MAX_PREFIXES, data);
}

/** RFC 8538 section 3: Cease/9 around the real reason, so that the peer does not keep the routes. */
export function hardReset(inner: NotificationError): NotificationError {
  const data = new Uint8Array(2 + inner.data.length);
  data[0] = inner.code;
  data[1] = inner.subcode;
  data.set(inner.data, 2);
  return notification(CODE_CEASE, CEASE_HARD_RESET, data);
}

/** The reason inside a hard reset, undefined for any other error. */
export function unwrapHardReset(error: NotificationError): NotificationError | undefined {
  const isHardReset = error.code === CODE_CEASE && error.subcode === CEASE_HARD_RESET;
  if (!isHardReset || error.data.length < 2) return undefined;
  return notification(error.data[0]!, error.data[1]!, error.data.subarray(2));
}

/** Data for the NOTIFICATION; text of more than 255 octets is cut between two characters. */
export function encodeShutdownText(text: string): Uint8Array {
  if (text === '') return new Uint8Array(0);
  const out = new Uint8Array(1 + MAX_TEXT_OCTETS);
  const { written } = encoder.encodeInto(text, out.subarray(1));
  out[0] = written;
  return out.slice(0, 1 + written);
}

/**
 * Text fit for a log line: control and direction characters become U+FFFD, so that a peer cannot forge lines.
 * Data with a wrong length or bad UTF-8 is given in hexadecimal (RFC 9003 section 4: never an error).
 */
export function decodeShutdownText(data: Uint8Array): { text: string } | { hex: string } {
  if (data.length === 0) return { text: '' };
  const length = data[0]!;
  if (1 + length > data.length) return { hex: hex(data, 0, data.length) };
  try {
    return { text: printable(decoder.decode(data.subarray(1, 1 + length))) };
  } catch {
    return { hex: hex(data, 0, data.length) };
  }
}

interface CodeWords {
  readonly name: string;
  readonly subcodes: Readonly<Record<number, string>>;
}

const WORDS: Readonly<Record<number, CodeWords>> = {
  [CODE_HEADER]: {
    name: 'message header error',
    subcodes: {
      1: 'connection not synchronized',
      2: 'bad message length',
      3: 'bad message type',
    },
  },
  [CODE_OPEN]: {
    name: 'OPEN message error',
    subcodes: {
      1: 'unsupported version number',
      2: 'bad peer AS',
      3: 'bad BGP identifier',
      4: 'unsupported optional parameter',
      5: 'authentication failure (deprecated)',
      6: 'unacceptable hold time',
      7: 'unsupported capability',
      8: 'no supported AFI/SAFI',
      11: 'role mismatch',
    },
  },
  [CODE_UPDATE]: {
    name: 'UPDATE message error',
    subcodes: {
      1: 'malformed attribute list',
      2: 'unrecognized well-known attribute',
      3: 'missing well-known attribute',
      4: 'attribute flags error',
      5: 'attribute length error',
      6: 'invalid ORIGIN attribute',
      7: 'AS routing loop (deprecated)',
      8: 'invalid NEXT_HOP attribute',
      9: 'optional attribute error',
      10: 'invalid network field',
      11: 'malformed AS_PATH',
    },
  },
  [CODE_HOLD_TIMER]: { name: 'hold timer expired', subcodes: {} },
  [CODE_FSM]: {
    name: 'finite state machine error',
    subcodes: {
      1: 'unexpected message in OpenSent',
      2: 'unexpected message in OpenConfirm',
      3: 'unexpected message in Established',
    },
  },
  [CODE_CEASE]: {
    name: 'cease',
    subcodes: {
      1: 'maximum number of prefixes reached',
      2: 'administrative shutdown',
      3: 'peer de-configured',
      4: 'administrative reset',
      5: 'connection rejected',
      6: 'other configuration change',
      7: 'connection collision resolution',
      8: 'out of resources',
      9: 'hard reset',
      10: 'BFD down',
    },
  },
  [CODE_ROUTE_REFRESH]: {
    name: 'ROUTE-REFRESH message error',
    subcodes: { 1: 'invalid message length' },
  },
  [CODE_SEND_HOLD_TIMER]: { name: 'send hold timer expired', subcodes: {} },
};

/** 'cease: administrative shutdown: "maintenance until 5"', 'OPEN message error: bad peer AS (data 0xfdea)'. */
export function describeNotification(error: NotificationError): string {
  const words = WORDS[error.code];
  if (words === undefined) return `error ${error.code}/${error.subcode}${dataText(error.data)}`;
  const known = words.subcodes[error.subcode];
  const name = known ?? (error.subcode === 0 ? undefined : `subcode ${error.subcode}`);
  const head = name === undefined ? words.name : `${words.name}: ${name}`;
  return head + detailOf(error);
}

function detailOf(error: NotificationError): string {
  const { code, subcode, data } = error;
  if (data.length === 0) return '';
  if (code === CODE_HEADER && subcode === 2 && data.length === 2) return ` (length ${readU16(data, 0)})`;
  if (code === CODE_HEADER && subcode === 3 && data.length === 1) return ` (type ${data[0]})`;
  if (code === CODE_OPEN && subcode === 1 && data.length === 2) return ` (peer wants ${readU16(data, 0)})`;
  if (code === CODE_OPEN && subcode === 2 && data.length === 2) return ` (AS ${readU16(data, 0)})`;
  if (code === CODE_OPEN && subcode === 2 && data.length === 4) return ` (AS ${readU32(data, 0)})`;
  if (code === CODE_OPEN && subcode === 6 && data.length === 2) return ` (${readU16(data, 0)} s)`;
  if (code === CODE_UPDATE && subcode === 3 && data.length === 1) return ` (attribute ${data[0]})`;
  if (code === CODE_FSM && data.length === 1) {
    return ` (${MESSAGE_NAMES[data[0]!] ?? `message type ${data[0]}`})`;
  }
  if (code === CODE_CEASE) {
    if (subcode === CEASE_MAX_PREFIXES && data.length === 7) {
      return ` (AFI ${readU16(data, 0)} SAFI ${data[2]}, limit ${readU32(data, 3)})`;
    }
    if (subcode === CEASE_ADMIN_SHUTDOWN || subcode === CEASE_ADMIN_RESET) return shutdownText(data);
    const inner = unwrapHardReset(error);
    if (inner !== undefined) return `: ${describeInner(inner)}`;
  }
  return dataText(data);
}

/** A hard reset inside a hard reset is only shown as bytes: a peer may nest them as deep as a message is long. */
function describeInner(inner: NotificationError): string {
  const isNested = inner.code === CODE_CEASE && inner.subcode === CEASE_HARD_RESET;
  return isNested ? `cease: hard reset${dataText(inner.data)}` : describeNotification(inner);
}

function shutdownText(data: Uint8Array): string {
  const message = decodeShutdownText(data);
  if ('text' in message) return message.text === '' ? '' : `: "${message.text}"`;
  return ` (no valid text: 0x${message.hex})`;
}

const SHOWN_OCTETS = 64;

function dataText(data: Uint8Array): string {
  if (data.length === 0) return '';
  const rest = data.length > SHOWN_OCTETS ? `… ${data.length} octets` : '';
  return ` (data 0x${hex(data, 0, Math.min(data.length, SHOWN_OCTETS))}${rest})`;
}
