// A block of attributes as the store sees it, read where it lies: ORIGIN, AS_PATH, and the rest without NEXT_HOP.
// So the bytes of an UPDATE can be compared with a stored canonical block without copying or judging them.
//
//   in an UPDATE | ORIGIN | AS_PATH (either header) | NEXT_HOP | rest |
//   stored       | ORIGIN | AS_PATH                 | rest |

const ORIGIN_SIZE = 4;
/** Octets of the NEXT_HOP attribute. */
const NEXT_HOP_SIZE = 7;
const PLAIN = 0x40;
const EXTENDED = 0x50;

export class AttributeBlock {
  bytes: Uint8Array = new Uint8Array(0);
  origin = 0;
  /** Value of AS_PATH. */
  pathStart = 0;
  pathEnd = 0;
  restStart = 0;
  restEnd = 0;
  /** Of the canonical form. */
  length = -1;
  /** Value of NEXT_HOP as a signed 32-bit word; only after readUpdate(). */
  nextHop = 0;

  /** False when the block does not have the order that nearly everybody sends: ORIGIN, AS_PATH, NEXT_HOP first. */
  readUpdate(bytes: Uint8Array, start: number, end: number): boolean {
    this.length = -1;
    if (!this.#readPath(bytes, start, end)) return false;
    const hop = this.pathEnd;
    if (hop + NEXT_HOP_SIZE > end || bytes[hop] !== PLAIN || bytes[hop + 1] !== 3 || bytes[hop + 2] !== 4) {
      return false;
    }
    this.nextHop =
      (bytes[hop + 3]! << 24) | (bytes[hop + 4]! << 16) | (bytes[hop + 5]! << 8) | bytes[hop + 6]!;
    this.restStart = hop + NEXT_HOP_SIZE;
    this.restEnd = end;
    this.#measure();
    return true;
  }

  /** A canonical block: it always begins with ORIGIN and AS_PATH. */
  readCanonical(bytes: Uint8Array, length: number): void {
    this.#readPath(bytes, 0, length);
    this.restStart = this.pathEnd;
    this.restEnd = length;
    this.length = length;
  }

  /** Is the canonical block at bytes[start...] this one? The caller has compared the lengths. */
  equals(bytes: Uint8Array, start: number): boolean {
    const mine = this.bytes;
    const pathLength = this.pathEnd - this.pathStart;
    if (bytes[start + 3] !== this.origin) return false;
    let at = start + ORIGIN_SIZE;
    if (pathLength > 255) {
      if (bytes[at] !== EXTENDED || ((bytes[at + 2]! << 8) | bytes[at + 3]!) !== pathLength) return false;
      at += 4;
    } else {
      if (bytes[at] !== PLAIN || bytes[at + 2] !== pathLength) return false;
      at += 3;
    }
    for (let i = this.pathStart; i < this.pathEnd; i++, at++) if (bytes[at] !== mine[i]) return false;
    for (let i = this.restStart; i < this.restEnd; i++, at++) if (bytes[at] !== mine[i]) return false;
    return true;
  }

  #readPath(bytes: Uint8Array, start: number, end: number): boolean {
    const path = start + ORIGIN_SIZE;
    if (path + 3 > end || bytes[start] !== PLAIN || bytes[start + 1] !== 1 || bytes[start + 2] !== 1)
      return false;
    if (bytes[path + 1] !== 2) return false;
    this.bytes = bytes;
    this.origin = bytes[start + 3]!;
    if (bytes[path] === PLAIN) {
      this.pathStart = path + 3;
      this.pathEnd = path + 3 + bytes[path + 2]!;
    } else if (bytes[path] === EXTENDED && path + 4 <= end) {
      // Quagga and FRR give AS_PATH two octets of length however short it is.
      this.pathStart = path + 4;
      this.pathEnd = path + 4 + ((bytes[path + 2]! << 8) | bytes[path + 3]!);
    } else {
      return false;
    }
    return this.pathEnd <= end;
  }

  #measure(): void {
    const path = this.pathEnd - this.pathStart;
    this.length = ORIGIN_SIZE + (path > 255 ? 4 : 3) + path + this.restEnd - this.restStart;
  }
}
