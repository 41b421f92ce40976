// After a restart that kept the kernel's routes nothing is chosen among learned routes, and no End-of-RIB is sent, until
// the neighbours have told all they have (RFC 4724 section 4.1): what was chosen from half of it would be worse than what
// still forwards, and neighbours would drop what they keep for us. What starts here is announced at once.
import { FAMILIES, type Family } from '#ip';
import type { Clock, Timer } from '#world';
import type { Session } from './session/index.ts';

/** RFC 4724 section 4.1 leaves it to us: as long as neighbours usually keep routes for one that restarts. */
const LONGEST_MS = 120_000;
/** Who is not there by then is not waited for: new nodes must not wait for one that is dead. */
const ABSENT_MS = 30_000;
const LOOK_MS = 250;

export interface DeferralNeighbours {
  /** Of each neighbour that is to be up its established session. */
  wanted(): Iterable<Session | undefined>;
  hasSentAll(session: Session, family: Family): boolean;
}

export class SelectionDeferral {
  readonly #clock: Clock;
  readonly #neighbours: DeferralNeighbours;
  readonly #over: (family: Family) => void;
  readonly #waiting: Set<Family>;
  #startedAt = 0;
  #timer: Timer | undefined;

  /**
   * @param kept families whose forwarding went on over our restart; empty: there is nothing to wait for
   * @param over selection may begin
   */
  constructor(
    clock: Clock,
    kept: readonly Family[],
    neighbours: DeferralNeighbours,
    over: (family: Family) => void,
  ) {
    this.#clock = clock;
    this.#waiting = new Set(kept);
    this.#neighbours = neighbours;
    this.#over = over;
  }

  /** The neighbours are known, and begin to come up. Again: nothing happens. */
  start(): void {
    if (this.#timer !== undefined || !this.isOn) return;
    this.#startedAt = this.#clock.now();
    this.#look();
  }

  /** Some family still waits: we are restarting, for neighbours (the R bit). */
  get isOn(): boolean {
    return this.#waiting.size > 0;
  }

  /** A neighbour came up, or has sent all it has. */
  look(): void {
    if (this.#timer === undefined) return;
    const elapsedMs = this.#clock.now() - this.#startedAt;
    for (const family of FAMILIES) {
      if (this.#waiting.has(family) && this.#isOver(family, elapsedMs)) {
        this.#waiting.delete(family);
        this.#over(family);
      }
    }
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    this.#timer = this.#clock.setTimer(LOOK_MS, () => {
      this.look();
      if (this.isOn) this.#look();
    });
  }

  #isOver(family: Family, elapsedMs: number): boolean {
    if (elapsedMs >= LONGEST_MS) return true;
    for (const session of this.#neighbours.wanted()) {
      if (session === undefined) {
        if (elapsedMs < ABSENT_MS) return false;
      } else if (isWaitedFor(session, family) && !this.#neighbours.hasSentAll(session, family)) return false;
    }
    return true;
  }
}

/** Who cannot restart gracefully may never say that it has sent all; who has just restarted waits for us (section 4.1). */
function isWaitedFor({ negotiated: { families, gracefulRestart } }: Session, family: Family): boolean {
  return families.includes(family) && gracefulRestart !== undefined && !gracefulRestart.isRemoteRestarting;
}
