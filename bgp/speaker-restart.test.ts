// A speaker that has restarted while the kernel went on forwarding (RFC 4724 sections 3 and 4.1): what it says, and what it
// waits for.
import assert from 'node:assert/strict';
import { AttackedSpeaker, HOSTILE_AS } from './testing/attacked-speaker.ts';
import { announceMessage, END_OF_RIB, update } from './testing/message-bytes.ts';
import type { ScriptPeer } from './testing/script-peer.ts';

const END_OF_IPV6 = update({ attributes: '800f 03 0002 01', nlri: '' });
const LEARNED = '20.0.1.0/24';
const OWN = '10.244.0.0/26';
const FULL = { gracefulRestart: { mode: 'full', restartSeconds: 120, longLivedSeconds: 0 } } as const;
/** N bit, 120 s, both families with the F bit; and the same with the R bit. */
const RESTARTS = '400a 4078 00010180 00020180';
const RESTARTING = '400a c078 00010180 00020180';
const CANNOT = '';

async function speaker(kept: readonly ('ipv4' | 'ipv6')[] = ['ipv4', 'ipv6']): Promise<AttackedSpeaker> {
  const bench = new AttackedSpeaker({ forwardingKept: kept });
  await bench.start(FULL, FULL);
  bench.speaker.originate([{ prefix: OWN, why: 'test' }]);
  return bench;
}

/** Flags of the graceful restart capability in the OPEN that a neighbour got, and those of its families. */
function said(peer: ScriptPeer): string {
  const open = peer.heard.find(({ type }) => type === 1)!.body.toString('hex');
  const [, flags, families] = /400a(.)078(.{16})/.exec(open)!;
  return `${(Number.parseInt(flags!, 16) & 8) === 8 ? 'R ' : ''}${families!
    .match(/.{8}/g)!
    .map((tuple) => (tuple.endsWith('80') ? 'F' : '-'))
    .join('')}`;
}

const told = (peer: ScriptPeer): { prefixes: number; ends: number } => ({
  prefixes: peer.heard.filter(({ type, body }) => type === 2 && body.length > 11).length,
  ends: peer.heard.filter(({ type, body }) => type === 2 && body.length <= 11).length,
});
const route = announceMessage([LEARNED], { path: [HOSTILE_AS], nextHop: '10.0.0.2' });

describe('speaker: after a restart over which forwarding went on', () => {
  it('announces its own at once, and learned routes and End-of-RIB when both neighbours have sent all', async () => {
    await using bench = await speaker();
    const [hostile, good] = [bench.up('hostile', RESTARTS), bench.up('good', RESTARTS)];
    assert.deepEqual([said(hostile), said(good)], ['R FF', 'R FF']);
    hostile.send(route, END_OF_RIB, END_OF_IPV6);
    bench.run(1000);
    assert.deepEqual(bench.best(), [OWN]);
    assert.deepEqual(told(good), { prefixes: 1, ends: 0 });
    assert.equal(bench.speaker.isSettled, false);
    const why = () => bench.speaker.rib.routes({ view: 'all', prefix: LEARNED, limit: 1 }).routes[0]!.why;
    assert.match(why(), /after the restart/);
    good.send(END_OF_RIB);
    bench.run(1000);
    assert.deepEqual(bench.best(), [OWN, LEARNED]);
    assert.deepEqual(told(good), { prefixes: 2, ends: 1 });
    good.send(END_OF_IPV6);
    bench.run(1000);
    assert.deepEqual(told(good), { prefixes: 2, ends: 2 });
    assert.equal(bench.speaker.isSettled, true);
  });

  it('waits for nobody who cannot restart gracefully, or has just restarted itself', async () => {
    for (const other of [CANNOT, RESTARTING]) {
      await using bench = await speaker();
      const hostile = bench.up('hostile', RESTARTS);
      const good = bench.up('good', other);
      hostile.send(route, END_OF_RIB, END_OF_IPV6);
      bench.run(1000);
      assert.deepEqual(bench.best(), [OWN, LEARNED]);
      assert.deepEqual(told(good), { prefixes: 2, ends: 2 });
    }
  });

  it('waits half a minute for who is not there, and two minutes for who does not come to an end', async () => {
    await using bench = await speaker();
    const hostile = bench.up('hostile', RESTARTS);
    hostile.send(route, END_OF_RIB, END_OF_IPV6);
    bench.run(29_000);
    assert.deepEqual(bench.best(), [OWN]);
    bench.run(1500);
    assert.deepEqual(bench.best(), [OWN, LEARNED]);

    await using slow = await speaker();
    slow.up('hostile', RESTARTS).send(route);
    const good = slow.up('good', RESTARTS);
    for (let s = 0; s < 118; s += 20) {
      slow.run(s === 100 ? 18_000 : 20_000);
      good.send(Buffer.from(`${'ff'.repeat(16)}001304`, 'hex'));
    }
    assert.deepEqual(slow.best(), [OWN]);
  });

  it('says for whom it waits and how long, and in its log when that begins and how it ends', async () => {
    const deferred = ({ speaker }: AttackedSpeaker) =>
      speaker
        .totals()
        .deferred.map(
          (one) => `${one.family} ${one.waitsFor.join(' ')} ${one.neighbours} ${one.secondsLeft}`,
        );
    const lines = (bench: AttackedSpeaker) =>
      bench.lines.filter(({ text }) => text.includes('restart')).map(({ level, text }) => `${level} ${text}`);
    const [begun, heard, missed] = [
      'info restarted on routes that the kernel has kept: chosen is when all neighbours have sent theirs',
      'info the restart is over, and routes are chosen: all neighbours have sent theirs',
      'warn the restart is over, and routes are chosen without those of neighbours that took too long',
    ];
    await using bench = await speaker();
    assert.deepEqual(deferred(bench), ['ipv4 hostile good 2 30', 'ipv6 hostile good 2 30']);
    const hostile = bench.up('hostile', RESTARTS);
    hostile.send(END_OF_RIB);
    bench.run(1000);
    assert.match(deferred(bench).join(), /^ipv4 good 1 (29|28),ipv6 hostile good 2 (119|118)$/);
    const good = bench.up('good', RESTARTS);
    hostile.send(END_OF_IPV6);
    good.send(END_OF_RIB);
    bench.run(500);
    assert.match(deferred(bench).join(), /^ipv6 good 1 11\d$/);
    assert.deepEqual(lines(bench), [begun]);
    good.send(END_OF_IPV6);
    bench.run(500);
    assert.deepEqual([deferred(bench), lines(bench)], [[], [begun, heard]]);

    await using alone = await speaker();
    alone.up('hostile', RESTARTS).send(END_OF_RIB, END_OF_IPV6);
    alone.run(31_000);
    assert.deepEqual(lines(alone), [begun, missed]);
    const end = alone.lines.find(({ text }) => text.includes('without'));
    assert.deepEqual(end?.fields['without'], ['good (ipv4)', 'good (ipv6)']);
  });

  it('waits as long for one that is still to be found', async () => {
    let isFound = false;
    await using bench = new AttackedSpeaker({
      forwardingKept: ['ipv4', 'ipv6'],
      expected: () => (isFound ? [] : ['tor']),
    });
    await bench.start(FULL, FULL);
    for (const who of ['hostile', 'good'] as const) bench.up(who, RESTARTS).send(END_OF_RIB, END_OF_IPV6);
    bench.run(5_000);
    assert.equal(bench.speaker.isSettled, false);
    isFound = true;
    bench.run(500);
    assert.equal(bench.speaker.isSettled, true);
  });

  it('says no restart any more when it is over, and that forwarding goes on', async () => {
    await using bench = await speaker();
    for (const who of ['hostile', 'good'] as const) bench.up(who, RESTARTS).send(END_OF_RIB, END_OF_IPV6);
    bench.run(1000);
    bench.speaker.forwardingAgrees();
    bench.speaker.resetPeer('good', 'hard');
    bench.run(100);
    const again = bench.up('good', RESTARTS);
    assert.equal(said(again), 'FF');
  });

  it('of one family: the other does not wait, and says that nothing was kept', async () => {
    await using bench = await speaker(['ipv6']);
    const hostile = bench.up('hostile', RESTARTS);
    assert.equal(said(hostile), 'R -F');
    hostile.send(route);
    bench.run(100);
    assert.deepEqual(bench.best(), [OWN, LEARNED]);
  });
});

describe('speaker: at a start with nothing kept', () => {
  it('says so, and chooses at once', async () => {
    await using bench = await speaker([]);
    const hostile = bench.up('hostile', RESTARTS);
    assert.equal(said(hostile), '--');
    hostile.send(route);
    bench.run(100);
    assert.deepEqual(bench.best(), [OWN, LEARNED]);
  });
});
