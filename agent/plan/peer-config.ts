// One session's PeerConfig from what an object says and what holds for the whole cluster. Every session of the plan
// is made here, so that defaults are in one place.
import {
  type BGPConfigurationSpec,
  type BGPPeerSpec,
  nothingRefused,
  passwordDoubt,
  passwordFault,
  passwordIn,
  type Problem,
  secretNamed,
  sharedSets,
} from '#api';
import type { PeerConfig, PeerRemote, TtlRule } from '#bgp';
import type { Family } from '#ip';
import type { Guarded } from './policy/guarded.ts';
import { sessionBfd } from './bfd.ts';
import type { PlanInput, PlannedBfd } from './types.ts';
import type { ClusterNode } from './node-bgp.ts';
import {
  ADD_PATHS,
  DEFAULT_ROUTES,
  LOCAL_AS_RULES,
  NEXT_HOPS,
  OVER_LIMIT,
  RESTART_MODES,
  ROLES,
} from './changes/field-words.ts';
import { idleFields, USUAL_RESTART_TIME } from './idle-fields.ts';
import { asksForNeighbours } from './policy/filter-terms.ts';
import { type SessionPolicies, sessionPolicies } from './policy/policies.ts';
import type { Reflectors } from './reflectors.ts';

/** What all sessions of a plan have in common. */
export interface SessionContext {
  readonly self: ClusterNode;
  readonly nodes: readonly ClusterNode[];
  readonly config: BGPConfigurationSpec;
  readonly reflectors: Reflectors;
  readonly clusterPrefixes: readonly string[];
  readonly poolPrefixes: readonly string[];
  readonly guarded: readonly Guarded[];
  /** Blocks of this node. */
  readonly ownPrefixes: readonly string[];
  readonly input: PlanInput;
  /** Policies made so far. */
  readonly policies: Map<string, SessionPolicies>;
}

/** What differs between sessions; spec holds the defaults for those that no BGPPeer describes. */
export interface SessionWish {
  readonly id: string;
  /** 'BGPPeer tor-a' */
  readonly object: string;
  readonly spec: SessionSpec;
  readonly remote: PeerRemote;
  readonly remoteAs: number | 'internal' | 'external';
  /** The address's; decides source address and default families. */
  readonly family: Family;
  /** Of the neighbour, when it is a node of the cluster. */
  readonly remoteNode?: ClusterNode;
  readonly passwordField: string;
  /** 'spec.bfd' */
  readonly bfdField: string;
}

export type SessionSpec = Omit<
  BGPPeerSpec,
  | 'node'
  | 'nodeSelector'
  | 'peerIP'
  | 'peerSelector'
  | 'peerRange'
  | 'peerInterface'
  | 'peerFrom'
  | 'localWorkloadSelector'
  | 'asNumber'
  | 'maxPeers'
  | 'reversePeering'
  | 'reachableBy'
> & {
  /** Nobody wrote `import: All`: what lies in a network of this node is not let in by it. */
  readonly isImportImplied?: true;
  /** Nobody wrote `multihop`. */
  readonly isMultihopImplied?: true;
};

/** Sessions that no BGPPeer describes: the mesh and the reflectors'. They may cross routers. */
export const AUTOMATIC_SPEC: SessionSpec = {
  nextHopMode: 'Auto',
  sourceAddress: 'UseNodeIP',
  passive: false,
  multihop: 255,
  connectRetryTime: 5,
  numAllowedLocalASNumbers: 0,
  maxPrefixes: { limit: 10_000, warnPercent: 80, action: 'Close' },
  linkBandwidth: 'Use',
  defaultOriginate: 'None',
  advertisementInterval: 0,
  asOverride: false,
  removePrivateAS: false,
  gracefulRestart: { mode: 'Full', restartTime: USUAL_RESTART_TIME, longLivedTime: 0 },
  filters: [],
  import: 'Cluster',
  export: 'Cluster',
};

/** RFC 4271 lets no hop limit for iBGP: the largest there is. */
const ANY_DISTANCE = 255;

export function sessionConfig(
  wish: SessionWish,
  context: SessionContext,
): { config: PeerConfig; bfd?: PlannedBfd; problems: Problem[] } {
  const { spec, object } = wish;
  const { self, config, input } = context;
  const localAs = spec.localASNumber ?? self.asNumber;
  const type = sessionType(wish.remoteAs, localAs);
  const policies = sharedPolicies(wish, type, context);
  const password = passwordOf(spec.password, input, object, wish.passwordField);
  const ttl = ttlRule(spec, type);
  const bfd = sessionBfd(wish, ttl, context);
  const holdTimeSeconds = Math.ceil(spec.holdTime ?? config.holdTime);
  const keepalive = spec.keepaliveTime ?? (spec.holdTime === undefined ? config.keepaliveTime : undefined);
  const localAddress = sourceAddress(wish, self);
  const linkBandwidth = SENT_BANDWIDTHS[spec.linkBandwidth];
  const families = [...new Set(spec.families?.map((name) => FAMILY_NAMES[name]) ?? [wish.family])];
  // Before its own AS, the same AS would be a loop to all other nodes of it.
  const showsBoth = type === 'ebgp' && localAs !== self.asNumber;
  const defaultOriginate = policies.isClosed ? [] : DEFAULT_ROUTES[spec.defaultOriginate];
  return {
    problems: [
      ...policies.problems,
      ...password.problems,
      ...bfd.problems,
      ...idleFields(spec, object, {
        ...{ type, families, holdTimeSeconds },
        nodeAs: self.asNumber,
        isWithNode: wish.remoteNode !== undefined,
      }),
    ],
    ...(bfd.bfd && { bfd: bfd.bfd }),
    config: {
      id: wish.id,
      description: object,
      remote: wish.remote,
      remoteAs: wish.remoteAs,
      ...(spec.localASNumber === undefined ? {} : { localAs: spec.localASNumber }),
      ...(localAddress === undefined ? {} : { localAddress }),
      passive: spec.passive || wish.remote.kind === 'range',
      holdTimeSeconds,
      ...(keepalive === undefined ? {} : { keepaliveTimeSeconds: Math.floor(keepalive) }),
      connectRetrySeconds: Math.ceil(spec.connectRetryTime),
      families,
      extendedNextHop: wish.family === 'ipv6' && (spec.families?.includes('IPv4') ?? false),
      ttl,
      ...(password.key === undefined ? {} : { md5Key: password.key }),
      ...(bfd.bfd && {
        bfd: { isRequired: bfd.bfd.isRequired === true, isGraceful: bfd.bfd.isGraceful === true },
      }),
      nextHop: NEXT_HOPS[spec.nextHopMode],
      nextHopSelf: self.addresses,
      routeReflectorClient: type !== 'ebgp' && (spec.routeReflectorClient ?? isClient(wish, context)),
      routeServerClient: spec.role === 'RouteServer',
      addPaths:
        ADD_PATHS[spec.addPaths ?? (type === 'ibgp' && tellsAllPaths(wish, context) ? 'Both' : 'None')],
      ...(spec.addPathLimit === undefined ? {} : { addPathLimit: spec.addPathLimit }),
      maxPrefixes: prefixLimit(spec),
      allowedLocalAs: spec.numAllowedLocalASNumbers,
      // A route server passes paths on without its own AS (RFC 7947 §2.2.2.1).
      enforceFirstAs: spec.role !== 'RouteServerClient',
      ...(spec.localASMode !== undefined && showsBoth
        ? { localAsRules: LOCAL_AS_RULES[spec.localASMode] }
        : {}),
      ...(spec.asOverride ? { asOverride: true } : {}),
      removePrivateAs: spec.removePrivateAS,
      ...(spec.privateASAction === 'Replace' ? { replacePrivateAs: true } : {}),
      ...(linkBandwidth === undefined ? {} : { linkBandwidth }),
      ...(spec.advertisementInterval === 0
        ? {}
        : { advertisementIntervalSeconds: Math.ceil(spec.advertisementInterval) }),
      ...(defaultOriginate.length === 0 ? {} : { defaultOriginate }),
      // The nodes need every block, to send to its pods.
      ...(wish.remoteNode === undefined ? { takesAggregates: true } : {}),
      ...(spec.role === undefined || type === 'ibgp' ? {} : { role: ROLES[spec.role] }),
      gracefulRestart: gracefulRestart(spec),
      import: policies.import,
      export: policies.export,
      ...(spec.password === undefined || password.key !== undefined
        ? bfd.shutdown && { shutdown: bfd.shutdown }
        : { shutdown: { message: 'its password is not to be had', because: 'missing key' as const } }),
    },
  };
}

/** Sessions that ask for the same get the same object, so that a thousand of them hold one list of prefixes. */
function sharedPolicies(
  { spec, object, remote, id }: SessionWish,
  type: 'ebgp' | 'ibgp',
  context: SessionContext,
): SessionPolicies {
  const { clusterPrefixes, poolPrefixes, guarded, ownPrefixes, self, reflectors, input } = context;
  const { bgpFilters: filters, bgpPeers } = input.resources;
  const found = spec.filters.map((name) => filters.get(name));
  // Only a missing filter makes a problem, which names the object.
  const isMissing = found.includes(undefined);
  const isForOne = found.some((filter) => filter && asksForNeighbours(filter));
  const { isImportImplied = false } = spec;
  const words = [spec.import, isImportImplied, spec.export, spec.filters, spec.linkBandwidth === 'Ignore'];
  const key = JSON.stringify([type, ...words, ...(isMissing || isForOne ? [object, id] : [])]);
  let policies = context.policies.get(key);
  if (policies === undefined) {
    const isReflector = reflectors.clusterIds.has(self.name);
    const [name = id] = id.split('/');
    const address = remote.kind === 'address' ? remote.address : undefined;
    policies = sessionPolicies(
      spec,
      {
        clusterPrefixes,
        poolPrefixes,
        guarded,
        nodeAddresses: self.addresses,
        hostNetworks: input.hostNetworks ?? [],
        ownPrefixes,
        filters,
        bgpPeers,
        sets: sharedSets(context.config),
        refused: (input.refused ?? nothingRefused).objects,
        neighbour: { type, name, address, ownAs: self.asNumber },
        isReflector,
        isLeaving: self.isLeaving,
      },
      object,
    );
    context.policies.set(key, policies);
  }
  return policies;
}

const FAMILY_NAMES = { IPv4: 'ipv4', IPv6: 'ipv6' } as const;
const SENT_BANDWIDTHS = { Ignore: undefined, Use: undefined, Send: 'send', Sum: 'sum' } as const;

function sessionType(remoteAs: SessionWish['remoteAs'], localAs: number): 'ebgp' | 'ibgp' {
  if (remoteAs === 'internal') return 'ibgp';
  return remoteAs === localAs ? 'ibgp' : 'ebgp';
}

/** A link-local neighbour is reached from the link's own address. */
function sourceAddress(wish: SessionWish, self: ClusterNode): string | undefined {
  const isOnLink = wish.remote.kind === 'address' && wish.remote.device !== undefined;
  return wish.spec.sourceAddress === 'None' || isOnLink ? undefined : self.addresses[wish.family];
}

function ttlRule(spec: SessionSpec, type: 'ebgp' | 'ibgp'): TtlRule {
  if (spec.ttlSecurity) return { kind: 'gtsm', hops: spec.ttlSecurity };
  if (type === 'ibgp') return { kind: 'multihop', hops: spec.multihop ?? ANY_DISTANCE };
  return spec.multihop === undefined || spec.multihop === 1
    ? { kind: 'direct' }
    : { kind: 'multihop', hops: spec.multihop };
}

/**
 * Between a node and a reflector: one that tells only its own best path makes that the choice of all its clients (RFC 7911
 * section 1). Not where reflectors take one another's routes again, because their cluster IDs differ: each of R reflectors
 * would tell R copies of every route.
 */
function tellsAllPaths({ remoteNode }: SessionWish, { self, reflectors }: SessionContext): boolean {
  const { clusterIds } = reflectors;
  if (remoteNode === undefined || clusterIds.has(self.name) === clusterIds.has(remoteNode.name)) return false;
  const [first, ...others] = clusterIds.values();
  return others.length === 0 || (first !== undefined && others.every((id) => id === first));
}

/** As in Calico: a reflector's iBGP neighbours are its clients, unless they reflect for the same cluster. */
function isClient(wish: SessionWish, { self, reflectors }: SessionContext): boolean {
  if (!reflectors.clusterIds.has(self.name)) return false;
  if (wish.remoteNode === undefined || !reflectors.clusterIds.has(wish.remoteNode.name)) return true;
  const ours = reflectors.clusterIds.get(self.name);
  return !reflectors.isAutomatic && reflectors.clusterIds.get(wish.remoteNode.name) !== ours;
}

function prefixLimit({ maxPrefixes }: SessionSpec): PeerConfig['maxPrefixes'] {
  const { limit, warnPercent, restartTime, action } = maxPrefixes;
  return {
    limit,
    warnPercent,
    ...(restartTime === undefined ? {} : { restartSeconds: restartTime }),
    ...(action === 'Close' ? {} : { action: OVER_LIMIT[action] }),
  };
}

function gracefulRestart(spec: SessionSpec): PeerConfig['gracefulRestart'] {
  const { mode, restartTime, longLivedTime } = spec.gracefulRestart;
  return {
    mode: RESTART_MODES[mode],
    restartSeconds: Math.ceil(restartTime),
    longLivedSeconds: Math.ceil(longLivedTime),
  };
}

function passwordOf(
  reference: SessionSpec['password'],
  { resources: { secrets }, refused = nothingRefused }: PlanInput,
  object: string,
  field: string,
): { key?: string; problems: Problem[] } {
  if (reference === undefined) return { problems: [] };
  const { secretKeyRef } = reference;
  const secret = secretNamed(secrets, secretKeyRef.name);
  const key = secret && passwordIn(secret, secretKeyRef.key);
  const fault = passwordFault(secrets, secretKeyRef, refused.objects);
  // One that is too long is the speaker's to refuse: it says why the session is down.
  const known = key === undefined || key === '' ? {} : { key };
  if (fault === undefined) {
    const doubt = passwordDoubt(secrets, secretKeyRef);
    const place = { object, field: `${field}.secretKeyRef.key`, value: secretKeyRef.key };
    const problems: Problem[] =
      doubt === undefined ? [] : [{ ...place, message: doubt, severity: 'warning' }];
    return { ...known, problems };
  }
  const message = `${fault.why}: the session stays down until it has its password`;
  const at = `${field}.secretKeyRef.${fault.at}`;
  return { ...known, problems: [{ object, field: at, value: fault.value, message, cause: 'SecretMissing' }] };
}
