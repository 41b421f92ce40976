// One speaker's sessions on a network in memory, and scripted neighbours to torment them.
// Ours: 10.0.0.1, AS 65001, router ID 10.0.0.1. The neighbour: 10.0.0.2, AS 65002, router ID 10.0.0.2.
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import { Peers } from '../session/index.ts';
import type { PeerStatus } from '../session/index.ts';
import { MemoryNetwork, type MemoryHost } from '../transport/memory-network.ts';
import { peerConfig, speakerConfig } from './configs.ts';
import { fourByteAs, KEEPALIVE, MP_BOTH, rawOpen, type RawOpen } from './message-bytes.ts';
import { ScriptPeer } from './script-peer.ts';
import { SessionRecorder } from './session-recorder.ts';

export const OURS = '10.0.0.1';
/** Another address of ours. */
export const OURS_TOO = '10.0.0.9';
export const THEIRS = '10.0.0.2';

export class SessionBench {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly host: MemoryHost;
  readonly remote: MemoryHost;
  readonly recorder = new SessionRecorder();
  readonly sessions: Peers;
  /** Connections that we opened to the neighbour, once listen() was called. */
  readonly dialled: ScriptPeer[] = [];

  constructor(config: Partial<SpeakerConfig> = {}) {
    this.host = this.network.host(OURS, OURS_TOO, 'fe80::1', 'fd00::1');
    this.remote = this.network.host(THEIRS, '10.0.0.3', '10.0.1.7', 'fe80::2', 'fd00::2');
    this.sessions = new Peers(
      { ...speakerConfig(65001, OURS, OURS), ...config },
      { clock: this.clock, random: new SeededRandom(1), transport: this.host },
      this.recorder,
    );
  }

  /** A passive neighbour unless told otherwise. */
  static async withPeer(
    more: Partial<PeerConfig> = {},
    config: Partial<SpeakerConfig> = {},
  ): Promise<SessionBench> {
    const bench = new SessionBench(config);
    bench.sessions.addPeer(peerConfig('tor', THEIRS, 65002, { passive: true, ...more }));
    await bench.sessions.start();
    return bench;
  }

  /** The neighbour waits for our connections. */
  async listen(): Promise<void> {
    await this.remote.listen({ address: THEIRS, port: 179 }, (connection) => {
      this.dialled.push(new ScriptPeer(connection));
    });
  }

  /** The neighbour opens a connection. Throws when refused at once. */
  connect(from = THEIRS, to = OURS): ScriptPeer {
    const box = ScriptPeer.dial(this.remote, to, from);
    this.clock.settle();
    if (box.peer === undefined) throw new Error(box.error ?? 'no answer');
    return box.peer;
  }

  /** A connection over which the sessions are established. */
  establish(open: Partial<RawOpen> = {}, from = THEIRS, to = OURS): ScriptPeer {
    const peer = this.connect(from, to);
    peer.send(theirOpen(open), KEEPALIVE);
    this.clock.settle();
    return peer;
  }

  /** Time in which the neighbour keeps saying KEEPALIVE. */
  advanceAlive(peer: ScriptPeer, ms: number, everyMs = 20_000): void {
    for (let left = ms; left > 0; left -= everyMs) {
      peer.send(KEEPALIVE);
      this.clock.advance(Math.min(left, everyMs));
    }
  }

  get status(): PeerStatus {
    return this.sessions.status().find(({ id }) => id === 'tor')!;
  }

  get state(): string {
    return this.status.state;
  }
}

/** A good OPEN of the neighbour, changed as asked. */
export function theirOpen(more: Partial<RawOpen> = {}): Buffer {
  return rawOpen({
    as: 65002,
    id: THEIRS,
    capabilities: `${MP_BOTH} 0200 ${fourByteAs(more.as ?? 65002)}`,
    ...more,
  });
}
