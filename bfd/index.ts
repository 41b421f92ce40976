// The door of bfd/: sessions of Bidirectional Forwarding Detection (RFC 5880, 5881, 5883) over datagrams, a clock and
// chance that are given from outside. Knows nothing of BGP, Kubernetes or sockets.
export type { BfdSender } from './bfd-session.ts';
export {
  type BfdAuthentication,
  type BfdAuthType,
  type BfdChange,
  type BfdEnds,
  type BfdSessionConfig,
  type BfdSessionStatus,
  type BfdState,
  endsKey,
  unopenedSession,
} from './session-config.ts';
export { type BfdOutside, BfdSessions, type BfdUnclaimed } from './sessions.ts';
export { bfdDiagnosticText } from './state-machine.ts';
