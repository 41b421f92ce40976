// UDP as the host's protocols use it (BFD): a socket on one address of the host or on all, datagrams out and in, any of
// which may be lost. native/udp-socket.ts asks the kernel, memory/memory-datagrams.ts kernels in memory that are wired
// together.
import type { KernelError } from './kernel-error.ts';

export interface Endpoint {
  /** canonical text, with '%device' for a link-local one */
  readonly address: string;
  readonly port: number;
}

export interface DatagramOptions {
  /** '0.0.0.0' or '::': every address of that family, and not of the other. Port 0: any that is free. */
  readonly local: Endpoint;
  /** With port 0: one that is free from first to last, where the search begins at random. */
  readonly ports?: { readonly first: number; readonly last: number };
  /**
   * By this link only, out and in. One socket of a port hears by all links or each by another: a socket without a device
   * and one with it are EADDRINUSE to each other.
   */
  readonly device?: string;
  /** TTL or hop limit of what is sent, 1..255; default 64. */
  readonly ttl?: number;
  /** What comes with less never wakes this process; default 0. */
  readonly leastTtl?: number;
  /** The host's network control traffic: DSCP CS6 (RFC 2474 §4.2.2.2), and before other traffic in the host's queues. */
  readonly isControl?: boolean;
}

export interface Datagram {
  /** Its own, of LONGEST_DATAGRAM at most. */
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
  /** Where it went to, as an Endpoint's address: an address of the host. */
  readonly to: string;
  /** The link that it came in by ('' when that is gone already); of what the host sends to itself one of the host's. */
  readonly device: string;
  /** TTL or hop limit that it came with. */
  readonly ttl: number;
}

/** Octets; those that are longer are lost where they arrive. */
export const LONGEST_DATAGRAM = 1_500;

export interface DatagramSocket extends Disposable {
  readonly local: Endpoint;
  /**
   * Sends or loses it: never throws, never waits. The bytes are taken at once and may be changed after the call. A
   * device that was deleted and made again under its name is found again, within a second.
   */
  send(bytes: Uint8Array, to: Endpoint): void;
}

export interface Datagrams {
  /**
   * EADDRNOTAVAIL when the address is not the host's, EADDRINUSE when the port is taken, ENODEV without such a device.
   * `received` is never called from inside of bind or send; a flood costs a bounded share of the event loop, the rest of
   * it is lost. Without `received` the socket sends only: what comes for it is dropped, and it is not watched.
   */
  bind(options: DatagramOptions, received?: (datagram: Datagram) => void): DatagramSocket | KernelError;
}
