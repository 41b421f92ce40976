// Cuts the byte stream of one connection into messages (RFC 4271 section 4.1). Messages that lie whole in a
// chunk are handed on where they lie; only the part of a message at a chunk's end is copied, into a buffer that
// is made on first need and is at most one message long. Also writes the header, and KEEPALIVE, which is nothing else.
//
//   marker (16, all ones) | length of the whole message (2) | type (1)

import {
  HEADER_LENGTH,
  KEEPALIVE,
  MAX_MESSAGE_LENGTH,
  NOTIFICATION,
  OPEN,
  ROUTE_REFRESH,
  UPDATE,
} from './constants.ts';
import { readU16, writeU16 } from './big-endian.ts';

export interface FrameSink {
  /**
   * One whole message at buf[start, end), valid only during the call.
   * @returns false when the session is gone: nothing more is handed on, now or later
   */
  message(buf: Uint8Array, start: number, end: number, type: number): boolean;
}

/** `feed` took everything. */
export const FRAME_OK = 0;
/** The sink (or `stop`) ended the session; the rest of the bytes was thrown away. */
export const FRAME_STOPPED = -1;

export class Framer {
  /** Longest message accepted now: MAX_MESSAGE_LENGTH, or MAX_EXTENDED_MESSAGE_LENGTH once agreed (RFC 8654). */
  maxLength = MAX_MESSAGE_LENGTH;
  /** After an error: data for the NOTIFICATION, and the type octet of the bad message (never answer a NOTIFICATION). */
  errorData: Uint8Array = NO_DATA;
  errorMessageType = 0;

  #sink: FrameSink;
  #tail: Uint8Array = NO_DATA;
  #tailLength = 0;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** No message is handed on after this, not even from the chunk that is being fed. */
  stop(): void {
    this.#stopped = true;
    this.#tail = NO_DATA;
    this.#tailLength = 0;
  }

  /** Octets of an unfinished message that wait for their rest. */
  get pendingLength(): number {
    return this.#tailLength;
  }

  /**
   * Takes bytes of the stream, which are not kept.
   * @returns FRAME_OK, FRAME_STOPPED, or a positive (code << 8 | subcode) of a NOTIFICATION to send; after an
   * error the framer is stopped
   */
  feed(chunk: Uint8Array, start: number, end: number): number {
    if (this.#stopped) return FRAME_STOPPED;
    let at = start;
    if (this.#tailLength > 0) {
      at = this.#completeTail(chunk, start, end);
      if (at < 0) return this.#outcome(at);
    }
    while (end - at >= HEADER_LENGTH) {
      const error = this.#checkHeader(chunk, at);
      if (error !== 0) return error;
      const length = readU16(chunk, at + 16);
      if (end - at < length) break;
      const next = at + length;
      const goOn = this.#sink.message(chunk, at, next, chunk[at + 18]!);
      if (!goOn || this.#stopped) {
        this.stop();
        return FRAME_STOPPED;
      }
      at = next;
    }
    if (at < end) this.#keep(chunk, at, end);
    return FRAME_OK;
  }

  /** Negative results of #completeTail: -1 stopped, -2 - code for an error. */
  #outcome(result: number): number {
    return result === -1 ? FRAME_STOPPED : result === NEEDS_MORE ? FRAME_OK : -2 - result;
  }

  /** Fills the message begun in the tail; returns the offset behind what it used, or a negative outcome. */
  #completeTail(chunk: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.#tailLength < HEADER_LENGTH) {
      const take = Math.min(HEADER_LENGTH - this.#tailLength, end - at);
      this.#keep(chunk, at, at + take);
      at += take;
      if (this.#tailLength < HEADER_LENGTH) return NEEDS_MORE;
      const error = this.#checkHeader(this.#tail, 0);
      if (error !== 0) return -2 - error;
    }
    const length = readU16(this.#tail, 16);
    const take = Math.min(length - this.#tailLength, end - at);
    this.#keep(chunk, at, at + take);
    at += take;
    if (this.#tailLength < length) return NEEDS_MORE;
    this.#tailLength = 0;
    const goOn = this.#sink.message(this.#tail, 0, length, this.#tail[18]!);
    if (!goOn || this.#stopped) {
      this.stop();
      return -1;
    }
    return at;
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    const length = this.#tailLength + end - start;
    if (length > this.#tail.length) {
      // One ordinary message first; the full length only for an extended message that really is that long.
      const grown = new Uint8Array(length <= MAX_MESSAGE_LENGTH ? MAX_MESSAGE_LENGTH : this.maxLength);
      grown.set(this.#tail.subarray(0, this.#tailLength));
      this.#tail = grown;
    }
    if (end - start < 64) {
      for (let i = start; i < end; i++) this.#tail[this.#tailLength++] = chunk[i]!;
    } else {
      this.#tail.set(chunk.subarray(start, end), this.#tailLength);
      this.#tailLength = length;
    }
  }

  #checkHeader(buf: Uint8Array, at: number): number {
    for (let i = at; i < at + 16; i++) {
      if (buf[i] !== 0xff) return this.#fail(0x0101, NO_DATA, buf[at + 18]!);
    }
    const length = readU16(buf, at + 16);
    const type = buf[at + 18]!;
    if (length < HEADER_LENGTH || length > this.maxLength) return this.#badLength(length, type);
    switch (type) {
      case UPDATE:
        return length < 23 ? this.#badLength(length, type) : 0;
      case KEEPALIVE:
        return length !== HEADER_LENGTH ? this.#badLength(length, type) : 0;
      case OPEN:
        return length < 29 || length > MAX_MESSAGE_LENGTH ? this.#badLength(length, type) : 0;
      case NOTIFICATION:
        return length < 21 ? this.#badLength(length, type) : 0;
      case ROUTE_REFRESH:
        return 0; // its length has an error code of its own (RFC 7313 section 5): route-refresh.ts
      default:
        return this.#fail(0x0103, new Uint8Array([type]), type);
    }
  }

  #badLength(length: number, type: number): number {
    return this.#fail(0x0102, new Uint8Array([length >>> 8, length & 0xff]), type);
  }

  #fail(code: number, data: Uint8Array, type: number): number {
    this.stop();
    this.errorData = data;
    this.errorMessageType = type;
    return code;
  }
}

const NO_DATA: Uint8Array = new Uint8Array(0);
/** The tail waits for more; far below any -2 - code. */
const NEEDS_MORE = -1000000;

/** Marker, length and type; the length may be set later by `setMessageLength`. */
export function writeHeader(out: Uint8Array, at: number, type: number, length: number): number {
  for (let i = 0; i < 16; i++) out[at + i] = 0xff;
  out[at + 16] = length >>> 8;
  out[at + 17] = length;
  out[at + 18] = type;
  return at + HEADER_LENGTH;
}

export function setMessageLength(out: Uint8Array, at: number, end: number): void {
  writeU16(out, at + 16, end - at);
}

export function encodeKeepalive(): Uint8Array {
  const out = new Uint8Array(HEADER_LENGTH);
  writeHeader(out, 0, KEEPALIVE, HEADER_LENGTH);
  return out;
}
