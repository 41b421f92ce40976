// UDP as the host's protocols use it (BFD): a socket on one address of the host, datagrams out and in, any of which may
// be lost. real/udp.ts asks the kernel, memory/memory-datagrams.ts kernels in memory that are wired together.
import type { KernelError } from './kernel-error.ts';

export interface Endpoint {
  /** canonical text, with '%device' for a link-local one */
  readonly address: string;
  readonly port: number;
}

export interface DatagramOptions {
  /** Where it is bound; port 0: any that is free. */
  readonly local: Endpoint;
  /** TTL or hop limit of what is sent, 1..255; default 64. */
  readonly ttl?: number;
}

export interface DatagramSocket extends Disposable {
  readonly local: Endpoint;
  /** Sends or loses it: never throws, never waits. The bytes are taken at once and may be changed after the call. */
  send(bytes: Uint8Array, to: Endpoint): void;
}

export interface Datagrams {
  /**
   * EADDRNOTAVAIL when the address is not the host's, EADDRINUSE when the port is taken. `received` gets bytes that are
   * its own, never from inside of bind or send.
   */
  bind(
    options: DatagramOptions,
    received: (bytes: Uint8Array, from: Endpoint) => void,
  ): DatagramSocket | KernelError;
}
