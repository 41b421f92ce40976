// Datagrams between kernels in memory: each goes the way that walk() finds, and is lost where that ends or where its TTL
// does. Bound: the sockets that are open.
import type { Datagrams, DatagramOptions, DatagramSocket, Endpoint } from '../datagrams.ts';
import { KernelError } from '../kernel-error.ts';
import type { MemoryKernel } from './memory-kernel.ts';
import { walk } from './walk.ts';

type Receive = (bytes: Uint8Array, from: Endpoint) => void;

const DEFAULT_TTL = 64;
const FIRST_FREE_PORT = 32_768;
const EADDRINUSE = 98;
const EADDRNOTAVAIL = 99;

export class MemoryDatagrams implements Datagrams {
  static readonly #socketsOf = new WeakMap<MemoryKernel, Map<string, Receive>>();
  readonly #kernel: MemoryKernel;
  readonly #sockets = new Map<string, Receive>();

  /** One for a kernel: the last one that was made gets what arrives there. */
  constructor(kernel: MemoryKernel) {
    this.#kernel = kernel;
    MemoryDatagrams.#socketsOf.set(kernel, this.#sockets);
  }

  bind({ local, ttl = DEFAULT_TTL }: DatagramOptions, received: Receive): DatagramSocket | KernelError {
    const { address } = local;
    const refuse = (errno: number) => new KernelError('bind', `UDP ${address} port ${local.port}`, errno);
    if (!this.#kernel.hasAddress(address)) return refuse(EADDRNOTAVAIL);
    let { port } = local;
    if (port === 0) for (port = FIRST_FREE_PORT; this.#sockets.has(keyOf({ address, port })); ) port++;
    const bound = { address, port };
    const key = keyOf(bound);
    if (this.#sockets.has(key)) return refuse(EADDRINUSE);
    this.#sockets.set(key, received);
    let isOpen = true;
    return {
      local: bound,
      send: (bytes, to) => {
        if (isOpen) this.#send(Uint8Array.from(bytes), bound, to, ttl);
      },
      [Symbol.dispose]: () => {
        if (isOpen) this.#sockets.delete(key);
        isOpen = false;
      },
    };
  }

  #send(bytes: Uint8Array, from: Endpoint, to: Endpoint, ttl: number): void {
    const { end, at, hops } = walk(this.#kernel, to.address);
    if (end.kind !== 'arrived' || hops.length > ttl) return;
    const sockets = MemoryDatagrams.#socketsOf.get(at);
    queueMicrotask(() => sockets?.get(keyOf(to))?.(bytes, from));
  }
}

const keyOf = ({ address, port }: Endpoint): string => `${address} ${port}`;
