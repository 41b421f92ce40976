// Sessions of neighbours that BFD looks after (RFC 5882): how they end by it, wait for it, and what it must not touch.
import assert from 'node:assert/strict';
import { peerConfig } from '../testing/configs.ts';
import { MP_BOTH, fourByteAs } from '../testing/message-bytes.ts';
import { OURS, OURS_TOO, SessionBench, THEIRS } from '../testing/session-bench.ts';
import type { BfdNews } from './types.ts';

const BFD = { isRequired: false, isGraceful: false };
const GRACEFUL = { gracefulRestart: { mode: 'full', restartSeconds: 120, longLivedSeconds: 0 } } as const;
const AGREED = { capabilities: `${MP_BOTH} ${fourByteAs(65002)} 4006 4078 00010180` };
const failed = (isIndependent = false): BfdNews => ({
  state: 'failed',
  text: 'control detection time expired',
  isIndependent,
  detectionMs: 3_000,
});

describe('session: BFD', () => {
  it('is told both ends of each connection, and when there is nobody to look after', async () => {
    const bench = await SessionBench.withPeer({ bfd: BFD });
    bench.establish();
    assert.deepEqual(bench.recorder.meetings, [
      { peerId: 'tor', ends: { localAddress: OURS, remoteAddress: THEIRS } },
    ]);
    bench.sessions.resetPeer('tor');
    assert.deepEqual(bench.recorder.partings, [], 'it comes back');
    bench.sessions.removePeer('tor');
    assert.deepEqual(bench.recorder.partings, ['tor']);
  });

  it('is told nothing of a neighbour without it, and has no say there', async () => {
    const bench = await SessionBench.withPeer();
    bench.establish();
    bench.sessions.heardBfd('tor', failed());
    assert.deepEqual([bench.state, bench.recorder.meetings, bench.recorder.downs], ['Established', [], []]);
  });

  it('ends the session of a neighbour that has failed: Cease/10 (RFC 9384), nothing is kept', async () => {
    const bench = await SessionBench.withPeer({ bfd: BFD, ...GRACEFUL });
    const peer = bench.establish(AGREED);
    bench.sessions.heardBfd('tor', { state: 'up' });
    bench.sessions.heardBfd('tor', failed());
    bench.clock.settle();
    const [down, ...more] = bench.recorder.downs;
    assert.equal(more.length, 0);
    assert.deepEqual(down?.reason, {
      cause: { kind: 'BFD down', text: 'control detection time expired' },
      kept: undefined,
    });
    assert.match(peer.words, /NOTIFICATION 6\/9$/, 'a hard reset, as it would keep our routes otherwise');
    assert.match(bench.status.lastNotificationOut?.text ?? '', /BFD down/);
    assert.equal(bench.status.lastLost?.reason, 'BFD is down: control detection time expired');
  });

  it('does not keep a neighbour that has failed from coming back, before its BFD does', async () => {
    const bench = await SessionBench.withPeer({ bfd: BFD });
    bench.establish();
    bench.sessions.heardBfd('tor', failed());
    bench.establish();
    assert.equal(bench.state, 'Established');
  });

  it('that was never up, or was taken down on purpose, ends nothing', async () => {
    const bench = await SessionBench.withPeer({ bfd: BFD });
    bench.establish();
    for (const state of ['unknown', 'up', 'unknown'] as const) bench.sessions.heardBfd('tor', { state });
    assert.deepEqual([bench.state, bench.recorder.downs], ['Established', []]);
  });

  it('says nothing new of a neighbour whose connection closed before, as its BFD restarts with it (RFC 5882 §4.3)', async () => {
    const bench = await SessionBench.withPeer({ bfd: BFD, ...GRACEFUL });
    bench.establish(AGREED).connection.destroy();
    bench.clock.settle();
    assert.notEqual(bench.recorder.downs[0]?.reason.kept, undefined);
    bench.sessions.heardBfd('tor', failed());
    assert.deepEqual(bench.recorder.abandonments, []);
  });

  it('says nothing new either when it fails after the neighbour has come back: that was the one of before', async () => {
    const bench = await SessionBench.withPeer({ bfd: BFD, ...GRACEFUL });
    bench.establish(AGREED).connection.destroy();
    bench.clock.advance(1_000);
    bench.establish(AGREED);
    bench.clock.advance(2_000);
    bench.sessions.heardBfd('tor', failed());
    assert.equal(bench.state, 'Established');
    bench.sessions.heardBfd('tor', { state: 'up' });
    bench.clock.advance(200);
    bench.sessions.heardBfd('tor', failed());
    assert.notEqual(bench.state, 'Established', 'and what fails later is the one of now');
  });

  it('takes what is kept of a neighbour whose BFD does not restart with it: its forwarding has failed', async () => {
    const bench = await SessionBench.withPeer({ bfd: BFD, ...GRACEFUL });
    bench.establish(AGREED).connection.destroy();
    bench.clock.settle();
    bench.sessions.heardBfd('tor', failed(true));
    assert.deepEqual(bench.recorder.abandonments, ['tor']);
  });

  describe('that may mean a restart', () => {
    it('keeps the routes, and tells the neighbour nothing that would make it drop ours', async () => {
      const bench = await SessionBench.withPeer({ bfd: { ...BFD, isGraceful: true }, ...GRACEFUL });
      const peer = bench.establish(AGREED);
      bench.sessions.heardBfd('tor', failed());
      assert.equal(bench.recorder.downs[0]?.reason.cause.kind, 'BFD restart');
      assert.equal(bench.recorder.downs[0].reason.kept?.restartSeconds, 120);
      assert.doesNotMatch(peer.words, /NOTIFICATION/);
    });

    it('keeps none of one whose BFD does not restart with it', async () => {
      const bench = await SessionBench.withPeer({ bfd: { ...BFD, isGraceful: true }, ...GRACEFUL });
      bench.establish(AGREED);
      bench.sessions.heardBfd('tor', failed(true));
      assert.deepEqual(bench.recorder.downs[0]?.reason.kept, undefined);
    });
  });

  describe('that is required', () => {
    const REQUIRED = { bfd: { ...BFD, isRequired: true } };

    it('lets a session go on when it is up, and not before', async () => {
      const bench = await SessionBench.withPeer(REQUIRED);
      const peer = bench.establish();
      bench.clock.advance(5_000);
      assert.deepEqual([bench.state, peer.words], ['OpenSent', 'OPEN']);
      assert.equal(bench.status.isBfdAwaited, true);
      assert.equal(bench.recorder.meetings.length, 1);
      bench.sessions.heardBfd('tor', { state: 'up' });
      bench.clock.settle();
      assert.deepEqual([bench.state, peer.words], ['Established', 'OPEN KEEPALIVE']);
      assert.equal(bench.status.isBfdAwaited, undefined);
    });

    it('is not waited for again by the next session while it is up, and is after it has failed', async () => {
      const bench = await SessionBench.withPeer(REQUIRED);
      bench.establish();
      bench.sessions.heardBfd('tor', { state: 'up' });
      bench.sessions.resetPeer('tor');
      bench.establish();
      assert.equal(bench.state, 'Established');
      bench.sessions.heardBfd('tor', failed());
      bench.establish();
      assert.equal(bench.state, 'OpenSent');
    });

    it('lets one of two connections go on', async () => {
      const bench = await SessionBench.withPeer(REQUIRED);
      const [first, second] = [bench.establish(), bench.establish()];
      bench.sessions.heardBfd('tor', { state: 'up' });
      bench.clock.settle();
      assert.equal(bench.state, 'Established');
      assert.deepEqual([first.isClosed, second.isClosed].filter(Boolean).length, 1);
      assert.equal(bench.recorder.alive.length, 1);
    });

    it('is forgotten with a connection that ends before', async () => {
      const bench = await SessionBench.withPeer(REQUIRED);
      bench.establish().connection.destroy();
      bench.clock.settle();
      bench.sessions.heardBfd('tor', { state: 'up' });
      assert.deepEqual(bench.recorder.ups, []);
    });
  });

  describe('of a neighbour that comes to another address of ours', () => {
    const listen = [OURS, OURS_TOO].map((address) => ({ address, port: 179 }));

    it('is waited for again where it is required', async () => {
      const bench = await SessionBench.withPeer({ bfd: { ...BFD, isRequired: true } }, { listen });
      bench.establish();
      bench.sessions.heardBfd('tor', { state: 'up' });
      assert.equal(bench.state, 'Established');
      bench.sessions.resetPeer('tor');
      bench.establish(undefined, THEIRS, OURS_TOO);
      assert.equal(bench.state, 'OpenSent');
      bench.sessions.heardBfd('tor', { state: 'up' });
      bench.clock.settle();
      assert.equal(bench.state, 'Established');
    });

    it('stays with the session that is established, and follows when that is over', async () => {
      const bench = await SessionBench.withPeer({ bfd: BFD }, { listen });
      const first = bench.establish();
      bench.establish(undefined, THEIRS, OURS_TOO);
      bench.clock.settle();
      const met = () => bench.recorder.meetings.map(({ ends }) => ends.localAddress);
      assert.deepEqual([bench.state, met()], ['Established', [OURS]]);
      first.connection.destroy();
      bench.clock.settle();
      bench.establish(undefined, THEIRS, OURS_TOO);
      assert.deepEqual([bench.state, met()], ['Established', [OURS, OURS_TOO]]);
    });
  });

  it('that is switched on or off, or required no longer, takes effect on the running session', async () => {
    const bench = await SessionBench.withPeer();
    const configure = (bfd: object) =>
      bench.sessions.updatePeer(peerConfig('tor', THEIRS, 65002, { passive: true, ...bfd }));
    bench.establish();
    configure({ bfd: BFD });
    assert.equal(bench.recorder.meetings.length, 1);
    configure({});
    assert.deepEqual(bench.recorder.partings, ['tor']);
    configure({ bfd: { ...BFD, isRequired: true } });
    bench.sessions.resetPeer('tor');
    bench.establish();
    assert.equal(bench.state, 'OpenSent');
    configure({ bfd: BFD });
    assert.equal(bench.state, 'Established');
  });
});
