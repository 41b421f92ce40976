import assert from 'node:assert/strict';
import { RibLab } from './testing/rib-lab.ts';
import { announceMessage } from '../testing/message-bytes.ts';

const MIB = 1 << 20;
const MARK = 0xc0ffee11;

/** Announces one prefix with attributes that fill a message and are never the same. */
class Changeable {
  readonly #lab: RibLab;
  readonly #message: Buffer;
  readonly #mark: number;
  #number = 0;

  constructor(lab: RibLab) {
    this.#lab = lab;
    const communities = [MARK, ...Array.from({ length: 900 }, (_, i) => i + 1)];
    this.#message = announceMessage(['20.0.0.0/24'], { path: [65001], nextHop: '10.0.1.1', communities });
    this.#mark = this.#message.indexOf(Buffer.from(MARK.toString(16), 'hex'));
  }

  announce(times: number): void {
    for (let i = 0; i < times; i++) {
      this.#message.writeUInt32BE(0x10000000 + this.#number++, this.#mark);
      this.#lab.feed('hostile', this.#message);
    }
  }
}

function attacked(): RibLab {
  const lab = new RibLab();
  lab.up({ id: 'hostile', address: '10.0.1.1', as: 65001 });
  return lab;
}

describe('memory under a neighbour that never rests', () => {
  it('what it sends is hashed with the seed of this RIB', () => {
    const lab = attacked();
    lab.announce('hostile', ['20.0.0.0/24'], { path: [65001], nextHop: '10.0.1.1' });
    assert.equal(lab.rib.peer('hostile')!.context.seed, 42);
  });

  it('attributes that are never the same do not pile up', () => {
    const lab = attacked();
    const route = new Changeable(lab);
    let peak = 0;
    for (let i = 0; i < 2500; i++) {
      route.announce(16);
      lab.turn();
      peak = Math.max(peak, lab.pages.sizes().bytes);
    }
    assert.ok(peak < 80 * MIB, `${peak / MIB} MiB for one route`);
    lab.settle();
    const { bytes } = lab.pages.sizes();
    assert.ok(bytes < 4 * MIB, `${bytes / MIB} MiB are left`);
  });

  it('a small set that stays between many that go does not keep their memory', () => {
    const lab = attacked();
    const route = new Changeable(lab);
    let peak = 0;
    for (let i = 0; i < 1000; i++) {
      lab.announce('hostile', [`21.${i >>> 8}.${i & 255}.0/24`], {
        path: [65001, i + 1],
        nextHop: '10.0.1.1',
      });
      route.announce(70);
      lab.turn();
      peak = Math.max(peak, lab.pages.sizes().bytes);
    }
    assert.ok(peak < 150 * MIB, `${peak / MIB} MiB for 1001 routes`);
  });

  it('where something changes every few milliseconds, what is gone is forgotten all the same', () => {
    const lab = attacked();
    let most = 0;
    for (let ms = 0; ms < 10_000; ms += 10) {
      for (let i = 0; i < 40; i++) {
        lab.announce('hostile', [`21.${i}.0.0/16`], { path: [65001, ms, i + 1], nextHop: '10.0.1.1' });
      }
      lab.turn();
      lab.clock.advance(10);
      most = Math.max(most, lab.pages.sizes().bytes);
    }
    // 4,000 new sets a second: those of the last two seconds wait, 40,000 never do.
    assert.ok(most < 4 * MIB, `${most / MIB} MiB for 40 routes`);
  });
});
