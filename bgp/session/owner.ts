// What a session asks of the peer that it belongs to, and what it reports to it.
import type { PeerConfig } from '../config.ts';
import type { Clock, Random, Transport } from '../io.ts';
import type { OpenMessage } from '../message/index.ts';
import type { CollisionIds } from './fsm/collision.ts';
import type { MutableCounters } from './connection/counters.ts';
import type { Deadlines } from './connection/deadlines.ts';
import type { FsmEvent } from './fsm/fsm-types.ts';
import type { PeerOrigin } from './link-rules.ts';
import type { PeerRecord } from './record.ts';
import type { BgpSession } from './session.ts';
import type { FailOptions, Negotiated, SessionDown, SessionHandler, SessionState } from './types.ts';

/** How a session ended; `down` only when it was established. */
export interface SessionEnd {
  readonly event: FsmEvent;
  readonly from: SessionState;
  readonly cause: SessionDown['cause'];
  readonly reason: string;
  readonly hasReceivedOpen: boolean;
  readonly establishedMs: number;
  readonly down?: SessionDown;
  readonly failOptions?: FailOptions;
}

export interface SessionOwner {
  readonly id: string;
  readonly config: PeerConfig;
  readonly origin: PeerOrigin;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly deadlines: Deadlines;
  readonly handler: SessionHandler;
  readonly counters: MutableCounters;
  /** The session writes OPENs, NOTIFICATIONs and its tries into it. */
  readonly record: PeerRecord;
  buildOpen(): OpenMessage;
  /** Undefined: this session lost and has ended. Else what ends the losers, to be called once this one is in OpenConfirm. */
  resolveCollision(session: BgpSession, ids: CollisionIds, negotiated: Negotiated): (() => void) | undefined;
  /** RFC 5492 §3: true when the next connection will be tried without optional parameters. */
  retryWithoutCapabilities(): boolean;
  /** The FSM is in another state, not Idle. */
  moved(session: BgpSession, reason: string): void;
  established(session: BgpSession): void;
  ended(session: BgpSession, end: SessionEnd): void;
}
