// Reads the text of a regular expression over AS paths (as-path-pattern.ts) into the sets of places of its automaton.

/** Places of one expression. */
export const MOST_PLACES = 64;
/** Words of a set of places. */
export const WORDS = MOST_PLACES / 32;
/** Of the text. */
const MOST_CHARACTERS = 256;
const MOST_AS = 0xffffffff;

/** What a part of an expression begins and ends with; a set of places as WORDS words of bits. */
interface Part {
  readonly first: Int32Array;
  readonly last: Int32Array;
  /** It holds for no AS at all, too. */
  readonly isEmpty: boolean;
}

export interface Alternative extends Part {
  readonly fromStart: boolean;
  readonly toEnd: boolean;
}

export interface PatternParts {
  readonly places: readonly (readonly number[])[];
  readonly follow: Int32Array;
  readonly alternatives: readonly Alternative[];
}

/** @throws Error that says what is wrong, and reads on after the text */
export function readAsPathPattern(text: string): PatternParts {
  if (text.length > MOST_CHARACTERS) throw new Error(`is longer than ${MOST_CHARACTERS} characters`);
  return new PatternReader(text).read();
}

const none = (): Int32Array => new Int32Array(WORDS);
const both = (a: Int32Array, b: Int32Array): Int32Array => a.map((word, w) => word | b[w]!);

class PatternReader {
  readonly #text: string;
  #at = 0;
  readonly #places: number[][] = [];
  readonly #follow = new Int32Array(MOST_PLACES * WORDS);

  constructor(text: string) {
    this.#text = text;
  }

  read(): PatternParts {
    const alternatives: Alternative[] = [];
    do {
      const fromStart = this.#takes('^');
      const part = this.#sequence();
      alternatives.push({ ...part, fromStart, toEnd: this.#takes('$') });
    } while (this.#takes('|'));
    if (this.#at < this.#text.length) throw this.#wrong();
    return { places: this.#places, follow: this.#follow, alternatives };
  }

  /** Up to '|', ')', '$' or the end. */
  #sequence(): Part {
    let part: Part = { first: none(), last: none(), isEmpty: true };
    for (;;) {
      const next = this.#peek();
      if (next === '' || next === '|' || next === ')' || next === '$') return part;
      const more = this.#repeated();
      this.#goesOn(part.last, more.first);
      part = {
        first: part.isEmpty ? both(part.first, more.first) : part.first,
        last: more.isEmpty ? both(part.last, more.last) : more.last,
        isEmpty: part.isEmpty && more.isEmpty,
      };
    }
  }

  #repeated(): Part {
    let part = this.#unit();
    for (;;) {
      if (this.#takes('?')) {
        part = { ...part, isEmpty: true };
      } else if (this.#takes('+')) {
        this.#goesOn(part.last, part.first);
      } else if (this.#takes('*')) {
        this.#goesOn(part.last, part.first);
        part = { ...part, isEmpty: true };
      } else {
        return part;
      }
    }
  }

  #unit(): Part {
    const at = this.#at;
    if (this.#takes('(')) {
      let part = this.#sequence();
      while (this.#takes('|')) {
        const other = this.#sequence();
        part = {
          first: both(part.first, other.first),
          last: both(part.last, other.last),
          isEmpty: part.isEmpty || other.isEmpty,
        };
      }
      if (!this.#takes(')')) throw this.#wrong("a '(' without its ')'", at);
      return part;
    }
    if (this.#takes('.')) return this.#place([1, MOST_AS]);
    if (this.#takes('[')) return this.#class(at);
    return this.#place(this.#range(false));
  }

  #class(at: number): Part {
    const ranges: number[] = [];
    while (!this.#takes(']')) {
      if (this.#peek() === '') throw this.#wrong("a '[' without its ']'", at);
      ranges.push(...this.#range(true));
    }
    if (ranges.length === 0) throw this.#wrong('an empty []', at);
    return this.#place(ranges);
  }

  #range(mayBeWide: boolean): number[] {
    const first = this.#number();
    if (!mayBeWide || !this.#takes('-')) return [first, first];
    const at = this.#at;
    const last = this.#number();
    if (last < first) throw this.#wrong('a range that ends before it begins', at);
    return [first, last];
  }

  #number(): number {
    this.#peek();
    const digits = /^\d+/.exec(this.#text.slice(this.#at))?.[0];
    if (digits === undefined) throw this.#wrong();
    const value = Number(digits);
    if (value < 1 || value > MOST_AS) throw this.#wrong(`${digits} is no AS number`);
    this.#at += digits.length;
    // To those who are used to expressions over text '6500.' means something else: it shall not pass in silence.
    if ('.[('.includes(this.#text[this.#at] || ' ')) {
      throw this.#wrong('a number is a whole AS: a space belongs behind it');
    }
    return value;
  }

  #place(ranges: number[]): Part {
    const place = this.#places.length;
    if (place >= MOST_PLACES) throw new Error(`has more than ${MOST_PLACES} places for an AS`);
    this.#places.push(ranges);
    const set = none();
    set[place >> 5] = 1 << (place & 31);
    return { first: set, last: set, isEmpty: false };
  }

  /** After each place of `from` may come those of `to`. */
  #goesOn(from: Int32Array, to: Int32Array): void {
    for (let place = 0; place < this.#places.length; place++) {
      if ((from[place >> 5]! & (1 << (place & 31))) === 0) continue;
      for (let w = 0; w < WORDS; w++) this.#follow[place * WORDS + w]! |= to[w]!;
    }
  }

  /** The next character that says something, '' at the end. */
  #peek(): string {
    while (' _'.includes(this.#text[this.#at] || '-')) this.#at++;
    return this.#text[this.#at] ?? '';
  }

  #takes(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #wrong(what?: string, at = this.#at): Error {
    const rest = this.#text.slice(at, at + 12);
    const said = what ?? (rest === '' ? 'it ends too early' : `'${rest}' cannot stand here`);
    return new Error(`is no expression over AS paths: ${said}, at character ${at + 1}`);
  }
}
