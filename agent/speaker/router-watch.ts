// Finds the neighbours of unnumbered sessions (BGPPeer.spec.peerInterface): hears who advertises itself as a router on
// a link, and advertises this node there, so that the other side finds it too. As default router it offers itself to
// nobody. Decides whom to believe by heard-routers.ts; makes no session. Bound: the links that the plan names.
import { KernelError, type RouterDiscovery, type RouterMessage, type RouterSocket } from '#linux';
import type { Clock, Random, Timer } from '#world';
import type { Log } from '../log.ts';
import type { HeardLink } from '../plan/index.ts';
import { HeardRouters } from './heard-routers.ts';
import type { LinkWatch } from './link-watch.ts';

/** What RFC 4861 §6.2 calls MaxRtrAdvInterval (FRR's for unnumbered sessions), and how much earlier it may be. */
const ADVERTISE_MS = 10_000;
const JITTER = 0.25;
/** §6.2.4, §6.2.6, §10: the first ones follow each other, an answer waits a moment, and both not more often than this. */
const FIRST_ONES = 3;
const ANSWER_WITHIN_MS = 500;
const BETWEEN_MS = 3_000;
/** §6.3.7: how often, and how many times, others are asked for theirs while nobody is heard. */
const SOLICIT_MS = 4_000;
const SOLICITATIONS = 3;
/** The link has no address that may be used yet (duplicate address detection takes a second), or a full queue. */
const RETRY_MS = 500;

export interface RouterWatchParts {
  readonly links: LinkWatch;
  readonly discovery: RouterDiscovery;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export class RouterWatch implements Disposable {
  readonly #parts: RouterWatchParts;
  readonly #following: Disposable;
  readonly #links = new Map<string, FollowedLink>();
  readonly #listeners = new Set<() => void>();

  constructor(parts: RouterWatchParts) {
    this.#parts = parts;
    this.#following = parts.links.follow((device) => this.#links.get(device)?.look());
  }

  /** Called when the plan may have to be another. */
  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  /** The links on which neighbours are looked for, by name; what is heard on others is forgotten. */
  follow(devices: ReadonlySet<string>): void {
    for (const [device, link] of this.#links) {
      if (devices.has(device)) continue;
      this.#links.delete(device);
      link[Symbol.dispose]();
    }
    for (const device of devices) {
      if (this.#links.has(device)) continue;
      const link = new FollowedLink(device, this.#parts, () => {
        for (const changed of this.#listeners) changed();
      });
      this.#links.set(device, link);
      link.look();
    }
  }

  /** As far as it is known now. */
  heard(): ReadonlyMap<string, HeardLink> {
    return new Map([...this.#links].map(([device, link]) => [device, link.heard()]));
  }

  /** To be called now and then. @param isEstablished whether a session with the neighbour on this link is up */
  review(isEstablished: (device: string) => boolean): void {
    for (const [device, link] of this.#links) link.review(() => isEstablished(device));
  }

  [Symbol.dispose](): void {
    this.#following[Symbol.dispose]();
    this.follow(new Set());
  }
}

class FollowedLink implements Disposable {
  readonly #device: string;
  readonly #parts: RouterWatchParts;
  readonly #changed: () => void;
  #routers = new HeardRouters();
  /** Of the link that the socket is for. */
  #index: number | undefined;
  #socket: RouterSocket | undefined;
  #deaf: string | undefined;
  #isUp = false;
  #isEstablished = false;
  #sinceMs = 0;
  #advertised = 0;
  #advertisedAtMs = -Infinity;
  #advertising: Timer | undefined;
  #advertisesAtMs = Infinity;
  #solicited = 0;
  #soliciting: Timer | undefined;

  constructor(device: string, parts: RouterWatchParts, changed: () => void) {
    this.#device = device;
    this.#parts = parts;
    this.#changed = changed;
  }

  /** Compares with the link as it is now. */
  look(): void {
    const { links, clock } = this.#parts;
    const link = links.link(this.#device);
    if (link?.index !== this.#index) {
      this.#close();
      this.#routers = new HeardRouters();
      this.#index = link?.index;
      this.#sinceMs = clock.wall();
      this.#changed();
    }
    if (link !== undefined && this.#socket === undefined) this.#open();
    const isUp = link !== undefined && link.up && link.carrier && this.#socket !== undefined;
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    this.#sinceMs = clock.wall();
    if (isUp) this.#begin();
    else {
      this.#quiet();
      this.#routers.linkDown();
    }
    this.#changed();
  }

  #open(): void {
    const { discovery, log } = this.#parts;
    const device = this.#device;
    const socket = discovery.open(device, (message, from) => this.#heard(message, from));
    if (socket instanceof KernelError) {
      if (this.#deaf !== socket.message)
        log.warn({ device, error: socket.message }, 'cannot look for routers on a link');
      this.#deaf = socket.message;
      return;
    }
    this.#deaf = undefined;
    this.#socket = socket;
  }

  #begin(): void {
    this.#advertised = 0;
    this.#solicited = 0;
    this.#advertiseIn(0);
    this.#solicit();
  }

  #heard(message: RouterMessage, from: string): void {
    const { links, clock, random } = this.#parts;
    // Another daemon of this host may speak here, too, and hear itself.
    if (this.#index === undefined || links.hasAddress(this.#index, from)) return;
    switch (message.type) {
      case 'solicitation':
        this.#advertiseIn(random.next() * ANSWER_WITHIN_MS);
        break;
      case 'advertisement': {
        const { neighbour, other } = this.#routers;
        this.#routers.heard(from, clock.now());
        // A neighbour that has started anew may not know of us; it need not wait for the next one in turn.
        if (!this.#isEstablished) this.#advertiseIn(random.next() * ANSWER_WITHIN_MS);
        if (neighbour === undefined) this.#found(from);
        else if (other !== this.#routers.other) this.#changed();
        break;
      }
    }
  }

  #found(address: string): void {
    this.#parts.log.info({ device: this.#device, address }, 'router heard: the neighbour on this link');
    this.#changed();
  }

  review(isEstablished: () => boolean): void {
    const { neighbour: before, other } = this.#routers;
    // Who is deaf by want of descriptors, or of a link that came and went, is tried again.
    if (this.#socket === undefined) this.look();
    this.#isEstablished = isEstablished();
    this.#routers.review(this.#isEstablished, this.#parts.clock.now());
    const { neighbour } = this.#routers;
    if (neighbour !== undefined && neighbour !== before) this.#found(neighbour);
    else if (other !== this.#routers.other) this.#changed();
  }

  heard(): HeardLink {
    if (this.#deaf !== undefined) return { state: 'deaf', why: this.#deaf };
    if (this.#index === undefined) return { state: 'absent' };
    const { neighbour, other } = this.#routers;
    return {
      state: this.#isUp ? 'listening' : 'down',
      since: new Date(this.#sinceMs).toISOString(),
      ...(neighbour === undefined ? {} : { neighbour }),
      ...(other === undefined ? {} : { other }),
    };
  }

  /** At the latest; not before the pause after the one before. */
  #advertiseIn(delayMs: number): void {
    const now = this.#parts.clock.now();
    const atMs = Math.max(now + delayMs, this.#advertisedAtMs + BETWEEN_MS);
    if (!this.#isUp || atMs >= this.#advertisesAtMs) return;
    this.#advertising?.cancel();
    this.#advertisesAtMs = atMs;
    this.#advertising = this.#parts.clock.setTimer(atMs - now, () => this.#advertise());
  }

  #advertise(): void {
    const { clock, random, links } = this.#parts;
    this.#advertisesAtMs = Infinity;
    const mac = links.link(this.#device)?.mac;
    const message = {
      type: 'advertisement',
      lifetimeSeconds: 0,
      ...(mac === undefined ? {} : { mac }),
    } as const;
    if (this.#socket?.send(message) !== undefined) {
      this.#advertiseIn(RETRY_MS);
      return;
    }
    this.#advertised++;
    this.#advertisedAtMs = clock.now();
    const isFirst = this.#advertised < FIRST_ONES;
    this.#advertiseIn(isFirst ? BETWEEN_MS : ADVERTISE_MS * (1 - JITTER * random.next()));
  }

  #solicit(): void {
    this.#soliciting?.cancel();
    if (!this.#isUp || this.#solicited === SOLICITATIONS) return;
    if (this.#solicited > 0 && this.#routers.neighbour !== undefined) return;
    const isSent = this.#socket?.send({ type: 'solicitation' }) === undefined;
    if (isSent) this.#solicited++;
    this.#soliciting = this.#parts.clock.setTimer(isSent ? SOLICIT_MS : RETRY_MS, () => this.#solicit());
  }

  #quiet(): void {
    this.#advertising?.cancel();
    this.#advertisesAtMs = Infinity;
    this.#soliciting?.cancel();
  }

  #close(): void {
    this.#quiet();
    this.#isUp = false;
    this.#deaf = undefined;
    this.#socket?.[Symbol.dispose]();
    this.#socket = undefined;
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}
