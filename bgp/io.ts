// The TCP that the library needs from outside (time and chance: #world). The caller hands it in; transport/ has a real
// binding and one in memory.

/** What an accepted connection did not keep of its neighbour's rules. */
export type RuleBreach =
  /** The neighbour has a password, and the connection came about without one. */
  | { readonly kind: 'unsigned' }
  /** GTSM asks for more than the TTL of its first packet (undefined: the kernel does not know it any more). */
  | { readonly kind: 'too far'; readonly ttl: number | undefined; readonly least: number };

/**
 * Which packets may carry a session.
 * - direct: TTL 1, the neighbour is on a shared link (eBGP's default).
 * - multihop: sent with TTL = hops (255 for iBGP).
 * - gtsm: sent with TTL 255, received only with TTL >= 256 - hops (RFC 5082).
 */
export type TtlRule =
  | { readonly kind: 'direct' }
  | { readonly kind: 'multihop'; readonly hops: number }
  | { readonly kind: 'gtsm'; readonly hops: number };

export interface DialOptions {
  /** Without %zone; a link-local address needs `device`. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress?: string;
  /** Bind to this link. */
  readonly device?: string;
  /** RFC 2385. */
  readonly md5Key?: string;
  readonly ttl: TtlRule;
  readonly connectTimeoutMs?: number;
}

export interface DialError {
  /** Names the neighbour and what to look at. */
  readonly error: string;
  /** 'ECONNREFUSED', …, when the kernel said no. */
  readonly errno?: string;
}

/** What this host's kernel knows of the other end of a connection. */
export interface LifeSigns {
  /** The other end has closed it, or said that it does not know it; what came before may still be unread. */
  readonly isClosed: boolean;
  /** Since the other end's kernel last acknowledged anything. */
  readonly answeredAgoMs: number;
  /** It takes nothing at present (its window is shut): what is written now does not go out, and nobody can answer it. */
  readonly isShut: boolean;
}

/** One TCP connection. Addresses are canonical text without %zone. */
export interface Connection {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly device?: string;
  /** Set once, at once: no bytes flow before. */
  setHandler(handler: ConnectionHandler): void;
  /** Queues bytes, which are not copied: the caller must not change them. False when more than the high-water mark is queued. */
  write(bytes: Uint8Array): boolean;
  /** Writes between cork and uncork leave in one writev. Calls nest. */
  cork(): void;
  uncork(): void;
  /** Bytes that the kernel has not taken yet. */
  readonly queuedBytes: number;
  /** Bytes that the kernel has taken since the start (RFC 9687 looks for progress). */
  readonly totalBytesAccepted: number;
  pause(): void;
  resume(): void;
  /** True when bytes wait that data() has not seen: after a stall of the process timers run before sockets. */
  hasUnreadBytes(): boolean | 'unknown';
  /** undefined: this transport cannot tell. */
  lifeSigns(): LifeSigns | undefined;
  /** Flush, then close; destroyed after afterMs. No handler call follows. */
  end(afterMs: number): void;
  /** Closes now. No handler call follows. */
  destroy(): void;
}

export interface ConnectionHandler {
  /** Bytes are valid only during the call. */
  data(buffer: Uint8Array, start: number, end: number): void;
  /** The queue is empty again after write() returned false. */
  drained(): void;
  /** The other end closed (undefined) or the connection broke. Called once, never after end() or destroy(). `errno` as in DialError. */
  closed(error: string | undefined, errno?: string): void;
}

export interface ListenOptions {
  readonly address: string;
  readonly port: number;
}

/** The MD5 keys of a listening socket. */
export interface ListenKeys {
  /** For a neighbour's address, or all of a prefix; undefined removes the key. Throws when the transport cannot. */
  setMd5Key(prefix: string, key: string | undefined): void;
}

export interface ListenerHandle extends ListenKeys {
  readonly port: number;
  close(): void;
}

/** A link of this host and its addresses that others may send to: the next hops on it (RFC 4271 §5.1.3). */
export interface OwnLink {
  readonly device: string;
  /** On-link there with the address that was asked for, '192.0.2.0/31'. */
  readonly network: string;
  readonly ipv4?: string;
  /** Not link-local. */
  readonly ipv6?: string;
}

export interface Transport {
  /** Calls done once, never during dial() and never after cancel(). */
  dial(options: DialOptions, done: (result: Connection | DialError) => void): { cancel(): void };
  /**
   * Rejects with an Error that names address, port and errno.
   *
   * @param prepare sets keys before anybody can connect
   */
  listen(
    options: ListenOptions,
    accept: (connection: Connection) => void,
    prepare?: (keys: ListenKeys) => void,
  ): Promise<ListenerHandle>;
  /**
   * Puts its neighbour's rules on an accepted connection, before a byte of it is read: how it came about tells whether
   * it kept them until now. Throws when the transport cannot (fail closed).
   *
   * @returns what it did not keep
   */
  admit(
    connection: Connection,
    rules: { readonly ttl: TtlRule; readonly md5Key?: string },
  ): RuleBreach | undefined;
  /** Changes the rule of a running connection. Throws when the transport cannot. */
  setTtlRule(connection: Connection, rule: TtlRule): void;
  /** Changes the key of a running connection (RFC 2385). Throws when the transport cannot. */
  setMd5Key(connection: Connection, key: string | undefined): void;
  /** Tells when a link goes down, so that a directly connected neighbour need not wait for its hold timer. */
  watchLink?(device: string, down: () => void): { cancel(): void };
  /** The link that has this local address; `device` where the address may be on several (link-local). */
  linkOf?(localAddress: string, device?: string): OwnLink | undefined;
}
