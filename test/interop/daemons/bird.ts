// BIRD 2: routes to announce are in the configuration file, which `birdc configure` reads again.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAMILIES, type Family, familyOf } from '#ip';
import { BIRD } from '../../testing/routers.ts';
import {
  type Announcement,
  type BfdSetup,
  canonicalRoute,
  type Daemon,
  type DaemonConfig,
  type DaemonKind,
  type PeerSetup,
  type RestartView,
  type Route,
  type SessionView,
} from './daemon.ts';
import { bandwidthHalves, bandwidthIn } from './link-bandwidth.ts';
import { DaemonProcess } from './process.ts';

const NO_8538 = 'has no RFC 8538';

export const bird: DaemonKind = {
  name: 'bird',
  title: 'BIRD',
  ...BIRD,
  lacks: {
    weighedPaths: 'has no weights by link bandwidths',
    ...{ notificationKeeps: NO_8538, hardReset: NO_8538 },
    reflectorPeer: 'looks for its cluster ID only in what its clients send: our agent is one of them here',
  },
  start: (config) => Bird.start(config),
};

class Bird extends DaemonProcess implements Daemon {
  readonly name = 'bird';
  readonly #announced = new Map<string, Announcement>();

  static async start(config: DaemonConfig): Promise<Bird> {
    writeFileSync(join(config.folder, 'bird.conf'), configText(config, config.again ?? []));
    rmSync(join(config.folder, 'ctl'), { force: true });
    const bird = new Bird(config);
    for (const a of config.again ?? []) bird.#announced.set(a.prefix, a);
    await bird.ready(5000, () => existsSync(bird.file('ctl')));
    return bird;
  }

  constructor(config: DaemonConfig) {
    const at = (name: string) => join(config.folder, name);
    const command = ['bird', '-f', '-c', at('bird.conf'), '-s', at('ctl'), '-P', at('pid')];
    super(config, config.again === undefined ? command : [...command, '-R']);
  }

  async sessions(): Promise<SessionView[]> {
    const text = this.#birdc('show', 'protocols', 'all');
    const isWatched = this.config.peers.some(({ bfd }) => bfd !== undefined);
    const watched = isWatched ? this.#birdc('show', 'bfd', 'sessions').split('\n') : [];
    return this.config.peers.map((peer, i) => {
      const part = text.split(/\n(?=\S)/).find((p) => p.startsWith(`peer${i} `)) ?? '';
      const neighbour = /Neighbor capabilities([\s\S]*?)(?:Session:|$)/.exec(part)?.[1] ?? '';
      const families = /AF announced: (.*)/.exec(neighbour)?.[1]?.split(' ') ?? [];
      return {
        remoteAddress: peer.remoteAddress,
        state: /BGP state:\s+(\S+)/.exec(part)?.[1] ?? 'unknown',
        isEstablished: /BGP state:\s+Established/.test(part),
        ...numberField('remoteAs', /Neighbor AS:\s+(\d+)/.exec(part)),
        ...textField('remoteRouterId', /Neighbor ID:\s+(\S+)/.exec(part)),
        ...numberField('holdTimeSeconds', /Hold timer:\s+[\d.]+\/(\d+)/.exec(part)),
        capabilities: [
          ...(/4-octet AS/.test(neighbour) ? (['four-byte-as'] as const) : []),
          ...(/Route refresh/.test(neighbour) ? (['route-refresh'] as const) : []),
          ...(/Extended next hop/.test(neighbour) ? (['extended-next-hop'] as const) : []),
          ...(['ipv4', 'ipv6'] as const).filter((f) => families.includes(f)),
        ],
        ...(/Graceful restart/.test(neighbour) ? { restart: restartView(neighbour) } : {}),
        ...bfdField(watched.find((line) => line.startsWith(`${peer.remoteAddress} `))),
      };
    });
  }

  async routes(family: Family): Promise<Route[]> {
    return this.#routes(family, []);
  }

  async best(family: Family): Promise<ReadonlyMap<string, string>> {
    const routes = this.#routes(family, ['primary']);
    return new Map(routes.map(({ prefix, nextHop }) => [prefix, nextHop]));
  }

  #routes(family: Family, which: readonly string[]): Route[] {
    const table = family === 'ipv4' ? 'master4' : 'master6';
    const text = this.#birdc('show', 'route', ...which, 'table', table, 'all');
    const routes: Route[] = [];
    let prefix = '';
    // Further paths of a prefix do not say it again.
    for (const block of text.split(/\n(?=\S|\s+unicast)/)) {
      prefix = /^([0-9a-f.:]+\/\d+)\s/.exec(block)?.[1] ?? prefix;
      const value = (name: string) => new RegExp(`BGP\\.${name}: (.*)`).exec(block)?.[1]?.trim();
      const origin = value('origin')?.toLowerCase();
      if (!/Type: BGP/.test(block) || origin === undefined) continue;
      const number = (name: string) => (value(name) === undefined ? undefined : Number(value(name)));
      routes.push(
        canonicalRoute({
          prefix,
          // The second address is a link-local one beside the global.
          nextHop: value('next_hop')?.split(' ')[0] ?? '',
          asPath: (value('as_path') ?? '').replaceAll('{', ' {').replaceAll(/\s+/g, ' ').trim(),
          origin: origin as Route['origin'],
          med: number('med'),
          localPref: number('local_pref'),
          communities: tuples(value('community')),
          largeCommunities: tuples(value('large_community')),
          extendedCommunities: tuples(value('ext_community')).map(withBandwidth),
          originatorId: value('originator_id'),
          clusterList: value('cluster_list')?.split(' '),
          otc: number('otc'),
        }),
      );
    }
    return routes;
  }

  async announce(announcements: readonly Announcement[]): Promise<void> {
    for (const a of announcements) this.#announced.set(a.prefix, a);
    this.#reconfigure();
  }

  async withdraw(prefixes: readonly string[]): Promise<void> {
    for (const prefix of prefixes) this.#announced.delete(prefix);
    this.#reconfigure();
  }

  async updatesFrom(remoteAddress: string): Promise<number> {
    const text = this.#birdc('show', 'protocols', 'all', this.#nameOf(remoteAddress));
    // Received, before filters.
    const counts = [...text.matchAll(/Import (?:updates|withdraws):\s+(\d+)/g)].map(([, count]) =>
      Number(count),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async refresh(remoteAddress: string): Promise<void> {
    this.#birdc('reload', 'in', this.#nameOf(remoteAddress));
  }

  async setBfd(bfd: BfdSetup): Promise<void> {
    this.config = { ...this.config, peers: this.config.peers.map((peer) => ({ ...peer, bfd })) };
    this.#reconfigure();
  }

  #nameOf(remoteAddress: string): string {
    return `peer${this.config.peers.findIndex((p) => p.remoteAddress === remoteAddress)}`;
  }

  #birdc(...args: string[]): string {
    return this.run('birdc', '-s', this.file('ctl'), ...args);
  }

  #reconfigure(): void {
    writeFileSync(this.file('bird.conf'), configText(this.config, [...this.#announced.values()]));
    this.#birdc('configure');
  }
}

function configText(config: DaemonConfig, announced: readonly Announcement[]): string {
  const { routerId, peers, asNumber, clusterId } = config;
  const statics = (['ipv4', 'ipv6'] as const).map((family) => {
    const own = announced.filter((a) => familyOf(a.prefix) === family);
    const routes = own.map((a) => `  route ${a.prefix} via ${a.nextHop} { ${attributesText(config, a)} };`);
    return `protocol static own_${family} {\n  ${family};\n${routes.join('\n')}\n}`;
  });
  const sessions = peers.map((peer, i) => sessionText(peer, i, asNumber, clusterId));
  const head = `router id ${routerId};\nlog stderr all;\n${EXPORT}\n\nprotocol device { }\nprotocol direct { ipv4; ipv6; }`;
  return `${[head, ...statics, bfdText(peers[0]), ...sessions].join('\n')}\n`;
}

// BIRD sends a MED to another AS only when the export filter sets it. Connected networks are not announced.
const EXPORT = `attribute int med_out;
filter announced {
  if source != RTS_STATIC && source != RTS_BGP then reject;
  if defined(med_out) then bgp_med = med_out;
  accept;
}`;

function attributesText(config: DaemonConfig, a: Announcement): string {
  const parts = ['bgp_origin = ORIGIN_IGP;'];
  if (a.med !== undefined) parts.push(`med_out = ${a.med};`);
  for (const c of a.communities ?? []) parts.push(`bgp_community.add((${c.replaceAll(':', ',')}));`);
  for (const c of a.largeCommunities ?? [])
    parts.push(`bgp_large_community.add((${c.replaceAll(':', ',')}));`);
  for (const c of a.extendedCommunities ?? [])
    parts.push(`bgp_ext_community.add((${c.replaceAll(':', ',')}));`);
  if (a.linkBandwidth !== undefined)
    parts.push(`bgp_ext_community.add((generic,${bandwidthHalves(config, a.linkBandwidth).join(',')}));`);
  return parts.join(' ');
}

function sessionText(peer: PeerSetup, index: number, asNumber: number, clusterId = ''): string {
  const isEbgp = peer.remoteAs !== asNumber;
  const channels = peer.families.map((family) => {
    const extended = peer.extendedNextHop === true && family === 'ipv4' ? 'extended next hop;' : '';
    const limit = peer.maxPrefixes === undefined ? '' : `import limit ${peer.maxPrefixes} action restart;`;
    const paths = peer.addPaths === true ? 'add paths on;' : '';
    return `  ${family} { import all; export filter announced; next hop self; ${extended} ${limit} ${paths} };`;
  });
  const options = [
    `local ${peer.localAddress} as ${asNumber};`,
    `neighbor ${peer.remoteAddress} as ${peer.remoteAs};`,
    `hold time ${peer.holdTimeSeconds};`,
    'connect delay time 1; connect retry time 2; error wait time 1, 3; startup hold time 5;',
    isEbgp ? 'direct;' : '',
    'deterministic med on;',
    peer.md5Key === undefined ? '' : `password "${peer.md5Key}";`,
    peer.gtsm === true ? 'ttl security on;' : '',
    peer.passive === true ? 'passive;' : '',
    peer.role === undefined ? '' : `local role ${peer.role};`,
    peer.isClient === true ? `rr client; rr cluster id ${clusterId};` : '',
    restartText(peer),
    peer.bfd === undefined ? '' : `bfd ${peer.bfd.isGraceful === true ? 'graceful' : 'on'};`,
  ];
  return `protocol bgp peer${index} {\n  ${options.filter((o) => o !== '').join('\n  ')}\n${channels.join('\n')}\n}`;
}

/** '(65001,100) (65001,101)' → ['65001:100', '65001:101']; spaces may follow the commas. */
function tuples(text: string | undefined): string[] {
  return [...(text ?? '').matchAll(/\(([^)]*)\)/g)].map((m) => (m[1] ?? '').replaceAll(/,\s*/g, ':'));
}

/** It shows a link bandwidth as 'unknown 0x4004:23456:1290693416'. */
function withBandwidth(text: string): string {
  const [, type, as, low] = /^unknown (0x\w+):(\d+):(\d+)$/.exec(text) ?? [];
  return bandwidthIn(Number(type), Number(as), Number(low)) ?? text;
}

function restartText({ restart }: PeerSetup): string {
  if (restart === undefined) return '';
  const { seconds, longLivedSeconds } = restart;
  const short = `graceful restart on; graceful restart time ${seconds};`;
  if (longLivedSeconds === undefined) return short;
  return `${short} long lived graceful restart on; long lived stale time ${longLivedSeconds};`;
}

/** Of the whole router: on all links, also on those that it hears of later. */
function bfdText(peer: PeerSetup | undefined): string {
  if (peer?.bfd === undefined) return '';
  const { intervalMs, multiplier, key } = peer.bfd;
  const times = `interval ${intervalMs} ms; idle tx interval 300 ms; multiplier ${multiplier};`;
  const sign = key === undefined ? '' : `authentication meticulous keyed sha1; password "${key}" { id 7; };`;
  return `protocol bfd {\n  interface "*" { ${times} ${sign} };\n}`;
}

/** '10.1.0.1   eth0   Up   12:00:00.000   0.200   0.600' */
function bfdField(line: string | undefined): Pick<SessionView, 'bfd'> {
  return textField('bfd', /^\S+\s+\S+\s+(\S+)/.exec(line ?? ''));
}

function restartView(neighbour: string): RestartView {
  const kept = /AF preserved: (.*)/.exec(neighbour)?.[1]?.split(' ') ?? [];
  return {
    isRestarting: /Restart recovery/.test(neighbour),
    kept: FAMILIES.filter((family) => kept.includes(family)),
  };
}

function textField<K extends string>(key: K, match: RegExpExecArray | null): Partial<Record<K, string>> {
  return match?.[1] === undefined ? {} : ({ [key]: match[1] } as Record<K, string>);
}

function numberField<K extends string>(key: K, match: RegExpExecArray | null): Partial<Record<K, number>> {
  return match?.[1] === undefined ? {} : ({ [key]: Number(match[1]) } as Record<K, number>);
}
