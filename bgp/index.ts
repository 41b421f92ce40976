// The door of the BGP library: a speaker, its configuration, what it needs from outside, and what can be read.
export { type I32, resizeI32, resizeU8, type U8 } from './columns/columns.ts';
export { IdRing } from './columns/id-ring.ts';
export type { Aggregate, PeerConfig, PeerRemote, RequiredCapability, Role, SpeakerConfig } from './config.ts';
export type {
  Connection,
  ConnectionHandler,
  DialError,
  DialOptions,
  ListenerHandle,
  ListenKeys,
  ListenOptions,
  OwnLink,
  RuleBreach,
  Transport,
  TtlRule,
} from './io.ts';
export * from './policy/index.ts';
export * from './rib/index.ts';
export { CAUSES, causeText, type ConfigChange, configChange, samePolicy } from './session/index.ts';
export type {
  BfdNews,
  CauseKind,
  Counters,
  DirectionCounters,
  DownCause,
  Negotiated,
  NotificationRecord,
  PeerStatus,
  Refusal,
  ResetKind,
  SessionEnds,
  SessionState,
  SocketProblem,
  StateTransition,
} from './session/index.ts';
export type { SpeakerLog } from './limited-log.ts';
export {
  type BfdWatch,
  Speaker,
  type SpeakerIo,
  type SpeakerPeer,
  type SpeakerStatus,
} from './speaker.ts';
export type { DeferredSelection } from './selection-deferral.ts';
export type { FamilyRoutes, NextHopDoubt, PeerRoutes } from './speaker-status.ts';
export type { SocketOptions, TcpSocketRequest } from './transport/socket-options.ts';
export { MemoryHost, MemoryNetwork } from './transport/memory-network.ts';
export { TcpTransport, type TcpTransportOptions } from './transport/tcp.ts';
export { PrefixTable } from './prefix/prefix-table.ts';
export { rehearse } from './rehearsal/index.ts';
