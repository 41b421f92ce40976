// Bytes of a stream in pieces → its lines. Bound: one line of MOST_LINE_BYTES; etcd keeps no object of more than 1.5 MiB.
export const MOST_LINE_BYTES = 8 * 1024 * 1024;

const NEWLINE = 0x0a;

export class LineSplitter {
  readonly #line: (text: string) => void;
  #parts: Buffer[] = [];
  #held = 0;

  constructor(line: (text: string) => void) {
    this.#line = line;
  }

  /** Throws when a line is longer than MOST_LINE_BYTES. Empty lines are passed over. */
  push(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      this.#parts.push(bytes.subarray(start, end));
      start = end + 1;
      this.#flush();
    }
    if (start === bytes.length) return;
    this.#parts.push(bytes.subarray(start));
    this.#held += bytes.length - start;
    if (this.#held > MOST_LINE_BYTES) throw new Error(`a line of more than ${MOST_LINE_BYTES} bytes`);
  }

  #flush(): void {
    const text =
      this.#parts.length === 1 ? this.#parts[0]!.toString() : Buffer.concat(this.#parts).toString();
    this.#parts = [];
    this.#held = 0;
    if (text !== '') this.#line(text);
  }
}
