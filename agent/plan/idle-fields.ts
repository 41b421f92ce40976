// Fields of a BGPPeer that ask for what its session has not. Most likely slips: they are told as warnings, and the session is as
// without them.
import type { BGPPeerSpec, Problem } from '#api';
import { type Family, familyLabel } from '#ip';
import { DEFAULT_ROUTES } from './changes/field-words.ts';

/** What the session that was made of a wish is. */
export interface MadeSession {
  readonly type: 'ebgp' | 'ibgp';
  readonly families: readonly Family[];
  /** 0: it has none, and no KEEPALIVEs (RFC 4271 section 4.2). */
  readonly holdTimeSeconds: number;
  /** Of the node itself, whatever it shows to the neighbour. */
  readonly nodeAs: number;
  /** The neighbour is a node of the cluster. */
  readonly isWithNode: boolean;
}

type SessionSpec = Pick<
  BGPPeerSpec,
  | 'role'
  | 'removePrivateAS'
  | 'asOverride'
  | 'localASNumber'
  | 'localASMode'
  | 'routeReflectorClient'
  | 'keepaliveTime'
  | 'gracefulRestart'
  | 'defaultOriginate'
  | 'addPaths'
  | 'addPathLimit'
>;

export function idleFields(spec: SessionSpec, object: string, made: MadeSession): Problem[] {
  const idle = [
    ...idleInType(spec, made),
    ...idleLocalAs(spec, made),
    ...idleKeepalive(spec, made),
    ...idleRestart(spec),
    // What does not hold for one node of a peerSelector does for another: sessions for each family, ADD-PATH with reflectors.
    ...(made.isWithNode ? [] : [...idleDefault(spec, made), ...idlePathLimit(spec)]),
  ];
  return idle.map(({ name, value, message }) => ({
    object,
    field: `spec.${name}`,
    value,
    message,
    severity: 'warning',
  }));
}

interface Idle {
  readonly name: string;
  readonly value: unknown;
  readonly message: string;
}

function idleInType(spec: SessionSpec, { type }: MadeSession): Idle[] {
  const { role, removePrivateAS, asOverride, localASMode, routeReflectorClient } = spec;
  const fields =
    type === 'ibgp' ? { role, removePrivateAS, asOverride, localASMode } : { routeReflectorClient };
  const why = type === 'ibgp' ? 'in our own AS (iBGP)' : 'in another AS, and reflection is for iBGP';
  return Object.entries(fields).flatMap(([name, value]): Idle[] =>
    value === undefined || value === false
      ? []
      : [{ name, value, message: `has no effect: the neighbour is ${why}` }],
  );
}

function idleLocalAs(spec: SessionSpec, { type, nodeAs }: MadeSession): Idle[] {
  const { localASNumber, localASMode: value } = spec;
  if (type === 'ibgp' || value === undefined || value === 'Replace' || localASNumber !== nodeAs) return [];
  return [{ name: 'localASMode', value, message: `has no effect: ${nodeAs} is the node's own AS` }];
}

function idleKeepalive({ keepaliveTime: value }: SessionSpec, { holdTimeSeconds }: MadeSession): Idle[] {
  if (value === undefined || holdTimeSeconds > 0) return [];
  return [{ name: 'keepaliveTime', value, message: 'has no effect: the hold time is off' }];
}

function idleRestart({ gracefulRestart: { mode, restartTime, longLivedTime } }: SessionSpec): Idle[] {
  if (mode === 'Full') return [];
  // The field may be maxRestartTime: the mode is named instead. The default may be nobody's word.
  const restart = {
    name: 'gracefulRestart.mode',
    value: mode,
    message: `leaves the restart time of ${restartTime} s without effect: nobody keeps this node's routes`,
  };
  // RFC 9494: what of ours is kept for long is what is kept at all.
  const longLived = {
    name: 'gracefulRestart.longLivedTime',
    value: `${longLivedTime}s`,
    message: `has no effect with mode: ${mode}, with which nobody keeps this node's routes`,
  };
  return [
    ...(restartTime === USUAL_RESTART_TIME ? [] : [restart]),
    ...(longLivedTime === 0 ? [] : [longLived]),
  ];
}

/** Of a family that the session does not carry. */
function idleDefault({ defaultOriginate: value }: SessionSpec, { families }: MadeSession): Idle[] {
  const idle = DEFAULT_ROUTES[value].filter((family) => !families.includes(family));
  if (idle.length === 0) return [];
  const names = (list: readonly Family[]) => list.map(familyLabel).join(' and ');
  const message = `has no effect for ${names(idle)}: the session carries ${names(families)} only (spec.families)`;
  return [{ name: 'defaultOriginate', value, message }];
}

function idlePathLimit({ addPaths = 'None', addPathLimit: value }: SessionSpec): Idle[] {
  if (value === undefined || addPaths !== 'None') return [];
  const message =
    'has no effect without addPaths: there is one path of a prefix (expected addPaths: Send, Receive or Both)';
  return [{ name: 'addPathLimit', value, message }];
}

/** Seconds: of a BGPPeer that says nothing, and of sessions without one. */
export const USUAL_RESTART_TIME = 120;
