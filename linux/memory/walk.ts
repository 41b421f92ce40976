// Where a packet goes, hop by hop, through kernels in memory that are wired together: longest match in each (rules in
// their order), the neighbour on the link (entries first, then whoever has the address there, also across bridges), and
// forwarding only where it is switched on. Of several next hops every one is tried: one that leads into a hole is one for
// some of the traffic. What comes from a pod has to have a source address of it (pod-sources.ts). Not looked at: rp_filter,
// MTU.
import { familyOf } from '#ip';
import type { Link, Route } from '../kernel.ts';
import type { MemoryKernel } from './memory-kernel.ts';

export type WalkEnd =
  | { readonly kind: 'arrived' }
  /** a router answers that it has no way (`unreachable` and `prohibit` routes) */
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'hole'; readonly why: string }
  | { readonly kind: 'loop' };

export interface Walk {
  readonly end: WalkEnd;
  /** The last kernel that the packet came to. */
  readonly at: MemoryKernel;
  /** Links that the packet left by, in their order. */
  readonly hops: readonly WalkHop[];
  /** The link that it came to `at` by; undefined where it began. */
  readonly cameIn?: Link;
}

export interface WalkHop {
  readonly kernel: MemoryKernel;
  readonly device: string;
  readonly gateway?: string;
}

interface Attached {
  readonly kernel: MemoryKernel;
  readonly link: Link;
}

/** What does not change on the way. */
interface Packet {
  readonly destination: string;
  /** Asked for only where it counts. */
  readonly source: () => string | undefined;
}

/**
 * The way that does not arrive, when there is one; else the first.
 *
 * @param source default: what the sender's kernel chooses
 */
export function walk(from: MemoryKernel, destination: string, source?: string): Walk {
  return step(from, undefined, { destination, source: () => source ?? from.sourceTo(destination) }, []);
}

/** 'n1 eth0, tor eth3 via 10.0.0.2: arrived at n2', for messages. */
export function walkText({ end, at, hops }: Walk): string {
  const way = hops.map(
    (hop) => `${hop.kernel.name} ${hop.device}${hop.gateway === undefined ? '' : ` via ${hop.gateway}`}`,
  );
  return `${way.join(', ')}: ${end.kind} at ${at.name}${end.kind === 'hole' ? `, ${end.why}` : ''}`;
}

function step(at: MemoryKernel, cameIn: Link | undefined, packet: Packet, hops: readonly WalkHop[]): Walk {
  const ends = (end: WalkEnd): Walk => ({ end, at, hops, ...(cameIn === undefined ? {} : { cameIn }) });
  const hole = (why: string) => ends({ kind: 'hole', why });
  const { destination } = packet;
  if (cameIn !== undefined && at.podTable.looksAt(cameIn.name)) {
    const source = packet.source();
    const dropped = at.podTable.take(cameIn.name, source ?? '', destination);
    if (dropped !== undefined) return hole(`${source} is no address of the pod behind ${cameIn.name}`);
  }
  const route = at.routeTo(destination);
  if (route?.type === 'local') return ends({ kind: 'arrived' });
  if (hops.some((hop) => hop.kernel === at)) return ends({ kind: 'loop' });
  if (cameIn !== undefined && !at.sysctl.isForwarding(familyOf(destination), cameIn.name)) {
    return hole('it does not forward');
  }
  if (route === undefined) return hole('no route');
  if (route.type === 'unreachable' || route.type === 'prohibit') return ends({ kind: 'unreachable' });
  if (route.type !== 'unicast') return hole(`a ${route.type} route to ${route.destination}`);
  const ways = route.nextHops.map((hop) => leave(at, route, hop, packet, hops));
  return ways.find((way) => way.end.kind !== 'arrived') ?? ways[0] ?? hole('a route without next hop');
}

function leave(
  at: MemoryKernel,
  route: Route,
  hop: Route['nextHops'][number],
  packet: Packet,
  hops: readonly WalkHop[],
): Walk {
  const { gateway, deviceIndex = 0 } = hop;
  const hole = (why: string): Walk => ({ end: { kind: 'hole', why }, at, hops });
  const link = at.linkAt(deviceIndex);
  if (link === undefined || !link.up || !link.carrier)
    return hole(`${hop.device} of ${route.destination} is down`);
  const target = gateway ?? packet.destination;
  const mac = at.macOf(link.index, target);
  const next = attachedTo(at, link).find((other) =>
    mac === undefined ? other.kernel.hasAddress(target) : other.link.mac === mac,
  );
  if (next === undefined) return hole(`nobody answers for ${target} on ${link.name}`);
  const way = { kernel: at, device: link.name, ...(gateway === undefined ? {} : { gateway }) };
  return step(next.kernel, next.link, packet, [...hops, way]);
}

/** Who hears what leaves by this link: its other end, or all ports' of the bridges in between. */
export function attachedTo(kernel: MemoryKernel, link: Link): readonly Attached[] {
  const found: Attached[] = [];
  const bridges = new Set<Link>();
  const hear = (at: MemoryKernel, heard: Link): void => {
    if (!heard.up) return;
    const bridge = heard.master === undefined ? undefined : at.linkAt(heard.master);
    if (bridge === undefined) found.push({ kernel: at, link: heard });
    else if (bridge.up) {
      found.push({ kernel: at, link: bridge });
      flood(at, bridge, heard.index);
    }
  };
  const flood = (at: MemoryKernel, bridge: Link, exceptPort: number): void => {
    if (bridges.has(bridge)) return;
    bridges.add(bridge);
    for (const port of at.portsOf(bridge.index)) if (port.index !== exceptPort) send(at, port);
  };
  const send = (at: MemoryKernel, port: Link): void => {
    const other = port.up && port.carrier ? at.otherEnd(port.index) : undefined;
    if (other !== undefined) hear(other.kernel, other.link);
  };
  if (link.kind === 'bridge') flood(kernel, link, 0);
  else send(kernel, link);
  return found;
}
