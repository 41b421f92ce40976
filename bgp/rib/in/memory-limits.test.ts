// What one neighbour's routes may make us keep: exactly up to the limit, and its session ends at the first message above.
import assert from 'node:assert/strict';
import { RibLab } from '../testing/rib-lab.ts';
import { MOST_NEXT_HOPS } from './memory-limits.ts';

const PEER = { id: 'a', address: '192.0.2.1', as: 65001 };
const dotted = (first: number, n: number): string => `${first}.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;

describe('the limit of memory', () => {
  it('octets of attributes: as many as the limit are fine, one more ends the session and says no more', () => {
    const lab = new RibLab();
    lab.up({ ...PEER, config: { maxPrefixes: { limit: 1, warnPercent: 100 } } });
    const announce = (n: number) =>
      lab.announce(
        'a',
        [dotted(20, n << 8)].map((to) => `${to}/24`),
        { path: [65001], nextHop: '192.0.2.1' },
      );
    announce(1);
    const peer = lab.rib.peer('a')!;
    peer.octetsLimit = peer.attributeOctets;
    announce(1);
    assert.deepEqual(lab.events, []);
    announce(2);
    assert.deepEqual(lab.events, [`over ${peer.octetsLimit} attribute octets a`]);
    assert.ok(!lab.sessions.has('a'));
  });

  it('next hops: as many as the limit are fine, one more ends the session and says no more', () => {
    const lab = new RibLab();
    lab.up({ ...PEER, config: { maxPrefixes: { limit: MOST_NEXT_HOPS, warnPercent: 100 } } });
    const announce = (n: number) =>
      lab.announce('a', [`${dotted(20, n)}/32`], { path: [65001], nextHop: dotted(11, n) });
    for (let n = 0; n < MOST_NEXT_HOPS; n++) announce(n);
    assert.deepEqual(lab.events, []);
    announce(MOST_NEXT_HOPS);
    assert.deepEqual(lab.events, [`over ${MOST_NEXT_HOPS} next hops a`]);
  });
});
