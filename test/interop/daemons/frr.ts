// FRR: zebra (for the interfaces), bgpd, and bfdd where BFD is wanted, spoken to by vtysh.
import { FAMILIES, type Family, familyOf } from '#ip';
import { waitUntil } from '#world';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FRR } from '../../testing/routers.ts';
import { frrCommand, type HostProcess } from '#lab';
import {
  type Announcement,
  type BfdSetup,
  canonicalRoute,
  type Daemon,
  type DaemonConfig,
  type DaemonKind,
  ONE_FORM,
  type PeerSetup,
  type RestartView,
  type Route,
  type SessionView,
} from './daemon.ts';
import { isExternal } from './link-bandwidth.ts';
import { DaemonProcess } from './process.ts';

export const frr: DaemonKind = {
  name: 'frr',
  title: 'FRR',
  ...FRR,
  dropsTo: 'frr',
  lacks: {
    ...{ zeroBandwidth: 'sets 1 to 25,600 Mbit/s', bandwidthForms: ONE_FORM },
    bfdKey: 'has no authentication in BFD',
    ceaseOnStop: 'ends its connections without a word when it is stopped, as graceful restart was agreed',
  },
  start: (config) => Frr.start(config),
};

class Frr extends DaemonProcess implements Daemon {
  readonly name = 'frr';
  readonly #zebra: HostProcess;
  #bfdd: HostProcess | undefined;

  static async start(config: DaemonConfig): Promise<Frr> {
    const { host, folder } = config;
    const at = (name: string) => join(folder, name);
    // vtysh wants a folder of its own configuration.
    mkdirSync(at('vtysh'), { recursive: true });
    for (const left of ['zserv.api', 'bgpd.vty', 'bfdd.vty', 'bfdd.sock']) rmSync(at(left), { force: true });
    writeFileSync(at('vtysh/vtysh.conf'), 'no service integrated-vtysh-config\n');
    writeFileSync(at('zebra.conf'), 'no ip forwarding\nno ipv6 forwarding\n');
    writeFileSync(at('bgpd.conf'), configText(config));
    // Both drop to this user before they open their sockets.
    host.run(['chown', '-R', 'frr:frr', folder]);
    const zebra = host.spawn(frrCommand(folder, 'zebra'));
    // bgpd needs zebra's interfaces from its first session on: without, it refuses IPv6 next hops with a link-local one.
    await waitUntil('zebra', 5000, () => existsSync(at('zserv.api')));
    const bfdd = config.peers[0]?.bfd && (await startBfdd(config, config.peers[0].bfd));
    const frr = new Frr(config, zebra, bfdd);
    await frr.ready(5000, () => existsSync(at('bgpd.vty')));
    await frr.ready(5000, () => frr.#vtysh('show bgp summary json') !== '');
    return frr;
  }

  constructor(config: DaemonConfig, zebra: HostProcess, bfdd: HostProcess | undefined) {
    super(config, [...frrCommand(config.folder, 'bgpd'), ...(config.sharesTraffic === true ? [] : ['-n'])]);
    this.#zebra = zebra;
    this.#bfdd = bfdd;
  }

  get bfdPid(): number | undefined {
    return this.#bfdd?.pid;
  }

  async sessions(): Promise<SessionView[]> {
    const all = JSON.parse(this.#vtysh('show bgp neighbors json')) as Record<string, FrrNeighbour>;
    const watched = this.#bfdd === undefined ? [] : this.#bfdPeers();
    return this.config.peers.map(({ remoteAddress }) => {
      const peer = all[remoteAddress] ?? {};
      const capabilities = peer.neighborCapabilities ?? {};
      const has = (name: string, ...values: string[]) => values.includes(String(capabilities[name]));
      const family = (name: string) =>
        JSON.stringify(capabilities['multiprotocolExtensions'] ?? {}).includes(name);
      return {
        remoteAddress,
        state: peer.bgpState ?? 'unknown',
        isEstablished: peer.bgpState === 'Established',
        ...(peer.remoteAs === undefined ? {} : { remoteAs: peer.remoteAs }),
        ...(peer.remoteRouterId === undefined ? {} : { remoteRouterId: peer.remoteRouterId }),
        ...(peer.bgpTimerHoldTimeMsecs === undefined
          ? {}
          : { holdTimeSeconds: peer.bgpTimerHoldTimeMsecs / 1000 }),
        capabilities: [
          ...(has('4byteAs', 'advertisedAndReceived') ? (['four-byte-as'] as const) : []),
          ...(/received/i.test(String(capabilities['routeRefresh'])) ? (['route-refresh'] as const) : []),
          ...(/received/i.test(JSON.stringify(capabilities['extendedNexthop'] ?? ''))
            ? (['extended-next-hop'] as const)
            : []),
          ...(family('ipv4Unicast') ? (['ipv4'] as const) : []),
          ...(family('ipv6Unicast') ? (['ipv6'] as const) : []),
        ],
        ...(capabilities['gracefulRestart'] === undefined ? {} : { restart: restartView(peer) }),
        ...bfdField(watched.find((one) => one.peer === remoteAddress)),
      };
    });
  }

  async routes(family: Family): Promise<Route[]> {
    const table = JSON.parse(this.#vtysh(`show bgp ${family} unicast json`)) as {
      routes?: Record<string, unknown>;
    };
    const routes: Route[] = [];
    const prefixes = Object.keys(table.routes ?? {});
    if (prefixes.length === 0) return [];
    // In one process for all: one each makes the test stand still.
    const text = this.#vtysh(...prefixes.map((prefix) => `show bgp ${family} unicast ${prefix} json`));
    for (const [i, part] of text.split(/\n(?=\{)/).entries()) {
      const answer = JSON.parse(part) as { paths?: FrrPath[] };
      const prefix = prefixes[i] ?? '';
      for (const path of answer.paths ?? []) {
        if (path.peer?.peerId === '0.0.0.0' || path.peer?.peerId === '::') continue;
        const hop = path.nexthops?.find((h) => h.scope !== 'link-local') ?? path.nexthops?.[0];
        routes.push(
          canonicalRoute({
            prefix,
            nextHop: hop?.ip ?? '',
            asPath: path.aspath?.string === 'Local' ? '' : (path.aspath?.string ?? ''),
            origin: (path.origin ?? 'incomplete').toLowerCase() as Route['origin'],
            med: path.metric,
            localPref: path.locPrf,
            communities: words(path.community?.string),
            largeCommunities: words(path.largeCommunity?.string),
            // A link bandwidth stands there a second time, in Mbit/s.
            extendedCommunities: words(
              path.extendedCommunity?.string.toLowerCase().replaceAll(/ \(.*?\)/g, ''),
            ),
            originatorId: path.originatorId,
            clusterList: path.clusterList?.list,
            otc: path.otc,
          }),
        );
      }
    }
    return routes;
  }

  async best(family: Family): Promise<ReadonlyMap<string, string>> {
    const table = JSON.parse(this.#vtysh(`show bgp ${family} unicast json`)) as {
      routes?: Record<string, readonly (FrrPath & { readonly bestpath?: boolean })[]>;
    };
    return new Map(
      Object.entries(table.routes ?? {}).flatMap(([prefix, paths]) => {
        const hop = paths.find(({ bestpath }) => bestpath === true)?.nexthops?.[0]?.ip;
        return hop === undefined ? [] : [[prefix, hop]];
      }),
    );
  }

  async announce(announcements: readonly Announcement[]): Promise<void> {
    for (const a of announcements) {
      const map = mapName(a);
      const sets = ['set origin igp'];
      if (a.med !== undefined) sets.push(`set metric ${a.med}`);
      if (a.communities?.length) sets.push(`set community ${a.communities.join(' ')}`);
      for (const c of a.extendedCommunities ?? []) sets.push(`set extcommunity ${c.replace(':', ' ')}`);
      if (a.linkBandwidth !== undefined) sets.push(this.#bandwidthText(a.linkBandwidth));
      if (a.largeCommunities?.length) sets.push(`set large-community ${a.largeCommunities.join(' ')}`);
      this.#configure(
        `route-map ${map} permit 10`,
        ...sets,
        'exit',
        ...this.#inFamily(a.prefix, `network ${a.prefix} route-map ${map}`),
      );
    }
  }

  async withdraw(prefixes: readonly string[]): Promise<void> {
    for (const prefix of prefixes) this.#configure(...this.#inFamily(prefix, `no network ${prefix}`));
  }

  async updatesFrom(remoteAddress: string): Promise<number> {
    const all = JSON.parse(this.#vtysh('show bgp neighbors json')) as Record<string, FrrNeighbour>;
    return all[remoteAddress]?.messageStats?.updatesRecv ?? 0;
  }

  async refresh(remoteAddress: string): Promise<void> {
    this.#vtysh(`clear bgp ${remoteAddress} soft in`);
  }

  override async kill(): Promise<void> {
    await super.kill();
    for (const other of this.#others) {
      other.kill('SIGKILL');
      await other.exited;
    }
  }

  async setBfd(bfd: BfdSetup): Promise<void> {
    this.#bfdd ??= await startBfdd(this.config, bfd);
    const lines = this.config.peers.flatMap((peer) => bfdLines({ ...peer, bfd }));
    this.#configure(`router bgp ${this.config.asNumber}`, ...lines);
  }

  async hardReset(remoteAddress: string): Promise<void> {
    this.#configure(`router bgp ${this.config.asNumber}`, `neighbor ${remoteAddress} shutdown`);
  }

  override log(): string {
    return `${super.log()}${this.config.host.run(['cat', this.file('bgpd.log')], { check: false })}`;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([super[Symbol.asyncDispose](), ...this.#others.map((other) => other.stop())]);
  }

  get #others(): readonly HostProcess[] {
    return this.#bfdd === undefined ? [this.#zebra] : [this.#zebra, this.#bfdd];
  }

  #bfdPeers(): readonly FrrBfdPeer[] {
    return JSON.parse(this.#ask('bfdd', ['show bfd peers json'])) as FrrBfdPeer[];
  }

  #bandwidthText(octets: number): string {
    const form = isExternal(this.config) ? '' : ' non-transitive';
    return `set extcommunity bandwidth ${(octets * 8) / 1e6}${form}`;
  }

  #inFamily(prefix: string, line: string): string[] {
    return [`router bgp ${this.config.asNumber}`, `address-family ${familyOf(prefix)} unicast`, line];
  }

  #configure(...lines: string[]): void {
    this.#vtysh('configure terminal', ...lines);
  }

  #vtysh(...commands: string[]): string {
    return this.#ask('bgpd', commands);
  }

  #ask(daemon: 'bgpd' | 'bfdd', commands: readonly string[]): string {
    const vtysh = [
      'vtysh',
      '--vty_socket',
      this.config.folder,
      '--config_dir',
      this.file('vtysh'),
      '-d',
      daemon,
    ];
    return this.run(...vtysh, ...commands.flatMap((c) => ['-c', c]));
  }
}

interface FrrNeighbour {
  readonly bgpState?: string;
  readonly remoteAs?: number;
  readonly remoteRouterId?: string;
  readonly bgpTimerHoldTimeMsecs?: number;
  readonly neighborCapabilities?: Readonly<Record<string, unknown>>;
  readonly gracefulRestartInfo?: Readonly<Record<string, unknown>>;
  readonly messageStats?: { readonly updatesRecv?: number };
}

interface FrrBfdPeer {
  readonly peer: string;
  readonly status: string;
}

interface FrrPath {
  readonly aspath?: { readonly string: string };
  readonly origin?: string;
  readonly metric?: number;
  readonly locPrf?: number;
  readonly community?: { readonly string: string };
  readonly largeCommunity?: { readonly string: string };
  readonly extendedCommunity?: { readonly string: string };
  readonly originatorId?: string;
  readonly otc?: number;
  readonly clusterList?: { readonly list: readonly string[] };
  readonly nexthops?: readonly { readonly ip: string; readonly scope?: string }[];
  readonly peer?: { readonly peerId: string };
}

function configText(config: DaemonConfig): string {
  const { asNumber, routerId, clusterId, peers, again = [] } = config;
  const head = [
    `router bgp ${asNumber}`,
    ` bgp router-id ${routerId}`,
    ' no bgp ebgp-requires-policy',
    ' no bgp network import-check',
    ' bgp deterministic-med',
    ' bgp bestpath compare-routerid',
    ' no bgp default ipv4-unicast',
    // It collects routes for a second before it sends them to a new group of neighbours, else.
    ' coalesce-time 0',
    ...(clusterId === undefined ? [] : [` bgp cluster-id ${clusterId}`]),
    ...(config.sharesTraffic === true ? [' bgp bestpath as-path multipath-relax'] : []),
    ...restartText(peers[0]),
  ];
  const families = (['ipv4', 'ipv6'] as const).map((family) => {
    const active = peers.filter((p) => p.families.includes(family));
    const lines = active.flatMap((p) => [
      `  neighbor ${p.remoteAddress} activate`,
      `  neighbor ${p.remoteAddress} next-hop-self`,
      ...(p.maxPrefixes === undefined
        ? []
        : [`  neighbor ${p.remoteAddress} maximum-prefix ${p.maxPrefixes}`]),
      ...(p.addPaths === true ? [`  neighbor ${p.remoteAddress} addpath-tx-all-paths`] : []),
      ...(p.isClient === true ? [`  neighbor ${p.remoteAddress} route-reflector-client`] : []),
    ]);
    lines.push(...again.filter((a) => familyOf(a.prefix) === family).map((a) => `  network ${a.prefix}`));
    return ` address-family ${family} unicast\n${lines.join('\n')}\n exit-address-family`;
  });
  return `${[...head, ...peers.map((p) => sessionText(p)), ...families].join('\n')}\n`;
}

/** Of the whole router. */
function restartText(peer: PeerSetup | undefined): string[] {
  if (peer?.restart === undefined) return [];
  const { seconds, longLivedSeconds } = peer.restart;
  const lines = [' bgp graceful-restart', ' bgp graceful-restart preserve-fw-state'];
  lines.push(` bgp graceful-restart restart-time ${seconds}`, ' bgp graceful-restart notification');
  if (longLivedSeconds !== undefined)
    lines.push(` bgp long-lived-graceful-restart stale-time ${longLivedSeconds}`);
  return lines;
}

function restartView({ gracefulRestartInfo: info = {} }: FrrNeighbour): RestartView {
  const hasBit = (family: string) => (info[family] as { fBit?: boolean } | undefined)?.fBit === true;
  return {
    isRestarting: info['rBit'] === true,
    kept: FAMILIES.filter((family) => hasBit(`${family}Unicast`)),
  };
}

function sessionText(peer: PeerSetup): string {
  const options = [
    `remote-as ${peer.remoteAs}`,
    `update-source ${peer.localAddress}`,
    `timers ${Math.floor(peer.holdTimeSeconds / 3)} ${peer.holdTimeSeconds}`,
    'timers connect 2',
    'advertisement-interval 0',
    peer.md5Key === undefined ? '' : `password ${peer.md5Key}`,
    peer.gtsm === true ? 'ttl-security hops 1' : '',
    peer.passive === true ? 'passive' : '',
    peer.role === undefined ? '' : `local-role ${peer.role}`,
    peer.extendedNextHop === true ? 'capability extended-nexthop' : '',
  ];
  const lines = options.filter((o) => o !== '').map((o) => `neighbor ${peer.remoteAddress} ${o}`);
  return [...lines, ...bfdLines(peer)].map((line) => ` ${line}`).join('\n');
}

const BFD_PROFILE = 'own';

function bfdLines({ remoteAddress, bfd }: PeerSetup): string[] {
  if (bfd === undefined) return [];
  const own = [`neighbor ${remoteAddress} bfd`, `neighbor ${remoteAddress} bfd profile ${BFD_PROFILE}`];
  return bfd.isGraceful === true
    ? [...own, `neighbor ${remoteAddress} bfd check-control-plane-failure`]
    : own;
}

async function startBfdd({ host, folder }: DaemonConfig, bfd: BfdSetup): Promise<HostProcess> {
  const at = (name: string) => join(folder, name);
  const { intervalMs, multiplier } = bfd;
  const times = [`receive-interval ${intervalMs}`, `transmit-interval ${intervalMs}`];
  const lines = [
    'bfd',
    ` profile ${BFD_PROFILE}`,
    ...[...times, `detect-multiplier ${multiplier}`].map((l) => `  ${l}`),
  ];
  writeFileSync(at('bfdd.conf'), `${lines.join('\n')}\n`);
  host.run(['chown', 'frr:frr', at('bfdd.conf')]);
  const bfdd = host.spawn([...frrCommand(folder, 'bfdd'), '--bfdctl', at('bfdd.sock')]);
  await waitUntil('bfdd', 5000, () => existsSync(at('bfdd.vty')));
  return bfdd;
}

function bfdField(peer: FrrBfdPeer | undefined): Pick<SessionView, 'bfd'> {
  return peer === undefined ? {} : { bfd: peer.status };
}

/** What a changed map makes of routes is seen seconds later: one with another bandwidth is another map. */
function mapName({ prefix, linkBandwidth = 0 }: Announcement): string {
  return `own-${prefix.replaceAll(/[.:/]/g, '-')}-${linkBandwidth}`;
}

function words(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(/\s+/);
}
