// The small interfaces between a neighbour, its sessions and what their connections bring, so that none of the three
// needs to know the others' files.
import type { Clock, Random } from '#world';
import type { PeerConfig } from '../config.ts';
import type { Connection, Transport } from '../io.ts';
import type { OpenMessage } from '../message/index.ts';
import type { MutableCounters } from './connection/counters.ts';
import type { Deadlines } from './connection/deadlines.ts';
import type { Wire } from './connection/wire.ts';
import type { SocketCause } from './fsm/cause.ts';
import type { CollisionIds, Contender } from './fsm/collision.ts';
import type { Dialogue, SessionEnd } from './fsm/down.ts';
import type { FsmEvent, FsmState, TimerName } from './fsm/fsm-types.ts';
import type { Negotiated } from './fsm/negotiate.ts';
import type { PeerOrigin } from './link-rules.ts';
import type { PeerRecord } from './record.ts';
import type { Session, SessionHandler } from './types.ts';

/** What all neighbours of one speaker share. */
export interface PeerIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly deadlines: Deadlines;
  readonly handler: SessionHandler;
  /** Sessions that neighbours opened and that have not brought an OPEN yet. */
  readonly halfOpen: { add(session: LiveSession): void; delete(session: LiveSession): void };
}

/** A session as its neighbour and its input see it. */
export interface LiveSession extends Session, Contender {
  readonly state: Session['state'];
  readonly negotiated: Negotiated;
  readonly fsm: FsmState;
  readonly wire: Wire | undefined;
  readonly connection: Connection | undefined;
  readonly isOver: boolean;
  readonly dialogue: Dialogue;
  /** What our OPEN was made of; undefined before. */
  readonly openedWith: PeerConfig | undefined;
  remaining(timer: TimerName): number | undefined;
  step(event: FsmEvent): void;
  /** The connection is closed, by whom ever but us. */
  detached(cause: SocketCause): void;
}

/** What a session asks of the neighbour that it belongs to, and what it reports to it. */
export interface SessionOwner {
  readonly id: string;
  readonly config: PeerConfig;
  readonly origin: PeerOrigin;
  readonly io: PeerIo;
  readonly counters: MutableCounters;
  /** The session writes OPENs, NOTIFICATIONs and its tries into it. */
  readonly record: PeerRecord;
  buildOpen(): OpenMessage;
  /**
   * @param won called when this session goes on, at once or after a while; it must end the losers once it is in
   *   OpenConfirm. A session that loses has ended, and it is not called
   */
  resolveCollision(
    session: LiveSession,
    ids: CollisionIds,
    negotiated: Negotiated,
    won: (endLosers: () => void) => void,
  ): void;
  /** Another connection with this neighbour has come as far as an OPEN. */
  hasRival(session: LiveSession): boolean;
  /** RFC 5492 §3: true when the next connection will be tried without optional parameters. */
  retryWithoutCapabilities(): boolean;
  /** The FSM is in another state, not Idle. */
  moved(session: LiveSession, event: FsmEvent): void;
  established(session: LiveSession): void;
  ended(session: LiveSession, end: SessionEnd): void;
}
