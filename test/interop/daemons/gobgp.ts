// GoBGP, spoken to by its command line in JSON.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Family, familyOf } from '#ip';
import { GOBGP } from '../../testing/routers.ts';
import {
  type Announcement,
  type Capability,
  canonicalRoute,
  type Daemon,
  type DaemonConfig,
  type DaemonKind,
  NO_ROLES,
  ONE_FORM,
  type PeerSetup,
  type Route,
  type SessionView,
} from './daemon.ts';
import { AS_TRANS, bandwidthText } from './link-bandwidth.ts';
import { DaemonProcess } from './process.ts';

export const gobgp: DaemonKind = {
  name: 'gobgp',
  title: 'GoBGP',
  ...GOBGP,
  lacks: {
    bandwidthForms: ONE_FORM,
    weighedPaths: 'puts no routes into the kernel by itself',
    reflectorPeer:
      'adds ORIGINATOR_ID and its cluster ID only for its clients: our agent is one of them here',
    ...{ roles: NO_ROLES, oneSidedRole: NO_ROLES },
    clusterCheck: 'looks for its cluster ID only in what it sends to clients',
    refreshRequest: 'no command of GoBGP sends a ROUTE-REFRESH',
    hardReset:
      'sends a plain Cease when an operator disables a neighbour, which keeps routes (RFC 8538 section 3)',
  },
  start: (config) => Gobgp.start(config),
};

class Gobgp extends DaemonProcess implements Daemon {
  readonly name = 'gobgp';
  /** That sets its link bandwidth, of each prefix that has had one. */
  readonly #policies = new Map<string, string | undefined>();
  #names = 0;

  static async start(config: DaemonConfig): Promise<Gobgp> {
    const gobgp = new Gobgp(config);
    await gobgp.ready(8000, () => gobgp.answers('gobgp', 'neighbor'));
    if (config.again !== undefined) {
      // A session that is up before has its End-of-RIB without them.
      await gobgp.announce(config.again);
      for (const { remoteAddress } of config.peers) gobgp.run('gobgp', 'neighbor', remoteAddress, 'enable');
    }
    return gobgp;
  }

  constructor(config: DaemonConfig) {
    const file = join(config.folder, 'gobgpd.toml');
    writeFileSync(file, configText(config));
    const command = ['gobgpd', '-f', file, '--log-level', 'debug', '--api-hosts', '127.0.0.1:50051'];
    super(config, config.again === undefined ? command : [...command, '--graceful-restart']);
  }

  async sessions(): Promise<SessionView[]> {
    const all = this.#neighbours();
    return this.config.peers.map(({ remoteAddress, families }) => {
      const peer = all.get(remoteAddress);
      const hold = peer?.timers?.state?.negotiated_hold_time;
      const names = JSON.stringify(peer?.state?.remote_cap ?? []);
      const capabilities: [Capability, RegExp][] = [
        ['four-byte-as', /FourOctetASN|FourOctetAs/i],
        ['route-refresh', /RouteRefresh/i],
        ['extended-next-hop', /ExtendedNexthop/i],
      ];
      return {
        remoteAddress,
        state: String(peer?.state?.session_state ?? 'unknown'),
        // 6 is ESTABLISHED in GoBGP's API.
        isEstablished: peer?.state?.session_state === 6,
        ...(peer?.state?.peer_asn === undefined ? {} : { remoteAs: peer.state.peer_asn }),
        ...(peer?.state?.router_id === undefined ? {} : { remoteRouterId: peer.state.router_id }),
        ...(hold === undefined ? {} : { holdTimeSeconds: hold }),
        capabilities: capabilities.filter(([, pattern]) => pattern.test(names)).map(([name]) => name),
        ...restartView(peer?.state?.remote_cap, families),
      };
    });
  }

  async routes(family: Family): Promise<Route[]> {
    const table = (this.#json('global', 'rib', '-a', family) ?? {}) as Record<string, GobgpPath[]>;
    const routes: Route[] = [];
    for (const [prefix, paths] of Object.entries(table)) {
      for (const path of paths) {
        if (path['source-id'] === undefined) continue;
        const of = (type: number) => path.attrs.find((a) => a.type === type);
        const reach = of(14);
        routes.push(
          canonicalRoute({
            prefix,
            nextHop: String(of(3)?.nexthop ?? reach?.nexthop ?? ''),
            asPath: (of(2)?.as_paths ?? []).map(segmentText).join(' '),
            origin: (['igp', 'egp', 'incomplete'] as const)[Number(of(1)?.value ?? 2)] ?? 'incomplete',
            med: of(4)?.metric,
            localPref: of(5)?.value as number | undefined,
            communities: (of(8)?.communities ?? []).map((c) => `${c >>> 16}:${c & 0xffff}`),
            largeCommunities: (
              of(32)?.value as { ASN: number; LocalData1: number; LocalData2: number }[] | undefined
            )?.map((c) => `${c.ASN}:${c.LocalData1}:${c.LocalData2}`),
            extendedCommunities: (of(16)?.value as GobgpExtended[] | undefined)?.map(extendedText),
            originatorId: of(9)?.value as string | undefined,
            clusterList: of(10)?.value as string[] | undefined,
            otc: undefined,
          }),
        );
      }
    }
    return routes;
  }

  async announce(announcements: readonly Announcement[]): Promise<void> {
    for (const a of announcements) {
      const args = [a.prefix, 'origin', 'igp', 'nexthop', a.nextHop];
      if (a.med !== undefined) args.push('med', String(a.med));
      if (a.communities?.length) args.push('community', a.communities.join(','));
      if (a.largeCommunities?.length) args.push('large-community', a.largeCommunities.join(','));
      for (const c of a.extendedCommunities ?? []) args.push(...c.split(/:(.*)/, 2));
      const isChanged = this.#policies.has(a.prefix);
      this.#setBandwidth(a);
      this.run('gobgp', 'global', 'rib', 'add', ...args, '-a', familyOf(a.prefix));
      // It does not ask policies again for a route that is the same as before.
      if (!isChanged) continue;
      for (const { remoteAddress } of this.config.peers)
        this.run('gobgp', 'neighbor', remoteAddress, 'softresetout');
    }
  }

  /** By a policy, as its command for routes takes none. */
  #setBandwidth({ prefix, linkBandwidth }: Announcement): void {
    const before = this.#policies.get(prefix);
    if (before !== undefined) this.run('gobgp', 'global', 'policy', 'export', 'del', before);
    if (before !== undefined) this.#policies.set(prefix, undefined);
    if (linkBandwidth === undefined) return;
    // One that was used cannot be used again.
    const name = `bandwidth${++this.#names}`;
    const policy = (...words: string[]) => this.run('gobgp', 'policy', ...words);
    policy('prefix', 'add', name, prefix);
    policy('statement', name, 'add', 'condition', 'prefix', name, 'any');
    policy('statement', name, 'add', 'action', 'ext-community', 'add', `lb:${AS_TRANS}:${linkBandwidth}`);
    policy('add', name, name);
    this.run('gobgp', 'global', 'policy', 'export', 'add', name, 'default', 'accept');
    this.#policies.set(prefix, name);
  }

  async withdraw(prefixes: readonly string[]): Promise<void> {
    for (const prefix of prefixes) this.run('gobgp', 'global', 'rib', 'del', prefix, '-a', familyOf(prefix));
  }

  async updatesFrom(remoteAddress: string): Promise<number> {
    return this.#neighbours().get(remoteAddress)?.state?.messages?.received?.update ?? 0;
  }

  #neighbours(): Map<string, GobgpNeighbour> {
    const all = (this.#json('neighbor') ?? []) as GobgpNeighbour[];
    return new Map(all.map((p) => [p.conf?.neighbor_address ?? p.state?.neighbor_address ?? '', p]));
  }

  async refresh(remoteAddress: string): Promise<void> {
    this.run('gobgp', 'neighbor', remoteAddress, 'softresetin');
  }

  async hardReset(remoteAddress: string): Promise<void> {
    this.run('gobgp', 'neighbor', remoteAddress, 'disable');
  }

  /** Else it waits 240 s for an OPEN that it dropped itself. */
  async retry(remoteAddress: string): Promise<void> {
    this.run('gobgp', 'neighbor', remoteAddress, 'disable');
    this.run('gobgp', 'neighbor', remoteAddress, 'enable');
  }

  #json(...args: string[]): unknown {
    const text = this.run('gobgp', '-j', ...args);
    return text.trim() === '' ? undefined : JSON.parse(text);
  }
}

interface GobgpNeighbour {
  readonly conf?: { readonly neighbor_address?: string };
  readonly state?: {
    readonly neighbor_address?: string;
    readonly session_state?: number;
    readonly peer_asn?: number;
    readonly router_id?: string;
    readonly remote_cap?: readonly GobgpCapability[];
    readonly messages?: { readonly received?: { readonly update?: number } };
  };
  readonly timers?: { readonly state?: { readonly negotiated_hold_time?: number } };
}

/** Its value is protobuf (gobgp's capability.proto) in base64. */
interface GobgpCapability {
  readonly type_url: string;
  readonly value?: string;
}

interface GobgpAttribute {
  readonly type: number;
  readonly value?: unknown;
  readonly nexthop?: string;
  readonly metric?: number;
  readonly communities?: readonly number[];
  readonly as_paths?: readonly { readonly segment_type: number; readonly asns: readonly number[] }[];
}

interface GobgpExtended {
  readonly type: number;
  readonly subtype: number;
  readonly value?: string;
  /** Of a link bandwidth. */
  readonly asn?: number;
  readonly bandwidth?: number;
}

interface GobgpPath {
  readonly attrs: readonly GobgpAttribute[];
  readonly 'source-id'?: string;
}

/** Field 1 of GracefulRestartCapability is its flags, and field 2 of a tuple too: 0x80 in the two octets of a varint. */
function restartView(
  capabilities: readonly GobgpCapability[] | undefined,
  families: readonly Family[],
): Pick<SessionView, 'restart'> {
  const found = capabilities?.find((one) => one.type_url.endsWith('.GracefulRestartCapability'));
  if (found === undefined) return {};
  const value = Buffer.from(found.value ?? '', 'base64');
  const flags = value[0] === 0x08 ? (value[1] ?? 0) : 0;
  const isKept = value.includes(Buffer.from([0x10, 0x80, 0x01]));
  return { restart: { isRestarting: (flags & 8) !== 0, kept: isKept ? families : [] } };
}

function extendedText({ type, subtype, value, asn, bandwidth }: GobgpExtended): string {
  if (asn !== undefined && bandwidth !== undefined) return bandwidthText(type === 0, asn, bandwidth);
  return `${type === 0 && subtype === 2 ? 'rt' : `${type}.${subtype}`}:${value}`;
}

function segmentText(segment: { segment_type: number; asns: readonly number[] }): string {
  const text = segment.asns.join(' ');
  return segment.segment_type === 1 ? `{${text}}` : text;
}

function configText({ asNumber, routerId, clusterId, peers, again }: DaemonConfig): string {
  const head = `[global.config]\n  as = ${asNumber}\n  router-id = "${routerId}"\n`;
  return head + peers.map((peer) => sessionText(peer, again !== undefined, clusterId)).join('');
}

function sessionText(peer: PeerSetup, isDisabled: boolean, clusterId = ''): string {
  const families = peer.families.map(
    (f) =>
      `  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = "${f}-unicast"\n${
        peer.maxPrefixes === undefined
          ? ''
          : `    [neighbors.afi-safis.prefix-limit.config]\n      max-prefixes = ${peer.maxPrefixes}\n`
      }${peer.addPaths === true ? ADD_PATHS : ''}${mpRestartText(peer)}`,
  );
  return `[[neighbors]]
  [neighbors.config]
    neighbor-address = "${peer.remoteAddress}"
    peer-as = ${peer.remoteAs}
    admin-down = ${isDisabled}
${peer.md5Key === undefined ? '' : `    auth-password = "${peer.md5Key}"\n`}  [neighbors.transport.config]
    local-address = "${peer.localAddress}"
    passive-mode = ${peer.passive === true}
  [neighbors.timers.config]
    connect-retry = 2
    idle-hold-time-after-reset = 1
    hold-time = ${peer.holdTimeSeconds}
    keepalive-interval = ${Math.floor(peer.holdTimeSeconds / 3)}
${peer.gtsm === true ? '  [neighbors.ttl-security.config]\n    enabled = true\n    ttl-min = 255\n' : ''}${peer.isClient === true ? clientText(clusterId) : ''}${restartText(peer)}${families.join('')}`;
}

const ADD_PATHS = `    [neighbors.afi-safis.add-paths.config]
      receive = true
      send-max = 8
`;

function clientText(clusterId: string): string {
  return `  [neighbors.route-reflector.config]
    route-reflector-client = true
    route-reflector-cluster-id = "${clusterId}"
`;
}

function restartText({ restart }: PeerSetup): string {
  if (restart === undefined) return '';
  return `  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = ${restart.seconds}
    notification-enabled = true
    long-lived-enabled = ${restart.longLivedSeconds !== undefined}
`;
}

function mpRestartText({ restart }: PeerSetup): string {
  if (restart === undefined) return '';
  const short = '    [neighbors.afi-safis.mp-graceful-restart.config]\n      enabled = true\n';
  if (restart.longLivedSeconds === undefined) return short;
  return `${short}    [neighbors.afi-safis.long-lived-graceful-restart.config]
      enabled = true
      restart-time = ${restart.longLivedSeconds}
`;
}
