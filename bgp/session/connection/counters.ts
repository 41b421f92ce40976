// Counts of messages and bytes, by type and direction.
import { KEEPALIVE, NOTIFICATION, OPEN, ROUTE_REFRESH, UPDATE } from '../../message/index.ts';

/** By message type; messages and bytes include the header. */
export interface Counters {
  readonly in: Readonly<DirectionCounters>;
  readonly out: Readonly<DirectionCounters>;
}

export interface DirectionCounters {
  open: number;
  update: number;
  notification: number;
  keepalive: number;
  routeRefresh: number;
  bytes: number;
}

export interface MutableCounters extends Counters {
  readonly in: DirectionCounters;
  readonly out: DirectionCounters;
}

export function zeroCounters(): MutableCounters {
  return { in: zeroDirection(), out: zeroDirection() };
}

export function copyCounters(counters: Counters): Counters {
  return { in: { ...counters.in }, out: { ...counters.out } };
}

function zeroDirection(): DirectionCounters {
  return { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0, bytes: 0 };
}

export function countMessage(counters: DirectionCounters, type: number): void {
  switch (type) {
    case UPDATE:
      counters.update++;
      break;
    case KEEPALIVE:
      counters.keepalive++;
      break;
    case OPEN:
      counters.open++;
      break;
    case NOTIFICATION:
      counters.notification++;
      break;
    case ROUTE_REFRESH:
      counters.routeRefresh++;
      break;
    default:
      break;
  }
}
