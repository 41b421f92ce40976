// One session with a neighbour that the test plays: states, timers, polls, silence.
import assert from 'node:assert/strict';
import type { BfdState } from './session-config.ts';
import { ADMIN_DOWN, DOWN, INIT, STATE_NAMES, UP } from './state-machine.ts';
import { LoneHost } from './testing/lone-host.ts';
import { sessionConfig } from './testing/wanted-session.ts';

/** Milliseconds between packets, in order. */
const gaps = (host: LoneHost): number[] => host.sent.slice(1).map(({ atMs }, i) => atMs - host.sent[i]!.atMs);

function assertBetween(values: readonly number[], least: number, most: number): void {
  assert.ok(values.length > 0);
  for (const value of values) assert.ok(value >= least && value <= most, `${value} of ${least}..${most}`);
}

/** Lets the neighbour say the same each 10 ms. */
function keepUp(host: LoneHost, ms: number): void {
  host.hearFor(ms, { state: UP, desiredMinTxMicros: 10_000 }, 10);
}

describe('BFD session', () => {
  for (const [who, turn] of [
    ['a neighbour', [DOWN, INIT]],
    ['a stranger with the address of the neighbour', [DOWN, ADMIN_DOWN]],
  ] as const) {
    it(`changes a bounded number of times however ${who} speaks, and comes up when that is over`, () => {
      const host = LoneHost.in('Up');
      for (let i = 0; i < 10_000; i++) {
        for (const state of turn)
          host.hear({ state, yourDiscriminator: state === INIT ? host.discriminator : 0 });
        host.clock.advance(1);
      }
      assert.ok(host.changes.length <= 3 * (8 + 10), `${host.changes.length} changes in 10 s`);
      host.hearFor(1_000, { state: DOWN });
      host.hear({ state: INIT });
      assert.equal(host.status().state, 'Up');
    });
  }

  // RFC 5880 §6.8.6: own state, what is received, own state after it, diagnostic.
  const TABLE: readonly (readonly [BfdState, BfdState, BfdState, number])[] = [
    ['Down', 'AdminDown', 'Down', 0],
    ['Down', 'Down', 'Init', 0],
    ['Down', 'Init', 'Up', 0],
    ['Down', 'Up', 'Down', 0],
    ['Init', 'AdminDown', 'Down', 3],
    ['Init', 'Down', 'Init', 0],
    ['Init', 'Init', 'Up', 0],
    ['Init', 'Up', 'Up', 0],
    ['Up', 'AdminDown', 'Down', 3],
    ['Up', 'Down', 'Down', 3],
    ['Up', 'Init', 'Up', 0],
    ['Up', 'Up', 'Up', 0],
  ];
  for (const [own, received, after, diagnostic] of TABLE) {
    it(`${own} that hears ${received} is ${after}${diagnostic === 3 ? ', since the neighbour said so' : ''}`, () => {
      const host = LoneHost.in(own);
      host.hear({ state: STATE_NAMES.indexOf(received) });
      const status = host.status();
      assert.deepEqual([status.state, status.diagnostic, status.remoteState], [after, diagnostic, received]);
      assert.equal(host.path, own === after ? '' : `${own}>${after}`);
      // A change is said at once, and nothing else.
      assert.equal(host.takeSent().split(' ')[0], own === after ? '' : after);
    });
  }

  it('says its first packet within 100 ms, and until it is Up one a second, less up to a quarter (§6.8.3, §6.8.7)', () => {
    const host = LoneHost.with();
    host.clock.advance(60_000);
    assert.ok(host.sent[0]!.atMs < 100);
    assertBetween(gaps(host), 750, 1000);
    const all = gaps(host);
    assert.ok(Math.max(...all) - Math.min(...all) > 150, 'jittered packet by packet');
    for (const packet of host.sent) {
      assert.equal(packet.desiredMinTxMicros, 1_000_000);
      assert.equal(packet.requiredMinRxMicros, 100_000);
      assert.equal(packet.requiredMinEchoRxMicros, 0);
      assert.equal(packet.yourDiscriminator, 0);
      assert.equal(packet.multiplier, 3);
      assert.ok(!packet.isPoll && !packet.isFinal && !packet.isIndependent && !packet.isDemand);
    }
  });

  it('sends as configured when it is Up, jittered by 75 to 100 %', () => {
    const host = LoneHost.in('Up');
    keepUp(host, 20_000);
    assertBetween(gaps(host), 75, 100);
    assert.equal(host.sent.at(-1)!.desiredMinTxMicros, 100_000);
  });

  it('with a multiplier of 1 leaves at most 90 % between packets (§6.8.7)', () => {
    const host = LoneHost.in('Up', { multiplier: 1 });
    keepUp(host, 20_000);
    assertBetween(gaps(host), 75, 90);
  });

  it('sends no faster than the neighbour wants to receive, from its next word on', () => {
    const host = LoneHost.in('Up');
    host.hearFor(20_000, { state: UP, requiredMinRxMicros: 400_000, desiredMinTxMicros: 50_000 });
    assertBetween(gaps(host).slice(1), 300, 400);
    host.sent.splice(0);
    host.hearFor(5000, { state: UP, requiredMinRxMicros: 1 });
    assertBetween(gaps(host).slice(1), 75, 100);
  });

  it('sends nothing periodic to a neighbour that wants none, but says a change (§6.8.7)', () => {
    const host = LoneHost.in('Up');
    host.hearFor(5000, { state: UP, requiredMinRxMicros: 0 });
    assert.equal(host.takeSent(), '');
    host.hear({ state: DOWN, requiredMinRxMicros: 0 });
    host.clock.advance(250);
    assert.equal(host.takeSent(), 'Down P');
    host.hearFor(2000, { state: DOWN, requiredMinRxMicros: 1000 });
    assert.match(host.takeSent(), /^Init/);
  });

  it('stops for a neighbour in demand mode while both are Up, and goes on when it is asked no more (§6.8.6)', () => {
    const host = LoneHost.in('Up');
    host.hearFor(5000, { state: UP, isDemand: true });
    assert.equal(host.takeSent(), '');
    host.sessions.apply([sessionConfig({ transmitMicros: 300_000 })]);
    host.hearFor(400, { state: UP, isDemand: true });
    assert.match(host.takeSent(), /^(Up P(, )?)+$/, 'a poll sequence is sent all the same');
    host.hear({ state: UP, isDemand: true, isFinal: true });
    host.hearFor(2000, { state: UP, isDemand: true });
    assert.equal(host.takeSent(), '');
    host.hearFor(1000, { state: UP });
    assert.match(host.takeSent(), /^(Up(, )?)+$/);
  });

  it('gives up after the neighbour’s multiplier times the agreed interval, and says so at once (§6.8.4)', () => {
    const host = LoneHost.in('Up');
    host.hear({ state: UP, multiplier: 4, desiredMinTxMicros: 150_000 });
    assert.equal(host.status().detectionMicros, 600_000);
    host.clock.advance(599);
    assert.equal(host.path, '');
    host.sent.splice(0);
    host.clock.advance(1);
    assert.deepEqual(host.changes, [
      {
        id: 'tor',
        from: 'Up',
        to: 'Down',
        diagnostic: 1,
        remoteState: 'Up',
        remoteDiagnostic: 0,
        isRemoteIndependent: false,
        detectionMicros: 600_000,
      },
    ]);
    const { state, diagnostic, yourDiscriminator, desiredMinTxMicros } = host.sent.at(-1)!;
    assert.deepEqual([state, diagnostic, yourDiscriminator, desiredMinTxMicros], [DOWN, 1, 0, 1_000_000]);
    const { downs, detectionMicros, remoteMultiplier } = host.status();
    assert.deepEqual([downs, detectionMicros, remoteMultiplier], [1, 0, 0]);
  });

  it('gives up in Init as well, and in Down forgets the neighbour without a change', () => {
    const init = LoneHost.in('Init');
    init.clock.advance(300);
    assert.equal(init.path, 'Init>Down');
    assert.equal(init.status().downs, 0);
    const down = LoneHost.in('Down');
    down.hear({ state: UP });
    down.clock.advance(5000);
    assert.equal(down.path, '');
    assert.equal(down.sent.at(-1)!.yourDiscriminator, 0);
  });

  it('counts only what it accepts as a word of the neighbour', () => {
    const host = LoneHost.in('Up');
    host.clock.advance(200);
    host.hear({ state: UP, multiplier: 0 });
    host.hear({ state: UP, isAuthenticated: true });
    host.clock.advance(100);
    assert.equal(host.path, 'Up>Down');
  });

  it('asks again for a longer interval to send at until the neighbour has answered, and keeps the shorter till then', () => {
    const host = LoneHost.in('Up');
    host.sessions.apply([sessionConfig({ transmitMicros: 400_000 })]);
    keepUp(host, 1000);
    assertBetween(gaps(host), 75, 100);
    assert.ok(
      host.sent.slice(1).every(({ isPoll, desiredMinTxMicros }) => isPoll && desiredMinTxMicros === 400_000),
    );
    host.sent.splice(0);
    host.hear({ state: UP, isFinal: true, desiredMinTxMicros: 10_000 });
    keepUp(host, 5000);
    assert.ok(host.sent.every(({ isPoll }) => !isPoll));
    assertBetween(gaps(host), 300, 400);
    assert.equal(host.path, '');
  });

  it('sends at a shorter interval at once', () => {
    const host = LoneHost.in('Up', { transmitMicros: 500_000 });
    keepUp(host, 1000);
    host.sent.splice(0);
    host.sessions.apply([sessionConfig({ transmitMicros: 100_000 })]);
    host.hearFor(99, { state: UP, requiredMinRxMicros: 10_000 }, 33);
    assert.ok(host.sent.length > 0);
  });

  it('gives up sooner only after the neighbour has answered that it sends sooner (§6.8.3)', () => {
    const host = LoneHost.in('Up', { receiveMicros: 300_000 });
    host.hear({ state: UP });
    host.sessions.apply([sessionConfig({ receiveMicros: 100_000 })]);
    assert.equal(host.status().detectionMicros, 900_000);
    host.hear({ state: UP, isFinal: true });
    assert.equal(host.status().detectionMicros, 300_000);
    host.clock.advance(300);
    assert.equal(host.path, 'Up>Down');
  });

  it('gives up later at once, counted from the neighbour’s last word', () => {
    const host = LoneHost.in('Up');
    host.clock.advance(200);
    host.sessions.apply([sessionConfig({ receiveMicros: 300_000 })]);
    host.clock.advance(650);
    assert.equal(host.path, '');
    host.clock.advance(50);
    assert.equal(host.path, 'Up>Down');
  });

  it('says another multiplier with its next packet, without a poll (§6.8.12)', () => {
    const host = LoneHost.in('Up');
    host.sessions.apply([sessionConfig({ multiplier: 7 })]);
    keepUp(host, 100);
    assert.equal(host.sent.at(-1)!.multiplier, 7);
    assert.ok(!host.sent.at(-1)!.isPoll);
  });

  it('polls when it becomes Up, for its interval is another, and never with Poll and Final in one packet', () => {
    const host = LoneHost.in('Init');
    host.hear({ state: INIT, isPoll: true });
    host.hear({ state: UP, isPoll: true });
    host.clock.advance(100);
    assert.equal(host.takeSent(), 'Up F, Up F, Up P');
  });

  it('answers a poll at once in every state, whatever its own timer (§6.8.7)', () => {
    for (const state of ['Down', 'Init', 'Up'] as const) {
      const host = LoneHost.in(state);
      host.hear({ state: state === 'Up' ? UP : ADMIN_DOWN, isPoll: true });
      assert.match(host.takeSent(), / F$/, state);
    }
  });

  it('of endless polls answers eight at once and then one in each interval that it says, and still sends its own', () => {
    const host = LoneHost.in('Up');
    keepUp(host, 1000);
    host.sent.splice(0);
    for (let i = 0; i < 1000; i++) host.hear({ state: UP, isPoll: true });
    assert.equal(host.sent.length, 8);
    host.sent.splice(0);
    host.hearFor(1000, { state: UP, isPoll: true }, 1);
    assertBetween([host.sent.filter(({ isFinal }) => isFinal).length], 9, 11);
    assertBetween([host.sent.filter(({ isFinal }) => !isFinal).length], 10, 14);
  });

  it('polls itself, however often the neighbour does and however seldom it wants to hear', () => {
    const host = LoneHost.in('Up');
    host.sessions.apply([sessionConfig({ receiveMicros: 50_000 })]);
    host.hearFor(5000, { state: UP, isPoll: true, requiredMinRxMicros: 1_000_000 }, 10);
    assertBetween([host.sent.filter(({ isPoll }) => isPoll).length], 5, 7);
  });

  it('of a neighbour that goes down and up without end says eight changes at once, and then what is', () => {
    const host = LoneHost.in('Up');
    for (let i = 0; i < 1000; i++) host.hear({ state: i % 2 === 0 ? DOWN : INIT });
    assert.ok(host.sent.length <= 8);
    host.hearFor(2_000, { state: INIT });
    assert.equal(host.sent.at(-1)!.state, UP);
  });

  it('that is passive says nothing before the neighbour does, nor after it is lost (§6.1, §6.8.7)', () => {
    const host = LoneHost.with({ isPassive: true });
    host.clock.advance(10_000);
    assert.equal(host.takeSent(), '');
    host.hear({ state: DOWN, yourDiscriminator: 0 });
    host.clock.advance(1);
    assert.equal(host.takeSent(), 'Init');
    host.hear({ state: INIT });
    host.clock.advance(250);
    assert.match(host.takeSent(), /^Up P(, Up P)+$/);
    host.clock.advance(10_000);
    assert.equal(host.status().state, 'Down');
    host.sent.splice(0);
    host.clock.advance(10_000);
    assert.equal(host.takeSent(), '');
  });

  it('tells a neighbour’s AdminDown as such, and stays Down while it is said', () => {
    const host = LoneHost.in('Up');
    host.hear({ state: ADMIN_DOWN, diagnostic: 7, isIndependent: true });
    const { to, diagnostic, remoteState, remoteDiagnostic, isRemoteIndependent } = host.changes[0]!;
    assert.deepEqual(
      [to, diagnostic, remoteState, remoteDiagnostic, isRemoteIndependent],
      ['Down', 3, 'AdminDown', 7, true],
    );
    host.hearFor(5000, { state: ADMIN_DOWN, diagnostic: 7 });
    host.clock.advance(10_000);
    assert.equal(host.changes.length, 1);
    assert.equal(host.status().remoteState, 'AdminDown', 'its last word, also when it is silent');
  });

  it('that is wanted no more says AdminDown for its detection time, whatever the neighbour says, and then nothing', () => {
    const host = LoneHost.in('Up');
    host.sessions.apply([]);
    assert.equal(host.sessions.status('tor'), undefined);
    const { state, diagnostic, desiredMinTxMicros } = host.sent[0]!;
    assert.deepEqual([state, diagnostic, desiredMinTxMicros], [ADMIN_DOWN, 7, 1_000_000]);
    host.hearFor(2950, { state: UP, isPoll: true });
    assert.equal(host.closed, 0);
    assert.match(host.takeSent(), /^(AdminDown P?(, )?){4}$/);
    host.clock.advance(10_000);
    assert.equal(host.takeSent(), '');
    assert.equal(host.closed, 1);
    assert.deepEqual(host.changes, []);
    host.hear({ state: DOWN, yourDiscriminator: 0 });
    assert.equal(host.sessions.unclaimed.packets, 1, 'its neighbour is nobody’s');
    assert.equal(host.clock.pending, 0);
  });

  it('that is wanted no more is not held by a neighbour that wants a packet an hour', () => {
    const host = LoneHost.in('Up', { multiplier: 255 });
    host.hear({ state: UP, requiredMinRxMicros: 0xffff_ffff });
    host.sessions.apply([]);
    host.clock.advance(10_000);
    assert.equal(host.closed, 1);
  });

  it('that had no neighbour says nothing when it is wanted no more', () => {
    const host = LoneHost.with();
    host.clock.advance(500);
    host.sent.splice(0);
    host.sessions.apply([]);
    assert.equal(host.takeSent(), '');
    assert.equal(host.closed, 1);
  });

  it('is not given up for packets that wait while this process stands still', () => {
    const host = LoneHost.in('Up');
    host.clock.stall(2000);
    host.clock.advance(0);
    assert.equal(host.path, '');
    host.clock.advance(30);
    host.hear({ state: UP });
    host.clock.advance(299);
    assert.equal(host.path, '');
    host.clock.advance(1);
    assert.equal(host.path, 'Up>Down', 'and on time when there were none');
  });

  it('of a process that stands still again and again is given up all the same', () => {
    const host = LoneHost.in('Up');
    for (let i = 0; i < 20; i++) {
      host.clock.stall(100);
      host.clock.advance(0);
    }
    assert.equal(host.path, 'Up>Down');
  });

  it('hears first what came in the moment in which its time is over', () => {
    const host = LoneHost.in('Up');
    const silentFrom = host.clock.now() + 300;
    host.clock.setTimer(299, () => host.clock.setTimer(1, () => host.hear({ state: UP })));
    host.clock.advance(silentFrom - host.clock.now());
    assert.equal(host.path, '');
  });
});
