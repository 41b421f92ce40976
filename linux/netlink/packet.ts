// Reads netlink messages in place. Pure. A message that is shorter than its type's fixed header, or whose attribute
// reaches over its end, throws RangeError: the kernel sends none such.
import { NLA_TYPE_MASK } from './constants.ts';
import { LITTLE } from './writer.ts';

/** A receive buffer with the views that decoders read through. */
export class Packet {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #text: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }
  u16(at: number): number {
    return this.#view.getUint16(at, LITTLE);
  }
  u32(at: number): number {
    return this.#view.getUint32(at, LITTLE);
  }
  i32(at: number): number {
    return this.#view.getInt32(at, LITTLE);
  }
  /** in network order; exact up to 2^53 */
  big64(at: number): number {
    return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
  }
  text(start: number, end: number): string {
    const zero = this.bytes.indexOf(0, start);
    return this.#text.toString('utf8', start, zero < 0 || zero > end ? end : zero);
  }
}

/** The attributes of one message or nest; of a type that comes twice the last counts. */
export class Attributes {
  readonly packet: Packet;
  readonly #start: number[] = [];
  readonly #end: number[] = [];

  constructor(packet: Packet, start: number, end: number) {
    this.packet = packet;
    for (let at = start; at + 4 <= end; ) {
      const length = packet.u16(at);
      if (length < 4 || at + length > end) {
        throw new RangeError(
          `netlink attribute at byte ${at} says ${length} bytes, its message ends at ${end}`,
        );
      }
      const type = packet.u16(at + 2) & NLA_TYPE_MASK;
      this.#start[type] = at + 4;
      this.#end[type] = at + length;
      at += (length + 3) & ~3;
    }
  }

  has(type: number): boolean {
    return this.#start[type] !== undefined;
  }
  /** where the value begins; -1 when there is none */
  start(type: number): number {
    return this.#start[type] ?? -1;
  }
  end(type: number): number {
    return this.#end[type] ?? -1;
  }
  size(type: number): number {
    return this.end(type) - this.start(type);
  }
  u32(type: number): number | undefined {
    const at = this.#start[type];
    return at === undefined ? undefined : this.packet.u32(at);
  }
  u8(type: number): number | undefined {
    const at = this.#start[type];
    return at === undefined ? undefined : this.packet.u8(at);
  }
  text(type: number): string | undefined {
    const at = this.#start[type];
    return at === undefined ? undefined : this.packet.text(at, this.end(type));
  }
  nested(type: number): Attributes | undefined {
    const at = this.#start[type];
    return at === undefined ? undefined : new Attributes(this.packet, at, this.end(type));
  }
}
