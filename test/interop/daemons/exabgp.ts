// ExaBGP: it has no table; what neighbours send is printed as JSON to a child process, kept in a file here,
// and commands reach it through the child's output. The adapter keeps the table.
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Family } from '#ip';
import { EXABGP } from '../../testing/routers.ts';
import {
  type Announcement,
  type Capability,
  canonicalRoute,
  type Daemon,
  type DaemonConfig,
  type DaemonKind,
  NO_ROLES,
  type PeerSetup,
  type Route,
  type SessionView,
} from './daemon.ts';
import { bandwidthHalves, bandwidthIn } from './link-bandwidth.ts';
import { DaemonProcess } from './process.ts';

const NO_TABLE = 'has no table, and passes nothing on';

export const exabgp: DaemonKind = {
  name: 'exabgp',
  title: 'ExaBGP',
  ...EXABGP,
  lacks: {
    ...{ roles: NO_ROLES, oneSidedRole: NO_ROLES },
    ...{ passesOn: NO_TABLE, weighedPaths: NO_TABLE },
    gtsmDemand: 'sends TTL 255, but looks at no TTL on connections that it opens',
    ceaseOnStop: 'ends its connections without a word when it is stopped',
    maxPrefixes: 'keeps no table and counts no prefixes',
  },
  start: (config) => Exabgp.start(config),
};

// Opening the pipe for both directions keeps it open between two commands; the reader must not outlive ExaBGP.
const RELAY = `cd "$(dirname "$0")"
exec 3<>commands
cat <&3 &
trap "kill $!" EXIT
trap exit TERM
cat >>events
`;

class Exabgp extends DaemonProcess implements Daemon {
  readonly name = 'exabgp';
  readonly #announced = new Map<string, string>();

  static async start(config: DaemonConfig): Promise<Exabgp> {
    const exabgp = new Exabgp(config);
    const isStarted = () => /loaded new configuration|connected to peer|reload/i.test(exabgp.log());
    await exabgp.ready(8000, () => isStarted() || exabgp.#events().length > 0);
    return exabgp;
  }

  constructor(config: DaemonConfig) {
    const at = (name: string) => join(config.folder, name);
    spawnSync('mkfifo', [at('commands')]);
    writeFileSync(at('events'), '');
    writeFileSync(at('relay.sh'), RELAY);
    writeFileSync(at('exabgp.conf'), configText(config));
    const environment = {
      'exabgp.daemon.user': 'root',
      'exabgp.daemon.drop': 'false',
      'exabgp.api.cli': 'false',
      'exabgp.api.ack': 'false',
      'exabgp.log.level': 'INFO',
      'exabgp.log.destination': 'stderr',
      'exabgp.tcp.delay': '0',
    };
    super(config, ['exabgp', at('exabgp.conf')], { env: environment });
  }

  async sessions(): Promise<SessionView[]> {
    const events = this.#events();
    return this.config.peers.map(({ remoteAddress }) => {
      const mine = events.filter((e) => e.neighbor?.address?.peer === remoteAddress);
      const state = mine.findLast((e) => e.type === 'state')?.neighbor?.state ?? 'unknown';
      const open = mine.findLast((e) => e.type === 'open' && e.neighbor?.direction === 'receive')?.neighbor
        ?.open;
      const names = Object.values(open?.capabilities ?? {});
      const families = JSON.stringify(names);
      const capabilities: Capability[] = [];
      if (names.some((c) => /asn4/i.test(c.name ?? ''))) capabilities.push('four-byte-as');
      if (names.some((c) => /route-refresh/i.test(c.name ?? ''))) capabilities.push('route-refresh');
      if (names.some((c) => /nexthop/i.test(c.name ?? ''))) capabilities.push('extended-next-hop');
      if (families.includes('ipv4/unicast')) capabilities.push('ipv4');
      if (families.includes('ipv6/unicast')) capabilities.push('ipv6');
      const as = names.find((c) => c.asn4 !== undefined)?.asn4 ?? open?.asn;
      const setup = this.config.peers.find((p) => p.remoteAddress === remoteAddress);
      return {
        remoteAddress,
        state,
        isEstablished: state === 'up',
        ...(as === undefined ? {} : { remoteAs: as }),
        ...(open?.router_id === undefined ? {} : { remoteRouterId: open.router_id }),
        ...(open?.hold_time === undefined
          ? {}
          : { holdTimeSeconds: Math.min(open.hold_time, setup?.holdTimeSeconds ?? open.hold_time) }),
        capabilities,
      };
    });
  }

  async routes(family: Family): Promise<Route[]> {
    const table = new Map<string, Route>();
    for (const event of this.#events()) {
      if (event.type === 'state' && event.neighbor?.state === 'down') table.clear();
      const update = event.neighbor?.message?.update;
      if (update === undefined) continue;
      const key = `${family} unicast`;
      for (const entry of update.withdraw?.[key] ?? []) table.delete(entry.nlri);
      for (const [nextHop, entries] of Object.entries(update.announce?.[key] ?? {})) {
        for (const { nlri } of entries) {
          // A link-local next hop beside the global one makes a second entry.
          const isSecond = nextHop.startsWith('fe80:') && table.has(nlri);
          if (!isSecond) table.set(nlri, routeOf(nlri, nextHop, update.attribute ?? {}));
        }
      }
    }
    return [...table.values()];
  }

  async announce(announcements: readonly Announcement[]): Promise<void> {
    for (const a of announcements) {
      const parts = [`route ${a.prefix} next-hop ${a.nextHop} origin igp`];
      if (a.med !== undefined) parts.push(`med ${a.med}`);
      if (a.communities?.length) parts.push(`community [ ${a.communities.join(' ')} ]`);
      if (a.largeCommunities?.length) parts.push(`large-community [ ${a.largeCommunities.join(' ')} ]`);
      const extended = (a.extendedCommunities ?? []).map((c) => c.replace('rt:', 'target:'));
      if (a.linkBandwidth !== undefined) {
        const halves = bandwidthHalves(this.config, a.linkBandwidth);
        extended.push(`0x${halves.map((half) => half.toString(16).padStart(8, '0')).join('')}`);
      }
      if (extended.length > 0) parts.push(`extended-community [ ${extended.join(' ')} ]`);
      this.#announced.set(a.prefix, parts.join(' '));
      this.#command(`announce ${parts.join(' ')}`);
    }
  }

  async withdraw(prefixes: readonly string[]): Promise<void> {
    for (const prefix of prefixes) {
      this.#command(`withdraw ${this.#announced.get(prefix) ?? `route ${prefix}`}`);
      this.#announced.delete(prefix);
    }
  }

  async refresh(remoteAddress: string): Promise<void> {
    const families = this.config.peers.find((p) => p.remoteAddress === remoteAddress)?.families ?? [];
    for (const family of families) this.#command(`announce route-refresh ${family} unicast`);
  }

  #command(line: string): void {
    appendFileSync(this.file('commands'), `${line}\n`);
  }

  #events(): ExabgpEvent[] {
    const lines = readFileSync(this.file('events'), 'utf8').split('\n');
    // Its own encoder doubles the quotes in 'refresh' events: no JSON.
    const whole = lines.filter((l) => l.endsWith('}') && !l.includes('"type": "refresh"'));
    // Nor are octets of a NOTIFICATION, as it writes them.
    // And numbers of 64 bits are too large for JSON.parse.
    const readable = (l: string) =>
      l.replaceAll(/\p{Cc}/gu, ' ').replaceAll(/("value": )(\d{16,})/g, '$1"$2"');
    return whole.map((l) => JSON.parse(readable(l)) as ExabgpEvent);
  }
}

interface ExabgpEvent {
  readonly type: string;
  readonly neighbor?: {
    readonly address?: { readonly peer: string };
    readonly state?: string;
    readonly direction?: string;
    readonly open?: {
      readonly asn?: number;
      readonly hold_time?: number;
      readonly router_id?: string;
      readonly capabilities?: Readonly<Record<string, { name?: string; asn4?: number }>>;
    };
    readonly message?: {
      readonly update?: {
        readonly attribute?: ExabgpAttributes;
        readonly announce?: Readonly<Record<string, Record<string, { nlri: string }[]>>>;
        readonly withdraw?: Readonly<Record<string, { nlri: string }[]>>;
      };
    };
  };
}

interface ExabgpAttributes {
  readonly origin?: string;
  readonly 'as-path'?: readonly number[];
  readonly 'as-set'?: readonly number[];
  readonly med?: number;
  readonly 'local-preference'?: number;
  readonly community?: readonly (readonly number[])[];
  readonly 'large-community'?: readonly (readonly number[])[];
  readonly 'extended-community'?: readonly ExabgpExtended[];
  readonly 'originator-id'?: string;
  readonly 'cluster-list'?: readonly string[];
}

interface ExabgpExtended {
  /** Its eight octets as a number; a string where that is large. */
  readonly value: number | string;
  /** Empty for those that it does not know. */
  readonly string: string;
}

function routeOf(prefix: string, nextHop: string, a: ExabgpAttributes): Route {
  const set = a['as-set'] ?? [];
  const asPath = [...(a['as-path'] ?? []), ...(set.length === 0 ? [] : [`{${set.join(' ')}}`])].join(' ');
  return canonicalRoute({
    prefix,
    nextHop,
    asPath,
    origin: (a.origin ?? 'igp') as Route['origin'],
    med: a.med,
    localPref: a['local-preference'],
    communities: (a.community ?? []).map((c) => c.join(':')),
    largeCommunities: (a['large-community'] ?? []).map((c) => c.join(':')),
    extendedCommunities: (a['extended-community'] ?? []).map(extendedText),
    originatorId: a['originator-id'],
    clusterList: a['cluster-list'],
    otc: undefined,
  });
}

function extendedText({ value, string }: ExabgpExtended): string {
  const word = (index: bigint) => Number((BigInt(value) >> (16n * index)) & 0xffffn);
  const bandwidth = bandwidthIn(word(3n), word(2n), word(1n) * 0x1_0000 + word(0n));
  return bandwidth ?? string.replace('target:', 'rt:');
}

function configText({ asNumber, routerId, peers, folder }: DaemonConfig): string {
  const relay = `process relay {\n  run /bin/sh ${join(folder, 'relay.sh')};\n  encoder json;\n}\n`;
  return relay + peers.map((peer) => sessionText(peer, asNumber, routerId)).join('');
}

function sessionText(peer: PeerSetup, asNumber: number, routerId: string): string {
  return `neighbor ${peer.remoteAddress} {
  router-id ${routerId};
  local-address ${peer.localAddress};
  local-as ${asNumber};
  peer-as ${peer.remoteAs};
  hold-time ${peer.holdTimeSeconds};
${peer.passive === true ? '  passive true;\n  listen 179;\n' : ''}${peer.md5Key === undefined ? '' : `  md5-password ${peer.md5Key};\n  md5-base64 false;\n`}${peer.gtsm === true ? '  outgoing-ttl 255;\n  incoming-ttl 255;\n' : ''}  family { ${peer.families.map((f) => `${f} unicast;`).join(' ')} }
  capability { route-refresh enable; asn4 enable; ${peer.extendedNextHop === true ? 'nexthop enable;' : ''} }
${peer.extendedNextHop === true ? '  nexthop { ipv4 unicast ipv6; }\n' : ''}  api { processes [ relay ]; neighbor-changes; receive { parsed; open; update; refresh; } }
}
`;
}
