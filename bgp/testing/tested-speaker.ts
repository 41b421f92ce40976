// A whole speaker on a network in memory, on a clock that a test moves, with what it logs.
import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import { Speaker, type SpeakerIo } from '../speaker.ts';
import { MemoryNetwork } from '../transport/memory-network.ts';
import { speakerConfig } from './configs.ts';
import { ScriptPeer } from './script-peer.ts';

export interface LogLine {
  readonly level: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const OWN = '10.0.0.1';

export class TestedSpeaker implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly lines: LogLine[] = [];
  readonly speaker: Speaker;

  constructor(more: Pick<SpeakerIo, 'forwardingKept' | 'expected'> = {}) {
    const log = (level: string) => (fields: object, text: string) => {
      this.lines.push({ level, text, fields: { ...fields } });
    };
    this.speaker = new Speaker(speakerConfig(65001, OWN, OWN), {
      clock: this.clock,
      random: new SeededRandom(1),
      transport: this.network.host(OWN),
      scheduler: this.clock,
      ...more,
      log: { debug: log('debug'), info: log('info'), warn: log('warn') },
    });
  }

  /** A connection from that address, which the speaker has accepted. */
  dialFrom(address: string): ScriptPeer {
    const box = ScriptPeer.dial(this.network.host(address), OWN, address);
    this.clock.advance(10);
    assert.ok(box.peer, box.error);
    return box.peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopping = this.speaker.stop();
    for (let t = 0; t < 20_000; t += 10) this.clock.advance(10);
    await stopping;
  }
}
