import assert from 'node:assert/strict';
import { SecretWords } from '../columns/secret-words.ts';
import { hash4, hash6 } from './prefix-hash.ts';

const SLOTS = 1024;

/** Prefixes that share a slot under one secret, as somebody who knew it would choose them. */
function chosen(hash: (i: number) => number, count: number): number[] {
  const found: number[] = [];
  for (let i = 0; found.length < count; i++) if ((hash(i) & (SLOTS - 1)) === 0) found.push(i);
  return found;
}

const FORMS: ReadonlyArray<[string, (i: number, secret: SecretWords) => number]> = [
  ['IPv4 /24', (i, secret) => hash4(i << 8, 24, secret)],
  ['IPv6 /32', (i, secret) => hash6(i, 0, 0, 0, 32, secret)],
  ['IPv6 /48, the first word', (i, secret) => hash6(i, 0, 0, 0, 48, secret)],
  ['IPv6 /64, the second word', (i, secret) => hash6(0x20010db8, i, 0, 0, 64, secret)],
  ['IPv6 /96, the third word', (i, secret) => hash6(0x20010db8, 0, i, 0, 96, secret)],
  ['IPv6 /128, the last word', (i, secret) => hash6(0x20010db8, 0, 0, i, 128, secret)],
];

describe('the hash of a prefix', () => {
  for (const [name, hash] of FORMS) {
    it(`spreads what falls together under another secret, even one that differs in one bit: ${name}`, () => {
      const attacked = new SecretWords(7);
      const together = chosen((i) => hash(i, attacked), 64);
      for (const seed of [6, 5, 7 ^ 0x80000000, 12345]) {
        const secret = new SecretWords(seed);
        const perSlot = new Map<number, number>();
        for (const i of together) {
          const slot = hash(i, secret) & (SLOTS - 1);
          perSlot.set(slot, (perSlot.get(slot) ?? 0) + 1);
        }
        assert.ok(Math.max(...perSlot.values()) <= 5, `seed ${seed}: ${Math.max(...perSlot.values())}`);
      }
    });
  }

  it('puts eight neighbouring prefixes of one length beside each other', () => {
    const secret = new SecretWords(7);
    for (const place of [1, 2, 7]) {
      assert.equal(hash4(place << 8, 24, secret), hash4(0, 24, secret) + place);
      assert.equal(hash6(0, place << 16, 0, 0, 48, secret), hash6(0, 0, 0, 0, 48, secret) + place);
      assert.equal(hash6(0, 0, 0, place, 128, secret), hash6(0, 0, 0, 0, 128, secret) + place);
    }
  });
});
