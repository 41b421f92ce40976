// Whether the neighbour of an established session is still there, while another connection from its address waits to take
// that session's place (RFC 4724 §5). What it says of itself proves nothing: whoever has the address could say it. Its
// kernel does: a process that lives has its connection open and acknowledges what is sent over it, one that has
// restarted answers with a reset or with nothing.
import { Alarm } from './connection/deadlines.ts';
import type { LiveSession, PeerIo } from './ports.ts';

/** TCP sends four times in that long. */
const SILENT_MS = 3000;
/** For one whose OPEN says that it has restarted. */
const RESTARTED_MS = 1000;
const LOOK_MS = 250;
/** The kernel counts in ticks of its own: an answer may look that much older. */
const TICK_MS = 20;

/** @param isSilent nobody is there any more; false: the neighbour lives */
type Told = (isSilent: boolean) => void;

export class Inquiry {
  readonly #io: PeerIo;
  readonly #alarm: Alarm;
  #asked: LiveSession | undefined;
  #askedAt = 0;
  #until = 0;
  /** In the order of arrival; no more than a neighbour may have undecided. */
  readonly #waiting = new Map<LiveSession, Told>();

  constructor(io: PeerIo) {
    this.#io = io;
    this.#alarm = new Alarm((now, isTimer) => this.#look(now, isTimer));
  }

  /**
   * @param established asked for a sign of life
   * @param saysRestarted by its OPEN `fresh` comes of a restart
   * @param told once, unless `fresh` ends before
   */
  ask(established: LiveSession, fresh: LiveSession, saysRestarted: boolean, told: Told): void {
    established.probe();
    // A transport that cannot see acknowledgements: the neighbour's word must do.
    if (established.connection?.lifeSigns() === undefined) {
      told(saysRestarted);
      return;
    }
    const now = this.#io.clock.now();
    // What was answered before this connection came says nothing about it; who waits already does not wait longer.
    this.#asked = established;
    this.#askedAt = now;
    const until = now + (saysRestarted ? RESTARTED_MS : SILENT_MS);
    this.#until = this.#waiting.size === 0 ? until : Math.min(this.#until, until);
    this.#waiting.set(fresh, told);
    if (this.#waiting.size === 1) this.#io.deadlines.set(this.#alarm, now + LOOK_MS);
  }

  /** Of any session of the neighbour. */
  ended(session: LiveSession): void {
    if (session === this.#asked) this.#tell(true);
    else if (this.#waiting.delete(session) && this.#waiting.size === 0) this.#tell(true);
  }

  /** A late timer of ours must find what the neighbour has answered meanwhile: only when all sockets have had their turn. */
  #look(now: number, isTimer: boolean): void {
    const signs = this.#asked?.connection?.lifeSigns();
    if (!isTimer) this.#io.deadlines.defer(this.#alarm, now);
    else if (signs === undefined || signs.isClosed) this.#tell(true);
    else if (signs.isShut || signs.answeredAgoMs <= now - this.#askedAt + TICK_MS) this.#tell(false);
    else if (now >= this.#until) this.#tell(true);
    else this.#io.deadlines.set(this.#alarm, Math.min(now + LOOK_MS, this.#until));
  }

  #tell(isSilent: boolean): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#asked = undefined;
    this.#io.deadlines.clear(this.#alarm);
    for (const [session, told] of waiting) if (!session.isOver) told(isSilent);
  }
}
