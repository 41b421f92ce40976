// FSM-14: whatever happens in whatever order, a dead session has no timer, no socket and no word to say.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  END_OF_RIB,
  KEEPALIVE,
  MP_BOTH,
  fourByteAs,
  message,
  rawNotification,
} from '../testing/message-bytes.ts';
import { ScriptPeer } from '../testing/script-peer.ts';
import { OURS, SessionBench, THEIRS, theirOpen } from '../testing/session-bench.ts';
import { peerConfig } from '../testing/configs.ts';
import type { PeerConfig } from '../config.ts';

const RESTART = `${MP_BOTH} ${fourByteAs(65002)} 4006 4078 00010180`;
const MESSAGES: readonly Buffer[] = [
  theirOpen(),
  theirOpen(),
  theirOpen({ capabilities: RESTART }),
  theirOpen({ hold: 3 }),
  theirOpen({ hold: 0 }),
  theirOpen({ as: 65009 }),
  KEEPALIVE,
  KEEPALIVE,
  KEEPALIVE,
  END_OF_RIB,
  message(2, Buffer.alloc(3000, 1)),
  message(5, Buffer.from([0, 1, 0, 1])),
  rawNotification(6, 2),
  rawNotification(2, 4),
  rawNotification(2, 1),
  message(9),
  Buffer.alloc(25, 0),
];

const CONFIGS: readonly Partial<PeerConfig>[] = [
  {},
  { passive: true },
  { delayOpenSeconds: 2 },
  { shutdown: { message: 'x' } },
  { gracefulRestart: { mode: 'full', restartSeconds: 120, longLivedSeconds: 0 } },
  { remoteAs: 'external', holdTimeSeconds: 9 },
  { ttl: { kind: 'direct' }, remote: { kind: 'address', address: THEIRS, port: 179, device: 'eth0' } },
  { md5Key: 'k' },
];

type Command = readonly [name: string, n: number, m: number];

const commands = fc.array(
  fc.tuple(
    fc.constantFrom(
      'connect',
      'connect',
      'connect',
      'connect',
      'connect',
      'greet',
      'greet',
      'greet',
      'say',
      'say',
      'say',
      'say',
      'split',
      'cut',
      'close',
      'advance',
      'advance',
      'leap',
      'fail',
      'write',
      'pause',
      'resume',
      'update',
      'reset',
      'remove',
      'add',
      'linkDown',
      'freeze',
      'thaw',
      'hostDown',
      'hostUp',
      'throw',
      'stall',
    ),
    fc.nat(99),
    fc.nat(99),
  ),
  { minLength: 15, maxLength: 60, size: 'max' },
);

class Chaos {
  readonly bench: SessionBench;
  readonly peers: ScriptPeer[] = [];

  constructor(bench: SessionBench) {
    this.bench = bench;
  }

  run([name, n, m]: Command): void {
    const { bench } = this;
    const alive = [...this.peers, ...bench.dialled].filter(({ isClosed }) => !isClosed);
    const peer = alive[n % Math.max(1, alive.length)];
    const session = bench.recorder.ups.at(-1);
    const hasPeer = bench.sessions.status().length > 0;
    switch (name) {
      case 'connect':
        bench.remote.dial(
          { remoteAddress: '10.0.0.1', remotePort: 179, localAddress: THEIRS, ttl: { kind: 'direct' } },
          (result) => {
            if ('error' in result) return;
            const fresh = this.#add(result);
            if (n % 2 === 0) fresh.send(MESSAGES[m % 5]!, KEEPALIVE);
          },
        );
        break;
      case 'greet':
        peer?.send(MESSAGES[m % 5]!, KEEPALIVE);
        break;
      case 'say':
        peer?.send(MESSAGES[m % MESSAGES.length]!);
        break;
      case 'split':
        bench.network.chunkBytes = 1 + (n % 40);
        break;
      case 'cut':
        bench.network.connections[n % Math.max(1, bench.network.connections.length)]?.cut();
        break;
      case 'close':
        peer?.connection.destroy();
        break;
      case 'advance':
        bench.clock.advance(n * 10);
        break;
      case 'leap':
        bench.clock.advance(n * 5000);
        break;
      case 'stall':
        bench.clock.stall(n * 1000);
        break;
      case 'fail':
        session?.fail(
          { code: 6, subcode: 1 },
          m % 3 === 0 ? { holdDownSeconds: m % 2 === 0 ? 30 : 'until reset' } : {},
        );
        break;
      case 'write':
        for (let i = 0; i < n; i++) session?.write(message(2, Buffer.alloc(m * 40)));
        break;
      case 'pause':
        if (m % 2 === 0) session?.pauseReading();
        else peer?.connection.pause();
        break;
      case 'resume':
        if (m % 2 === 0) session?.resumeReading();
        else peer?.connection.resume();
        break;
      case 'update':
        if (hasPeer) bench.sessions.updatePeer(this.#config(m));
        break;
      case 'reset':
        bench.sessions.resetPeer('tor');
        break;
      case 'remove':
        bench.sessions.removePeer('tor');
        break;
      case 'add':
        if (!hasPeer) bench.sessions.addPeer(this.#config(m));
        break;
      case 'linkDown':
        bench.host.linkDown('eth0');
        break;
      case 'freeze':
        bench.network.isFrozen = true;
        break;
      case 'thaw':
        bench.network.thaw();
        break;
      case 'hostDown':
        bench.remote.isUp = false;
        break;
      case 'hostUp':
        bench.remote.isUp = true;
        break;
      case 'throw':
        bench.recorder.onUpdate = (up) => {
          bench.recorder.onUpdate = undefined;
          if (m % 2 === 0) throw new Error('a fault of ours');
          up.fail({ code: 3, subcode: 1 });
        };
        break;
      default:
        throw new Error(name);
    }
    if (m % 2 === 0) bench.clock.settle();
  }

  check(): void {
    const { bench } = this;
    assert.ok(bench.recorder.alive.length <= 1, 'two sessions of one neighbour');
    assert.ok(bench.recorder.downs.length <= bench.recorder.ups.length);
    const { length } = bench.network.connections;
    assert.ok(length <= 2 * (8 + 2) + 2 * this.peers.length, `${length} open ends`);
    const [status] = bench.sessions.status();
    if (status === undefined) return;
    const isUp = bench.recorder.alive.length === 1;
    assert.equal(
      status.state === 'Established',
      isUp,
      `${status.state} with ${bench.recorder.alive.length} up`,
    );
  }

  #add(connection: ScriptPeer['connection']): ScriptPeer {
    const peer = new ScriptPeer(connection);
    this.peers.push(peer);
    return peer;
  }

  #config(m: number): PeerConfig {
    return peerConfig('tor', THEIRS, 65002, CONFIGS[m % CONFIGS.length]);
  }
}

describe('session: anything, in any order', () => {
  it('FSM-14 leaves no timer, socket or word of a dead session', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(commands, fc.boolean(), fc.nat(200), async (list, passive, latencyMs) => {
        const bench = await SessionBench.withPeer({ passive });
        bench.network.latencyMs = latencyMs % 4 === 0 ? latencyMs : 0;
        await bench.listen();
        const chaos = new Chaos(bench);
        for (const command of list) {
          chaos.run(command);
          chaos.check();
        }
        bench.network.thaw();
        await bench.sessions.stop();
        assert.equal(bench.recorder.alive.length, 0);
        const told = bench.recorder.transitions.length;
        for (const peer of [...chaos.peers, ...bench.dialled]) peer.send(theirOpen(), KEEPALIVE, END_OF_RIB);
        bench.clock.advance(20_000);
        assert.equal(bench.recorder.transitions.length, told, 'a dead speaker says nothing');
        const ours = bench.network.connections.filter(({ localAddress }) => localAddress === OURS);
        assert.equal(ours.length, 0, 'our sockets');
        for (const peer of [...chaos.peers, ...bench.dialled]) peer.connection.destroy();
        bench.clock.advance(40_000);
        assert.deepEqual(bench.recorder.wordsOfTheDead, []);
        assert.equal(bench.network.connections.length, 0, 'sockets');
        assert.equal(bench.clock.pending, 0, 'timers');
        assert.equal(bench.host.linkWatchers, 0, 'link watchers');
      }),
      { numRuns: 1000 },
    );
  });
});
