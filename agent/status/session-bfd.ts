// BFD of one session for status: what is configured, and what is known of it. Pure.
import type { SessionBfd } from '#agent-api';
import { bfdDiagnosticText } from '#bfd';
import type { KnownBfd } from '../speaker/bfd-neighbours.ts';

/** @param sessionSince ISO 8601, of the BGP session @param nowMs Clock.wall() */
export function sessionBfd(
  { settings, status, forMs }: KnownBfd,
  sessionSince: string,
  nowMs: number,
): SessionBfd {
  const { profile, isRequired } = settings;
  const configured = { profile, ...(isRequired && { isRequired }) };
  if (status === undefined) {
    const { transmitMicros } = settings;
    return { ...configured, state: 'Down', since: sessionSince, transmitMicros, downs: 0 };
  }
  const { state, diagnostic, remoteDiagnostic, detectionMicros, downs } = status;
  return {
    ...configured,
    state,
    // 0: it has no state of its own, as it never began.
    since: status.sinceMs === 0 ? sessionSince : new Date(nowMs - forMs).toISOString(),
    ...(diagnostic === 0 ? {} : { diagnostic: bfdDiagnosticText(diagnostic) }),
    ...(remoteDiagnostic === 0 ? {} : { remoteDiagnostic: bfdDiagnosticText(remoteDiagnostic) }),
    transmitMicros: status.transmitMicros,
    ...(detectionMicros === 0 ? {} : { detectionMicros }),
    downs,
    ...(status.refused === 0 ? {} : { refused: status.refused, lastRefusal: status.lastRefusal ?? '' }),
    ...(status.problem === undefined ? {} : { problem: status.problem }),
  };
}
