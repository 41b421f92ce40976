// What a change of each field does while traffic flows: docs/live-changes.md is made of it, and its test changes every
// field of a running cluster and looks. A field that is not in here does not compile.
import type {
  BfdOfSession,
  BFDProfileSpec,
  BGPConfigurationSpec,
  BGPFilterRule,
  BGPFilterSpec,
  BGPPeerSpec,
  FilterSets,
} from '#api';

/**
 * - nothing: no session and no route depends on it.
 * - live: put on the running sessions at once; no route is looked at for it.
 * - re-evaluation: routes are looked at again, from what is stored; only what comes out otherwise is told.
 * - next session: the running sessions keep what they were opened with.
 * - reset: the sessions that the object is for begin anew.
 * - which sessions: those that it names begin, those that it names no more end.
 * - listener: where connections are taken; the sessions that there are stay.
 * - all sessions: every session of the node begins anew.
 *
 * No field asks a neighbour for its routes again (RFC 2918): what it sent is stored as it came.
 */
export type ChangeEffect =
  | 'nothing'
  | 'live'
  | 're-evaluation'
  | 'next session'
  | 'reset'
  | 'which sessions'
  | 'listener'
  | 'all sessions';

export interface FieldEffect {
  readonly effect: ChangeEffect;
  /** What the word does not say. */
  readonly note?: string;
}

type Below<T> = T extends readonly (infer Item)[]
  ? Item extends object
    ? EffectsOf<Item>
    : FieldEffect
  : T extends object
    ? EffectsOf<T>
    : FieldEffect;

/** One FieldEffect for each field, the fields of objects and of lists of objects below them. */
type EffectsOf<T> = { readonly [Name in keyof T]-?: Below<NonNullable<T[Name]>> };

const is = (effect: ChangeEffect, note?: string): FieldEffect =>
  note === undefined ? { effect } : { effect, note };

const again = is('re-evaluation');

const password = {
  secretKeyRef: {
    name: is('live', 'a session without its password ends; another password is put on the connection'),
    key: is('live', 'as name'),
    optional: is('nothing'),
  },
};

const bfd: EffectsOf<BfdOfSession> = {
  profile: is('live', 'timers of BFD are changed in place'),
  required: is('live', 'a session that is up stays until BFD fails; the next one waits for BFD'),
  onFailure: is('live'),
  multihop: is('live', 'BFD begins anew; the BGP session stays, unless it requires BFD'),
};

const bgpPeer: EffectsOf<BGPPeerSpec & { keepOriginalNextHop: boolean; maxRestartTime: number }> = {
  node: is('which sessions'),
  nodeSelector: is('which sessions'),
  peerIP: is('which sessions', 'another port alone: the next connection'),
  peerSelector: is('which sessions'),
  peerRange: is('which sessions'),
  maxPeers: is('live', 'the neighbours that there are stay'),
  peerInterface: is('which sessions'),
  peerFrom: { defaultGateway: is('which sessions'), nodeAnnotation: is('which sessions') },
  localWorkloadSelector: is('nothing'),
  asNumber: is('reset'),
  localASNumber: is('reset'),
  nextHopMode: again,
  keepOriginalNextHop: again,
  password,
  sourceAddress: is('reset'),
  reachableBy: is('live', "the kernel's route to the neighbour"),
  passive: is('next session', 'one that is not established begins anew'),
  multihop: is('live'),
  ttlSecurity: is('live'),
  holdTime: is('next session'),
  keepaliveTime: is('next session'),
  connectRetryTime: is('next session'),
  families: is('reset'),
  numAllowedLocalASNumbers: again,
  routeReflectorClient: again,
  addPaths: is('reset'),
  addPathLimit: is('re-evaluation', 'what the neighbour is asked for: the next session'),
  maxPrefixes: {
    limit: is('live', 'a session that is over it ends, or as action says'),
    warnPercent: is('live'),
    restartTime: is('live', 'of a session that goes over its limit from now on'),
    action: is('re-evaluation', 'of what is over the limit'),
  },
  role: is('reset'),
  linkBandwidth: again,
  defaultOriginate: again,
  advertisementInterval: is(
    'live',
    'what waits goes out when the new interval has passed since it was told last',
  ),
  localASMode: again,
  asOverride: again,
  privateASAction: again,
  removePrivateAS: again,
  maxRestartTime: is('next session'),
  gracefulRestart: {
    mode: is('next session'),
    restartTime: is('next session'),
    longLivedTime: is('next session'),
  },
  bfd,
  filters: again,
  import: again,
  export: again,
  reversePeering: is('which sessions', 'on the nodes that peerSelector finds'),
};

const setName = is('nothing', 'of one that no rule names');

const filterSets: EffectsOf<FilterSets> = {
  prefixSets: {
    name: setName,
    prefixes: { cidr: again, matchOperator: again, prefixLength: { min: again, max: again } },
  },
  communitySets: { name: setName, values: again },
};

const bgpConfiguration: EffectsOf<BGPConfigurationSpec> = {
  asNumber: is('all sessions', 'of nodes without an AS of their own'),
  nodeToNodeMeshEnabled: is('which sessions'),
  listenPort: is('listener', 'sessions between nodes dial it the next time'),
  listenAddresses: is('listener'),
  bindMode: is('listener'),
  routerID: is('all sessions'),
  holdTime: is('next session'),
  keepaliveTime: is('next session'),
  multipath: { ebgp: again, ibgp: again, relax: again, weighted: again },
  bestPath: { alwaysCompareMED: again, missingMEDAsWorst: again },
  routeReflectors: {
    mode: is('which sessions'),
    nodeSelector: is('which sessions'),
    clusterID: again,
    perZone: is('which sessions'),
    meshUpTo: is('which sessions'),
  },
  nodeMeshPassword: password,
  nodeMeshMaxRestartTime: is('next session'),
  nodeMeshBFD: bfd,
  communities: { name: is('nothing', 'of one that is named nowhere'), value: again },
  prefixAdvertisements: { cidr: again, communities: again },
  ...filterSets,
  aggregates: { cidr: again, summaryOnly: again, communities: again },
  serviceClusterIPs: { cidr: is('nothing') },
  serviceExternalIPs: { cidr: is('nothing') },
  serviceLoadBalancerIPs: { cidr: is('nothing') },
  serviceLoadBalancerAggregation: is('nothing'),
  ignoredInterfaces: is('nothing'),
  localWorkloadPeeringIPV4: is('nothing'),
  localWorkloadPeeringIPV6: is('nothing'),
  logSeverityScreen: is('nothing'),
  encapsulatedPools: again,
  programClusterRoutes: is('nothing'),
  ipv4NormalRoutePriority: is('nothing'),
  ipv6NormalRoutePriority: is('nothing'),
};

const rule: EffectsOf<BGPFilterRule> = {
  cidr: again,
  matchOperator: again,
  prefixLength: { min: again, max: again },
  prefixSet: again,
  source: again,
  interface: again,
  peerType: again,
  communities: { values: again, all: again, any: again, none: again },
  asPathPrefix: again,
  asPath: { contains: again, originatedBy: again, length: { min: again, max: again }, regex: again },
  nextHops: again,
  peers: again,
  priority: again,
  action: again,
  operations: {
    addCommunity: { value: again },
    setCommunities: { values: again },
    deleteCommunities: { values: again },
    prependASPath: { prefix: again },
    setPriority: { value: again },
    setLocalPref: { value: again },
    setMED: { value: again },
    setWeight: { value: again },
    setNextHop: { address: again },
    setLinkBandwidth: { value: again },
  },
};

/** Documents with a weight there are refused. */
const { setWeight: _, ...exportOperations } = rule.operations;

const exportRule = {
  ...rule,
  operations: {
    ...exportOperations,
    setPriority: { value: is('nothing', 'BGP tells nobody the metric of a kernel') },
  },
};

const bgpFilter: EffectsOf<Omit<BGPFilterSpec, 'exportV4' | 'exportV6'>> & {
  readonly exportV4: typeof exportRule;
  readonly exportV6: typeof exportRule;
} = {
  ...filterSets,
  importV4: rule,
  exportV4: exportRule,
  importV6: rule,
  exportV6: exportRule,
};

const agreed = is(
  'live',
  'in place; both sides must have the same, else BFD goes down and the session with it',
);

const bfdProfile: EffectsOf<BFDProfileSpec> = {
  transmitInterval: is('live', 'in place, agreed on with the neighbour (RFC 5880 section 6.8.3)'),
  receiveInterval: is('live', 'as transmitInterval'),
  detectMultiplier: is('live', 'in place'),
  minimumTTL: is('live'),
  passive: is('live', 'matters while BFD is not up'),
  authentication: {
    type: agreed,
    keyID: agreed,
    keyFrom: { secretKeyRef: { name: agreed, key: agreed } },
  },
};

export interface FieldChange extends FieldEffect {
  /** 'maxPrefixes.limit' */
  readonly field: string;
}

export const fieldEffects: Readonly<
  Record<'BGPPeer' | 'BGPConfiguration' | 'BGPFilter' | 'BFDProfile', readonly FieldChange[]>
> = {
  BGPPeer: flattened(bgpPeer),
  BGPConfiguration: flattened(bgpConfiguration),
  BGPFilter: flattened(bgpFilter),
  BFDProfile: flattened(bfdProfile),
};

function flattened(tree: object, path = ''): FieldChange[] {
  return Object.entries(tree).flatMap(([name, part]: [string, object]) =>
    'effect' in part && typeof part.effect === 'string'
      ? [{ field: path + name, ...(part as FieldEffect) }]
      : flattened(part, `${path}${name}.`),
  );
}
