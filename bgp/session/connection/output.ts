// What a session sends, in front of the connection's own queue: so that a NOTIFICATION passes UPDATEs that
// the neighbour is too slow for, and still never stands inside a half-written message (HDR-7).
//
//   write() → queue here (whole messages, up to the high-water mark) → connection (one slice at a time) → kernel
import type { Connection } from '../../io.ts';
import { HEADER_LENGTH } from '../../message/index.ts';
import { countMessage, type DirectionCounters } from './counters.ts';

/** write() says false above this; the writer should then wait for drained(). */
export const HIGH_WATER_BYTES = 256 * 1024;
/** A piece handed to the connection at once: whole messages of about this many bytes. */
const SLICE_BYTES = 64 * 1024;

/** The queue's bound is its writer's: what one flush holds, a megabyte, past the high-water mark (rib/out/sending/update-batch.ts). */
export class SessionOutput {
  readonly #connection: Connection;
  readonly #counters: DirectionCounters;
  readonly #drained: () => void;
  #queue: Uint8Array[] = [];
  #head = 0;
  #queuedBytes = 0;
  /** The connection said it has enough; it will call connectionDrained(). */
  #isBlocked = false;
  #wantsDrained = false;
  #isClosed = false;

  /** @param drained all is with the kernel again after write() returned false */
  constructor(connection: Connection, counters: DirectionCounters, drained: () => void) {
    this.#connection = connection;
    this.#counters = counters;
    this.#drained = drained;
  }

  get queuedBytes(): number {
    return this.#queuedBytes + this.#connection.queuedBytes;
  }

  /** Whole messages, which must not change any more. */
  write(messages: Uint8Array): boolean {
    if (this.#isClosed) return false;
    this.#enqueue(messages);
    this.#pump();
    if (this.queuedBytes <= HIGH_WATER_BYTES) return true;
    this.#wantsDrained = true;
    return false;
  }

  /** One short message that goes before whatever waits here. */
  writeFirst(message: Uint8Array): void {
    if (this.#isClosed) return;
    this.#count(message, 0, message.length);
    if (this.#head > 0) this.#queue[--this.#head] = message;
    else this.#queue.unshift(message);
    this.#queuedBytes += message.length;
    this.#pump();
  }

  /** The last message: what waits here is dropped, nothing follows. */
  writeLast(message: Uint8Array): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#count(message, 0, message.length);
    this.#connection.write(message);
  }

  cork(): void {
    this.#connection.cork();
  }

  uncork(): void {
    this.#connection.uncork();
    if (this.#isBlocked && this.#connection.queuedBytes === 0) this.#isBlocked = false;
    this.#pump();
  }

  connectionDrained(): void {
    this.#isBlocked = false;
    this.#pump();
    this.#tellDrained();
  }

  /** Cuts at message borders, so that a slice can be followed by any other message. */
  #enqueue(messages: Uint8Array): void {
    let start = 0;
    let at = 0;
    const { length } = messages;
    while (length - at >= HEADER_LENGTH) {
      const size = (messages[at + 16]! << 8) | messages[at + 17]!;
      countMessage(this.#counters, messages[at + 18]!);
      // A size below the header's would never end: the rest is the writer's mistake and stays one piece.
      at = size < HEADER_LENGTH ? length : at + size;
      if (at - start >= SLICE_BYTES && at < length) {
        this.#queue.push(messages.subarray(start, at));
        start = at;
      }
    }
    this.#queue.push(start === 0 ? messages : messages.subarray(start));
    this.#counters.bytes += length;
    this.#queuedBytes += length;
  }

  #count(message: Uint8Array, start: number, end: number): void {
    countMessage(this.#counters, message[start + 18]!);
    this.#counters.bytes += end - start;
  }

  #pump(): void {
    while (!this.#isBlocked && !this.#isClosed && this.#head < this.#queue.length) {
      const slice = this.#queue[this.#head++]!;
      this.#queuedBytes -= slice.length;
      const goesOn = this.#connection.write(slice);
      if (!goesOn && this.#connection.queuedBytes > 0) this.#isBlocked = true;
    }
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  #tellDrained(): void {
    if (!this.#wantsDrained || this.#isClosed || this.#head < this.#queue.length) return;
    if (this.#connection.queuedBytes > HIGH_WATER_BYTES / 4) return;
    this.#wantsDrained = false;
    this.#drained();
  }
}
