// A speaker in its own process at 127.0.0.1, AS 65001, and what tests do with it.
import { waitUntil } from '#world';
import { fork, type ChildProcess } from 'node:child_process';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { ACCEPT_ALL, type PeerConfig, type PeerStatus } from '#bgp';
import { RawPeer } from '../../testing/raw-peer.ts';
import type { Figures, Order, Reply } from './orders.ts';

const OUR_AS = 65001;

export class SpeakerUnderFire implements AsyncDisposable {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #next = 1;

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.port = port;
    child.on('message', (reply: Reply) => {
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
    child.on('exit', (code) => {
      for (const answer of this.#waiting.values()) answer({ id: 0, error: `the speaker died (${code})` });
      this.#waiting.clear();
    });
  }

  static async start(
    peers: readonly PeerConfig[],
    options: { readonly clockSpeed?: number } = {},
  ): Promise<SpeakerUnderFire> {
    const port = await freePort();
    const child = fork(resolve(import.meta.dirname, 'speaker-process.ts'), {
      execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    });
    const speaker = new SpeakerUnderFire(child, port);
    await new Promise<void>((done) => child.once('message', () => done()));
    const config = {
      asNumber: OUR_AS,
      routerId: '10.0.0.1',
      listen: [{ address: '127.0.0.1', port }],
      multipath: { ebgp: 1, ibgp: 1, relax: false },
    };
    await speaker.order({ do: 'start', config, peers, ...options });
    return speaker;
  }

  order(order: Order): Promise<unknown> {
    const id = this.#next++;
    return new Promise((done, fail) => {
      this.#waiting.set(id, (reply) =>
        reply.error === undefined ? done(reply.value) : fail(new Error(reply.error)),
      );
      this.#process.send({ id, order });
    });
  }

  async figures(order: 'measure' | 'figures' = 'figures'): Promise<Figures> {
    return (await this.order({ do: order })) as Figures;
  }

  async log(): Promise<{ readonly lines: number; readonly log: readonly string[] }> {
    return (await this.order({ do: 'log' })) as { lines: number; log: string[] };
  }

  async routes(): Promise<readonly string[]> {
    return (await this.order({ do: 'routes', limit: 1000 })) as string[];
  }

  /** An established session of the neighbour at 127.0.0.`host`, AS 65000 + host, that answers by hand. */
  async neighbour(host: number, holdTimeSeconds = 90): Promise<RawPeer> {
    const peer = await this.connect(host);
    await peer.establish({
      asNumber: asOf(host),
      holdTimeSeconds,
      routerId: `10.0.0.${host}`,
    });
    return peer;
  }

  /** A connection from 127.0.`net`.`host` over which nothing was said yet. */
  async connect(host: number, net = 0): Promise<RawPeer> {
    return new RawPeer(await this.dial(host, net), Buffer.alloc(0));
  }

  /** The same as a bare socket that nobody reads. */
  dial(host: number, net = 0): Promise<Socket> {
    return new Promise((done, fail) => {
      const socket = connect({
        host: '127.0.0.1',
        port: this.port,
        localAddress: `127.0.${net}.${host}`,
      });
      socket.setNoDelay(true);
      socket.once('connect', () => done(socket));
      socket.once('error', fail);
    });
  }

  async status(id: string): Promise<PeerStatus | undefined> {
    return (await this.figures()).peers.find((peer) => peer.id === id);
  }

  /** Waits until the session of a neighbour is in the state. */
  async until(id: string, state: string, timeoutMs = 5000): Promise<void> {
    await waitUntil(`${id} in ${state}`, timeoutMs, async () => (await this.status(id))?.state === state);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const gone = new Promise<void>((done) => this.#process.once('exit', () => done()));
    this.#process.disconnect();
    await gone;
  }
}

export function asOf(host: number): number {
  return 65000 + host;
}

/** The neighbour at 127.0.0.`host`, which dials us. */
export function neighbourConfig(host: number, more: Partial<PeerConfig> = {}): PeerConfig {
  return {
    id: `n${host}`,
    remote: { kind: 'address', address: `127.0.0.${host}`, port: 179 },
    remoteAs: asOf(host),
    passive: true,
    holdTimeSeconds: 90,
    connectRetrySeconds: 5,
    families: ['ipv4', 'ipv6'],
    extendedNextHop: false,
    ttl: { kind: 'multihop', hops: 255 },
    nextHop: 'auto',
    nextHopSelf: { ipv6: 'fd00::1' },
    routeReflectorClient: false,
    routeServerClient: false,
    addPaths: 'none',
    maxPrefixes: { limit: 10_000, warnPercent: 100 },
    allowedLocalAs: 0,
    enforceFirstAs: true,
    removePrivateAs: false,
    gracefulRestart: { mode: 'disabled', restartSeconds: 120, longLivedSeconds: 0 },
    import: ACCEPT_ALL,
    export: ACCEPT_ALL,
    ...more,
  };
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}
