// Who is a router on a link, as routers tell it themselves (RFC 4861): advertisements and solicitations, out and in.
// native/icmp6-socket.ts asks the kernel, memory/memory-router-discovery.ts kernels in memory that are wired together.
// When to send and whom to believe is not decided here.
import type { KernelError } from './kernel-error.ts';
import type { RouterMessage } from './router-messages.ts';

export interface RouterSocket extends Disposable {
  /**
   * To every node of the link (an advertisement) or every router (a solicitation), from the link's own link-local
   * address. Never waits; undefined when it went out, which does not say that anybody got it. EADDRNOTAVAIL while the
   * link has no such address that is free to use, ENETUNREACH (or ENETDOWN) while it is down and when it is gone.
   */
  send(message: RouterMessage): KernelError | undefined;
}

export interface RouterDiscovery {
  /**
   * `heard` gets what others on this link say, as far as it is valid (RFC 4861 §6.1): from the link itself (hop limit
   * 255), from a link-local address (an advertisement), whole. Never what this host sends by such a socket, and never
   * from inside of open or send. A link that is deleted and made again needs a new socket. Nothing in the kernel is
   * changed, and it does not matter what accept_ra says.
   */
  open(device: string, heard: (message: RouterMessage, from: string) => void): RouterSocket | KernelError;
}
