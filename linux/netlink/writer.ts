// Writes netlink messages one after the other into one growing buffer. Pure: numbers and bytes in, bytes out.
//
//   | length 4 | type 2 | flags 2 | sequence 4 | port 4 |  fixed header of the type  | attributes … |
//                                                          attribute: | length 2 | type 2 | value | 0-3 zero bytes |
//
// All numbers in the machine's own byte order; messages and attributes start at multiples of 4.
import { endianness } from 'node:os';

export const LITTLE = endianness() === 'LE';
export const HEADER_BYTES = 16;

const NLA_F_NESTED = 0x8000;

const utf8 = new TextEncoder();

export class MessageWriter {
  #buffer = new Uint8Array(4096);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;
  #message = 0;

  /** what was written so far; valid until the next write */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  /** Takes back what was written after that length. */
  truncate(length: number): void {
    this.#length = length;
  }

  begin(type: number, flags: number, sequence: number): void {
    this.#message = this.#length;
    this.u32(0);
    this.u16(type);
    this.u16(flags);
    this.u32(sequence);
    this.u32(0);
  }

  end(): void {
    this.#view.setUint32(this.#message, this.#length - this.#message, LITTLE);
  }

  u8(value: number): void {
    this.#room(1);
    this.#view.setUint8(this.#length, value);
    this.#length += 1;
  }

  u16(value: number): void {
    this.#room(2);
    this.#view.setUint16(this.#length, value, LITTLE);
    this.#length += 2;
  }

  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#length, value, LITTLE);
    this.#length += 4;
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  attribute(type: number, value: Uint8Array): void {
    this.u16(4 + value.length);
    this.u16(type);
    this.raw(value);
    this.#pad();
  }

  attributeU8(type: number, value: number): void {
    this.u16(5);
    this.u16(type);
    this.u8(value);
    this.#pad();
  }

  attributeU32(type: number, value: number): void {
    this.u16(8);
    this.u16(type);
    this.u32(value);
  }

  /** in network order, as netfilter has all its numbers */
  attributeBig32(type: number, value: number): void {
    this.u16(8);
    this.u16(type);
    this.#room(4);
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
  }

  /** with a zero byte at the end */
  attributeText(type: number, text: string): void {
    const value = utf8.encode(text);
    this.u16(5 + value.length);
    this.u16(type);
    this.raw(value);
    this.u8(0);
    this.#pad();
  }

  /** Starts an attribute that holds attributes; give the result to endNest. */
  nest(type: number): number {
    const start = this.#length;
    this.u16(0);
    this.u16(type);
    return start;
  }

  /** The same, and the attribute says so itself, as newer kinds of messages want it. */
  nested(type: number): number {
    return this.nest(type | NLA_F_NESTED);
  }

  endNest(start: number): void {
    this.#view.setUint16(start, this.#length - start, LITTLE);
    this.#pad();
  }

  #pad(): void {
    while (this.#length % 4 !== 0) this.u8(0);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + more));
    grown.set(this.#buffer);
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}
