// What BFD says of one neighbour, and what that does to its sessions (RFC 5882): they may wait for it, and end by it.
import { CEASE_BFD_DOWN } from '../message/index.ts';
import type { Clock } from '#world';
import type { PeerConfig } from '../config.ts';
import type { DownCause } from './fsm/cause.ts';
import { cease } from './fsm/down.ts';
import type { Negotiated } from './fsm/negotiate.ts';
import type { LiveSession } from './ports.ts';
import type { BfdNews, SessionEnds, SessionHandler } from './types.ts';

interface Neighbour {
  readonly id: string;
  readonly config: PeerConfig;
  readonly current: LiveSession | undefined;
  readonly sessions: readonly LiveSession[];
  readonly io: { readonly clock: Clock; readonly handler: SessionHandler };
}

/** Beside the detection time. */
const SLACK_MS = 100;

export class HeardBfd {
  readonly #neighbour: Neighbour;
  /** That BFD was asked for last; undefined: for none. */
  #ends: SessionEnds | undefined;
  /** Between these. */
  #isUp = false;
  /** Sessions whose OPEN is good, in the order of arrival; no more than a neighbour may have undecided. */
  readonly #waiting = new Map<LiveSession, () => void>();
  /** Clock.now() when the last session ended that the neighbour may take up again. */
  #restartedAt = -Infinity;

  constructor(neighbour: Neighbour) {
    this.#neighbour = neighbour;
  }

  /**
   * A connection has brought a good OPEN: its ends are known.
   *
   * @param goOn where BFD must be up first (draft-ietf-idr-bgp-bfd-strict-mode): later, unless the session ends before;
   *   else at once
   */
  meet(session: LiveSession, negotiated: Negotiated, goOn: () => void): void {
    const { config, current } = this.#neighbour;
    const ends = endsOf(negotiated);
    // One is established between other ends: until it is over BFD stays with it.
    if (config.bfd === undefined || (current !== undefined && !this.#isBetween(ends))) {
      goOn();
      return;
    }
    if (!this.#isBetween(ends)) this.#isUp = false;
    const isAwaited = config.bfd.isRequired && !this.#isUp;
    if (isAwaited) this.#waiting.set(session, goOn);
    this.#ask(ends);
    if (!isAwaited) goOn();
  }

  /** Perhaps not between the ends that were met last. */
  established({ negotiated }: LiveSession): void {
    if (this.#neighbour.config.bfd !== undefined) this.#ask(endsOf(negotiated));
  }

  /** @param isKept it is restarting, and its routes stay (RFC 4724) */
  ended(session: LiveSession, isKept: boolean): void {
    this.#waiting.delete(session);
    if (isKept) this.#restartedAt = this.#neighbour.io.clock.now();
  }

  /** A session waits until it is up. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** BFD was switched on or off, or is required no longer. */
  configured(before: PeerConfig): void {
    const { config, current } = this.#neighbour;
    if (config.bfd === undefined) this.parted();
    else if (before.bfd === undefined && current !== undefined) this.#ask(endsOf(current.negotiated));
    if (config.bfd?.isRequired !== true) this.#release();
  }

  /** Nobody is to be reached any more. */
  parted(): void {
    const { id, io } = this.#neighbour;
    this.#isUp = false;
    if (this.#ends === undefined) return;
    this.#ends = undefined;
    io.handler.parted?.(id);
  }

  #ask(ends: SessionEnds): void {
    if (this.#isBetween(ends)) return;
    const { id, io } = this.#neighbour;
    this.#isUp = false;
    this.#ends = ends;
    io.handler.met?.(id, ends);
  }

  #isBetween({ localAddress, remoteAddress, device }: SessionEnds): boolean {
    const asked = this.#ends;
    return (
      asked?.localAddress === localAddress && asked.remoteAddress === remoteAddress && asked.device === device
    );
  }

  heard(news: BfdNews): void {
    if (this.#ends === undefined) return;
    this.#isUp = news.state === 'up';
    if (news.state === 'up') this.#release();
    else if (news.state === 'failed') this.#failed(news);
  }

  #release(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [session, goOn] of waiting) if (!session.isOver) goOn();
  }

  /**
   * A neighbour whose connection was closed is restarting: that its BFD fails then, where it ends with it, says nothing
   * new (RFC 5882 section 4.3). It may be back already, and what fails is what was before.
   */
  #failed({ text, isIndependent, detectionMs }: Extract<BfdNews, { state: 'failed' }>): void {
    const { id, config, current, sessions, io } = this.#neighbour;
    if (!isIndependent && io.clock.now() <= this.#restartedAt + detectionMs + SLACK_MS) return;
    if (current === undefined && isIndependent) io.handler.abandoned?.(id);
    const mayRestart = config.bfd?.isGraceful === true && !isIndependent;
    const cause: DownCause = { kind: mayRestart ? 'BFD restart' : 'BFD down', text };
    const ended = config.bfd?.isRequired === true ? sessions : [current];
    for (const session of ended)
      session?.step({
        type: 'automaticStop',
        cause,
        ...(mayRestart ? {} : { error: cease(CEASE_BFD_DOWN) }),
      });
  }
}

function endsOf({ localAddress, remoteAddress, device, sharedLink }: Negotiated): SessionEnds {
  const link = device ?? sharedLink?.device;
  return { localAddress, remoteAddress, ...(link === undefined ? {} : { device: link }) };
}
