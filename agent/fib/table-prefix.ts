// Prefixes that come to the FIB as text, with the family as its tables count it. The plan's and the kernel's are valid
// already; what an operator asks for may not be, so text that is none throws.
import { type FamilyIndex, familyIndex, parsePrefixOctets } from '#ip';

export interface TablePrefix {
  readonly family: FamilyIndex;
  /** 4 or 16, host bits as given; the caller's own. */
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** '10.0.0.0/24' or 'fd00::/64'; an address alone is a host prefix. Throws a RangeError that shows the text. */
export function tablePrefix(text: string): TablePrefix {
  const prefix = parsePrefixOctets(text);
  if (prefix === undefined) throw new RangeError(`not an address or a prefix: ${text}`);
  return { family: familyIndex(prefix.family), bytes: prefix.bytes, length: prefix.length };
}

/** A single address. */
export function isHostPrefix(prefix: string): boolean {
  const { bytes, length } = tablePrefix(prefix);
  return length === bytes.length * 8;
}
