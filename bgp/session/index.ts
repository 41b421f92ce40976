// The door of the session folder.
export type {
  Counters,
  DirectionCounters,
  FailOptions,
  Negotiated,
  NegotiatedGracefulRestart,
  NotificationError,
  LostSession,
  NotificationCounts,
  NotificationRecord,
  PeerStatus,
  Session,
  SessionDown,
  SessionHandler,
  SessionState,
  StateTransition,
} from './types.ts';
export { Sessions, type ResetKind, type SessionsIo } from './peers.ts';
export type { ChangeEffect, ConfigChange } from './fsm/config-change.ts';
