// Bytes of a stream in pieces → its lines. Bound: one line of MOST_LINE_BYTES; etcd keeps no object of more than 1.5 MiB.
export const MOST_LINE_BYTES = 8 * 1024 * 1024;

const NEWLINE = 0x0a;
const FIRST_BYTES = 4096;

export class LineSplitter {
  readonly #line: (text: string) => void;
  /** The begin of a line whose end has not come, copied: pieces may be of one byte, and each keeps its packet's memory. */
  #held = Buffer.alloc(0);
  #length = 0;

  constructor(line: (text: string) => void) {
    this.#line = line;
  }

  /** Throws when a line is longer than MOST_LINE_BYTES. Empty lines are passed over. */
  push(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const piece = bytes.subarray(start, end);
      start = end + 1;
      this.#flush(piece);
    }
    if (start < bytes.length) this.#hold(bytes.subarray(start));
  }

  #hold(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > MOST_LINE_BYTES) throw new Error(`a line of more than ${MOST_LINE_BYTES} bytes`);
    if (length > this.#held.length) {
      const larger = Buffer.alloc(Math.max(FIRST_BYTES, 2 * length));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    piece.copy(this.#held, this.#length);
    this.#length = length;
  }

  #flush(piece: Buffer): void {
    let text: string;
    if (this.#length === 0) text = piece.toString();
    else {
      this.#hold(piece);
      text = this.#held.toString('utf8', 0, this.#length);
      this.#held = Buffer.alloc(0);
      this.#length = 0;
    }
    if (text !== '') this.#line(text);
  }
}
