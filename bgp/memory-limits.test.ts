// One accepted neighbour within its prefix limit that costs as much memory as it can: it falls, with the reason.
import assert from 'node:assert/strict';
import { AttackedSpeaker, GOOD_AS, HOSTILE_AS } from './testing/attacked-speaker.ts';
import { announceMessage, update } from './testing/message-bytes.ts';
import { RibLab } from './rib/testing/rib-lab.ts';

/** RFC 8654: messages of 65 kB. */
const EXTENDED = '0600';
const MIB = 1 << 20;

/** A route with some 60 kB of attributes that no other has. */
const LARGE = announceMessage(['21.0.0.0/24'], {
  path: [HOSTILE_AS],
  nextHop: '10.0.0.2',
  communities: Array.from({ length: 15_000 }, (_, i) => i),
});

function large(n: number): Buffer {
  const message = Buffer.from(LARGE);
  message.writeUInt32BE(0x10000000 + n, message.length - 8);
  message.writeUInt16BE(n, message.length - 2);
  return message;
}

const hop = (n: number): string => `11.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;

describe('speaker: what one neighbour may make us keep', () => {
  it('attributes of 60 kB a route end its session at 16 MiB, and nobody else notices', async () => {
    await using bench = new AttackedSpeaker();
    await bench.start();
    bench.up('good').send(announceMessage(['10.3.0.0/16'], { path: [GOOD_AS], nextHop: '10.0.0.3' }));
    const hostile = bench.up('hostile', EXTENDED);
    let most = 0;
    for (let n = 0; n < 400 && !hostile.isClosed; n++) {
      hostile.send(large(n));
      bench.run(10);
      most = Math.max(most, bench.status('hostile').routes!.memory.attributeOctets);
    }
    assert.ok(most > 15 * MIB && most <= 16 * MIB, `${most / MIB} MiB`);
    assert.equal(hostile.notification, '6/8');
    const { lastLost, heldDown } = bench.status('hostile');
    assert.deepEqual(lastLost?.cause, {
      kind: 'memory limit',
      what: 'attribute octets',
      count: lastLost?.cause.kind === 'memory limit' ? lastLost.cause.count : 0,
      limit: 16 * MIB,
    });
    assert.match(heldDown!, /^its routes have \d+ attribute octets, the limit is 16777216; until reset$/);
    bench.run(5000);
    assert.deepEqual(bench.best(), ['10.3.0.0/16']);
    assert.ok(bench.speaker.rib.sizes().bytes < 4 * MIB);
    assert.equal(bench.status('hostile').routes!.memory.attributeOctets, 0);
  });

  it('next hops that are all different end it, too, when they are as many', async () => {
    await using bench = new AttackedSpeaker();
    await bench.start({ maxPrefixes: { limit: 100_000, warnPercent: 80 } });
    const hostile = bench.up('hostile');
    for (let n = 0; n < 20_000 && !hostile.isClosed; n += 100) {
      const messages = Array.from({ length: 100 }, (_, i) =>
        announceMessage([`${hop(n + i + (32 << 16))}/32`], { path: [HOSTILE_AS], nextHop: hop(n + i) }),
      );
      hostile.send(...messages);
      bench.run(10);
    }
    const { lastLost } = bench.status('hostile');
    assert.equal(lastLost?.reason, 'its routes have 16385 next hops, the limit is 16384');
    bench.run(5000);
    assert.equal(bench.status('hostile').routes!.memory.nextHops, 0);
  });

  it('a next hop that is never the same leaves no heap of old ones', () => {
    const lab = new RibLab();
    lab.up({ id: 'hostile', address: '10.0.1.1', as: 65001 });
    let most = 0;
    for (let n = 0; n < 30_000; n++) {
      lab.announce('hostile', ['20.0.0.0/24'], { path: [65001], nextHop: hop(n) });
      if (n % 2000 === 0) lab.turn();
      most = Math.max(most, lab.rib.nextHops.count);
    }
    assert.ok(most <= 8192 + 4000, `${most} next hops for one route`);
    assert.deepEqual(lab.events, []);
  });

  it('nor do attributes and next hops beside no route at all, for which nothing else would ever run', () => {
    const lab = new RibLab();
    lab.up({ id: 'hostile', address: '10.0.1.1', as: 65001 });
    lab.settle();
    let most = 0;
    for (let n = 0; n < 20_000; n++) {
      const octets = hop(n)
        .split('.')
        .map((part) => Number(part).toString(16).padStart(2, '0'));
      lab.feed('hostile', update({ attributes: `40010100 4002060201 0000fde9 400304${octets.join('')}` }));
      if (n % 1000 === 0) lab.turn();
      most = Math.max(most, lab.rib.nextHops.count);
    }
    assert.deepEqual(lab.events, []);
    assert.ok(most <= 8192 + 2000, `${most} next hops for no route`);
  });

  it('each path counts once, whatever becomes of it', () => {
    const lab = new RibLab();
    const up = () => lab.up({ id: 'a', address: '10.0.1.1', as: 65001 });
    const octets = () => lab.rib.peer('a')!.attributeOctets;
    up();
    const short = { path: [65001], nextHop: '10.0.1.1' };
    const long = { path: [65001, 2, 3], nextHop: '10.0.1.1' };
    lab.announce('a', ['10.1.0.0/16', '10.2.0.0/16'], short);
    const one = octets() / 2;
    lab.announce('a', ['10.1.0.0/16'], short);
    assert.equal(octets(), 2 * one, 'said again');
    lab.announce('a', ['10.1.0.0/16'], long);
    assert.equal(octets(), 2 * one + 8, 'two more in AS_PATH');
    lab.withdraw('a', ['10.2.0.0/16']);
    assert.equal(octets(), one + 8);
    lab.announce('a', ['10.2.0.0/16'], short);
    lab.settle();
    const set = { name: 'x', otherwise: 'accept' as const };
    const term = { match: {}, action: { verdict: 'accept' as const, set: { med: 7 } }, why: 'x' };
    lab.rib.neighbours.configure({ ...lab.session('a').config, import: { ...set, terms: [term] } });
    lab.settle();
    assert.equal(octets(), 2 * (2 * one + 8) + 2 * 7, 'as received, and with the MED that was set');
    lab.rib.neighbours.configure({ ...lab.session('a').config, import: { ...set, terms: [] } });
    lab.settle();
    assert.equal(octets(), 2 * one + 8);
    lab.down('a');
    up();
    assert.equal(octets(), 0);
    lab.announce('a', ['10.1.0.0/16'], long);
    lab.settle();
    assert.equal(octets(), one + 8);
    lab.withdraw('a', ['10.1.0.0/16']);
    lab.settle();
    assert.equal(octets(), 0);
  });
});
