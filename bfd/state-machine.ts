// States, their changes and the words for reasons, as RFC 5880 has them in tables: §4.1, §6.2, §6.8.6.
import type { BfdState } from './session-config.ts';

export const ADMIN_DOWN = 0;
export const DOWN = 1;
export const INIT = 2;
export const UP = 3;

/** By their number in a packet. */
export const STATE_NAMES: readonly BfdState[] = ['AdminDown', 'Down', 'Init', 'Up'];

/** Own state, then what the neighbour says: AdminDown, Down, Init, Up. */
const NEXT_STATE: readonly (readonly number[])[] = [
  [ADMIN_DOWN, ADMIN_DOWN, ADMIN_DOWN, ADMIN_DOWN],
  [DOWN, INIT, UP, DOWN],
  [DOWN, INIT, UP, UP],
  [DOWN, DOWN, UP, UP],
];

/** RFC 5880 §6.8.6. Both as in a packet, 0..3. */
export const nextState = (own: number, received: number): number => NEXT_STATE[own]![received]!;

export const NO_DIAGNOSTIC = 0;
export const DETECTION_TIME_EXPIRED = 1;
export const NEIGHBOR_SIGNALED_DOWN = 3;
export const ADMINISTRATIVELY_DOWN = 7;

const DIAGNOSTICS: readonly string[] = [
  'no diagnostic',
  'control detection time expired',
  'echo function failed',
  'neighbor signaled session down',
  'forwarding plane reset',
  'path down',
  'concatenated path down',
  'administratively down',
  'reverse concatenated path down',
];

/** 'control detection time expired' for 1 (RFC 5880 §4.1); 'diagnostic 12' for what has no meaning. */
export const bfdDiagnosticText = (diagnostic: number): string =>
  DIAGNOSTICS[diagnostic] ?? `diagnostic ${diagnostic}`;
