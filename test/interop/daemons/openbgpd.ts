// OpenBGPD's portable edition, spoken to by bgpctl in JSON.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Family } from '#ip';
import { OPENBGPD } from '../../testing/routers.ts';
import {
  type Announcement,
  type Capability,
  canonicalRoute,
  type Daemon,
  type DaemonConfig,
  type DaemonKind,
  type PeerSetup,
  type Route,
  type SessionView,
} from './daemon.ts';
import { bandwidthIn } from './link-bandwidth.ts';
import { DaemonProcess } from './process.ts';

const NO_EXTENDED = 'no command of bgpctl adds extended communities';

export const openbgpd: DaemonKind = {
  name: 'openbgpd',
  title: 'OpenBGPD',
  ...OPENBGPD,
  dropsTo: '_bgpd',
  lacks: {
    extendedNextHop: 'RFC 8950 came with OpenBGPD 8',
    oneSidedRole: 'minds its role only when the neighbour says one, too',
    ...{ announcesExtended: NO_EXTENDED, zeroBandwidth: NO_EXTENDED },
    weighedPaths: 'has no multipath',
  },
  start: (config) => Openbgpd.start(config),
};

class Openbgpd extends DaemonProcess implements Daemon {
  readonly name = 'openbgpd';

  static async start(config: DaemonConfig): Promise<Openbgpd> {
    const openbgpd = new Openbgpd(config);
    await openbgpd.ready(5000, () => openbgpd.answers(...openbgpd.#bgpctl('show', 'summary')));
    return openbgpd;
  }

  constructor(config: DaemonConfig) {
    const file = join(config.folder, 'bgpd.conf');
    writeFileSync(file, configText(config), { mode: 0o600 });
    // Its three processes shut themselves in here; the package makes it only when its service starts.
    mkdirSync('/run/openbgpd', { recursive: true });
    super(config, ['/usr/sbin/bgpd', '-d', '-f', file]);
  }

  /** The session engine, a child of the process that was started. */
  override get pid(): number {
    const pid = super.pid;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    const engine = children.find((child) =>
      readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0').includes('-S'),
    );
    if (engine === undefined) throw new Error(`OpenBGPD ${pid} has no session engine`);
    return engine;
  }

  async sessions(): Promise<SessionView[]> {
    const all = this.#json('show', 'neighbor') as { neighbors: OpenbgpdNeighbour[] };
    return this.config.peers.map(({ remoteAddress }) => {
      const peer = all.neighbors.find((p) => p.remote_addr === remoteAddress);
      const their = peer?.session?.remote?.capabilities;
      const capabilities: Capability[] = [];
      if (their?.as4byte === true) capabilities.push('four-byte-as');
      if (their?.refresh === true) capabilities.push('route-refresh');
      if (their?.multiprotocol?.includes('IPv4 unicast')) capabilities.push('ipv4');
      if (their?.multiprotocol?.includes('IPv6 unicast')) capabilities.push('ipv6');
      return {
        remoteAddress,
        state: peer?.state ?? 'unknown',
        isEstablished: peer?.state === 'Established',
        ...(peer?.remote_as === undefined ? {} : { remoteAs: Number(peer.remote_as) }),
        ...(peer?.bgpid === undefined ? {} : { remoteRouterId: peer.bgpid }),
        ...(peer?.session?.holdtime === undefined ? {} : { holdTimeSeconds: peer.session.holdtime }),
        capabilities,
      };
    });
  }

  async routes(family: Family): Promise<Route[]> {
    const all = this.#json('show', 'rib', family === 'ipv4' ? 'inet' : 'inet6', 'detail') as {
      rib?: OpenbgpdRoute[];
    };
    const learned = (all.rib ?? []).filter((r) => r.valid === true && r.neighbor?.description !== 'LOCAL');
    return learned.map((r) => {
      const values = (name: string) => r.attributes?.find((a) => a.type === name);
      // A reflector adds its own when it receives a route, not when it sends it.
      const { clusterId } = this.config;
      const clusters = (values('Cluster Id List')?.cluster_list ?? []).filter((id) => id !== clusterId);
      const isOwn = clusterId !== undefined && clusters.length === 0;
      return canonicalRoute({
        prefix: r.prefix,
        nextHop: r.exit_nexthop ?? '',
        asPath: r.aspath ?? '',
        origin: r.origin.toLowerCase() as Route['origin'],
        med: r.metric,
        localPref: r.localpref,
        communities: r.communities,
        largeCommunities: r.large_communities,
        extendedCommunities: r.extended_communities?.map(extendedText),
        originatorId: isOwn ? undefined : values('Originator Id')?.originator,
        clusterList: clusters,
        otc: values('OTC')?.as,
      });
    });
  }

  async announce(announcements: readonly Announcement[]): Promise<void> {
    for (const a of announcements) {
      const args = ['network', 'add', a.prefix, 'nexthop', a.nextHop];
      if (a.med !== undefined) args.push('metric', String(a.med));
      for (const c of a.communities ?? []) args.push('community', c);
      for (const c of a.largeCommunities ?? []) args.push('large-community', c);
      this.run(...this.#bgpctl(...args));
    }
  }

  async withdraw(prefixes: readonly string[]): Promise<void> {
    for (const prefix of prefixes) this.run(...this.#bgpctl('network', 'delete', prefix));
  }

  async updatesFrom(remoteAddress: string): Promise<number> {
    const { neighbors } = this.#json('show', 'neighbor') as { neighbors: OpenbgpdNeighbour[] };
    return neighbors.find((p) => p.remote_addr === remoteAddress)?.stats?.message?.received?.updates ?? 0;
  }

  async refresh(remoteAddress: string): Promise<void> {
    this.run(...this.#bgpctl('neighbor', remoteAddress, 'refresh'));
  }

  /** Else it rests for 30 s, doubled each time, or waits 240 s for an OPEN that it dropped itself. */
  async retry(remoteAddress: string): Promise<void> {
    this.run(...this.#bgpctl('neighbor', remoteAddress, 'down'));
    this.run(...this.#bgpctl('neighbor', remoteAddress, 'up'));
  }

  #bgpctl(...args: string[]): string[] {
    return ['bgpctl', '-s', this.file('sock'), ...args];
  }

  #json(...args: string[]): unknown {
    return JSON.parse(this.run(...this.#bgpctl('-j', ...args)));
  }
}

interface OpenbgpdNeighbour {
  readonly remote_addr?: string;
  readonly remote_as?: string | number;
  readonly bgpid?: string;
  readonly state?: string;
  readonly stats?: { readonly message?: { readonly received?: { readonly updates?: number } } };
  readonly session?: {
    readonly holdtime?: number;
    readonly remote?: { readonly capabilities?: OpenbgpdCapabilities };
  };
}

interface OpenbgpdCapabilities {
  readonly as4byte?: boolean;
  readonly refresh?: boolean;
  readonly multiprotocol?: readonly string[];
}

interface OpenbgpdRoute {
  readonly prefix: string;
  /** May be used: no loop, and its next hop is known. */
  readonly valid?: boolean;
  readonly aspath?: string;
  readonly exit_nexthop?: string;
  readonly neighbor?: { readonly description?: string };
  readonly origin: string;
  readonly metric?: number;
  readonly localpref?: number;
  readonly communities?: readonly string[];
  readonly large_communities?: readonly string[];
  readonly extended_communities?: readonly string[];
  readonly attributes?: readonly {
    readonly type: string;
    readonly originator?: string;
    readonly as?: number;
    readonly cluster_list?: readonly string[];
  }[];
}

/** It shows a link bandwidth as '[4] 23456:1290693416', one that stays in the AS without its value. */
function extendedText(text: string): string {
  const [, as, low] = /^\[4\] (\d+):(\d+)$/.exec(text) ?? [];
  return bandwidthIn(as === undefined ? -1 : 0x0004, Number(as), Number(low)) ?? text.replace(' ', ':');
}

function configText({ asNumber, routerId, clusterId, peers, folder }: DaemonConfig): string {
  const global = [
    `AS ${asNumber}`,
    `router-id ${routerId}`,
    `socket "${join(folder, 'sock')}"`,
    'fib-update no',
    'nexthop qualify via default',
    ...['0.0.0.0', '::'].map((any) => `listen on ${any}`),
  ];
  const sessions = peers.map((p) => sessionText(p, clusterId));
  // The last match wins: everything may pass (RFC 8212 blocks it else).
  const rules = ['allow from any', 'allow to any'];
  return `${[...global, ...sessions, ...rules].join('\n')}\n`;
}

function sessionText(peer: PeerSetup, clusterId = ''): string {
  const options = [
    `remote-as ${peer.remoteAs}`,
    `local-address ${peer.localAddress}`,
    `holdtime ${peer.holdTimeSeconds}`,
    ...(['ipv4', 'ipv6'] as const).map(
      (f) => `announce ${f === 'ipv4' ? 'IPv4' : 'IPv6'} ${peer.families.includes(f) ? 'unicast' : 'none'}`,
    ),
    peer.md5Key === undefined ? '' : `tcp md5sig password ${peer.md5Key}`,
    peer.gtsm === true ? 'ttl-security yes' : '',
    peer.passive === true ? 'passive' : '',
    peer.role === undefined ? '' : `announce policy ${peer.role}`,
    peer.isClient === true ? `route-reflector ${clusterId}` : '',
    ...(peer.addPaths === true ? ['announce add-path recv yes', 'announce add-path send all'] : []),
    peer.maxPrefixes === undefined ? '' : `max-prefix ${peer.maxPrefixes}`,
  ];
  return `neighbor ${peer.remoteAddress} {\n  ${options.filter((o) => o !== '').join('\n  ')}\n}`;
}
