// Which BFD sessions BGP's neighbours want, and what BGP is told of them (RFC 5882): one for each pair of ends, however
// many BGP sessions go over it.
import {
  bfdDiagnosticText,
  type BfdChange,
  type BfdEnds,
  type BfdSessionConfig,
  type BfdSessionStatus,
  type BfdUnclaimed,
  endsKey,
} from '#bfd';
import type { BfdNews, BfdWatch, SessionEnds } from '#bgp';
import { needsZone, withZone } from '#ip';
import type { Clock, Scheduler } from '#world';
import type { Detection } from '../detection/detection.ts';
import type { Plan, PlannedBfd } from '../plan/index.ts';

export interface KnownBfd {
  readonly settings: PlannedBfd;
  /** Undefined: the neighbour was not met yet. */
  readonly status: BfdSessionStatus | undefined;
  /** How long it is in its state. */
  readonly forMs: number;
}

export class BfdNeighbours implements BfdWatch, AsyncDisposable {
  readonly #open: () => Detection;
  /** Undefined until a session is wanted: it is a thread. */
  #detection: Detection | undefined;
  readonly #io: { readonly clock: Clock; readonly scheduler: Scheduler };
  readonly #tell: (session: string, news: BfdNews) => void;
  /** By the ids of the plan: a range's is that of all its neighbours. */
  #planned: ReadonlyMap<string, PlannedBfd> = new Map();
  /** Of neighbours that were met, by their ids. Bound: the neighbours that BGP has. */
  readonly #met = new Map<string, SessionEnds>();
  /** BGP sessions by the BFD session that looks after them. */
  #users: ReadonlyMap<string, readonly string[]> = new Map();
  /** The same by BGP sessions. */
  #watchers = new Map<string, string>();
  #isAsked = false;
  #isClosed = false;

  /** @param tell what is known of the neighbour of a BGP session now */
  constructor(
    open: () => Detection,
    io: { readonly clock: Clock; readonly scheduler: Scheduler },
    tell: (session: string, news: BfdNews) => void,
  ) {
    this.#open = open;
    this.#io = io;
    this.#tell = tell;
  }

  plan({ peers }: Plan): void {
    this.#planned = new Map(
      peers.flatMap(({ config, bfd }) => (bfd === undefined ? [] : [[config.id, bfd]])),
    );
    this.#ask();
  }

  met(session: string, ends: SessionEnds): void {
    this.#met.set(session, ends);
    this.#ask();
  }

  parted(session: string): void {
    this.#watchers.delete(session);
    if (this.#met.delete(session)) this.#ask();
  }

  /** Undefined: none is wanted. */
  known(session: string): KnownBfd | undefined {
    const settings = this.#settings(session);
    const wanted = this.#wanted(session);
    const status = wanted && this.#detection?.status(wanted.id);
    const forMs = status === undefined ? 0 : this.#io.clock.now() - status.sinceMs;
    return settings && { settings, status, forMs };
  }

  /** Undefined: nobody listens. */
  unclaimed(): BfdUnclaimed | undefined {
    return this.#detection?.unclaimed();
  }

  /** Sessions of the plan whose BFD cannot run, and why. */
  problems(): { readonly session: string; readonly why: string }[] {
    const failing = (session: string) => this.known(session)?.status?.problem;
    return [...this.#met.keys()].flatMap((session) => {
      const why = failing(session);
      return why === undefined ? [] : [{ session, why }];
    });
  }

  #settings(session: string): PlannedBfd | undefined {
    return this.#planned.get(session) ?? this.#planned.get(session.slice(0, session.lastIndexOf('/')));
  }

  /** A thousand sessions that come up at once are one call. */
  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#io.scheduler.soon(() => {
      this.#isAsked = false;
      if (!this.#isClosed) this.#apply();
    });
  }

  #apply(): void {
    const wanted = new Map<string, BfdSessionConfig>();
    const users = new Map<string, string[]>();
    for (const session of this.#met.keys()) {
      const config = this.#wanted(session);
      if (config === undefined) continue;
      // Of several that go over one the first says how.
      if (!wanted.has(config.id)) wanted.set(config.id, config);
      const of = users.get(config.id);
      if (of === undefined) users.set(config.id, [session]);
      else of.push(session);
    }
    const before = this.#watchers;
    this.#users = users;
    this.#watchers = new Map(
      [...users].flatMap(([id, sessions]) => sessions.map((session) => [session, id] as const)),
    );
    if (wanted.size === 0 && this.#detection === undefined) return;
    const detection = (this.#detection ??= this.#opened());
    detection.apply([...wanted.values()]);
    // Who is looked after by another one than before must not go by what that one said.
    for (const [session, id] of this.#watchers) {
      if (before.get(session) === id) continue;
      if (detection.status(id)?.state === 'Up') this.#tell(session, { state: 'up' });
      else if (before.has(session)) this.#tell(session, { state: 'unknown' });
    }
  }

  #opened(): Detection {
    const detection = this.#open();
    detection.onChange((change) => this.#changed(change));
    return detection;
  }

  #wanted(session: string): BfdSessionConfig | undefined {
    const settings = this.#settings(session);
    const ends = this.#met.get(session);
    if (settings === undefined || ends === undefined) return undefined;
    const { hops, leastTtl, transmitMicros, receiveMicros, multiplier, isPassive, authentication } = settings;
    const { localAddress, remoteAddress, device } = ends;
    const endOf = (address: string) => withZone(address, needsZone(address) ? device : undefined);
    const [local, remote] = [endOf(localAddress), endOf(remoteAddress)];
    const link = hops === 'single' ? device : undefined;
    const between: BfdEnds = { local, remote, hops, ...(link === undefined ? {} : { device: link }) };
    return {
      id: endsKey(between),
      ...between,
      leastTtl,
      transmitMicros,
      receiveMicros,
      multiplier,
      ...(isPassive && { isPassive }),
      ...(authentication && { authentication }),
    };
  }

  #changed(change: BfdChange): void {
    const news = newsOf(change);
    if (news === undefined) return;
    // Not who has met the neighbour between other ends meanwhile, or has parted from it.
    for (const session of this.#users.get(change.id) ?? [])
      if (this.#wanted(session)?.id === change.id) this.#tell(session, news);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#detection?.[Symbol.asyncDispose]();
  }
}

/** Undefined: nothing that BGP acts on. That somebody took it down on purpose says nothing of the neighbour (RFC 5882 §3.2). */
function newsOf(change: BfdChange): BfdNews | undefined {
  const { from, to, remoteState, remoteDiagnostic, isRemoteIndependent: isIndependent } = change;
  if (to === 'Up') return { state: 'up' };
  if (from !== 'Up') return undefined;
  if (to === 'AdminDown' || remoteState === 'AdminDown') return { state: 'unknown' };
  const theirs = remoteDiagnostic === 0 ? '' : ` (the neighbour: ${bfdDiagnosticText(remoteDiagnostic)})`;
  const text = `${bfdDiagnosticText(change.diagnostic)}${theirs}`;
  return { state: 'failed', text, isIndependent, detectionMs: change.detectionMicros / 1_000 };
}
