// Values that somebody chose so that a hash table becomes a list: what finds doubled communities must not know them.
import assert from 'node:assert/strict';
import { attribute, bytes, MANDATORY, u32 } from '../../testing/message-bytes.ts';
import { SessionCodecContext } from '../context.ts';
import { largeCommunityCollisions } from './kinds/communities.ts';
import { validateAttributes } from './validate.ts';
import { AttributeVerdict } from './verdict.ts';

const MANY = 2000;

/** Large communities that have one hash under a seed: the third word takes back what the others did. */
function chosenFor(seed: number): Uint8Array {
  const first = Math.imul(seed, 0x9e3779b1) | 1;
  const second = Math.imul(seed ^ 0x5bd1e995, 0x85ebca6b) | 1;
  let value = '';
  for (let n = 1; n <= MANY; n++) {
    let h = Math.imul(65000 ^ seed, first);
    h = Math.imul(h ^ (h >>> 15) ^ n, second);
    value += u32(65000) + u32(n) + u32((h ^ (h >>> 13) ^ 1234567) >>> 0);
  }
  return bytes(MANDATORY + attribute(0xd0, 32, value));
}

function collisionsUnder(seed: number, block: Uint8Array): number {
  const context = new SessionCodecContext();
  context.seed = seed;
  const verdict = new AttributeVerdict();
  validateAttributes(block, 0, block.length, context, verdict);
  assert.equal(verdict.action, 0);
  assert.ok(verdict.length > MANY * 12, 'none of them is a double');
  return largeCommunityCollisions();
}

describe('doubled large communities are looked for', () => {
  it('at a cost that nobody can choose who does not know the seed', () => {
    const block = chosenFor(1);
    assert.ok(collisionsUnder(1, block) > 1_000_000, 'who knows it can');
    for (const seed of [0, 2, 3, 0x3fffffff]) {
      const collisions = collisionsUnder(seed, block);
      assert.ok(collisions < MANY, `seed ${seed}: ${collisions}`);
    }
  });
});
