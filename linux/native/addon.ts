// Loads the addon at its first use. What it offers are system calls: a result below 0 is a negative errno.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Handle of a descriptor that the event loop watches. */
export type PollHandle = object & { readonly kind?: 'poll' };

/** Of a descriptor that ends with its thread. */
export type OwnedHandle = object & { readonly kind?: 'owned' };

/** As in addon.c: an addon that was built from other sources is refused, not called. */
const EDITION = 6;

export const ARRIVAL_BYTES = 52;

export interface Addon {
  readonly edition?: number;
  /** close-on-exec always */
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array): number;
  /** of a datagram or raw socket: nothing is sent, nothing waits */
  connect(fd: number, address: Uint8Array): number;
  listen(fd: number, backlog: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array): number;
  /** gives the value's length */
  getsockopt(fd: number, level: number, name: number, value: Uint8Array): number;
  /** gives the address's length */
  getsockname(fd: number, address: Uint8Array): number;
  send(fd: number, bytes: Uint8Array, offset: number, length: number): number;
  recv(fd: number, bytes: Uint8Array, offset: number, length: number, flags: number): number;
  sendTo(fd: number, bytes: Uint8Array, address: Uint8Array): number;
  /**
   * Never waits; gives the datagram's whole length, also when it is more than bytes holds. arrival gets ARRIVAL_BYTES: a
   * struct sockaddr_in or sockaddr_in6, and as far as the socket's options have it told the TTL or hop limit (28; -1: not
   * told), the interface's index (32; 0: not told) and where it went to (36).
   */
  receiveFrom(fd: number, bytes: Uint8Array, arrival: Uint8Array): number;
  /** SO_ATTACH_FILTER; instructions are struct sock_filter, 8 octets each. EINVAL: none, too many, or not whole */
  attachFilter(fd: number, instructions: Uint8Array): number;
  /** FIONREAD */
  unread(fd: number): number;
  /** send on a pool thread; the bytes must not change until done(result) */
  sendInBackground(
    fd: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    done: (result: number) => void,
  ): number;
  open(path: string, flags: number): number;
  close(fd: number): number;
  /** closes the descriptor when the calling thread ends, however it does */
  own(fd: number): OwnedHandle | number;
  /** closes it; once only */
  closeOwned(handle: OwnedHandle): number;
  /** flock(2) on a pool thread; the descriptor stays open until done(0 or a negative errno) */
  flockInBackground(fd: number, operation: number, done: (result: number) => void): number;
  /** by any socket of the namespace in question */
  interfaceIndex(fd: number, name: string): number;
  interfaceName(fd: number, index: number): string | undefined;
  setns(fd: number, type: number): number;
  /** binds a new network namespace to an existing file; below -1000: -1000 - errno of mount, else -errno of unshare */
  createNetns(path: string): number;
  /** a new network namespace without a name: it ends with this descriptor */
  unnamedNetns(): number;
  unmount(path: string): number;
  /** makes a directory a mount point that other mount namespaces follow */
  shareMount(path: string): number;
  /** calls back with 0 or a negative errno as long as the descriptor is readable (level-triggered) */
  pollStart(fd: number, readable: (status: number) => void): PollHandle | number;
  /** once only */
  pollStop(handle: PollHandle): number;
  pollUnref(handle: PollHandle): number;
  /** SCHED_RR for the calling thread, 1..99; threads that it starts have the usual priority */
  roundRobin(priority: number): number;
  /** the usual scheduling for the calling thread with this niceness, -20..19; threads that it starts have 0 */
  nice(niceness: number): number;
  /** STA_* of adjtimex(2) */
  clockStatus(): number;
  /** _exit(2) */
  leave(code: number): never;
  abort(message: string): never;
  /** gives memory that was freed back to the kernel */
  trimMemory(): number;
}

let loaded: Addon | undefined;

/** Throws an Error that says how to build it when it is not there. */
export function addon(): Addon {
  loaded ??= load();
  return loaded;
}

function load(): Addon {
  // From source this file is in linux/native/, in a bundle in dist/: build/ is beside one of the folders above.
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const path = join(folder, 'build', 'podroute_linux.node');
    if (existsSync(path)) {
      const found = createRequire(import.meta.url)(path) as Addon;
      if (found.edition === EDITION) return found;
      throw new Error(`${path} was built from other sources than these. Build it again with:  npm run build`);
    }
    if (folder === dirname(folder)) break;
  }
  throw new Error(
    `build/podroute_linux.node is not there (looked in ${import.meta.dirname} and above). Build it with:  npm run build`,
  );
}
