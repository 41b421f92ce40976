// Router advertisements and solicitations between kernels in memory: what one sends on a link is heard by the sockets of
// all that are attached to it, also across bridges. Bound: the sockets that are open.
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import type { RouterDiscovery, RouterSocket } from '../router-discovery.ts';
import type { RouterMessage } from '../router-messages.ts';
import type { MemoryKernel } from './memory-kernel.ts';
import { attachedTo } from './walk.ts';

interface Open {
  readonly index: number;
  readonly heard: (message: RouterMessage, from: string) => void;
}

export class MemoryRouterDiscovery implements RouterDiscovery {
  static readonly #socketsOf = new WeakMap<MemoryKernel, Set<Open>>();
  readonly #kernel: MemoryKernel;
  readonly #sockets = new Set<Open>();

  /** One for a kernel: the last one that was made hears what arrives there. */
  constructor(kernel: MemoryKernel) {
    this.#kernel = kernel;
    MemoryRouterDiscovery.#socketsOf.set(kernel, this.#sockets);
  }

  open(device: string, heard: Open['heard']): RouterSocket | KernelError {
    const index = this.#kernel.indexOf(device);
    if (index === 0) return new KernelError('hear routers on', device, errnos.ENODEV);
    const socket = { index, heard };
    this.#sockets.add(socket);
    return {
      send: (message) => {
        const errno = this.#send(socket, message);
        if (errno === 0) return undefined;
        return new KernelError(`send router ${message.type} on`, device, errno);
      },
      [Symbol.dispose]: () => void this.#sockets.delete(socket),
    };
  }

  #send(socket: Open, message: RouterMessage): number {
    if (!this.#sockets.has(socket)) return errnos.EBADF;
    const link = this.#kernel.linkAt(socket.index);
    if (link === undefined || !link.up) return errnos.ENETUNREACH;
    const from = this.#kernel.linkLocalOf(link.index);
    if (from === undefined) return errnos.EADDRNOTAVAIL;
    for (const { kernel, link: there } of attachedTo(this.#kernel, link)) {
      const sockets = MemoryRouterDiscovery.#socketsOf.get(kernel);
      for (const other of sockets ?? []) {
        if (other.index !== there.index) continue;
        queueMicrotask(() => {
          if (sockets?.has(other)) other.heard(message, from);
        });
      }
    }
    return 0;
  }
}
