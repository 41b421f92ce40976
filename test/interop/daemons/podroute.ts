// Our own agent behind the same interface as the others: its YAML, its socket.
import { startPodroute, type RunningPodroute } from '../../testing/start-podroute.ts';
import { FAMILIES, type Family } from '#ip';
import type { RouteStatus, RoutesReply, SessionStatus, StatusReply } from '#agent-api';
import {
  type Announcement,
  type BfdSetup,
  type Capability,
  canonicalRoute,
  type Daemon,
  type DaemonConfig,
  type DaemonKind,
  type PeerSetup,
  type Route,
  type SessionView,
} from './daemon.ts';

export const podroute: DaemonKind = {
  name: 'podroute',
  title: 'podroute',
  missing: () => undefined,
  version: () => '',
  lacks: {},
  start: (config) => Podroute.start(config),
};

/** Words of the agent's status for what both sides agreed on. */
const CAPABILITIES: readonly [Capability, string][] = [
  ['four-byte-as', 'four-octet AS'],
  ['route-refresh', 'route refresh'],
  ['extended-next-hop', 'extended next hop ipv4 unicast by ipv6'],
  ['ipv4', 'multiprotocol ipv4 unicast'],
  ['ipv6', 'multiprotocol ipv6 unicast'],
];

export class Podroute implements Daemon {
  readonly name = 'podroute';
  #agent: RunningPodroute;
  #config: DaemonConfig;
  #isLeaving = false;
  #objects: readonly object[] = [];
  readonly #announced = new Map<string, Announcement>();

  constructor(agent: RunningPodroute, config: DaemonConfig) {
    this.#agent = agent;
    this.#config = config;
  }

  static async start(config: DaemonConfig): Promise<Podroute> {
    return new Podroute(await startAgent(config, documentsOf(config, [], false, [])), config);
  }

  get agent(): RunningPodroute {
    return this.#agent;
  }

  async kill(): Promise<void> {
    this.agent.process.kill('SIGKILL');
    await this.agent.process.exited;
  }

  /** After kill() or stop(): on what the kernel and its folder still have. */
  async startAgain(): Promise<void> {
    this.#agent = await startAgent(this.#config, this.#documents());
  }

  /** Its node leaves: annotation podroute.io/GracefulShutdown. */
  setLeaving(isLeaving: boolean): void {
    this.#isLeaving = isLeaving;
    this.#configure();
  }

  get pid(): number {
    return this.agent.process.pid;
  }

  async status(): Promise<StatusReply> {
    return this.agent.get<StatusReply>('/v1/status');
  }

  /** The session with this neighbour, with everything that status tells. Throws when there is none. */
  async session(remoteAddress: string): Promise<SessionStatus> {
    const { sessions } = await this.status();
    const session = sessions.find((s) => s.remote === remoteAddress);
    if (session === undefined)
      throw new Error(`no session with ${remoteAddress} among ${sessions.map((s) => s.remote).join(', ')}`);
    return session;
  }

  async sessions(): Promise<SessionView[]> {
    const { sessions } = await this.status();
    return this.#config.peers.map(({ remoteAddress }) => {
      const session = sessions.find((s) => s.remote === remoteAddress);
      const isEstablished = session?.state === 'Established';
      return {
        remoteAddress,
        state: session?.state ?? 'unknown',
        isEstablished,
        ...(session?.remoteAs === undefined ? {} : { remoteAs: session.remoteAs }),
        ...(session?.remoteRouterId === undefined ? {} : { remoteRouterId: session.remoteRouterId }),
        ...(isEstablished ? { holdTimeSeconds: session.holdTimeSeconds } : {}),
        ...restartView(session?.offered.remote),
        ...(session?.bfd === undefined ? {} : { bfd: session.bfd.state }),
        capabilities: CAPABILITIES.filter(([, words]) => session?.capabilities.includes(words)).map(
          ([name]) => name,
        ),
      };
    });
  }

  async routes(family: Family): Promise<Route[]> {
    const reply = await this.agent.get<RoutesReply>(`/v1/routes?view=best&family=${family}&limit=1000`);
    const learned = reply.routes.filter((r) => !r.isLocal);
    return learned.map((r) =>
      canonicalRoute({
        prefix: r.prefix,
        nextHop: r.nextHops[0] ?? '',
        asPath: r.asPath,
        origin: r.origin ?? 'incomplete',
        med: r.med,
        localPref: r.localPref,
        communities: r.communities,
        largeCommunities: r.largeCommunities,
        extendedCommunities: r.others?.find((o) => o.name === 'ext_communities')?.value.split(' '),
        originatorId: r.originatorId,
        clusterList: r.clusterList,
        otc: otcOf(r),
      }),
    );
  }

  async best(family: Family): Promise<ReadonlyMap<string, string>> {
    const reply = await this.agent.get<RoutesReply>(`/v1/routes?view=best&family=${family}&limit=1000`);
    const addresses = new Map(this.#config.peers.map((peer, i) => [`peer${i}`, peer.remoteAddress]));
    // The view has the paths that are used beside the best one as well.
    const learned = reply.routes.filter((r) => !r.isLocal && r.isBest);
    return new Map(learned.map(({ prefix, peer = '' }) => [prefix, addresses.get(peer) ?? peer]));
  }

  /** What a neighbour sent, before the import policy, and why it is used or not. */
  async received(remoteAddress: string, family: Family): Promise<readonly RouteStatus[]> {
    const { id } = await this.session(remoteAddress);
    const query = `view=received&peer=${id}&family=${family}&limit=1000&explain=1`;
    return (await this.agent.get<RoutesReply>(`/v1/routes?${query}`)).routes;
  }

  /** As the podCIDRs of its node; MED cannot be set on those, and the next hop is its own address. */
  async announce(announcements: readonly Announcement[]): Promise<void> {
    for (const a of announcements) this.#announced.set(a.prefix, a);
    this.#configure();
  }

  async withdraw(prefixes: readonly string[]): Promise<void> {
    for (const prefix of prefixes) this.#announced.delete(prefix);
    this.#configure();
  }

  async refresh(): Promise<void> {
    throw new Error('podroute has no command that asks for a refresh');
  }

  /** Changes its sessions as an operator does, by editing the objects. */
  setPeers(peers: readonly PeerSetup[]): void {
    this.#config = { ...this.#config, peers };
    this.#configure();
  }

  /** Whole objects beside those of its sessions, in place of those before. */
  setObjects(objects: readonly object[]): void {
    this.#objects = objects;
    this.#configure();
  }

  log(): string {
    return this.agent.process.output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.process.stop();
  }

  #configure(): void {
    this.agent.configure(this.#documents());
  }

  #documents(): string {
    return documentsOf(this.#config, [...this.#announced.values()], this.#isLeaving, this.#objects);
  }
}

function startAgent({ host, folder }: DaemonConfig, documents: string): Promise<RunningPodroute> {
  return startPodroute(host, { nodeName: 'dut', documents, folder, fib: 'kernel' });
}

function documentsOf(
  { asNumber, routerId, clusterId, peers }: DaemonConfig,
  announced: readonly Announcement[],
  isLeaving: boolean,
  objects: readonly object[],
): string {
  const annotations = {
    ...(isLeaving ? { 'podroute.io/GracefulShutdown': 'true' } : {}),
    ...(clusterId === undefined ? {} : { 'podroute.io/RouteReflectorClusterID': clusterId }),
  };
  const addresses = [...new Set(peers.filter((p) => p.isOtherLink !== true).map((p) => p.localAddress))];
  const advertisements = announced
    .map((a) => ({ cidr: a.prefix, communities: [...(a.communities ?? []), ...(a.largeCommunities ?? [])] }))
    .filter((a) => a.communities.length > 0);
  const documents: unknown[] = [
    {
      apiVersion: 'podroute.io/v1',
      kind: 'BGPConfiguration',
      metadata: { name: 'default' },
      spec: {
        asNumber,
        nodeToNodeMeshEnabled: false,
        routerID: routerId,
        prefixAdvertisements: advertisements,
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'dut', annotations },
      spec: { podCIDRs: announced.map((a) => a.prefix) },
      status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
    },
    ...peers.flatMap((peer, i) => peerDocuments(peer, i)),
    ...objects,
  ];
  // JSON is YAML.
  return documents.map((d) => JSON.stringify(d, undefined, 1)).join('\n---\n');
}

function peerDocuments(peer: PeerSetup, index: number): unknown[] {
  const name = `peer${index}`;
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { key: peer.md5Key } };
  const spec = {
    peerIP: peer.remoteAddress,
    asNumber: peer.remoteAs,
    families: peer.families.map((f) => (f === 'ipv4' ? 'IPv4' : 'IPv6')),
    holdTime: `${peer.holdTimeSeconds}s`,
    connectRetryTime: '1s',
    nextHopMode: 'Self',
    import: 'All',
    export: 'All',
    ...(peer.isOtherLink === true ? { sourceAddress: 'None' } : {}),
    ...(peer.addPaths === true ? { addPaths: 'Both' } : {}),
    ...(peer.isClient === true ? { routeReflectorClient: true } : {}),
    ...(peer.passive === true ? { passive: true } : {}),
    ...(peer.maxPrefixes === undefined ? {} : { maxPrefixes: { limit: peer.maxPrefixes } }),
    ...(peer.restart === undefined ? {} : { gracefulRestart: restartSpec(peer.restart) }),
    ...(peer.gtsm === true ? { ttlSecurity: 1 } : {}),
    ...(peer.md5Key === undefined ? {} : { password: { secretKeyRef: { name, key: 'key' } } }),
    ...(peer.bfd === undefined ? {} : { bfd: { profile: name, required: peer.bfd.isRequired === true } }),
    ...peer.spec,
  };
  const document = { apiVersion: 'podroute.io/v1', kind: 'BGPPeer', metadata: { name }, spec };
  return [...(peer.md5Key === undefined ? [] : [secret]), ...bfdDocuments(name, peer.bfd), document];
}

function bfdDocuments(profile: string, bfd: BfdSetup | undefined): unknown[] {
  if (bfd === undefined) return [];
  const interval = `${bfd.intervalMs}ms`;
  const times = { transmitInterval: interval, receiveInterval: interval, detectMultiplier: bfd.multiplier };
  const head = { apiVersion: 'podroute.io/v1', kind: 'BFDProfile', metadata: { name: profile } };
  if (bfd.key === undefined) return [{ ...head, spec: times }];
  const name = `${profile}-bfd`;
  const keyFrom = { secretKeyRef: { name, key: 'key' } };
  const authentication = { type: 'MeticulousKeyedSHA1', keyID: 7, keyFrom };
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { key: bfd.key } },
    { ...head, spec: { ...times, authentication } },
  ];
}

function otcOf({ others = [] }: RouteStatus): number | undefined {
  const text = others.find(({ name }) => name === 'otc')?.value;
  return text === undefined ? undefined : Number(/\d+/.exec(text)?.[0]);
}

function restartSpec({ seconds, longLivedSeconds = 0 }: NonNullable<PeerSetup['restart']>): unknown {
  return { restartTime: `${seconds}s`, longLivedTime: `${longLivedSeconds}s` };
}

function restartView(words: readonly string[] = []): Pick<SessionView, 'restart'> {
  const line = words.find((one) => one.startsWith('graceful restart '));
  if (line === undefined) return {};
  const parts = line.split(', ');
  const kept = FAMILIES.filter((family) => parts.includes(`${family} unicast kept`));
  return { restart: { isRestarting: parts.includes('restarting'), kept } };
}
