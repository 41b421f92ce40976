// Damaged messages for fuzzing: copies of good ones with octets, lengths and parts changed, and UPDATEs put together
// from attributes that are. What comes out is decided by the random numbers alone.
import type { SeededRandom } from '#world';
import { UPDATES, type Vector } from './vectors.ts';

const INTERESTING = [0, 1, 2, 3, 4, 14, 15, 16, 17, 0x40, 0x50, 0x7f, 0x80, 0x90, 0xc0, 0xd0, 0xfe, 0xff];

/** Copies a vector to out[at...] and damages it; returns the end. The header's length is mostly put right again. */
export function damage(random: SeededRandom, source: Vector, out: Uint8Array, at: number): number {
  let length = source.bytes.length;
  out.set(source.bytes, at);
  for (let times = 1 + random.below(4); times > 0; times--) {
    const where = at + (random.below(8) === 0 ? 16 : 19) + random.below(Math.max(1, length - 19));
    switch (random.below(8)) {
      case 0:
        out[where] = out[where]! ^ (1 << random.below(8));
        break;
      case 1:
        out[where] = random.below(256);
        break;
      case 2:
        out[where] = INTERESTING[random.below(INTERESTING.length)]!;
        break;
      case 3: {
        const field = source.lengths[random.below(source.lengths.length)];
        if (field !== undefined) out[at + field.offset + field.width - 1]! += random.below(3) - 1;
        break;
      }
      case 4: {
        const field = source.lengths[random.below(source.lengths.length)];
        if (field !== undefined) out[at + field.offset + random.below(field.width)] = random.below(256);
        break;
      }
      case 5: {
        const gone = Math.min(random.below(8), at + length - where);
        if (gone > 0) {
          out.copyWithin(where, where + gone, at + length);
          length -= gone;
        }
        break;
      }
      case 6: {
        const more = random.below(24);
        out.copyWithin(where + more, where, at + length);
        for (let i = 0; i < more; i++) out[where + i] = random.below(256);
        length += more;
        break;
      }
      default: {
        const size = Math.min(random.below(32), at + length - where);
        if (size > 0) out.copyWithin(at + 19 + random.below(length - 19 - size + 1), where, where + size);
        break;
      }
    }
  }
  if (length < 19) length = 19;
  if (random.below(32) !== 0) {
    out[at + 16] = length >>> 8;
    out[at + 17] = length;
    out[at + 18] = source.bytes[18]!;
    // mostly lengths inside an UPDATE that reach the attributes
    if (source.bytes[18] === 2 && length >= 23 && random.below(2) === 0) {
      const withdrawn = (out[at + 19]! << 8) | out[at + 20]!;
      const room = length - 23 - withdrawn;
      if (room >= 0) {
        const attributes = Math.min(source.attributes.length > 0 ? room : 0, room);
        out[at + 21 + withdrawn] = attributes >>> 8;
        out[at + 22 + withdrawn] = attributes;
      }
    }
  }
  return at + length;
}

/** Every attribute of every vector, as [flags, type, value]. */
const ATTRIBUTES = UPDATES.flatMap((vector) =>
  vector.attributes.slice(1).map((end, i) => {
    const whole = vector.bytes.slice(vector.attributes[i], end);
    const value = (whole[0]! & 0x10) !== 0 ? 4 : 3;
    return { flags: whole[0]!, type: whole[1]!, value: whole.slice(value) };
  }),
);

/**
 * Puts an UPDATE together from attributes of all vectors whose lengths agree, so that the damage is in the values:
 * octets changed, values longer or shorter, a flag or a type now and then. Returns the end.
 */
export function assemble(random: SeededRandom, out: Uint8Array, at: number): number {
  out.set(UPDATES[0]!.bytes.subarray(0, 19), at);
  out[at + 19] = 0;
  out[at + 20] = 0;
  let to = at + 23;
  for (let i = random.below(9); i >= 0; i--) {
    // most messages have the two mandatory ones
    const source =
      i === 0 ? ATTRIBUTES[0]! : i === 1 ? ATTRIBUTES[1]! : ATTRIBUTES[random.below(ATTRIBUTES.length)]!;
    const extended = random.below(8) === 0 || (source.flags & 0x10) !== 0;
    out[to] =
      (extended ? source.flags | 0x10 : source.flags) ^ (random.below(64) === 0 ? 1 << random.below(8) : 0);
    out[to + 1] = random.below(64) === 0 ? random.below(256) : source.type;
    const value = to + ((out[to]! & 0x10) !== 0 ? 4 : 3);
    out.set(source.value, value);
    let length = source.value.length;
    if (random.below(16) === 0) length = Math.max(0, length + random.below(9) - 4);
    for (
      let changes = random.below(4) === 0 ? 1 + random.below(2) : 0;
      changes > 0 && length > 0;
      changes--
    ) {
      const where = value + random.below(length);
      out[where] = random.below(2) === 0 ? random.below(256) : INTERESTING[random.below(INTERESTING.length)]!;
    }
    out[value - 1] = length;
    if (value === to + 4) out[to + 2] = 0;
    to = value + length;
  }
  out[at + 21] = (to - at - 23) >>> 8;
  out[at + 22] = to - at - 23;
  for (let prefixes = random.below(4); prefixes > 0; prefixes--) {
    const length = random.below(64) === 0 ? random.below(256) : random.below(33);
    out[to++] = length;
    for (let octets = (length + 7) >> 3; octets > 0; octets--) out[to++] = random.below(256);
  }
  out[at + 16] = (to - at) >>> 8;
  out[at + 17] = to - at;
  out[at + 18] = 2;
  return to;
}
