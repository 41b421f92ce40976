// The sending half of the simple model (model.ts): what one neighbour is told of one path, as text.
import { formatCommunity } from '../../message/index.ts';
import { OWN_AS } from './fake-session.ts';
import {
  apply,
  familyOf,
  halvesOf,
  isIbgp,
  keyOfUsed,
  LOCAL,
  type ModelPath,
  type ModelPeer,
  type Told,
} from './model-routes.ts';

/** A path in the words of FakeSession.held; undefined when it is not for that neighbour. */
export function exported(model: Told, path: ModelPath, to: ModelPeer): string | undefined {
  if (path.peer === to.id) return undefined;
  const from = model.peers.get(path.peer);
  const source = path.peer === LOCAL ? 'local' : isIbgp(from!) ? 'ibgp' : 'ebgp';
  const isReflected = source === 'ibgp' && isIbgp(to);
  const isClient = (peer: ModelPeer): boolean => isIbgp(peer) && peer.config.routeReflectorClient;
  if (isReflected && !isClient(from!) && !isClient(to)) return undefined;
  // What an operator gives a route of its own is for those who receive it.
  const has = (community: number): boolean =>
    source !== 'local' && path.a.communities?.includes(community) === true;
  if (has(0xffffff02)) return undefined;
  if (!isIbgp(to) && (has(0xffffff01) || has(0xffffff03))) return undefined;
  const role = isIbgp(to) ? undefined : to.config.role;
  const isUpwards = role === 'customer' || role === 'peer' || role === 'rs-client';
  if (isUpwards && path.a.otc !== undefined) return undefined;
  const a = apply(to.config.export, path.prefix, { ...path.a, isMedSet: false }, source);
  if (a === undefined) return undefined;
  const nextHop = nextHopFor(model, path, a.givenHop, to);
  if (nextHop === undefined) return undefined;

  const isTransparent = !isIbgp(to) && to.config.routeServerClient;
  const localAs = to.localAs ?? OWN_AS;
  const isOursToTell = role === 'provider' || role === 'rs' || role === 'peer';
  const keptPath = isIbgp(to) || !to.config.removePrivateAs ? a.path : a.path.filter((as) => !isPrivate(as));
  const sendsMed = isIbgp(to) || isTransparent || source === 'local' || a.isMedSet === true;
  const otc = a.otc ?? (isOursToTell ? localAs : undefined);
  return [
    `nh=${nextHop}`,
    `path=${(isIbgp(to) || isTransparent ? keptPath : [localAs, ...keptPath]).join(',')}`,
    ...(isIbgp(to) ? [`lp=${a.localPref ?? 100}`] : []),
    ...(a.med !== undefined && sendsMed ? [`med=${a.med}`] : []),
    ...(a.communities === undefined ? [] : [`comm=${a.communities.map(formatCommunity).join(',')}`]),
    ...(isReflected
      ? [
          `orig=${a.originator ?? from!.routerId}`,
          `cl=${[model.clusterId, ...(a.clusterList ?? [])].join(',')}`,
        ]
      : []),
    ...(otc === undefined ? [] : [`otc=${otc}`]),
  ].join(' ');
}

/** The next hop that goes out, all of it; undefined when there is none that this neighbour could use. */
function nextHopFor(
  model: Told,
  path: ModelPath,
  given: string | undefined,
  to: ModelPeer,
): string | undefined {
  const isIpv4 = familyOf(path.prefix) === 'ipv4';
  const takesIpv6 = to.negotiated?.extendedNextHop === true;
  if (given === 'self') return ownNextHop(to, isIpv4);
  if (given === 'peer') return undefined;
  if (given !== undefined) {
    const isRead = given.includes(':') ? !isIpv4 || takesIpv6 : isIpv4;
    return isRead && given !== to.address ? given : undefined;
  }
  const isTransparent = !isIbgp(to) && to.config.routeServerClient;
  const { nextHop } = to.config;
  const isAuto = isIbgp(to) && nextHop === 'auto';
  const keeps = isTransparent || nextHop === 'keep' || isAuto;
  if (path.peer === LOCAL || !keeps) return ownNextHop(to, isIpv4);
  const hop = path.a.nextHop;
  if (isIpv4 && hop.includes(':') && !takesIpv6) return undefined;
  const { global, linkLocal } = halvesOf(hop);
  let out = hop;
  if (linkLocal !== undefined) {
    // RFC 2545 section 3: a link-local address means something on its link only.
    const link = model.peers.get(path.peer)!.device;
    const isShared = link !== undefined && link === (to.device ?? to.negotiated?.sharedLink?.device);
    if (!isShared) {
      if (global === undefined) return isAuto ? ownNextHop(to, isIpv4) : undefined;
      out = global;
    }
  }
  return model.hopKey(path) === keyOfUsed(to.address, to.device) ? undefined : out;
}

/** RFC 4271 section 5.1.3: to another AS on a shared link an address on it, else the node's. */
function ownNextHop(to: ModelPeer, isIpv4: boolean): string | undefined {
  const { localAddress: local, config } = to;
  const isShared = !isIbgp(to) && (config.ttl.kind === 'direct' || to.negotiated?.sharedLink !== undefined);
  const name = isIpv4 ? 'ipv4' : 'ipv6';
  const nodes = config.nextHopSelf[name];
  const links = isShared ? to.negotiated?.sharedLink?.[name] : undefined;
  const takesIpv6 = to.negotiated?.extendedNextHop === true;
  if (!isIpv4 && local.startsWith('fe80')) return [links ?? nodes, local].filter(Boolean).join(' ');
  const isOwnFirst = isShared || config.nextHop === 'self';
  if (local.includes(':') === !isIpv4) return isOwnFirst ? local : (nodes ?? local);
  const overIpv6 = isIpv4 && takesIpv6 ? local : undefined;
  return isOwnFirst ? (overIpv6 ?? links ?? nodes) : (nodes ?? overIpv6);
}

/** RFC 6996. */
function isPrivate(as: number): boolean {
  return (as >= 64512 && as <= 65534) || as >= 4200000000;
}
