// The speaker's listening sockets: one for each configured address, each with the neighbours' MD5 keys set before it
// listens (SEC-1). A key that a socket does not take is the matter of those who need it alone, and a port that another
// program holds that of its socket alone.
import { type Family, familyOf } from '#ip';
import type { Connection, ListenerHandle, ListenKeys, Transport } from '../../io.ts';
import { type KeyRefusal, keyTooLong, refusedKey } from '../fsm/cause.ts';
import { keyOf, type KeyWish, type ListenKey, listenKeys, SHARE_FROM } from './listen-keys.ts';

interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

interface SocketKeys {
  readonly family: Family;
  /** Secrets by prefix, as the transport took them. */
  readonly applied: Map<string, string>;
  /** By prefix: what it did not take. */
  readonly failed: Map<string, KeyRefusal>;
}

interface ListenSocket extends SocketKeys {
  readonly handle: ListenerHandle;
}

export class Listener {
  readonly #transport: Transport;
  readonly #accept: (connection: Connection) => void;
  readonly #sockets = new Map<string, ListenSocket>();
  #wanted: ReadonlySet<string> = new Set();
  /** By id of the neighbour or range. */
  readonly #wishes = new Map<string, KeyWish>();
  #keys = new Map<string, ListenKey>();
  #outdone: KeyWish[] = [];
  #isWaiting = false;
  readonly #refusals = new Map<string, KeyRefusal>();

  constructor(transport: Transport, accept: (connection: Connection) => void) {
    this.#transport = transport;
    this.#accept = accept;
  }

  get addresses(): readonly { readonly address: string; readonly port: number }[] {
    return [...this.#sockets].map(([key, { handle }]) => ({
      address: key.slice(0, key.lastIndexOf('|')),
      port: handle.port,
    }));
  }

  /** Neighbours and ranges whose key some socket lacks: no connection of theirs may be taken. */
  get refusals(): ReadonlyMap<string, KeyRefusal> {
    return this.#refusals;
  }

  /**
   * Opens what is new, closes what is no longer wanted, and tries again what did not open before. Rejects when something
   * cannot be opened, naming each; the others listen.
   */
  async listenOn(wanted: readonly ListenAddress[]): Promise<void> {
    this.#wanted = new Set(wanted.map(nameOf));
    for (const [name, { handle }] of this.#sockets) {
      if (this.#wanted.has(name)) continue;
      handle.close();
      this.#sockets.delete(name);
    }
    this.#settle();
    const problems: string[] = [];
    for (const one of wanted) {
      if (!this.#wanted.has(nameOf(one)) || this.#sockets.has(nameOf(one))) continue;
      try {
        await this.#open(one);
      } catch (error) {
        problems.push((error as Error).message);
      }
    }
    if (problems.length > 0) throw new Error(problems.join('; '));
  }

  /** For every neighbour and range, also without a secret: a key for several must leave those out. */
  setKey(wish: KeyWish): void {
    const before = this.#wishes.get(wish.id);
    if (
      before?.prefix === wish.prefix &&
      before.secret === wish.secret &&
      before.isPassive === wish.isPassive
    )
      return;
    this.#wishes.set(wish.id, wish);
    this.#refusals.delete(wish.id);
    if (keyTooLong(wish.secret) !== undefined || !this.#isMetAlready(wish, before)) this.#settle();
  }

  /** Many changes as one: between them sockets are left as they are. */
  together(change: () => void): void {
    if (this.#isWaiting) {
      change();
      return;
    }
    this.#isWaiting = true;
    try {
      change();
    } finally {
      this.#isWaiting = false;
      this.#settle();
    }
  }

  /** What a socket did not take may find room now. */
  retry(): void {
    this.#settle();
  }

  removeKey(id: string): void {
    const wish = this.#wishes.get(id);
    this.#wishes.delete(id);
    this.#refusals.delete(id);
    if (wish?.secret === undefined) return;
    // Enough others still need the key of a prefix, and nobody else of this address waited behind this neighbour's.
    const key = keyOf(this.#keys, wish.prefix);
    if (key !== undefined && key.ids.size > SHARE_FROM && !this.#waitsFor(wish.prefix) && key.ids.delete(id))
      return;
    this.#settle();
  }

  #waitsFor(prefix: string): boolean {
    for (const wish of this.#wishes.values()) if (wish.prefix === prefix) return true;
    return false;
  }

  close(): void {
    this.#wanted = new Set();
    for (const { handle } of this.#sockets.values()) handle.close();
    this.#sockets.clear();
  }

  async #open(one: ListenAddress): Promise<void> {
    const family = familyOf(one.address);
    const held: SocketKeys = { family, applied: new Map(), failed: new Map() };
    const handle = await this.#transport.listen(one, this.#accept, (keys) => this.#apply(held, keys));
    // Meanwhile somebody may have closed the listener, or asked for another address.
    if (!this.#wanted.has(nameOf(one)) || this.#sockets.has(nameOf(one))) {
      handle.close();
      return;
    }
    this.#sockets.set(nameOf(one), { ...held, handle });
    this.#settle();
  }

  /** A thousand neighbours that come or go one by one shall not be counted a thousand times. */
  #isMetAlready(wish: KeyWish, before: KeyWish | undefined): boolean {
    if (this.#sockets.size === 0 || this.#isWaiting) return true;
    const key = keyOf(this.#keys, wish.prefix);
    if (before !== undefined || key?.secret !== wish.secret) return false;
    if (!isHost(wish.prefix)) return false;
    if (key === undefined) return true;
    const [other] = key.ids;
    const refusal = this.#refusals.get(other!);
    if (refusal !== undefined) this.#refusals.set(wish.id, refusal);
    key.ids.add(wish.id);
    return true;
  }

  #settle(): void {
    if (this.#isWaiting) return;
    const usable = [...this.#wishes.values()].filter(({ secret }) => keyTooLong(secret) === undefined);
    this.#outdone = [];
    this.#keys = listenKeys(usable, (wish) => this.#outdone.push(wish));
    for (const socket of this.#sockets.values()) this.#apply(socket, socket.handle);
    this.#collect();
  }

  #collect(): void {
    this.#refusals.clear();
    for (const { id, secret } of this.#wishes.values()) {
      const refusal = keyTooLong(secret);
      if (refusal !== undefined) this.#refusals.set(id, refusal);
    }
    for (const { id, prefix, isPassive } of this.#outdone) {
      const text = `another neighbour has the address ${prefix} with another password, and Linux keeps one for an address`;
      if (isPassive) this.#refusals.set(id, { kind: 'key refused', problem: 'shared address', text });
    }
    for (const { failed } of this.#sockets.values()) {
      for (const [prefix, refusal] of failed) {
        for (const id of this.#keys.get(prefix)?.ids ?? []) this.#refusals.set(id, refusal);
      }
    }
  }

  /** What is new first: nobody is without a key in between. What found no room then has another try. */
  #apply(held: SocketKeys, socket: ListenKeys): void {
    this.#add(held, socket);
    let isRoomMade = false;
    for (const prefix of held.applied.keys()) {
      if (this.#keys.has(prefix)) continue;
      try {
        socket.setMd5Key(prefix, undefined);
        held.applied.delete(prefix);
        isRoomMade = true;
      } catch {
        // Who connects from there is asked for a key that nobody has: no harm, and tried again with the next change.
      }
    }
    if (isRoomMade && held.failed.size > 0) this.#add(held, socket);
  }

  #add({ family, applied, failed }: SocketKeys, socket: ListenKeys): void {
    failed.clear();
    for (const [prefix, { secret }] of this.#keys) {
      if (familyOf(prefix) !== family || applied.get(prefix) === secret) continue;
      try {
        socket.setMd5Key(prefix, secret);
        applied.set(prefix, secret);
      } catch (error) {
        failed.set(prefix, refusedKey(error));
      }
    }
  }
}

function nameOf(one: ListenAddress): string {
  return `${one.address}|${one.port}`;
}

function isHost(prefix: string): boolean {
  return prefix.endsWith(familyOf(prefix) === 'ipv4' ? '/32' : '/128');
}
