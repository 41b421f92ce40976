// Two hosts that run BFD with one another, over a wire that loses packets, cuts and comes back.
import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import type { BfdAuthentication, BfdAuthType, BfdSessionConfig } from './session-config.ts';
import { type HostOnWire, twoHosts } from './testing/two-hosts.ts';

const states = (...hosts: HostOnWire[]) => hosts.map((host) => host.status().state);

function conversation(ofA: Partial<BfdSessionConfig> = {}, ofB: Partial<BfdSessionConfig> = {}) {
  const { clock, a, b } = twoHosts();
  a.sessions.apply([a.config(ofA)]);
  b.sessions.apply([b.config(ofB)]);
  return { clock, a, b };
}

const downsAfter = (host: HostOnWire, count: number) =>
  host.changes.slice(count).filter(({ from }) => from === 'Up');

describe('BFD between two hosts', () => {
  it('is Up within a fraction of a second, and stays so', () => {
    const { clock, a, b } = conversation();
    clock.advance(200);
    assert.deepEqual(states(a, b), ['Up', 'Up']);
    clock.advance(600_000);
    assert.deepEqual(states(a, b), ['Up', 'Up']);
    assert.deepEqual([a.status().downs, b.status().downs], [0, 0]);
    // 100 ms less 12.5 % on average.
    assert.ok(Math.abs(a.sent.length - 600_200 / 87.5) < 200, `${a.sent.length} packets`);
    assert.deepEqual([a.status().refused, b.status().refused], [0, 0]);
  });

  it('agrees on the slower interval in each direction', () => {
    const { clock, a, b } = conversation(
      { transmitMicros: 50_000, receiveMicros: 200_000, multiplier: 5 },
      { transmitMicros: 300_000, receiveMicros: 80_000, multiplier: 3 },
    );
    clock.advance(5000);
    assert.deepEqual([a.status().transmitMicros, a.status().detectionMicros], [80_000, 900_000]);
    assert.deepEqual([b.status().transmitMicros, b.status().detectionMicros], [300_000, 400_000]);
  });

  it('finds a cut within the detection time on both sides, and its end within two seconds', () => {
    const { clock, a, b } = conversation();
    clock.advance(1000);
    a.isCut = b.isCut = true;
    clock.advance(301);
    assert.deepEqual(states(a, b), ['Down', 'Down']);
    assert.deepEqual([a.status().diagnostic, b.status().diagnostic], [1, 1]);
    clock.advance(60_000);
    a.isCut = b.isCut = false;
    clock.advance(2000);
    assert.deepEqual(states(a, b), ['Up', 'Up']);
    assert.deepEqual([a.status().downs, b.status().downs], [1, 1]);
  });

  it('finds a cut in one direction on both sides: who hears nothing says so', () => {
    const { clock, a, b } = conversation();
    clock.advance(1000);
    a.isCut = true;
    clock.advance(310);
    assert.deepEqual([b.status().state, b.status().diagnostic], ['Down', 1]);
    const [down] = downsAfter(a, 0);
    assert.deepEqual([down!.diagnostic, down!.remoteState, down!.remoteDiagnostic], [3, 'Down', 1]);
    clock.advance(10_000);
    assert.notEqual(a.status().state, 'Up');
  });

  it('begins anew with a neighbour whose process has died and come back within the detection time', () => {
    const { clock, a, b } = conversation();
    clock.advance(1000);
    const before = a.changes.length;
    b.restart();
    b.sessions.apply([b.config()]);
    clock.advance(250);
    assert.deepEqual(states(a, b), ['Up', 'Up']);
    assert.deepEqual(
      downsAfter(a, before).map(({ diagnostic }) => diagnostic),
      [3],
    );
  });

  it('takes a passive neighbour, and two of them never meet', () => {
    const one = conversation({ isPassive: true });
    one.clock.advance(2000);
    assert.deepEqual(states(one.a, one.b), ['Up', 'Up']);
    const none = conversation({ isPassive: true }, { isPassive: true });
    none.clock.advance(60_000);
    assert.deepEqual(states(none.a, none.b), ['Down', 'Down']);
  });

  it('is AdminDown for the neighbour of who withdraws the session, never a failure', () => {
    const { clock, a, b } = conversation();
    clock.advance(1000);
    const before = b.changes.length;
    a.sessions.apply([]);
    clock.advance(60_000);
    const changes = b.changes.slice(before);
    assert.deepEqual(
      changes.map(({ to, remoteState, remoteDiagnostic, diagnostic }) => [
        to,
        remoteState,
        remoteDiagnostic,
        diagnostic,
      ]),
      [['Down', 'AdminDown', 7, 3]],
    );
  });

  it('changes intervals of a running session in both directions without losing it', () => {
    const { clock, a, b } = conversation();
    clock.advance(1000);
    const random = new SeededRandom(5);
    for (let i = 0; i < 200; i++) {
      const host = random.next() < 0.5 ? a : b;
      const pick = () => [50_000, 100_000, 300_000, 1_000_000, 2_000_000][random.below(5)]!;
      host.sessions.apply([
        host.config({ transmitMicros: pick(), receiveMicros: pick(), multiplier: 2 + random.below(4) }),
      ]);
      clock.advance(random.below(3000));
    }
    assert.deepEqual([a.status().downs, b.status().downs], [0, 0]);
    a.sessions.apply([a.config()]);
    b.sessions.apply([b.config()]);
    clock.advance(10_000);
    for (const host of [a, b]) {
      assert.deepEqual([host.status().transmitMicros, host.status().detectionMicros], [100_000, 300_000]);
      assert.ok(!host.sent.at(-1)!.isPoll, 'every poll sequence has ended');
    }
  });

  it('survives what is lost as long as one packet in a detection time arrives', () => {
    const { clock, a, b } = conversation({ multiplier: 10 }, { multiplier: 10 });
    clock.advance(1000);
    const random = new SeededRandom(3);
    for (let i = 0; i < 600; i++) {
      a.isCut = random.next() < 0.3;
      b.isCut = random.next() < 0.3;
      clock.advance(100);
    }
    assert.deepEqual([a.status().downs, b.status().downs], [0, 0]);
  });

  const key = (type: BfdAuthType, text = 'secret', keyId = 1): { authentication: BfdAuthentication } => ({
    authentication: { type, keyId, key: Buffer.from(text) },
  });
  for (const type of [
    'SimplePassword',
    'KeyedMD5',
    'MeticulousKeyedMD5',
    'KeyedSHA1',
    'MeticulousKeyedSHA1',
  ] as const) {
    describe(`with ${type}`, () => {
      it('is Up with one key, and not with two', () => {
        const { clock, a, b } = conversation(key(type), key(type));
        clock.advance(30_000);
        assert.deepEqual(states(a, b), ['Up', 'Up']);
        assert.deepEqual([a.status().refused, b.status().refused], [0, 0]);
        const other = conversation(key(type), key(type, 'secreT'));
        other.clock.advance(30_000);
        assert.deepEqual(states(other.a, other.b), ['Down', 'Down']);
        assert.equal(other.a.status().lastRefusal, 'authentication with another key');
      });

      it('goes on after some lost packets', () => {
        const { clock, a, b } = conversation(key(type), key(type));
        clock.advance(1000);
        for (let i = 0; i < 50; i++) {
          a.isCut = true;
          clock.advance(150);
          a.isCut = false;
          clock.advance(150);
        }
        assert.deepEqual([a.status().downs, b.status().downs, b.status().refused], [0, 0, 0]);
      });

      it('takes a neighbour that begins anew with another sequence number, after two detection times at the latest', () => {
        const { clock, a, b } = conversation(key(type), key(type));
        clock.advance(1000);
        b.restart();
        b.sessions.apply([b.config(key(type))]);
        clock.advance(3000);
        assert.deepEqual(states(a, b), ['Up', 'Up']);
      });

      it('changes the key of a running session when both do', () => {
        const { clock, a, b } = conversation(key(type), key(type));
        clock.advance(1000);
        a.sessions.apply([a.config(key(type, 'next', 2))]);
        b.sessions.apply([b.config(key(type, 'next', 2))]);
        clock.advance(5000);
        assert.deepEqual([a.status().downs, b.status().downs], [0, 0]);
      });
    });
  }

  for (const type of ['MeticulousKeyedMD5', 'MeticulousKeyedSHA1', 'KeyedMD5', 'KeyedSHA1'] as const) {
    it(`with ${type} ${type.startsWith('M') ? 'takes no packet a second time' : 'takes none that is older than the last'}`, () => {
      const { clock, a, b } = conversation(key(type), key(type));
      clock.advance(1000);
      const down = a.sent.find(({ state }) => state === 1)!;
      b.sessions.receive('single', down.bytes, '10.0.0.1', '10.0.0.2', 'eth0', 255);
      assert.equal(b.status().state, 'Up');
      assert.match(
        b.status().lastRefusal!,
        /^authentication sequence number \d+, wanted \d+ or a little more$/,
      );
      const last = a.sent.at(-1)!;
      clock.advance(1);
      const { refused } = b.status();
      b.sessions.receive('single', last.bytes, '10.0.0.1', '10.0.0.2', 'eth0', 255);
      assert.equal(b.status().refused - refused, type.startsWith('M') ? 1 : 0);
    });
  }
});
