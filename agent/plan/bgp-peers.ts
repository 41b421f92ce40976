// From BGPPeer objects to the sessions of this node. A peerSelector makes a session on both sides: on the nodes that
// the object is for, and in reverse on those that it selects.
import {
  type BGPPeer,
  type BGPPeerSpec,
  impliedText,
  parsePeerAddress,
  type Problem,
  selectorMatches,
} from '#api';
import type { PeerRemote } from '#bgp';
import { canonicalAddress, FAMILIES, type Family, familyOf, needsZone, withZone } from '#ip';
import { type PeerWish, RANK } from './conflicts.ts';
import type { ClusterNode } from './node-bgp.ts';
import { type SessionContext, sessionConfig } from './peer-config.ts';
import type { HeardLink, WaitingPeer } from './types.ts';

const BGP_PORT = 179;

/** A neighbour that a BGPPeer comes to on this node. */
interface Target {
  readonly id: string;
  readonly remote: PeerRemote;
  readonly family: Family;
  readonly remoteAs: number | 'internal' | 'external';
  readonly node?: ClusterNode;
  readonly rank: number;
  readonly field: string;
  /** The session of a peerSelector as the node has it that the selector finds. */
  readonly isReversed?: boolean;
}

export function configuredPeers(
  peers: Iterable<BGPPeer>,
  context: SessionContext,
): { wishes: PeerWish[]; waiting: WaitingPeer[]; problems: Problem[] } {
  const wishes: PeerWish[] = [];
  const waiting: WaitingPeer[] = [];
  const problems: Problem[] = [];
  // Of many sessions with one filter, or one BGPPeer, it is said once.
  const told = new Set<string>();
  for (const peer of peers) {
    const object = `BGPPeer ${peer.metadata.name}`;
    const { targets, problems: unusable, why } = targetsOf(peer, context);
    problems.push(...unusable);
    const device = peer.spec.peerInterface;
    if (why !== undefined && device !== undefined)
      waiting.push({ id: peer.metadata.name, from: object, device, why });
    const isImplied = (name: string) => peer.implied?.some(({ field }) => field === name) === true;
    for (const target of targets) {
      const { id, remote, remoteAs, family, node, isReversed } = target;
      const made = sessionConfig(
        {
          id,
          object,
          spec: {
            ...specOf(peer, isReversed),
            ...(isImplied('import') && { isImportImplied: true }),
            ...(isImplied('multihop') && { isMultihopImplied: true }),
          },
          remote,
          remoteAs,
          family,
          ...(node === undefined ? {} : { remoteNode: node }),
          passwordField: 'spec.password',
          bfdField: 'spec.bfd',
        },
        context,
      );
      const { reachableBy } = peer.spec;
      const isWay = reachableBy !== undefined && !isReversed && isBehind(reachableBy, remote);
      const implied = peer.implied?.map(impliedText) ?? [];
      wishes.push({
        config: made.config,
        ...(made.bfd && { bfd: made.bfd }),
        kind: 'peer',
        from: object,
        ...(implied.length > 0 && { implied }),
        ...(isWay && { reachableBy }),
        rank: target.rank,
        field: target.field,
      });
      const idle =
        reachableBy === undefined || isReversed || isWay ? [] : idleGateway(object, reachableBy, remote);
      for (const problem of [...made.problems, ...idle]) {
        const place = `${problem.object} ${problem.field}`;
        if (!told.has(place)) problems.push(problem);
        told.add(place);
      }
    }
  }
  return { wishes, waiting, problems };
}

/** Sessions over links without addresses are there to carry both families (RFC 8950). */
function specOf({ spec }: BGPPeer, isReversed: boolean | undefined): BGPPeerSpec {
  if (isReversed) return otherSide(spec);
  return spec.peerInterface === undefined ? spec : { ...spec, families: spec.families ?? ['IPv4', 'IPv6'] };
}

/** A gateway is the way to an address of its own family; a link-local one is on the link anyway. */
function isBehind(gateway: string, remote: PeerRemote): boolean {
  return (
    remote.kind === 'address' &&
    remote.device === undefined &&
    remote.address !== gateway &&
    familyOf(remote.address) === familyOf(gateway)
  );
}

function idleGateway(object: string, gateway: string, remote: PeerRemote): Problem[] {
  if (remote.kind === 'address' && remote.address === gateway) return [];
  const why =
    remote.kind === 'range'
      ? `neighbours of a range are reached as the kernel reaches them`
      : remote.device !== undefined
        ? `${remote.address} is on link ${remote.device}`
        : `it is of another family than ${remote.address}`;
  const message = `has no effect: ${why}`;
  return [{ object, field: 'spec.reachableBy', value: gateway, message, severity: 'warning' }];
}

/** `why` nobody is found on a link. */
function targetsOf(
  peer: BGPPeer,
  context: SessionContext,
): { targets: Target[]; problems: Problem[]; why?: string } {
  const { spec } = peer;
  const { self } = context;
  const isOurs = selects(peer, self);
  const problems = spec.node === undefined || isOurs ? [] : unknownNode(peer, context);
  if (spec.peerSelector !== undefined) return { targets: nodeTargets(peer, isOurs, context), problems };
  if (!isOurs) return { targets: [], problems };
  const rank = rankOf(peer);
  const remoteAs = spec.asNumber ?? self.asNumber;
  const id = peer.metadata.name;
  if (spec.peerRange !== undefined) {
    const remote = { kind: 'range', prefix: spec.peerRange, maxPeers: spec.maxPeers } as const;
    const family = familyOf(spec.peerRange);
    return { targets: [{ id, remote, family, remoteAs, rank, field: 'spec.peerRange' }], problems };
  }
  if (spec.peerIP !== undefined) {
    const target = addressTarget(spec.peerIP, remoteAs, context);
    return { targets: target === undefined ? [] : [{ ...target, id, rank, field: 'spec.peerIP' }], problems };
  }
  if (spec.peerFrom !== undefined) return foundTarget(peer, remoteAs, context);
  if (spec.peerInterface !== undefined) return onLink(id, spec.peerInterface, remoteAs, rank, context);
  return { targets: [], problems };
}

export function selects({ spec }: BGPPeer, node: ClusterNode): boolean {
  if (spec.node !== undefined) return spec.node === node.name;
  return spec.nodeSelector === undefined || selectorMatches(spec.nodeSelector, node.labels);
}

function rankOf({ spec }: BGPPeer): number {
  if (spec.node !== undefined) return RANK.node;
  return spec.nodeSelector === undefined ? RANK.everyNode : RANK.selector;
}

function unknownNode({ spec, metadata }: BGPPeer, { nodes, input }: SessionContext): Problem[] {
  if (nodes.some((node) => node.name === spec.node) || input.refused?.ownOnly?.has('Node')) return [];
  return [
    {
      object: `BGPPeer ${metadata.name}`,
      field: 'spec.node',
      value: spec.node,
      message: 'is no Node of the cluster: nobody has this session',
      severity: 'warning',
    },
  ];
}

/** Undefined when the address is this node's own: one object may list every router of the cluster. */
function addressTarget(
  text: string,
  remoteAs: number | 'internal' | 'external',
  { self, nodes }: SessionContext,
): Omit<Target, 'id' | 'rank' | 'field'> | undefined {
  const { address, family, port, device } = parsePeerAddress(text);
  if (address === self.addresses[family]) return undefined;
  const node = nodes.find((other) => other.addresses[family] === address);
  const remote = {
    kind: 'address' as const,
    address,
    port: port ?? node?.listenPort ?? BGP_PORT,
    ...(device === undefined ? {} : { device }),
  };
  return { remote, family, remoteAs, ...(node === undefined ? {} : { node }) };
}

/** peerFrom: the neighbour's address differs from node to node. */
function foundTarget(
  peer: BGPPeer,
  remoteAs: number | 'internal' | 'external',
  context: SessionContext,
): { targets: Target[]; problems: Problem[] } {
  const { self, input } = context;
  const { defaultGateway, nodeAnnotation } = peer.spec.peerFrom ?? {};
  const name = peer.metadata.name;
  const rank = rankOf(peer);
  if (defaultGateway !== undefined) {
    const gateway = input.defaultGateways?.[defaultGateway];
    if (gateway === undefined) {
      const field = 'spec.peerFrom.defaultGateway';
      const why =
        input.defaultGateways === undefined
          ? 'the default routes of the node are not known here'
          : 'this node has no default route with a gateway';
      return lost(name, field, defaultGateway, why);
    }
    const text = withZone(gateway.address, needsZone(gateway.address) ? gateway.device : undefined);
    const target = addressTarget(text, remoteAs, context);
    return {
      targets: target === undefined ? [] : [{ ...target, id: name, rank, field: 'spec.peerFrom' }],
      problems: [],
    };
  }
  const annotation = nodeAnnotation === undefined ? undefined : self.annotations[nodeAnnotation];
  const address = annotation === undefined ? undefined : canonicalAddress(annotation);
  if (address === undefined) {
    const why =
      annotation === undefined
        ? 'has no such annotation'
        : `has "${annotation}" there, which is no IP address`;
    return lost(name, 'spec.peerFrom.nodeAnnotation', nodeAnnotation, `Node ${self.name} ${why}`);
  }
  const target = addressTarget(address, remoteAs, context);
  return {
    targets: target === undefined ? [] : [{ ...target, id: name, rank, field: 'spec.peerFrom' }],
    problems: [],
  };
}

function lost(
  name: string,
  field: string,
  value: unknown,
  why: string,
): { targets: Target[]; problems: Problem[] } {
  return {
    targets: [],
    problems: [{ object: `BGPPeer ${name}`, field, value, message: `finds no neighbour: ${why}` }],
  };
}

/** peerInterface: the neighbour is who advertises itself as a router there. */
function onLink(
  id: string,
  device: string,
  remoteAs: number | 'internal' | 'external',
  rank: number,
  { input: { heardLinks } }: SessionContext,
): { targets: Target[]; problems: Problem[]; why?: string } {
  const field = 'spec.peerInterface';
  const told = (message: string): Problem[] => [
    { object: `BGPPeer ${id}`, field, value: device, message, severity: 'warning' },
  ];
  if (heardLinks === undefined) {
    return { targets: [], problems: [], why: `who is heard on ${device} is known on the node only` };
  }
  const heard = heardLinks.get(device) ?? { state: 'deaf', why: 'this agent follows no links (--fib none)' };
  if (heard.state === 'absent' || heard.state === 'deaf' || heard.neighbour === undefined) {
    const { why, next } = unheard(device, heard);
    return { targets: [], problems: told(`has no neighbour: ${why}${next}`), why };
  }
  const { neighbour: address, other } = heard;
  const second = `leads to more than one router: ${address} is taken, which was heard first, and ${other} is not; a link of an unnumbered session has two ends`;
  const remote = { kind: 'address', address, device, port: BGP_PORT } as const;
  return {
    targets: [{ id, remote, family: 'ipv6', remoteAs, rank, field }],
    problems: other === undefined ? [] : told(second),
  };
}

function unheard(device: string, heard: HeardLink): { why: string; next: string } {
  switch (heard.state) {
    case 'absent':
      return { why: `this node has no link ${device}`, next: '; it is taken when it appears' };
    case 'deaf':
      return { why: `cannot listen on ${device}: ${heard.why}`, next: '' };
    case 'down':
      return { why: `link ${device} is down since ${heard.since}`, next: '' };
    case 'listening':
      return {
        why: `no router advertisement heard on ${device} since ${heard.since}`,
        next: '; is the neighbour one that sends them? On FRR: `neighbor IF interface remote-as external` under `router bgp`, or `no ipv6 nd suppress-ra` on its interface',
      };
  }
}

/** Both directions of a peerSelector; a pair of nodes that both directions name has one session a family. */
function nodeTargets(peer: BGPPeer, isOurs: boolean, context: SessionContext): Target[] {
  const { self, nodes } = context;
  const { spec, metadata } = peer;
  const peerSelector = spec.peerSelector ?? '';
  const forward = isOurs ? nodes.filter((node) => selectorMatches(peerSelector, node.labels)) : [];
  const isFound = spec.reversePeering === 'Auto' && selectorMatches(peerSelector, self.labels);
  const backward = isFound ? nodes.filter((node) => selects(peer, node) && !forward.includes(node)) : [];
  const targets: Target[] = [];
  for (const [members, rank] of [[forward, rankOf(peer)] as const, [backward, RANK.reversed] as const]) {
    const isReversed = members === backward;
    for (const node of members) {
      if (node.name === self.name) continue;
      for (const family of FAMILIES) {
        const address = node.addresses[family];
        if (address === undefined || self.addresses[family] === undefined) continue;
        targets.push({
          id: `${metadata.name}/${node.name}/${family}`,
          remote: { kind: 'address', address, port: node.listenPort },
          family,
          remoteAs: (isReversed ? spec.localASNumber : undefined) ?? node.asNumber,
          node,
          rank,
          field: 'spec.peerSelector',
          isReversed,
        });
      }
    }
  }
  return targets;
}

const OTHER_ROLES = {
  Provider: 'Customer',
  Customer: 'Provider',
  Peer: 'Peer',
  RouteServer: 'RouteServerClient',
  RouteServerClient: 'RouteServer',
} as const;
const OTHER_ADD_PATHS = { Send: 'Receive', Receive: 'Send', Both: 'Both', None: 'None' } as const;

/**
 * A BGPPeer with a peerSelector describes the session as the nodes have it that the object is for. The other side has the
 * counterpart of what is not the same at both ends: the role (RFC 9234 §4.2), the direction of add-path (RFC 7911 §4).
 */
function otherSide(spec: BGPPeerSpec): BGPPeerSpec {
  const { role, addPaths, routeReflectorClient: _, localASNumber: __, ...same } = spec;
  return {
    ...same,
    // Two that wait for one another never meet.
    passive: false,
    // Two that send one another all that they do not know themselves send it round and round.
    defaultOriginate: 'None',
    ...(role === undefined ? {} : { role: OTHER_ROLES[role] }),
    ...(addPaths === undefined ? {} : { addPaths: OTHER_ADD_PATHS[addPaths] }),
  };
}
