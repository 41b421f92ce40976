// The door of the session folder.
export type { Counters, DirectionCounters } from './connection/counters.ts';
export {
  CAUSES,
  type CauseKind,
  type DownCause,
  type MemoryLimit,
  type Refusal,
  type SocketProblem,
} from './fsm/cause.ts';
export { type ConfigChange, configChange, samePolicy } from './fsm/config-change.ts';
export { causeText, refusalText } from './fsm/cause-text.ts';
export type { RouteRetention, SessionDown } from './fsm/down.ts';
export type { NotificationError, SessionState } from './fsm/fsm-types.ts';
export type { RestartState } from './fsm/local-open.ts';
export type { Negotiated } from './fsm/negotiate.ts';
export type {
  BfdNews,
  NotificationRecord,
  PeerStatus,
  Session,
  SessionEnds,
  SessionHandler,
  StateTransition,
} from './types.ts';
export { Peers, type ResetKind } from './neighbours/peers.ts';
export { isSingleHop } from './link-rules.ts';
