// A RIB with fake sessions, a clock that stands, and a scheduler that runs only when told: for tests.
import { FakeClock } from '#world/testing';
import type { RouteRetention } from '../../session/index.ts';
import type { DecisionRules } from '../table/decision-steps.ts';
import { Rib } from '../rib.ts';
import { RoutePages } from '../show/route-pages.ts';
import type { RouteQuery, RouteText } from '../show/view.ts';
import { type FakePeerOptions, FakeSession, OWN_AS } from './fake-session.ts';
import { announceMessage, type WireAttributes, withdrawMessage } from '../../testing/message-bytes.ts';

const ONE_PATH: DecisionRules = { ebgp: 1, ibgp: 1, relax: false };

/** Of the clock, in one turn. */
const MOST_LOOKS = 200_000;

/** It stands, so that a turn that never ends would: who looks again and again fails. */
class LabClock extends FakeClock {
  /** Undefined between turns: who reads routes then asks for the time of each. */
  looks: number | undefined;

  override now(): number {
    if (this.looks !== undefined && ++this.looks > MOST_LOOKS)
      throw new Error('the RIB does not come to rest');
    return super.now();
  }
}

/** Time passes whenever somebody looks, so that turns end in the middle of their work. */
class BusyClock extends LabClock {
  override now(): number {
    this.stall(1.5);
    return super.now();
  }
}

export class RibLab {
  readonly clock: LabClock;
  readonly rib: Rib;
  readonly pages: RoutePages;
  readonly sessions = new Map<string, FakeSession>();
  readonly events: string[] = [];
  /** Faults are events; else they fail the test. */
  isFaulty = false;
  readonly #queue: (() => void)[] = [];

  /** @param grain of the steps, in short turns, so that everything is interrupted everywhere; without, all in one */
  constructor(multipath: DecisionRules = ONE_PATH, grain?: number) {
    this.clock = grain === undefined ? new LabClock() : new BusyClock();
    this.rib = new Rib(
      { asNumber: OWN_AS, routerId: 0x0a000001, clusterId: 0x0a000001 },
      multipath,
      {
        clock: this.clock,
        scheduler: { soon: (callback) => this.#queue.push(callback) },
        seed: 42,
        ...(grain && { grain }),
      },
      {
        malformed: (peer, action, reason, reset) => {
          this.events.push(`malformed ${peer.id} ${action}: ${reason}`);
          if (reset !== undefined) this.session(peer.id).fail(reset);
        },
        ignored: (peer, why) => this.events.push(`ignored ${why} of ${peer.id}`),
        endOfRib: (peer, family) => this.events.push(`end-of-rib ${peer.id} ${family}`),
        limit: (peer, family, isOver) => {
          this.events.push(`${isOver ? 'over' : 'near'} limit ${peer.id} ${family}`);
          if (isOver && peer.config.maxPrefixes.action === undefined) this.down(peer.id);
        },
        memory: (peer, { what, limit }) => {
          this.events.push(`over ${limit} ${what} ${peer.id}`);
          this.down(peer.id);
        },
        fault: (peer, error, route) => {
          if (!this.isFaulty) throw error;
          this.events.push(`fault ${peer?.id ?? '-'} ${route}: ${String(error)}`);
          if (peer !== undefined) this.down(peer.id);
        },
        tooLarge: (_source, route) => {
          const { prefix, peers } = route();
          this.events.push(`too large ${prefix} to ${peers.join(' ')}`);
        },
      },
    );
    this.pages = new RoutePages(this.rib, this.clock);
  }

  up(options: FakePeerOptions): FakeSession {
    const session = new FakeSession(options);
    session.onFail = () => this.down(options.id);
    this.sessions.set(options.id, session);
    this.rib.neighbours.established(session);
    return session;
  }

  down(id: string, kept?: RouteRetention): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    this.sessions.delete(id);
    this.rib.neighbours.down(session, kept);
  }

  session(id: string): FakeSession {
    return this.sessions.get(id)!;
  }

  announce(id: string, prefixes: readonly string[], attributes: WireAttributes): void {
    this.feed(id, announceMessage(prefixes, attributes));
  }

  withdraw(id: string, prefixes: readonly string[]): void {
    this.feed(id, withdrawMessage(prefixes));
  }

  feed(id: string, message: Buffer): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    const buffer = Buffer.from(message);
    this.rib.update(session, buffer, 0, buffer.length);
    // As in a socket's buffer, which is written again.
    buffer.fill(0xee);
  }

  /** Lets a slow peer take `writes` more chunks and tells the RIB that its queue is empty. */
  drain(id: string, writes: number): void {
    const session = this.session(id);
    session.room = writes;
    this.rib.drained(session);
  }

  /** One turn of the work loop. False when nothing was scheduled. */
  turn(): boolean {
    const work = this.#queue.shift();
    this.clock.looks = 0;
    try {
      work?.();
    } finally {
      this.clock.looks = undefined;
    }
    this.clock.advance(work === undefined ? 30 : 0);
    return work !== undefined;
  }

  /** Runs until nothing is left to do. */
  settle(): void {
    for (let i = 0; this.turn() || this.turn(); i++) {
      if (i > 100_000) throw new Error('the RIB does not come to rest');
    }
  }

  routes(query: Partial<RouteQuery>): RouteText[] {
    const out: RouteText[] = [];
    let cursor: string | undefined;
    do {
      const page = this.pages.routes({
        view: 'all',
        limit: 1000,
        ...query,
        ...(cursor === undefined ? {} : { cursor }),
      });
      out.push(...page.routes);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return out;
  }
}
