// What becomes of sessions and connections, as lines for the operator.
import type { LimitedLog } from './limited-log.ts';
import {
  type Refusal,
  refusalText,
  type SessionDown,
  type SessionHandler,
  type SessionState,
  type StateTransition,
} from './session/index.ts';

export interface SessionLines extends Required<Pick<SessionHandler, 'stateChanged' | 'refused'>> {
  routesOf(peer: string, reason: SessionDown): void;
}

/** @param isConfigured false: a neighbour of a range, which may be anybody */
export function sessionLines(lines: LimitedLog, isConfigured: (peer: string) => boolean): SessionLines {
  return {
    stateChanged: (peer: string, { from, to, reason, cause }: StateTransition) => {
      // Anybody in a range may begin a session. How it ends before its OPEN was good is told once a minute.
      const isStranger = !isConfigured(peer) && !isAgreed(from) && !isAgreed(to);
      if (isStranger && from !== 'OpenSent') return;
      const kind = isStranger ? 'refused' : 'transition';
      const subject = isStranger ? peer.slice(0, peer.lastIndexOf('/')) : peer;
      lines.line(kind, subject, () => [
        { peer, from, to, reason, ...(cause === undefined ? {} : { kind: cause.kind }) },
        `BGP session ${peer}: ${from} -> ${to}`,
      ]);
    },
    refused: (from: string, subject: string | undefined, refusal: Refusal) => {
      lines.line('refused', subject ?? '', () => [
        { from, ...(subject === undefined ? {} : { peer: subject }), why: refusalText(refusal) },
        `BGP connection from ${from} refused; others within a minute are counted`,
      ]);
    },
    routesOf: (peer: string, { cause, kept }: SessionDown) => {
      lines.line('routes', peer, () => [
        { peer, cause: cause.kind, ...(kept === undefined ? {} : { kept }) },
        kept === undefined
          ? 'routes of the session are dropped'
          : 'routes of the session are kept until the neighbour is back (RFC 4724)',
      ]);
    },
  };
}

function isAgreed(state: SessionState): boolean {
  return state === 'OpenConfirm' || state === 'Established';
}
