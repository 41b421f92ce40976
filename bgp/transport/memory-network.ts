// TCP in memory for tests and simulation: hosts with addresses on one network, moved by the caller's clock.
// It can split the stream at any size, delay it, hold it back, and break connections; nothing here is random. With `paths`
// packets go where somebody's kernels would route them, and what gets lost is sent again, as TCP does.
import { contains, familyOf, needsZone, parseAddress, parsePrefix } from '#ip';
import type { Clock } from '#world';
import type {
  Connection,
  DialError,
  DialOptions,
  ListenerHandle,
  ListenKeys,
  ListenOptions,
  RuleBreach,
  Transport,
  TtlRule,
} from '../io.ts';
import { refusalOnPlainSockets, ttlValues } from './socket-options.ts';
import { MemoryConnection, type MemoryWire } from './memory-connection.ts';

interface MemoryListener {
  readonly address: string;
  readonly port: number;
  readonly keys: Map<string, string>;
  readonly accept: (connection: Connection) => void;
}

/** Where packets go. */
export interface MemoryPaths {
  /** How many routers are on the way from a host to who has the address; undefined: a packet does not arrive. */
  routersTo(from: MemoryHost, address: string): number | undefined;
}

export class MemoryNetwork implements MemoryWire {
  readonly clock: Clock;
  /** Largest piece that one data() call gets. */
  chunkBytes = Number.POSITIVE_INFINITY;
  latencyMs = 0;
  /** Bytes that the other end's kernel takes before its reader has read them. */
  windowBytes = 256 * 1024;
  highWaterBytes = 128 * 1024;
  /** Routers between any two hosts: a packet arrives with its TTL less one for each of them. */
  routersBetween = 0;
  /** Default: every host that is up is reached. */
  paths: MemoryPaths | undefined;
  /** Bytes reach the other host's kernel but not its reader: what a stalled process looks like. */
  isFrozen = false;
  readonly #hosts: MemoryHost[] = [];
  readonly #open = new Set<MemoryConnection>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  host(...addresses: string[]): MemoryHost {
    const host = new MemoryHost(this, addresses);
    this.#hosts.push(host);
    return host;
  }

  hostOf(address: string): MemoryHost | undefined {
    return this.#hosts.find((host) => host.isUp && host.addresses.includes(address));
  }

  /** The routers on a packet's way to an address; undefined: it does not arrive. */
  routersTo(from: MemoryHost, address: string): number | undefined {
    if (!from.isUp || this.hostOf(address) === undefined) return undefined;
    return this.paths === undefined ? this.routersBetween : this.paths.routersTo(from, address);
  }

  /** Whether a segment of a connection arrives. */
  carries(from: string, to: string): boolean {
    if (this.paths === undefined) return true;
    const host = this.hostOf(from);
    return host !== undefined && this.routersTo(host, to) !== undefined;
  }

  /** Ends of connections that are open, both sides counted. */
  get connections(): readonly MemoryConnection[] {
    return [...this.#open];
  }

  /** Lets bytes flow again. */
  thaw(): void {
    this.isFrozen = false;
    for (const connection of this.#open) connection.deliverSoon();
  }

  opened(connection: MemoryConnection): void {
    this.#open.add(connection);
  }

  closed(connection: MemoryConnection): void {
    this.#open.delete(connection);
  }
}

export class MemoryHost implements Transport {
  readonly addresses: readonly string[];
  /** A host that is down answers nothing. */
  isUp = true;
  /** False behaves like a host without socket options: MD5 and TTL rules other than multihop are refused. */
  hasSocketOptions = true;
  /** A listener of Linux takes as many as net.core.optmem_max has room for. */
  maxListenKeys = Number.POSITIVE_INFINITY;
  readonly #network: MemoryNetwork;
  readonly #listeners: MemoryListener[] = [];
  readonly #dials = new Set<{ cancel(): void }>();
  readonly #linkWatchers = new Map<string, Set<() => void>>();
  #nextPort = 40_000;

  constructor(network: MemoryNetwork, addresses: readonly string[]) {
    this.#network = network;
    this.addresses = addresses;
  }

  dial(options: DialOptions, done: (result: Connection | DialError) => void): { cancel(): void } {
    let isCancelled = false;
    const dialling = {
      cancel: () => {
        isCancelled = true;
        this.#dials.delete(dialling);
      },
    };
    this.#dials.add(dialling);
    const finish = (result: Connection | DialError) => {
      this.#dials.delete(dialling);
      if (!isCancelled) done(result);
      else if (!('error' in result)) result.destroy();
    };
    const clock = this.#network.clock;
    const refusal = this.#cannot(options.md5Key, options.ttl);
    if (refusal !== undefined) {
      clock.setTimer(0, () => finish({ error: refusal }));
    } else {
      clock.setTimer(this.#network.latencyMs, () => {
        if (!isCancelled) this.#connect(options, finish);
      });
    }
    return dialling;
  }

  listen(
    options: ListenOptions,
    accept: (connection: Connection) => void,
    prepare?: (keys: ListenKeys) => void,
  ): Promise<ListenerHandle> {
    const port = options.port === 0 ? this.#nextPort++ : options.port;
    if (this.#listeners.some((other) => other.port === port && other.address === options.address)) {
      return Promise.reject(new Error(`listen on ${options.address} port ${port}: EADDRINUSE`));
    }
    const listener: MemoryListener = { address: options.address, port, keys: new Map(), accept };
    const keys: ListenKeys = { setMd5Key: (prefix, key) => this.#setListenKey(listener, prefix, key) };
    prepare?.(keys);
    this.#listeners.push(listener);
    return Promise.resolve({
      port,
      ...keys,
      close: () => {
        const index = this.#listeners.indexOf(listener);
        if (index >= 0) this.#listeners.splice(index, 1);
      },
    });
  }

  #setListenKey({ keys }: MemoryListener, prefix: string, key: string | undefined): void {
    const refusal = this.#cannot(key, { kind: 'multihop', hops: 255 });
    if (refusal !== undefined) throw new Error(refusal);
    if (key === undefined) {
      keys.delete(prefix);
      return;
    }
    if (!keys.has(prefix) && keys.size >= this.maxListenKeys) {
      throw Object.assign(new Error(`set TCP MD5 key of ${prefix}: ENOMEM`), { code: 'ENOMEM' });
    }
    keys.set(prefix, key);
  }

  admit(
    connection: Connection,
    { ttl, md5Key }: { readonly ttl: TtlRule; readonly md5Key?: string },
  ): RuleBreach | undefined {
    this.setTtlRule(connection, ttl);
    const { arrivedTtl, md5Key: had } = connection as MemoryConnection;
    const least = ttlValues(ttl).minTtl;
    if (arrivedTtl < least) return { kind: 'too far', ttl: arrivedTtl, least };
    this.setMd5Key(connection, md5Key);
    return md5Key !== undefined && had === undefined ? { kind: 'unsigned' } : undefined;
  }

  setTtlRule(connection: Connection, rule: TtlRule): void {
    const refusal = this.#cannot(undefined, rule);
    if (refusal !== undefined) throw new Error(refusal);
    (connection as MemoryConnection).ttl = rule;
  }

  setMd5Key(connection: Connection, key: string | undefined): void {
    const refusal = this.#cannot(key, { kind: 'multihop', hops: 255 });
    if (refusal !== undefined) throw new Error(refusal);
    (connection as MemoryConnection).md5Key = key;
  }

  /** The process that used it dies: its kernel closes what it had. */
  kill(): void {
    for (const connection of this.#abandon()) connection.destroy();
  }

  /** The machine loses power: nobody is told. Set isUp when it has started again; it knows nothing of what was. */
  crash(): void {
    this.isUp = false;
    for (const connection of this.#abandon()) connection.vanish();
  }

  #abandon(): MemoryConnection[] {
    this.#listeners.length = 0;
    for (const dialling of this.#dials) dialling.cancel();
    return this.#network.connections.filter(({ localAddress }) => this.addresses.includes(localAddress));
  }

  watchLink(device: string, down: () => void): { cancel(): void } {
    const watchers = this.#linkWatchers.get(device) ?? new Set();
    this.#linkWatchers.set(device, watchers);
    watchers.add(down);
    return { cancel: () => watchers.delete(down) };
  }

  get linkWatchers(): number {
    let count = 0;
    for (const watchers of this.#linkWatchers.values()) count += watchers.size;
    return count;
  }

  /** Tells the watchers; the bytes in flight stay where they are. */
  linkDown(device: string): void {
    for (const down of this.#linkWatchers.get(device) ?? []) down();
  }

  listenerFor(address: string, port: number): MemoryListener | undefined {
    return this.#listeners.find(
      (listener) =>
        listener.port === port &&
        (listener.address === address || listener.address === '0.0.0.0' || listener.address === '::'),
    );
  }

  #cannot(md5Key: string | undefined, ttl: TtlRule): string | undefined {
    return this.hasSocketOptions ? undefined : refusalOnPlainSockets(ttl, md5Key);
  }

  #connect(options: DialOptions, finish: (result: Connection | DialError) => void): void {
    const { remoteAddress, remotePort } = options;
    const where = `${remoteAddress} port ${remotePort}`;
    const family = familyOf(remoteAddress);
    const local = options.localAddress ?? this.addresses.find((own) => familyOf(own) === family);
    if (local === undefined || !this.addresses.includes(local)) {
      finish({ error: `connect to ${where}: no local address ${local ?? ''}`, errno: 'EADDRNOTAVAIL' });
      return;
    }
    const other = this.#network.hostOf(remoteAddress);
    const listener = other?.listenerFor(remoteAddress, remotePort);
    const routers = this.#network.routersTo(this, remoteAddress);
    const isSilent =
      other === undefined ||
      routers === undefined ||
      this.#network.routersTo(other, local) === undefined ||
      !arrives(options.ttl, routers) ||
      (listener !== undefined && keyFor(listener.keys, local) !== options.md5Key);
    if (isSilent) {
      const ms = options.connectTimeoutMs ?? 30_000;
      this.#network.clock.setTimer(ms, () =>
        finish({ error: `connect to ${where}: no answer`, errno: 'ETIMEDOUT' }),
      );
      return;
    }
    if (listener === undefined) {
      finish({ error: `connect to ${where}: refused`, errno: 'ECONNREFUSED' });
      return;
    }
    const network = this.#network;
    const device = options.device;
    const near = new MemoryConnection(
      network,
      { address: local, port: this.#nextPort++ },
      { address: remoteAddress, port: remotePort },
      device,
    );
    const far = new MemoryConnection(
      network,
      { address: remoteAddress, port: remotePort },
      { address: local, port: near.localPort },
      needsZone(local) ? device : undefined,
    );
    near.join(far);
    near.ttl = options.ttl;
    near.md5Key = options.md5Key;
    far.md5Key = options.md5Key;
    far.arrivedTtl = ttlValues(options.ttl).ttl - routers;
    listener.accept(far);
    finish(near);
  }
}

/** Of the longest prefix that the address lies in. */
function keyFor(keys: ReadonlyMap<string, string>, address: string): string | undefined {
  const wanted = parseAddress(address)!;
  let found: string | undefined;
  let longest = -1;
  for (const [text, key] of keys) {
    const prefix = parsePrefix(text)!;
    if (prefix.length <= longest || !contains(prefix, wanted)) continue;
    found = key;
    longest = prefix.length;
  }
  return found;
}

/** Whether a packet sent under this rule reaches the other host, and would be taken under it too. */
export function arrives(rule: TtlRule, routers: number): boolean {
  switch (rule.kind) {
    case 'direct':
      return routers === 0;
    case 'multihop':
      return rule.hops > routers;
    case 'gtsm':
      return 255 - routers >= 256 - rule.hops;
  }
}
