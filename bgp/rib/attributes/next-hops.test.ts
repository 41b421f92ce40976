import assert from 'node:assert/strict';
import { NextHops } from './next-hops.ts';

describe('next hops', () => {
  it('that share the address that is used are tracked once, and share what is known of it', () => {
    const hops = new NextHops(1);
    const told: string[] = [];
    hops.setTracker({
      track: (address, device) => void told.push(`track ${address}%${device}`),
      untrack: (address, device) => void told.push(`untrack ${address}%${device}`),
    });
    const LINK = [0xfe800000 | 0, 0, 0, 9];
    const one = hops.intern6([0xfd000000 | 0, 0, 0, 1], LINK, 'eth1');
    hops.update('fe80::9', true, 5, 'eth1', ['eth1'], false);
    const before = hops.intern6([0xfd000000 | 0, 0, 0, 3], LINK, 'eth1');
    assert.deepEqual([hops.isOffLink[one], hops.isOffLink[before]], [1, 1]);
    hops.release(before);
    hops.update('fe80::9', false, 5, 'eth1');
    const two = hops.intern6([0xfd000000 | 0, 0, 0, 2], LINK, 'eth1');
    const elsewhere = hops.intern6(undefined, LINK, 'eth2');
    assert.notEqual(one, two);
    assert.deepEqual([hops.reachable[two], hops.metric[two], hops.reachable[elsewhere]], [0, 5, 1]);
    assert.equal(hops.unreachableCount, 2);
    hops.release(one);
    hops.update('fe80::9', true, 0, 'eth1');
    assert.equal(hops.unreachableCount, 0);
    hops.release(two);
    assert.deepEqual(told, ['track fe80::9%eth1', 'track fe80::9%eth2', 'untrack fe80::9%eth1']);
  });

  it('20,000 of them, as a hostile neighbour can make, are told about and given back without a stall', () => {
    const hops = new NextHops(1);
    const told: string[] = [];
    hops.setTracker({ track: (address) => void told.push(address), untrack: () => undefined });
    const ids = Array.from({ length: 20_000 }, (_, i) => hops.intern4(0x14000000 + i));
    const begin = performance.now();
    for (const address of told) hops.update(address, false, 0, undefined);
    for (let i = 0; i < 1000; i++) {
      hops.replaceOwnAddresses([], ['10.0.0.1']);
      hops.setOwner(`20.0.${i >> 8}.${i & 255}`, 7, undefined, true);
    }
    const tookMs = performance.now() - begin;
    assert.equal(hops.unreachableCount, 20_000);
    assert.deepEqual(hops.slotsAt(hops.owner[ids[999]!]!), [7]);
    assert.equal(hops.owner[ids[1000]!], -1);
    for (const id of ids) hops.release(id);
    assert.deepEqual([hops.count, hops.unreachableCount], [0, 0]);
    assert.ok(tookMs < 200, `${tookMs.toFixed(0)} ms`);
  });

  it('two sessions with one address: the end of one does not take what belongs to the other', () => {
    const hops = new NextHops(1);
    const id = hops.intern4(0x14000001);
    for (const slot of [3, 4]) hops.setOwner('20.0.0.1', slot, undefined, true);
    assert.deepEqual(hops.slotsAt(hops.owner[id]!), [3, 4]);
    hops.setOwner('20.0.0.1', 3, undefined, false);
    assert.deepEqual(hops.slotsAt(hops.owner[id]!), [4]);
    assert.deepEqual([hops.addressOf[3], hops.addressOf[4]], [-1, hops.owner[id]]);
    assert.equal(hops.owner[hops.intern4(0x14000001)], hops.owner[id]);
    hops.setOwner('20.0.0.1', 4, undefined, false);
    assert.deepEqual([hops.owner[id], hops.addressOf[4]], [-1, -1]);
  });

  it('numbers no more addresses than sessions that are up at once', () => {
    const hops = new NextHops(1);
    const id = hops.intern4(0x14000001);
    for (let i = 0; i < 1000; i++) {
      for (const isUp of [true, false]) hops.setOwner(`20.0.1.${i & 255}`, 70 + (i & 1), undefined, isUp);
    }
    hops.setOwner('20.0.0.1', 200, undefined, true);
    assert.deepEqual([hops.owner[id], hops.addressOf[200]], [0, 0]);
  });

  it('belongs to the peer on its link, wherever in fe80::/10 it lies', () => {
    for (const [first, address] of [
      [0xfe800000 | 0, 'fe80::9'],
      [0xfe900000 | 0, 'fe90::9'],
    ] as const) {
      const hops = new NextHops(1);
      const [near, far] = ['eth1', 'eth2'].map((link) => hops.intern6(undefined, [first, 0, 0, 9], link));
      assert.ok(hops.setOwner(address, 4, 'eth1', true));
      assert.deepEqual([hops.slotsAt(hops.owner[near!]!), hops.owner[far!]], [[4], -1]);
    }
  });
});
