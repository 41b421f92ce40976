import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import type { PeerConfig } from './config.ts';
import { type Policy, REJECT_ALL } from './policy/policy.ts';
import { Speaker } from './speaker.ts';
import { peerConfig } from './testing/configs.ts';
import { MemoryNetwork } from './transport/memory-network.ts';

/** Speakers in one simulated network; time moves only in run(). */
class Lab implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly speakers: Speaker[] = [];
  readonly lines: string[] = [];

  async speaker(asNumber: number, address: string, ...more: string[]): Promise<Speaker> {
    const line = (fields: object, text: string): void => {
      this.lines.push(`${address} ${JSON.stringify(fields)} ${text}`);
    };
    const { clock } = this;
    const speaker = new Speaker(
      {
        asNumber,
        routerId: address,
        listen: [address, ...more].map((a) => ({ address: a, port: 179 })),
        multipath: { ebgp: 2, ibgp: 2, relax: false },
      },
      {
        clock,
        random: new SeededRandom(asNumber + this.speakers.length),
        transport: this.network.host(address, ...more),
        scheduler: clock,
        log: { debug: line, info: line, warn: line },
      },
    );
    await speaker.start();
    this.speakers.push(speaker);
    return speaker;
  }

  run(ms: number): void {
    for (let t = 0; t < ms; t += 10) this.clock.advance(10);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopping = this.speakers.map((s) => s.stop());
    this.run(20_000);
    await Promise.all(stopping);
  }
}

const peer = (id: string, address: string, remoteAs: number, more: Partial<PeerConfig> = {}): PeerConfig =>
  peerConfig(id, address, remoteAs, { nextHopSelf: { ipv6: 'fd00::1' }, ...more });

const best = (s: Speaker): string[] =>
  s.rib
    .routes({ view: 'best', limit: 100 })
    .routes.map((r) => `${r.prefix} via ${r.nextHop || 'self'} [${r.asPath}]`);

describe('speaker', () => {
  it('learns, passes on and withdraws routes of both families over real sessions', async () => {
    await using lab = new Lab();
    const a = await lab.speaker(65001, '10.0.0.1');
    const b = await lab.speaker(65002, '10.0.0.2');
    const c = await lab.speaker(65003, '10.0.0.3');
    a.addPeer(peer('b', '10.0.0.2', 65002));
    b.addPeer(peer('a', '10.0.0.1', 65001, { nextHopSelf: { ipv6: 'fd00::2' } }));
    b.addPeer(peer('c', '10.0.0.3', 65003, { nextHopSelf: { ipv6: 'fd00::2' } }));
    c.addPeer(peer('b', '10.0.0.2', 65002, { nextHopSelf: { ipv6: 'fd00::3' } }));
    a.originate([
      { prefix: '10.244.1.0/24', why: 'IPAMBlock one' },
      { prefix: 'fd12:1::/64', why: 'IPAMBlock two' },
    ]);
    lab.run(20_000);
    assert.deepEqual(best(c), [
      '10.244.1.0/24 via 10.0.0.2 [65002 65001]',
      'fd12:1::/64 via fd00::2 [65002 65001]',
    ]);
    assert.equal(
      c.rib.routes({ view: 'best', prefix: '10.244.1.0/24', limit: 1 }).routes[0]!.why,
      'best, the only usable path',
    );
    assert.match(a.rib.routes({ view: 'best', limit: 1 }).routes[0]!.why, /from IPAMBlock one/);
    const advertised = b.rib.routes({ view: 'advertised', peer: 'c', limit: 10 }).routes.map((r) => r.prefix);
    assert.deepEqual(advertised, ['10.244.1.0/24', 'fd12:1::/64']);
    assert.deepEqual(b.rib.routes({ view: 'advertised', peer: 'a', limit: 10 }).routes, []);
    a.withdraw(['10.244.1.0/24']);
    lab.run(100);
    assert.deepEqual(best(c), ['fd12:1::/64 via fd00::2 [65002 65001]']);
    const status = b.status().peers.find((p) => p.id === 'a')!;
    assert.equal(status.state, 'Established');
    assert.equal(status.routes!.families[1]!.received, 1);
    assert.equal(status.routes!.families[0]!.endOfRibReceived, true);
  });

  it('uses two equal paths together, tells listeners of every change, and falls back to one', async () => {
    await using lab = new Lab();
    const dut = await lab.speaker(65000, '10.0.0.9');
    const changes: string[] = [];
    dut.forwarding.subscribe((change) => {
      const out = { kind: 0, metric: 0, count: 0, nextHopIds: new Int32Array(8) };
      for (let i = 0; i < change.count; i++) {
        dut.forwarding.forwarding(change.family, change.prefixIds[i]!, out);
        const hops = [...out.nextHopIds.subarray(0, out.count)].map(
          (id) => dut.forwarding.nextHop(id).address,
        );
        changes.push(hops.sort().join(' '));
      }
    });
    for (const n of [1, 2]) {
      const tor = await lab.speaker(65001, `10.0.0.${n}`);
      tor.addPeer(peer('dut', '10.0.0.9', 65000));
      dut.addPeer(peer(`tor${n}`, `10.0.0.${n}`, 65001));
      tor.originate([{ prefix: '0.0.0.0/0', why: 'default' }]);
    }
    lab.run(20_000);
    assert.equal(changes.at(-1), '10.0.0.1 10.0.0.2');
    assert.deepEqual(
      dut.rib.routes({ view: 'all', limit: 9 }).routes.map((r) => r.why),
      ['best', 'used together with the best path'],
    );
    dut.removePeer('tor1', 'gone');
    lab.run(100);
    assert.equal(changes.at(-1), '10.0.0.2');
    assert.deepEqual(
      dut.status().peers.map((p) => p.id),
      ['tor2'],
    );
  });

  it('re-evaluates what it has when a policy changes, without a new session', async () => {
    await using lab = new Lab();
    const a = await lab.speaker(65001, '10.0.0.1');
    const b = await lab.speaker(65002, '10.0.0.2');
    a.addPeer(peer('b', '10.0.0.2', 65002));
    b.addPeer(peer('a', '10.0.0.1', 65001, { import: REJECT_ALL }));
    a.originate([
      { prefix: '10.1.0.0/16', why: 'x' },
      { prefix: '10.2.0.0/16', why: 'x' },
    ]);
    lab.run(20_000);
    assert.deepEqual(best(b), []);
    const why = b.rib.routes({ view: 'received', peer: 'a', limit: 9 }).routes.map((r) => r.why);
    assert.deepEqual(why, Array(2).fill('filtered by reject all: no rule accepts it'));
    const policy: Policy = {
      name: 'pools',
      terms: [
        {
          match: { prefixes: [{ prefix: '10.1.0.0/16', operator: 'in' }] },
          action: { verdict: 'accept', set: { localPref: 300 } },
          why: 'IPPool one',
        },
      ],
      otherwise: 'reject',
    };
    b.updatePeer(peer('a', '10.0.0.1', 65001, { import: policy }));
    lab.run(100);
    assert.deepEqual(best(b), ['10.1.0.0/16 via 10.0.0.1 [65001]']);
    assert.equal(b.rib.routes({ view: 'best', limit: 1 }).routes[0]!.localPref, 300);
    assert.equal(b.status().peers[0]!.flaps, 0);
    a.updatePeer(peer('b', '10.0.0.2', 65002, { export: REJECT_ALL }));
    lab.run(100);
    assert.deepEqual(b.rib.routes({ view: 'all', limit: 9 }).routes, []);
    assert.equal(a.status().peers[0]!.flaps, 0);
  });

  it('sends both paths with ADD-PATH', async () => {
    await using lab = new Lab();
    const rr = await lab.speaker(65000, '10.0.0.9');
    const reader = await lab.speaker(65000, '10.0.0.8');
    reader.addPeer(peer('rr', '10.0.0.9', 65000, { addPaths: 'receive' }));
    rr.addPeer(peer('reader', '10.0.0.8', 65000, { addPaths: 'send', routeReflectorClient: true }));
    for (const n of [1, 2]) {
      const tor = await lab.speaker(65100 + n, `10.0.0.${n}`);
      tor.addPeer(peer('rr', '10.0.0.9', 65000));
      rr.addPeer(peer(`tor${n}`, `10.0.0.${n}`, 65100 + n));
      tor.originate([{ prefix: '10.7.0.0/16', why: 'x' }]);
    }
    lab.run(20_000);
    const routes = reader.rib.routes({ view: 'all', limit: 9 }).routes;
    assert.deepEqual(routes.map((r) => r.asPath).sort(), ['65101', '65102']);
    assert.equal(new Set(routes.map((r) => r.pathId)).size, 2);
  });

  it('ends a session over its prefix limit with Cease/1, and says so', async () => {
    await using lab = new Lab();
    const a = await lab.speaker(65001, '10.0.0.1');
    const b = await lab.speaker(65002, '10.0.0.2');
    a.addPeer(peer('b', '10.0.0.2', 65002));
    b.addPeer(peer('a', '10.0.0.1', 65001, { maxPrefixes: { limit: 2, warnPercent: 80 } }));
    a.originate(['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'].map((prefix) => ({ prefix, why: 'x' })));
    lab.run(20_000);
    const status = b.status().peers[0]!;
    assert.notEqual(status.state, 'Established');
    assert.equal(status.lastNotificationOut?.code, 6);
    assert.equal(status.lastNotificationOut?.subcode, 1);
    assert.equal(status.lastNotificationOut?.dataHex.replaceAll(' ', ''), '00010100000002');
    assert.deepEqual(best(b), []);
  });

  it('looks at once at a limit that is lowered below what is there; one that is raised starts the session again', async () => {
    await using lab = new Lab();
    const a = await lab.speaker(65001, '10.0.0.1');
    const b = await lab.speaker(65002, '10.0.0.2');
    a.addPeer(peer('b', '10.0.0.2', 65002));
    b.addPeer(peer('a', '10.0.0.1', 65001));
    a.originate(['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'].map((prefix) => ({ prefix, why: 'x' })));
    lab.run(20_000);
    const state = () => b.status().peers[0]!;
    const limited = (limit: number) =>
      peer('a', '10.0.0.1', 65001, { maxPrefixes: { limit, warnPercent: 80 } });
    b.updatePeer(limited(3));
    assert.equal(state().state, 'Established');
    b.updatePeer(limited(2));
    assert.deepEqual(state().heldDownBy?.cause, { kind: 'prefix limit', family: 'ipv4', count: 3, limit: 2 });
    lab.run(20_000);
    assert.deepEqual(best(b), []);
    b.updatePeer(limited(3));
    lab.run(20_000);
    assert.equal(state().state, 'Established');
  });
});
