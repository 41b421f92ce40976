// A whole speaker on a network in memory with two accepted neighbours, both under a test's hand: 'hostile', who does
// what the test says, and 'good', by whose session and routes one sees that the rest goes on.
import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import type { PeerConfig } from '../config.ts';
import { Speaker, type SpeakerStatus } from '../speaker.ts';
import { MemoryNetwork } from '../transport/memory-network.ts';
import { peerConfig, speakerConfig } from './configs.ts';
import { fourByteAs, KEEPALIVE, MP_BOTH, rawOpen } from './message-bytes.ts';
import { ScriptPeer } from './script-peer.ts';

export interface LogLine {
  readonly level: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const ADDRESSES = { hostile: '10.0.0.2', good: '10.0.0.3' } as const;
export const HOSTILE_AS = 65002;
export const GOOD_AS = 65003;

export class AttackedSpeaker implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly lines: LogLine[] = [];
  readonly speaker: Speaker;

  constructor() {
    const log = (level: string) => (fields: object, text: string) => {
      this.lines.push({ level, text, fields: { ...fields } });
    };
    this.speaker = new Speaker(speakerConfig(65001, '10.0.0.1', '10.0.0.1'), {
      clock: this.clock,
      random: new SeededRandom(1),
      transport: this.network.host('10.0.0.1'),
      scheduler: this.clock,
      log: { debug: log('debug'), info: log('info'), warn: log('warn') },
    });
  }

  /** Both are configured. */
  async start(hostile: Partial<PeerConfig> = {}, good: Partial<PeerConfig> = {}): Promise<void> {
    await this.speaker.start();
    const passive = { passive: true, nextHopSelf: { ipv6: 'fd00::1' } };
    this.speaker.addPeer(peerConfig('hostile', ADDRESSES.hostile, HOSTILE_AS, { ...passive, ...hostile }));
    this.speaker.addPeer(peerConfig('good', ADDRESSES.good, GOOD_AS, { ...passive, ...good }));
  }

  /** An established session of one of them. @param more capabilities beside both families and four-octet AS numbers */
  up(who: 'hostile' | 'good', more = ''): ScriptPeer {
    const address = ADDRESSES[who];
    const as = who === 'hostile' ? HOSTILE_AS : GOOD_AS;
    const box = ScriptPeer.dial(this.network.host(address), '10.0.0.1', address);
    this.clock.advance(10);
    assert.ok(box.peer, box.error);
    const capabilities = `${MP_BOTH} 0200 ${fourByteAs(as)} ${more}`;
    box.peer.send(rawOpen({ as, id: address, hold: 90, capabilities }), KEEPALIVE);
    this.run(20);
    assert.equal(this.status(who).state, 'Established');
    return box.peer;
  }

  run(ms: number): void {
    for (let t = 0; t < ms; t += 10) this.clock.advance(10);
  }

  status(who: 'hostile' | 'good'): SpeakerStatus['peers'][number] {
    return this.speaker.status().peers.find(({ id }) => id === who)!;
  }

  best(): string[] {
    return this.speaker.rib.routes({ view: 'best', limit: 100 }).routes.map(({ prefix }) => prefix);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopping = this.speaker.stop();
    this.run(20_000);
    await stopping;
  }
}
