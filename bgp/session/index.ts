// The door of the session folder.
export type { Counters, DirectionCounters } from './connection/counters.ts';
export {
  CAUSES,
  type CauseKind,
  type DownCause,
  type HeldDown,
  type Refusal,
  type SocketProblem,
} from './fsm/cause.ts';
export { causeText, refusalText } from './fsm/cause-text.ts';
export type { FailOptions, SessionDown } from './fsm/down.ts';
export type { NotificationError, SessionState } from './fsm/fsm-types.ts';
export type { Negotiated, NegotiatedGracefulRestart } from './fsm/negotiate.ts';
export type {
  LostSession,
  NotificationCounts,
  NotificationRecord,
  PeerError,
  PeerStatus,
  Session,
  SessionHandler,
  StateTransition,
} from './types.ts';
export { Peers, type PeersIo, type ResetKind } from './peers.ts';
export { isSingleHop } from './link-rules.ts';
export type { ChangeEffect, ConfigChange } from './fsm/config-change.ts';
