import assert from 'node:assert/strict';
import { RibLab } from '../testing/rib-lab.ts';
import { ReadingPace } from './reading-pace.ts';

describe('rib: reading pace', () => {
  it('remembers a peer once, however many UPDATEs it sends that change nothing', () => {
    const lab = new RibLab();
    lab.up({ id: 'a', address: '192.0.2.1', as: 65101 });
    lab.settle();
    const pace = new ReadingPace();
    const peer = lab.rib.peer('a')!;
    for (let turn = 0; turn < 3; turn++) {
      for (let i = 0; i < 1000; i++) {
        pace.hear(peer);
        pace.heard(peer, 0, 0);
      }
      assert.equal(pace.size, 1);
      if (turn > 0) pace.beginTurn();
    }
    assert.equal(pace.size, 0);
  });

  it('reads on from every peer that it paused, also when nobody says anything any more', () => {
    const lab = new RibLab();
    const peers = Array.from({ length: 7 }, (_, n) => ({
      id: `e${n}`,
      address: `192.0.2.${n}`,
      as: 65100 + n,
    }));
    for (const peer of peers) lab.up(peer);
    lab.settle();
    for (const [n, peer] of peers.entries()) {
      const prefixes = Array.from({ length: 4000 }, (_, i) => `20.${n * 16 + (i >> 8)}.${i & 255}.0/24`);
      for (let i = 0; i < prefixes.length; i += 800) {
        lab.announce(peer.id, prefixes.slice(i, i + 800), { path: [peer.as], nextHop: peer.address });
      }
    }
    const paused = () => peers.filter(({ id }) => lab.session(id).isPaused).length;
    assert.equal(paused(), 7);
    lab.settle();
    assert.equal(paused(), 0);
  });
});
