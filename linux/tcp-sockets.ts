// TCP sockets with the options that BGP wants and node:net has no call for. The shape is that of bgp/'s SocketOptions.

export interface TcpSocketRequest {
  readonly family: 'ipv4' | 'ipv6';
  readonly bind?: { readonly address: string; readonly port: number };
  /** SO_BINDTODEVICE; for a link-local bind address also its scope */
  readonly device?: string;
  /** IP_TTL or IPV6_UNICAST_HOPS */
  readonly ttl?: number;
  /** IP_MINTTL or IPV6_MINHOPCOUNT: packets with less are dropped (GTSM, RFC 5082) */
  readonly minTtl?: number;
  /** TCP_MD5SIG (RFC 2385) keys of neighbours, by address or prefix */
  readonly md5?: readonly { readonly prefix: string; readonly key: string }[];
  /** bind to an address that is not there yet */
  readonly freebind?: boolean;
  readonly userTimeoutMs?: number;
  readonly reuseAddress?: boolean;
  readonly v6Only?: boolean;
}

/** Every call throws KernelError naming the option, the object and the errno. */
export const tcpSockets = {
  openTcpSocket(request: TcpSocketRequest): number {
    throw new Error(`not yet: ${request.family}`);
  },
  closeSocket(fd: number): void {
    throw new Error(`not yet: ${fd}`);
  },
  setMd5(fd: number, prefix: string, key: string | undefined): void {
    throw new Error(`not yet: ${fd} ${prefix} ${key}`);
  },
  setTtl(fd: number, family: 'ipv4' | 'ipv6', ttl: number | undefined, minTtl: number | undefined): void {
    throw new Error(`not yet: ${fd} ${family} ${ttl} ${minTtl}`);
  },
  unread(fd: number): number {
    throw new Error(`not yet: ${fd}`);
  },
};
