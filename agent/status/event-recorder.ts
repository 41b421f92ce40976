// Tells the cluster what has happened on the node, as Events. Facts of one object and reason are one Event, which counts
// on; a few are written a second, and what cannot be written is dropped: nothing waits for it, and nothing depends on it.
import type { StatusReply } from '#agent-api';
import type { Resources } from '#api';
import type { ClusterEvent, ClusterNotes } from '#store';
import type { Clock, Random, Timer } from '#world';
import type { Log } from '../log.ts';
import { factsBetween, type NodeFact, type Seen } from './node-events.ts';

const TURN_MS = 1_000;
/** Written a turn. */
const MOST_A_TURN = 4;
/** Between two writes of one Event: what flaps is counted meanwhile. */
const SPACING_MS = 10_000;
/** Events that are counted on; one more, and the one that was quiet for longest begins anew. */
const MOST_KEPT = 256;
const MOST_ATTEMPTS = 10;
/** A server that is back hears of what is new within this. */
const LONGEST_REST_MS = 15_000;
const LONGEST_MESSAGE = 1024;

export interface EventRecorderIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly notes: Pick<ClusterNotes, 'recordEvent'>;
  /** For the identity of the object that an Event is about. */
  readonly resources: () => Resources;
  readonly log: Log;
}

interface Kept {
  readonly event: ClusterEvent;
  /** There is something to tell of it. */
  isWaiting: boolean;
  attempts: number;
  writtenMs: number;
}

export class EventRecorder implements AsyncDisposable {
  readonly #node: string;
  readonly #io: EventRecorderIo;
  /** By object and reason, the one that was told of last at the end. */
  readonly #kept = new Map<string, Kept>();
  #seen: Seen | undefined;
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #failures = 0;
  #isClosed = false;

  constructor(node: string, io: EventRecorderIo) {
    this.#node = node;
    this.#io = io;
  }

  /** To be called whenever the status was read. */
  observe({ sessions, problems, whyNoPods, leaks }: StatusReply): void {
    const seen: Seen = {
      ...{ sessions, problems },
      ...(whyNoPods !== undefined && { whyNoPods }),
      ...(leaks && { leaks }),
    };
    for (const fact of factsBetween(this.#seen, seen)) this.#note(fact);
    this.#seen = seen;
    this.#continue();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#writing;
  }

  #note(fact: NodeFact): void {
    const about = this.#objectOf(fact.object);
    // By its identity: one that was deleted and made anew has none of the old one's events.
    const key = `${about.kind} ${about.name} ${about.uid ?? ''} ${fact.reason}`;
    const before = this.#kept.get(key);
    this.#kept.delete(key);
    const now = new Date(this.#io.clock.wall()).toISOString();
    const event: ClusterEvent = {
      name: before?.event.name ?? this.#newName(about.name),
      about,
      type: fact.type,
      reason: fact.reason,
      message: fact.message.slice(0, LONGEST_MESSAGE),
      count: (before?.event.count ?? 0) + 1,
      firstAt: before?.event.firstAt ?? now,
      lastAt: now,
      node: this.#node,
    };
    const writtenMs = before?.writtenMs ?? Number.NEGATIVE_INFINITY;
    this.#kept.set(key, { event, isWaiting: true, attempts: 0, writtenMs });
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
  }

  #newName(about: string): string {
    const random = Math.floor(this.#io.random.next() * 0xffff_ffff).toString(16);
    return `${about.slice(0, 200)}.${this.#io.clock.wall().toString(16)}${random.padStart(8, '0')}`;
  }

  /** Objects of podroute by themselves, everything else by the Node. */
  #objectOf(text: string): ClusterEvent['about'] {
    const [kind = '', name = ''] = text.split(' ');
    const { bgpPeers, ipPools, bgpConfigurations, bgpFilters, bfdProfiles, nodes } = this.#io.resources();
    const maps = {
      ...{ BGPPeer: bgpPeers, IPPool: ipPools },
      ...{ BGPConfiguration: bgpConfigurations, BGPFilter: bgpFilters, BFDProfile: bfdProfiles },
    };
    const object = Object.hasOwn(maps, kind) ? maps[kind as keyof typeof maps].get(name) : undefined;
    const { apiVersion, metadata } = object ?? {
      apiVersion: 'v1',
      metadata: nodes.get(this.#node)?.metadata ?? { name: this.#node },
    };
    const { uid } = metadata;
    return {
      apiVersion,
      kind: object?.kind ?? 'Node',
      name: metadata.name,
      ...(uid !== undefined && { uid }),
    };
  }

  /** When nothing is on its way to be written yet. */
  #writeIn(delayMs: number): void {
    if (this.#isClosed || this.#timer !== undefined || this.#writing !== undefined) return;
    this.#timer = this.#io.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        this.#continue();
      });
    });
  }

  #continue(): void {
    if (![...this.#kept.values()].some(({ isWaiting }) => isWaiting)) return;
    this.#writeIn(Math.min(LONGEST_REST_MS, TURN_MS * 2 ** this.#failures));
  }

  async #write(): Promise<void> {
    const now = this.#io.clock.now();
    const due = [...this.#kept.values()].filter(
      ({ isWaiting, writtenMs }) => isWaiting && now - writtenMs >= SPACING_MS,
    );
    for (const one of due.slice(0, MOST_A_TURN)) {
      if (this.#isClosed || !(await this.#writeOne(one))) break;
    }
  }

  /** @returns whether the server answers */
  async #writeOne(one: Kept): Promise<boolean> {
    one.isWaiting = false;
    one.writtenMs = this.#io.clock.now();
    try {
      await this.#io.notes.recordEvent(one.event);
      this.#failures = 0;
      return true;
    } catch (error) {
      this.#failures = Math.min(this.#failures + 1, 10);
      one.attempts++;
      one.isWaiting = one.attempts < MOST_ATTEMPTS;
      const { reason, about } = one.event;
      const message = error instanceof Error ? error.message : String(error);
      this.#io.log.debug({ object: `${about.kind} ${about.name}`, reason }, `event not written: ${message}`);
      return false;
    }
  }
}
