// What can only be seen when objects are looked at together: names that lead nowhere, two objects for one thing.
// For `podroute validate` and admission; the agent decides by itself (plan, ipam) and reports the same faults.
import {
  addressBits,
  canonicalAddress,
  FAMILIES,
  type Family,
  familyLabel,
  familyOf,
  parsePrefix,
} from '#ip';
import { type BFDProfile, bfdKeyDoubt, bfdKeyFault, type BfdOfSession } from '../kinds/bfd-profile.ts';
import { type BGPFilter, type BGPFilterRule, rulesField } from '../kinds/bgp-filter.ts';
import type { BGPPeer } from '../kinds/bgp-peer.ts';
import { type FilterSets, isUnknownSet, setsOf, sharedSets } from '../kinds/filter-sets.ts';
import type { Node } from '../kinds/node.ts';
import { parsePeerAddress } from '../schema/peer-address.ts';
import { checkAgainstNodes, isFor } from './node-checks.ts';
import { usablePools } from './pool-conflicts.ts';
import type { Problem } from '../schema/problem.ts';
import { bgpConfigurationFor, doubledNames, nodeOfConfiguration } from '../kinds/node-configuration.ts';
import { identityText, objectName, type Resources } from '../kinds/resources.ts';
import { passwordDoubt, passwordFault, type Secret } from '../kinds/secret.ts';
import type { Refused } from './refused.ts';

/**
 * Every fault between objects, in the order of kinds and names. Problems have no file: see Problem.object.
 *
 * @param refused identityText of those whose documents are wrong
 */
export function checkTogether(resources: Resources, refused: ReadonlySet<string>): Problem[] {
  return [
    ...configurationNames(resources),
    ...missingFilters(resources, refused),
    ...missingSets(resources, refused),
    ...idleFilters(resources, refused),
    ...missingSecrets(resources, refused),
    ...bfdFaults(resources, refused),
    ...doubledNeighbours(resources),
    ...usablePools(resources).problems,
    ...checkAgainstNodes(resources),
  ];
}

function configurationNames(resources: Resources): Problem[] {
  return [...resources.bgpConfigurations].flatMap(([name, config]): Problem[] => {
    if (name === 'default') return doubledNames(config);
    const node = nodeOfConfiguration(name);
    const object = `BGPConfiguration ${name}`;
    const place = { object, field: 'metadata.name', value: name, severity: 'warning' } as const;
    if (node === undefined) {
      const message = `has no effect: only 'default', and 'node.NAME' for one node, are in force`;
      return [{ ...place, message }];
    }
    const isNobody = resources.nodes.size > 0 && !resources.nodes.has(node);
    return [
      ...(isNobody ? [{ ...place, message: `has no effect: there is no Node ${node}` }] : []),
      ...bgpConfigurationFor(resources, node).problems,
    ];
  });
}

function missingFilters({ bgpPeers, bgpFilters }: Resources, refused: ReadonlySet<string>): Problem[] {
  return [...bgpPeers.values()].flatMap((peer) =>
    peer.spec.filters.flatMap((value, i): Problem[] => {
      if (bgpFilters.has(value)) return [];
      const what = refused.has(identityText({ kind: 'BGPFilter', name: value }))
        ? 'a BGPFilter whose document is refused (see its own problem)'
        : 'no BGPFilter';
      const message = `is ${what}: nothing is accepted from or announced to this neighbour until there is one`;
      return [{ object: objectName(peer), field: `spec.filters[${i}]`, value, message }];
    }),
  );
}

/** Of filters in use and others. Which BGPConfiguration is a node's is not asked: a name from any of them is one. */
function missingSets({ bgpFilters, bgpConfigurations }: Resources, refused: ReadonlySet<string>): Problem[] {
  // What it would name is not known.
  if (refused.has(identityText({ kind: 'BGPConfiguration', name: 'default' }))) return [];
  const all = [...bgpConfigurations.values()].map(({ spec }) => sharedSets(spec));
  const shared = {
    prefixSets: all.flatMap(({ prefixSets }) => prefixSets),
    communitySets: all.flatMap(({ communitySets }) => communitySets),
  };
  return [...bgpFilters.values()].flatMap((filter) => unknownSets(filter, shared));
}

/** Names that a filter asks for and that are nowhere: what it would let through without is not known. */
export function unknownSets(filter: BGPFilter, shared: FilterSets): Problem[] {
  const sets = setsOf(filter.spec, shared);
  return (['import', 'export'] as const).flatMap((direction) =>
    FAMILIES.flatMap((family) => {
      const list = rulesField(direction, family);
      return filter.spec[list].flatMap((rule, i) =>
        unknownIn(rule, sets).map(({ field, value, kind }) => ({
          object: `BGPFilter ${filter.metadata.name}`,
          field: `spec.${list}[${i}].${field}`,
          value,
          message: `is no name from ${kind} of this filter or of the BGPConfiguration: until it is, sessions with the filter neither accept nor announce anything`,
        })),
      );
    }),
  );
}

interface Unknown {
  readonly field: string;
  readonly value: string;
  readonly kind: keyof FilterSets;
}

function unknownIn(rule: BGPFilterRule, { prefixSets, communitySets }: FilterSets): Unknown[] {
  const { prefixSet, communities = {}, operations = [] } = rule;
  const communityLists = [
    ...(['all', 'any', 'none'] as const).map(
      (how) => [`communities.${how}`, communities[how] ?? []] as const,
    ),
    ...operations.map(
      ({ deleteCommunities }, i) =>
        [`operations[${i}].deleteCommunities.values`, deleteCommunities?.values ?? []] as const,
    ),
  ];
  const isUnknown = prefixSet !== undefined && !prefixSets.some(({ name }) => name === prefixSet);
  return [
    ...(isUnknown ? [{ field: 'prefixSet', value: prefixSet, kind: 'prefixSets' as const }] : []),
    ...communityLists.flatMap(([field, texts]) =>
      texts.flatMap((value, i) =>
        isUnknownSet(value, communitySets)
          ? [{ field: `${field}[${i}]`, value, kind: 'communitySets' as const }]
          : [],
      ),
    ),
  ];
}

function idleFilters({ bgpFilters, bgpConfigurations, bgpPeers }: Resources, refused: ReadonlySet<string>) {
  const config = bgpConfigurations.get('default')?.spec;
  const shared = config === undefined ? { prefixSets: [], communitySets: [] } : sharedSets(config);
  return [
    ...idleMembers('BGPConfiguration default', shared),
    ...[...bgpFilters.values()].flatMap((filter) => idleRules(filter, shared, bgpPeers, refused)),
  ];
}

/** Members of sets in which no prefix lies. Most likely a slip, and taken as it stands. */
export function idleMembers(object: string, { prefixSets }: Pick<FilterSets, 'prefixSets'>): Problem[] {
  return prefixSets.flatMap(({ prefixes }, i) =>
    prefixes.flatMap(({ cidr, prefixLength }, n): Problem[] => {
      const why = noLength(cidr, prefixLength);
      if (why === undefined) return [];
      const field = `spec.prefixSets[${i}].prefixes[${n}].prefixLength`;
      const message = `leaves no length: ${why}; no route is in the set by it`;
      return [{ object, field, value: prefixLength, message, severity: 'warning' }];
    }),
  );
}

/**
 * What a filter asks for and no route or neighbour can be. Most likely a slip, and taken as it stands.
 *
 * @param bgpPeers all that there are; none: nothing is known of them
 */
export function idleRules(
  filter: BGPFilter,
  shared: FilterSets,
  bgpPeers: ReadonlyMap<string, unknown>,
  refused: ReadonlySet<string>,
): Problem[] {
  const object = `BGPFilter ${filter.metadata.name}`;
  const { prefixSets } = setsOf(filter.spec, shared);
  const isPeer = (name: string) =>
    bgpPeers.size === 0 ||
    bgpPeers.has(name) ||
    refused.has(identityText({ kind: 'BGPPeer', name })) ||
    canonicalAddress(name) !== undefined;
  const rules = (['import', 'export'] as const).flatMap((direction) =>
    FAMILIES.flatMap((family) => {
      const list = rulesField(direction, family);
      return filter.spec[list].flatMap((rule, i) =>
        idleIn(rule, family, prefixSets, isPeer).map(
          ({ field, value, message }): Problem => ({
            object,
            field: `spec.${list}[${i}].${field}`,
            value,
            message,
            severity: 'warning',
          }),
        ),
      );
    }),
  );
  return [...idleMembers(object, filter.spec), ...rules];
}

const FOR_NONE = 'the rule holds for no route';

function idleIn(
  { cidr, matchOperator, prefixLength, prefixSet, asPath, nextHops, peers }: BGPFilterRule,
  family: Family,
  prefixSets: FilterSets['prefixSets'],
  isPeer: (name: string) => boolean,
): Pick<Problem, 'field' | 'value' | 'message'>[] {
  const isExact = matchOperator === 'Equal' || matchOperator === 'NotEqual';
  const why = cidr === undefined ? undefined : noLength(cidr, prefixLength);
  const length = { field: 'prefixLength', value: prefixLength };
  // One without members may be filled later.
  const members = prefixSets.find(({ name }) => name === prefixSet)?.prefixes ?? [];
  const isOfFamily = members.length === 0 || members.some((member) => familyOf(member.cidr) === family);
  const { min = 0, max = Infinity } = asPath?.length ?? {};
  const empty = Object.entries({ nextHops, peers }).filter(([, entries]) => entries?.length === 0);
  return [
    ...(isExact && prefixLength !== undefined
      ? [{ ...length, message: `has no effect with matchOperator: ${matchOperator}` }]
      : []),
    ...(matchOperator === 'In' && why !== undefined
      ? [{ ...length, message: `leaves no length: ${why}; ${FOR_NONE}` }]
      : []),
    ...(matchOperator === 'NotIn' && why !== undefined
      ? [{ ...length, message: `leaves no length: ${why}; every prefix is taken for one outside` }]
      : []),
    ...(isOfFamily
      ? []
      : [
          {
            field: 'prefixSet',
            value: prefixSet,
            message: `has no prefix of ${familyLabel(family)}: ${FOR_NONE}`,
          },
        ]),
    ...(min > max
      ? [{ field: 'asPath.length', value: asPath?.length, message: `has min above max: ${FOR_NONE}` }]
      : []),
    ...empty.map(([field]) => ({ field, value: [], message: `is empty: ${FOR_NONE}` })),
    ...(peers ?? []).flatMap((value, i) =>
      isPeer(value)
        ? []
        : [{ field: `peers[${i}]`, value, message: 'is neither the name of a BGPPeer nor an address' }],
    ),
  ];
}

/** Why no prefix inside a CIDR has a length within these; undefined: there are such. */
function noLength(cidr: string, asked: BGPFilterRule['prefixLength']): string | undefined {
  const { family, length } = parsePrefix(cidr)!;
  const { min = length, max = addressBits(family) } = asked ?? {};
  if (max < length) return `what is inside ${cidr} is /${length} or longer`;
  if (min > addressBits(family)) return `${familyLabel(family)} has none above /${addressBits(family)}`;
  return min > max ? 'min is above max' : undefined;
}

function missingSecrets(
  { bgpPeers, bgpConfigurations, secrets }: Resources,
  refused: ReadonlySet<string>,
): Problem[] {
  const wanted = [
    ...[...bgpPeers.values()].map((peer) => ({
      object: objectName(peer),
      field: 'spec.password.secretKeyRef',
      ref: peer.spec.password?.secretKeyRef,
    })),
    ...[...bgpConfigurations.values()].map((config) => ({
      object: objectName(config),
      field: 'spec.nodeMeshPassword.secretKeyRef',
      ref: config.spec.nodeMeshPassword?.secretKeyRef,
    })),
  ];
  return wanted.flatMap(({ object, field, ref }): Problem[] => {
    if (ref === undefined) return [];
    const fault = passwordFault(secrets, ref, refused);
    if (fault === undefined) {
      const doubt = passwordDoubt(secrets, ref);
      const place = { object, field: `${field}.key`, value: ref.key };
      return doubt === undefined ? [] : [{ ...place, message: doubt, severity: 'warning' }];
    }
    const message = `${fault.why}: no session is opened until it has its password`;
    return [{ object, field: `${field}.${fault.at}`, value: fault.value, message }];
  });
}

/** Of the profile itself: a key that is not to be had, and what is likely not as it was meant. */
export function bfdProfileProblems(
  profile: BFDProfile,
  secrets: ReadonlyMap<string, Secret>,
  refused: ReadonlySet<string>,
): Problem[] {
  const object = objectName(profile);
  const { detectMultiplier } = profile.spec;
  const key = 'spec.authentication.keyFrom.secretKeyRef';
  const problems: Problem[] = [];
  const fault = bfdKeyFault(profile, secrets, refused);
  const doubt = fault === undefined ? bfdKeyDoubt(profile, secrets) : undefined;
  if (fault !== undefined) {
    const { at, value, why } = fault;
    const message = `${why}: until it is right, sessions with this profile run without BFD, and those that require it stay down`;
    problems.push({ object, field: `${key}.${at}`, value, message, cause: 'SecretMissing' });
  } else if (doubt !== undefined) {
    const value = profile.spec.authentication?.keyFrom.secretKeyRef.key;
    problems.push({ object, field: `${key}.key`, value, message: doubt, severity: 'warning' });
  }
  if (detectMultiplier === 1) {
    const message = 'lets one lost packet end the session; 3 is usual';
    const field = 'spec.detectMultiplier';
    problems.push({ object, field, value: detectMultiplier, message, severity: 'warning' });
  }
  return problems;
}

/**
 * Of who names a profile that is not to be had; undefined when it is.
 *
 * @param object 'BGPPeer tor-a' @param field 'spec.bfd'
 */
export function missingProfile(
  { profile, required }: BfdOfSession,
  { object, field }: Pick<Problem, 'object' | 'field'>,
  profiles: Resources['bfdProfiles'],
  { objects, kinds }: Pick<Refused, 'objects' | 'kinds'>,
): Problem | undefined {
  if (profile === undefined || profiles.has(profile)) return undefined;
  const what = objects.has(identityText({ kind: 'BFDProfile', name: profile }))
    ? 'a BFDProfile whose document is refused (see its own problem)'
    : kinds.has('BFDProfile')
      ? 'a BFDProfile of which the store has told nothing'
      : 'no BFDProfile';
  const then = required
    ? 'the session, which requires BFD, stays down until there is one'
    : 'the session runs without BFD until there is one';
  return { object, field: `${field}.profile`, value: profile, message: `is ${what}: ${then}` };
}

function bfdFaults(
  { bgpPeers, bgpConfigurations, bfdProfiles, secrets }: Resources,
  refused: ReadonlySet<string>,
): Problem[] {
  const told = { objects: refused, kinds: new Set<never>() };
  return [
    ...[...bgpPeers.values()].flatMap((peer) => {
      const { bfd } = peer.spec;
      const place = { object: objectName(peer), field: 'spec.bfd' };
      return (bfd && missingProfile(bfd, place, bfdProfiles, told)) ?? [];
    }),
    ...[...bgpConfigurations.values()].flatMap((config) => {
      const bfd = config.spec.nodeMeshBFD;
      const place = { object: objectName(config), field: 'spec.nodeMeshBFD' };
      return (bfd && missingProfile(bfd, place, bfdProfiles, told)) ?? [];
    }),
    ...[...bfdProfiles.values()].flatMap((profile) => bfdProfileProblems(profile, secrets, refused)),
  ];
}

/** Two BGPPeers for one address, or the neighbour on one link, on the same node: the one that names its nodes more closely wins, then the name. */
function doubledNeighbours({ bgpPeers, nodes }: Resources): Problem[] {
  const byAddress = Map.groupBy(
    [...bgpPeers.values()].filter(({ spec }) => (spec.peerIP ?? spec.peerInterface) !== undefined),
    ({ spec }) => {
      if (spec.peerIP === undefined) return `%${spec.peerInterface}`;
      const { address, device, port = 179 } = parsePeerAddress(spec.peerIP);
      return `${address}%${device ?? ''}:${port}`;
    },
  );
  return [...byAddress.values()].flatMap((peers) => {
    const ordered = peers.sort((a, b) => rank(a) - rank(b) || (a.metadata.name < b.metadata.name ? -1 : 1));
    return ordered.flatMap((loser, i): Problem[] => {
      for (const winner of ordered.slice(0, i)) {
        const shared = sharedNodes(winner, loser, nodes);
        if (shared === undefined) continue;
        const message = `is the neighbour of ${objectName(winner)} too, on ${shared}: ${winner.metadata.name} stays in force there, ${loser.metadata.name} is not used`;
        const { peerIP, peerInterface } = loser.spec;
        const field = peerIP === undefined ? 'spec.peerInterface' : 'spec.peerIP';
        return [{ object: objectName(loser), field, value: peerIP ?? peerInterface, message }];
      }
      return [];
    });
  });
}

const rank = ({ spec }: BGPPeer): number =>
  spec.node !== undefined ? 0 : spec.nodeSelector !== undefined ? 1 : 2;

/** The nodes that both are for, in words. Without Node objects: what is certain from the texts alone. */
function sharedNodes(a: BGPPeer, b: BGPPeer, nodes: ReadonlyMap<string, Node>): string | undefined {
  if (nodes.size === 0) {
    if (a.spec.node !== undefined && a.spec.node === b.spec.node) return `node ${a.spec.node}`;
    if (rank(a) === 2 && rank(b) === 2) return 'every node';
    const isSame = a.spec.node === b.spec.node && a.spec.nodeSelector === b.spec.nodeSelector;
    if (isSame) return `the nodes ${a.spec.nodeSelector}`;
    return rank(a) === 2 || rank(b) === 2 ? 'some nodes' : undefined;
  }
  const names = [...nodes.values()]
    .filter((node) => isFor(a, node) && isFor(b, node))
    .map((node) => node.metadata.name);
  if (names.length === 0) return undefined;
  if (names.length === nodes.size && names.length > 1) return 'every node';
  return names.length === 1 ? `node ${names[0]}` : `node ${names[0]} and ${names.length - 1} more`;
}
