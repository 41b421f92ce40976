// Two well-behaved neighbours beside a hostile one: what they announce must pass from one to the other in time,
// and the speaker's KEEPALIVEs must come as agreed.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { address, asPath, attribute, MessageType, prefix, update } from '../../testing/messages.ts';
import type { RawPeer } from '../../testing/raw-peer.ts';
import { asOf, type SpeakerUnderFire } from './speaker-under-fire.ts';

const GIVER = 2;
const TAKER = 3;
/** 3 s is the least there is: a KEEPALIVE every second, or up to a quarter sooner. */
const HOLD_SECONDS = 3;
/** A second, and what a busy test machine may add. */
const LONGEST_SILENCE_MS = 1600;

export interface Seen {
  readonly flaps: number;
  readonly flapMedianMs: number;
  readonly flapWorstMs: number;
  /** Longest time in which a neighbour heard nothing. */
  readonly silenceMs: number;
}

/** Hosts 2 and 3 must be neighbours of the speaker. */
export class Innocents implements Disposable {
  readonly giver: RawPeer;
  readonly taker: RawPeer;
  readonly #heard: number[] = [performance.now()];
  readonly #timer: NodeJS.Timeout;
  #seen = 0;
  #round = 0;

  private constructor(giver: RawPeer, taker: RawPeer) {
    this.giver = giver;
    this.taker = taker;
    giver.keepAlive(500);
    taker.keepAlive(500);
    this.#timer = setInterval(() => this.#look(), 5);
  }

  static async start(speaker: SpeakerUnderFire, holdTimeSeconds = HOLD_SECONDS): Promise<Innocents> {
    return new Innocents(
      await speaker.neighbour(GIVER, holdTimeSeconds),
      await speaker.neighbour(TAKER, holdTimeSeconds),
    );
  }

  /** Announces a route every 20 ms and waits for it at the other side. Throws when a session is lost. */
  async live(ms: number): Promise<Seen> {
    this.#look();
    this.#heard.splice(0, this.#heard.length - 1);
    const begin = performance.now();
    const flaps: number[] = [];
    while (performance.now() - begin < ms) {
      flaps.push(await this.flap());
      await sleep(20);
    }
    this.#look();
    const times = [...this.#heard, performance.now()];
    flaps.sort((a, b) => a - b);
    return {
      flaps: flaps.length,
      flapMedianMs: flaps[flaps.length >> 1]!,
      flapWorstMs: flaps.at(-1)!,
      silenceMs: Math.max(...times.slice(1).map((time, i) => time - times[i]!)),
    };
  }

  /** From announcing a route at one neighbour to its arrival at the other; milliseconds. */
  async flap(): Promise<number> {
    const nlri = prefix(`30.0.${this.#round & 255}.0/24`);
    const med = Buffer.alloc(4);
    med.writeUInt32BE(this.#round++);
    const attributes = Buffer.concat([
      attribute(0x40, 1, Buffer.of(0)),
      asPath([asOf(GIVER)]),
      attribute(0x40, 3, address(`10.0.0.${GIVER}`)),
      attribute(0x80, 4, med),
    ]);
    const begin = performance.now();
    this.giver.send(update({ attributes, nlri }));
    for (;;) {
      const next = await this.taker.readUntil(MessageType.update, 5000);
      assert.ok(next !== undefined, 'an innocent neighbour lost its session');
      if (next.body.includes(nlri)) return performance.now() - begin;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.giver.close();
    this.taker.close();
  }

  /** What restarts a neighbour's hold timer: KEEPALIVEs, and UPDATEs that come instead (RFC 4271 §4.4). */
  #look(): void {
    const { received } = this.giver;
    if (this.#seen < received.length) this.#heard.push(performance.now());
    this.#seen = received.length;
  }
}

/** Generous for a machine that others use too; the figures themselves are printed. */
export function assertInTime(seen: Seen): void {
  assert.ok(
    seen.silenceMs < LONGEST_SILENCE_MS,
    `${seen.silenceMs.toFixed(0)} ms without a message, KEEPALIVE included`,
  );
  assert.ok(seen.flapMedianMs < 250, `a route took ${seen.flapMedianMs.toFixed(0)} ms`);
}
