// Socket options that node:net has no call for. The library binds none of them itself: the caller brings an
// implementation (podroute's linux/ has one), and without it whatever needs one is refused.
import type { Family } from '#ip';
import type { LifeSigns, TtlRule } from '../io.ts';

export interface TcpSocketRequest {
  readonly family: Family;
  readonly bind?: { readonly address: string; readonly port: number };
  /** SO_BINDTODEVICE; for a link-local bind address also its scope. */
  readonly device?: string;
  /** IP_TTL or IPV6_UNICAST_HOPS. */
  readonly ttl?: number;
  /** IP_MINTTL or IPV6_MINHOPCOUNT (RFC 5082). */
  readonly minTtl?: number;
  /** Addresses or prefixes of neighbours with their keys (TCP_MD5SIG, RFC 2385). */
  readonly md5?: readonly { readonly prefix: string; readonly key: string }[];
  /** Bind to an address that is not there yet. */
  readonly freebind?: boolean;
  readonly userTimeoutMs?: number;
  /** SO_REUSEADDR. */
  readonly reuseAddress?: boolean;
  /** IPV6_V6ONLY. */
  readonly v6Only?: boolean;
  /** TCP_SAVE_SYN: synTtl() of what it accepts. */
  readonly saveSyn?: boolean;
}

/** Every call throws an Error that names the option, the object and the errno. */
export interface SocketOptions {
  /** A non-blocking, close-on-exec stream socket, bound if asked, neither connected nor listening. The caller owns the descriptor. */
  openTcpSocket(request: TcpSocketRequest): number;
  /** Only for a descriptor that no stream has taken over. */
  closeSocket(fd: number): void;
  /** undefined removes the key. */
  setMd5(fd: number, prefix: string, key: string | undefined): void;
  /** Sets the key of an accepted socket's neighbour anew, never without one in between. False: it had none before. */
  renewMd5(fd: number, address: string, key: string): boolean;
  /** TTL of the packet that asked for an accepted connection; once. undefined: not saved (a SYN cookie stood for it). */
  synTtl(fd: number): number | undefined;
  /** Absent values stay as they are; minTtl 0 switches the check off. */
  setTtl(fd: number, family: Family, ttl: number | undefined, minTtl: number | undefined): void;
  /** FIONREAD: bytes received that nobody has read. */
  unread(fd: number): number;
  /** TCP_INFO of a connection. */
  lifeSigns(fd: number): LifeSigns;
}

/** TTLs for a rule; the other side's must be at least minTtl (0 = any). */
export function ttlValues(rule: TtlRule): { readonly ttl: number; readonly minTtl: number } {
  switch (rule.kind) {
    case 'direct':
      return { ttl: 1, minTtl: 0 };
    case 'multihop':
      return { ttl: rule.hops, minTtl: 0 };
    case 'gtsm':
      return { ttl: 255, minTtl: 256 - rule.hops };
  }
}

/** Linux's default TTL: good enough for a multihop rule that asks for no less. */
const DEFAULT_TTL = 64;

/** Why a connection with these needs must not be made on plain node:net; undefined when it may. */
export function refusalOnPlainSockets(
  ttl: TtlRule,
  md5Key: string | undefined,
  device?: { readonly name: string; readonly isLinkLocal: boolean },
): string | undefined {
  const without = 'needs socket options, and this transport was made without them';
  if (md5Key !== undefined) return `an MD5 key ${without}`;
  if (ttl.kind === 'gtsm') return `GTSM (TTL security) ${without}`;
  if (ttl.kind === 'direct') return `TTL 1 for a directly connected neighbour ${without}; use multihop`;
  if (ttl.hops < DEFAULT_TTL) return `multihop with ${ttl.hops} hops ${without}; use ${DEFAULT_TTL} or more`;
  if (device !== undefined && !device.isLinkLocal) return `binding to device ${device.name} ${without}`;
  return undefined;
}
