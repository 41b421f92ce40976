// What a changed neighbour configuration means for its running session (OPS-3): pure comparison.
import type { PeerConfig, PeerRemote } from '../../config.ts';
import type { Policy } from '../../policy/policy.ts';

/**
 * - nothing: only words changed.
 * - later: used from the next connection or timer on (the session keeps what it negotiated).
 * - live: put on the running connection.
 * - soft: routes are evaluated anew.
 * - reset: the session must start anew, because the OPEN or the connection itself says otherwise.
 */
export type ChangeEffect = 'nothing' | 'later' | 'live' | 'soft' | 'reset';

export interface ConfigChange {
  /** The strongest of all fields. */
  readonly kind: ChangeEffect;
  readonly fields: readonly { readonly name: keyof PeerConfig; readonly effect: ChangeEffect }[];
  /** For log and Cease/6: 'remoteAs changed from 64500 to 64501'; never shows a key. */
  readonly reason: string;
}

const EFFECTS: Readonly<Record<keyof PeerConfig, ChangeEffect>> = {
  id: 'reset',
  description: 'nothing',
  remote: 'reset',
  remoteAs: 'reset',
  localAs: 'reset',
  localAddress: 'reset',
  passive: 'later',
  holdTimeSeconds: 'later',
  keepaliveTimeSeconds: 'later',
  connectRetrySeconds: 'later',
  minHoldTimeSeconds: 'later',
  delayOpenSeconds: 'later',
  families: 'reset',
  extendedNextHop: 'reset',
  ttl: 'live',
  md5Key: 'live',
  bfd: 'live',
  nextHop: 'soft',
  nextHopSelf: 'soft',
  routeReflectorClient: 'soft',
  routeServerClient: 'soft',
  addPaths: 'reset',
  addPathLimit: 'soft',
  maxPrefixes: 'soft',
  allowedLocalAs: 'soft',
  enforceFirstAs: 'soft',
  rejectAsSets: 'reset',
  removePrivateAs: 'soft',
  replacePrivateAs: 'soft',
  asOverride: 'soft',
  localAsRules: 'soft',
  defaultOriginate: 'soft',
  takesAggregates: 'soft',
  linkBandwidth: 'soft',
  advertisementIntervalSeconds: 'soft',
  role: 'reset',
  gracefulRestart: 'later',
  require: 'later',
  retryWithoutCapabilities: 'later',
  import: 'soft',
  export: 'soft',
  shutdown: 'live',
};

/** A field that a session was opened with otherwise than it is configured now, and that only the next one uses; of `remote` the port. */
export interface PendingChange {
  readonly name: keyof PeerConfig;
  readonly inUse: unknown;
  readonly next: unknown;
}

const LATER = (Object.keys(EFFECTS) as (keyof PeerConfig)[]).filter((name) => EFFECTS[name] === 'later');

/** Looks at few fields and at no policy, because a status reads it of a thousand sessions. */
export function pendingChanges(opened: PeerConfig, now: PeerConfig): PendingChange[] {
  if (opened === now) return [];
  const pending: PendingChange[] = LATER.filter((name) => !isEqual(opened[name], now[name])).map((name) => ({
    name,
    inUse: opened[name],
    next: now[name],
  }));
  const [was, is] = [opened.remote, now.remote];
  if (was.kind === 'address' && is.kind === 'address' && was.port !== is.port)
    pending.push({ name: 'remote', inUse: was.port, next: is.port });
  return pending;
}

/** By pairs, as long as both are there. */
const compared = new WeakMap<Policy, WeakMap<Policy, boolean>>();

/** By value. A thousand neighbours share their policies, which may be long and never change: each pair is compared once. */
export function samePolicy(a: Policy, b: Policy): boolean {
  if (a === b) return true;
  let known = compared.get(a);
  if (known === undefined) compared.set(a, (known = new WeakMap()));
  let isSame = known.get(b);
  if (isSame === undefined) known.set(b, (isSame = isEqual(a, b)));
  return isSame;
}

const STRONGEST_FIRST: readonly ChangeEffect[] = ['reset', 'soft', 'live', 'later'];

export function configChange(before: PeerConfig, after: PeerConfig): ConfigChange {
  const fields: { readonly name: keyof PeerConfig; readonly effect: ChangeEffect }[] = [];
  for (const name of Object.keys(EFFECTS) as (keyof PeerConfig)[]) {
    const isPolicy = name === 'import' || name === 'export';
    if (isPolicy ? samePolicy(before[name], after[name]) : isEqual(before[name], after[name])) continue;
    fields.push({ name, effect: effectOf(name, before, after) });
  }
  const kind = STRONGEST_FIRST.find((effect) => fields.some((field) => field.effect === effect)) ?? 'nothing';
  const reason = fields
    .filter(({ effect }) => effect === kind)
    .map(({ name }) => describe(name, before[name], after[name]))
    .join(', ');
  return { kind, fields, reason };
}

function effectOf(name: keyof PeerConfig, before: PeerConfig, after: PeerConfig): ChangeEffect {
  // The port matters to the next dial only; a range's limit to the next neighbour.
  if (name === 'remote') return whoOf(before.remote) === whoOf(after.remote) ? 'later' : 'reset';
  if (name === 'families') {
    const asSet = (config: PeerConfig) => [...config.families].sort();
    return isEqual(asSet(before), asSet(after)) ? 'nothing' : 'reset';
  }
  return EFFECTS[name];
}

function whoOf(remote: PeerRemote): string {
  return remote.kind === 'range' ? remote.prefix : `${remote.address}%${remote.device}`;
}

function describe(name: keyof PeerConfig, before: unknown, after: unknown): string {
  if (name === 'md5Key') return 'md5Key changed';
  if (name === 'import' || name === 'export') return `${name} policy changed`;
  return `${name} changed from ${text(before)} to ${text(after)}`;
}

function text(value: unknown): string {
  return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
}

/** Of plain data, where nothing is null; an absent field equals one that is undefined. */
function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  // A policy has hundreds of rules, and a plan a thousand neighbours with it: nothing is made for a comparison.
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!isEqual(a[i], b[i])) return false;
    return true;
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key in left) if (!isEqual(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}
