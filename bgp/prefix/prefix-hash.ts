// Where a prefix stands in a hash table. A neighbour chooses prefixes, and must not be able to choose ones that fall
// together: every word goes through the table's secret. Eight neighbouring prefixes of one length are an exception made
// on purpose: they share a piece of a cache line.
import type { SecretWords } from '../columns/secret-words.ts';

/** The last bits of the prefix choose the place among neighbours, all others the neighbourhood. */
export function hash4(address: number, length: number, secret: SecretWords): number {
  const shift = 32 - length;
  const place = length === 0 ? 0 : (address >>> shift) & 7;
  const rest = address ^ (place << shift);
  return ((secret.of(rest) ^ Math.imul(length, 0x85ebca6b)) << 3) | place;
}

/** Each word is mixed with the secret before the next joins: of plain sums a neighbour could choose equal ones. */
export function hash6(
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  length: number,
  secret: SecretWords,
): number {
  const last = length <= 32 ? w0 : length <= 64 ? w1 : length <= 96 ? w2 : w3;
  const shift = -length & 31;
  const place = length === 0 ? 0 : (last >>> shift) & 7;
  // The place is taken out of whichever word it is in.
  const out = place << shift;
  let h = secret.of((length <= 32 ? w0 ^ out : w0) ^ (length << 24));
  h = secret.of(h ^ (length > 32 && length <= 64 ? w1 ^ out : w1));
  if (length > 64) {
    h = secret.of(h ^ (length <= 96 ? w2 ^ out : w2));
    h = secret.of(h ^ (length > 96 ? w3 ^ out : w3));
  }
  return (h << 3) | place;
}
