// After a restart that kept the kernel's routes nothing is chosen among learned routes, and no End-of-RIB is sent, until
// the neighbours have told all they have (RFC 4724 section 4.1): what was chosen from half of it would be worse than what
// still forwards, and neighbours would drop what they keep for us. What starts here is announced at once.
import { FAMILIES, type Family } from '#ip';
import type { Clock, Timer } from '#world';
import type { SpeakerLog } from './limited-log.ts';
import type { Session } from './session/index.ts';

/** RFC 4724 section 4.1 leaves it to us: as long as neighbours usually keep routes for one that restarts. */
const LONGEST_MS = 120_000;
/** Who is not there by then is not waited for: new nodes must not wait for one that is dead. */
const ABSENT_MS = 30_000;
const LOOK_MS = 250;
/** Of those who are waited for, so many are named. */
const NAMED = 10;

/** Who is to be up, and the established session when there is one. */
export interface Awaited {
  readonly id: string;
  readonly session: Session | undefined;
}

/** A family in which nothing is chosen among learned routes yet. */
export interface DeferredSelection {
  readonly family: Family;
  /** Ids of who is not up, or has not sent all it has; at most 10 … */
  readonly waitsFor: readonly string[];
  /** … of so many. */
  readonly neighbours: number;
  /** Then it is chosen all the same. */
  readonly secondsLeft: number;
}

export interface DeferralIo {
  readonly clock: Clock;
  readonly log?: SpeakerLog;
  wanted(): Iterable<Awaited>;
  hasSentAll(session: Session, family: Family): boolean;
  /** Selection may begin. */
  over(family: Family): void;
}

export class SelectionDeferral {
  readonly #io: DeferralIo;
  readonly #waiting: Set<Family>;
  readonly #kept: readonly Family[];
  /** Whom it did not wait for to the end: 'tor-a (ipv4)'. */
  readonly #missed: string[] = [];
  #startedAt = 0;
  #timer: Timer | undefined;

  /** @param kept families whose forwarding went on over our restart; empty: there is nothing to wait for */
  constructor(kept: readonly Family[], io: DeferralIo) {
    this.#io = io;
    this.#kept = kept;
    this.#waiting = new Set(kept);
  }

  /** The neighbours are known, and begin to come up. Again: nothing happens. */
  start(): void {
    if (this.#timer !== undefined || !this.isOn) return;
    this.#startedAt = this.#io.clock.now();
    this.#io.log?.info(
      { families: this.#kept, seconds: LONGEST_MS / 1000, secondsForAbsent: ABSENT_MS / 1000 },
      'restarted on routes that the kernel has kept: chosen is when all neighbours have sent theirs',
    );
    this.#look();
  }

  /** Some family still waits: we are restarting, for neighbours (the R bit). */
  get isOn(): boolean {
    return this.#waiting.size > 0;
  }

  state(): DeferredSelection[] {
    const elapsedMs = this.#timer === undefined ? 0 : this.#io.clock.now() - this.#startedAt;
    return [...this.#waiting].map((family) => {
      const missing = this.#missing(family);
      const isOneUp = missing.some(({ session }) => session !== undefined);
      const leftMs = Math.max(0, (isOneUp ? LONGEST_MS : ABSENT_MS) - elapsedMs);
      return {
        family,
        waitsFor: missing.slice(0, NAMED).map(({ id }) => id),
        neighbours: missing.length,
        secondsLeft: Math.ceil(leftMs / 1000),
      };
    });
  }

  /** A neighbour came up, or has sent all it has. */
  look(): void {
    if (this.#timer === undefined || !this.isOn) return;
    const elapsedMs = this.#io.clock.now() - this.#startedAt;
    for (const family of FAMILIES) {
      if (!this.#waiting.has(family)) continue;
      const missing = this.#missing(family);
      if (elapsedMs < LONGEST_MS && missing.some((one) => one.session !== undefined)) continue;
      if (elapsedMs < ABSENT_MS && missing.length > 0) continue;
      this.#waiting.delete(family);
      this.#missed.push(...missing.map(({ id }) => `${id} (${family})`));
      this.#io.over(family);
    }
    if (!this.isOn) this.#tellEnd(elapsedMs);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #tellEnd(elapsedMs: number): void {
    const missed = this.#missed.splice(0);
    const fields = { families: this.#kept, seconds: Math.round(elapsedMs / 1000) };
    const text = 'the restart is over, and routes are chosen';
    if (missed.length === 0) this.#io.log?.info(fields, `${text}: all neighbours have sent theirs`);
    else {
      const without = { without: missed.slice(0, NAMED), neighbours: missed.length };
      this.#io.log?.warn({ ...fields, ...without }, `${text} without those of neighbours that took too long`);
    }
  }

  #look(): void {
    this.#timer = this.#io.clock.setTimer(LOOK_MS, () => {
      this.look();
      if (this.isOn) this.#look();
    });
  }

  #missing(family: Family): Awaited[] {
    return [...this.#io.wanted()].filter(
      ({ session }) =>
        session === undefined || (isWaitedFor(session, family) && !this.#io.hasSentAll(session, family)),
    );
  }
}

/** Who cannot restart gracefully may never say that it has sent all; who has just restarted waits for us (section 4.1). */
function isWaitedFor({ negotiated: { families, gracefulRestart } }: Session, family: Family): boolean {
  return families.includes(family) && gracefulRestart !== undefined && !gracefulRestart.isRemoteRestarting;
}
