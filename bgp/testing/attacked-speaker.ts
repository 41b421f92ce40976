// A whole speaker on a network in memory with two accepted neighbours, both under a test's hand: 'hostile', who does
// what the test says, and 'good', by whose session and routes one sees that the rest goes on.
import assert from 'node:assert/strict';
import type { PeerConfig } from '../config.ts';
import type { SpeakerStatus } from '../speaker.ts';
import { peerConfig } from './configs.ts';
import { fourByteAs, KEEPALIVE, MP_BOTH, rawOpen } from './message-bytes.ts';
import type { ScriptPeer } from './script-peer.ts';
import { TestedSpeaker } from './tested-speaker.ts';

const ADDRESSES = { hostile: '10.0.0.2', good: '10.0.0.3' } as const;
export const HOSTILE_AS = 65002;
export const GOOD_AS = 65003;

export class AttackedSpeaker extends TestedSpeaker {
  /** Both are configured. */
  async start(hostile: Partial<PeerConfig> = {}, good: Partial<PeerConfig> = {}): Promise<void> {
    const passive = { passive: true, nextHopSelf: { ipv6: 'fd00::1' } };
    this.speaker.addPeer(peerConfig('hostile', ADDRESSES.hostile, HOSTILE_AS, { ...passive, ...hostile }));
    this.speaker.addPeer(peerConfig('good', ADDRESSES.good, GOOD_AS, { ...passive, ...good }));
    await this.speaker.start();
  }

  /** An established session of one of them. @param more capabilities beside both families and four-octet AS numbers */
  up(who: 'hostile' | 'good', more = ''): ScriptPeer {
    const address = ADDRESSES[who];
    const as = who === 'hostile' ? HOSTILE_AS : GOOD_AS;
    const peer = this.dialFrom(address);
    const capabilities = `${MP_BOTH} 0200 ${fourByteAs(as)} ${more}`;
    peer.send(rawOpen({ as, id: address, hold: 90, capabilities }), KEEPALIVE);
    this.run(20);
    assert.equal(this.status(who).state, 'Established');
    return peer;
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
}
