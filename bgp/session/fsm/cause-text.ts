// The sentences about causes and events, for log, status and history: the only place that makes them. Nothing reads
// them back.
import type { DownCause, HeldDown, PlainEvent, Refusal } from './cause.ts';
import { causeOf } from './down.ts';
import type { FsmEvent } from './fsm-types.ts';

const PLAIN: Readonly<Record<Exclude<PlainEvent, 'automaticStart'>, string>> = {
  manualStart: 'started',
  connectRetryExpired: 'connect retry timer expired',
  keepaliveExpired: 'keepalive timer expired',
  delayOpenExpired: 'delay open timer expired',
  idleHoldExpired: 'back-off is over',
  tcpConnected: 'TCP connection is up',
  openReceived: 'OPEN received',
  keepaliveReceived: 'KEEPALIVE received',
  updateReceived: 'UPDATE received',
  routeRefreshReceived: 'ROUTE-REFRESH received',
};

/** Why a transition happened. */
export function describeEvent(event: FsmEvent): string {
  if (event.type !== 'automaticStart') return causeText(causeOf(event));
  return event.idleHoldMs > 0 ? `next try in ${formatSeconds(event.idleHoldMs)}` : 'started';
}

export function causeText(cause: DownCause): string {
  switch (cause.kind) {
    case 'dial failed':
    case 'transport refused':
    case 'key refused':
    case 'reset':
    case 'configuration changed':
    case 'removed':
    case 'speaker stopped':
      return cause.text;
    case 'no answer':
      return `connect to ${cause.address} port ${cause.port}: no answer`;
    case 'connection refused':
      return `connection from the neighbour refused: ${refusalText(cause.refusal)}`;
    case 'connection lost':
      return cause.text ?? 'the neighbour closed the connection';
    case 'peer restarted':
      return 'the neighbour opened a new connection: it has restarted';
    case 'hold timer expired':
      return 'hold timer expired: nothing heard from the neighbour';
    case 'send hold timer expired':
      return 'send hold timer expired (8/0): the neighbour takes no bytes';
    case 'notification received':
      return `NOTIFICATION received: ${cause.text}`;
    case 'notification unreadable':
      return `NOTIFICATION received: unreadable (${cause.why})`;
    case 'notification sent':
      return cause.why ?? `error ${cause.code}/${cause.subcode} found`;
    case 'prefix limit':
      return `${cause.family}: ${cause.count} prefixes, the limit is ${cause.limit}`;
    case 'memory limit':
      if (cause.what === 'routes')
        return `it has sent ${cause.count} routes of a family: beside those that the prefix limit warns of or drops, ${cause.limit} are kept`;
      return `its routes have ${cause.count} ${cause.what}, the limit is ${cause.limit}`;
    case 'internal error':
      return `internal error ${cause.route === undefined ? 'while reading' : `over its route ${cause.route}`}: ${cause.text}`;
    case 'fsm error':
      return cause.event === 'automaticStart' ? 'started' : PLAIN[cause.event];
    case 'collision lost':
      return 'another connection with this neighbour won';
    case 'link down':
      return `the link went down (${cause.device})`;
    case 'BFD down':
      return `BFD is down: ${cause.text}`;
    case 'BFD restart':
      return `BFD is down, which may be a restart: ${cause.text}`;
    case 'too many connections':
      return 'too many connections at once';
    case 'too many half-open':
      return `more than ${cause.max} half-open connections`;
    case 'shut down':
      return `shut down by ${cause.because === 'operator' ? 'an operator' : 'configuration'}${
        cause.message === '' ? '' : `: ${cause.message}`
      }`;
    case 'identity changed':
      return `our ${cause.field} changed from ${cause.from} to ${cause.to}`;
    case 'forgotten':
      return 'not seen for a while';
  }
}

export function heldDownText({ cause, forSeconds }: HeldDown): string {
  const text = causeText(cause);
  if (forSeconds === undefined) return text;
  return forSeconds === 'until reset' ? `${text}; until reset` : `${text}; for ${forSeconds} s`;
}

export function refusalText(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'no neighbour':
      return 'no neighbour has this address';
    case 'range full':
      return `the range is full (${refusal.max})`;
    case 'range shut down':
      return 'shut down';
    case 'not started':
      return 'not started';
    case 'held down':
      return heldDownText(refusal.by);
    case 'wrong address':
      return `it came to ${refusal.to}, not to ${refusal.expected}`;
    case 'unsigned':
      return 'it came without a signature, and this neighbour has a password';
    case 'too far':
      return `it came from too far: TTL ${refusal.ttl ?? 'unknown'}, at least ${refusal.least} is asked for`;
    case 'backing off':
      return 'too many failures, backing off';
    case 'transport refused':
      return refusal.text;
  }
}

function formatSeconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
