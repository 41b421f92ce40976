// Network namespaces: named ones below /run/netns as `ip netns` makes them, and any by path or process.
// No child process: a thread of its own makes the new namespace (native/addon.c) and binds it to a file.
import { closeSync, constants, mkdirSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import { addon } from './addon.ts';

const NETNS_DIRECTORY = '/run/netns';
const CLONE_NEWNET = 0x40000000;

/** '/run/netns/NAME' */
export function netnsPath(name: string): string {
  return `${NETNS_DIRECTORY}/${name}`;
}

/** Makes a named namespace (its lo is down) and gives its path. Throws KernelError: EEXIST, EPERM. */
export function createNetns(name: string): string {
  checkName(name);
  const native = addon();
  const path = netnsPath(name);
  const fail = (errno: number, detail?: string) =>
    new KernelError('create network namespace', name, errno, detail);
  try {
    mkdirSync(NETNS_DIRECTORY, { recursive: true, mode: 0o755 });
  } catch (error) {
    const errno = -((error as NodeJS.ErrnoException).errno ?? 0);
    throw fail(errno, `cannot make ${NETNS_DIRECTORY}${rootHint(errno)}`);
  }
  // Containers that have /run mounted from here see namespaces made later (and let go of deleted ones).
  const shared = native.shareMount(NETNS_DIRECTORY);
  if (shared < 0) throw fail(-shared, `cannot share the mount ${NETNS_DIRECTORY}${rootHint(-shared)}`);
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_CREAT | constants.O_EXCL, 0o444));
  } catch (error) {
    const errno = -((error as NodeJS.ErrnoException).errno ?? 0);
    throw fail(
      errno,
      errno === errnos.EEXIST ? `${path} is there already` : `cannot make ${path}${rootHint(errno)}`,
    );
  }
  const result = native.createNetns(path);
  if (result === 0) return path;
  unlinkSync(path);
  if (result <= -1000) throw fail(-result - 1000, `cannot bind it to ${path}`);
  throw fail(-result, `unshare refused${rootHint(-result)}`);
}

/**
 * Takes the name away; the namespace itself goes when no process and no descriptor uses it any more.
 * Throws KernelError: ENOENT when there is none of that name.
 */
export function deleteNetns(name: string): void {
  checkName(name);
  const path = netnsPath(name);
  const unmounted = addon().unmount(path);
  // EINVAL: a file that nothing is bound to, left over from a host that restarted
  if (unmounted < 0 && unmounted !== -errnos.EINVAL) {
    throw new KernelError('delete network namespace', name, -unmounted, rootHint(-unmounted).trim());
  }
  try {
    unlinkSync(path);
  } catch (error) {
    throw new KernelError('delete network namespace', name, -((error as NodeJS.ErrnoException).errno ?? 0));
  }
}

/** Names of the named ones, sorted; none when /run/netns is not there. */
export function listNetns(): string[] {
  try {
    return readdirSync(NETNS_DIRECTORY).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A namespace by the path of its file, or that of a process. */
export type NetnsReference = string | { readonly pid: number };

/** Opens the namespace's file and gives the descriptor, or KernelError (ENOENT: no such namespace). */
export function openNetns(netns: NetnsReference): number | KernelError {
  const path = typeof netns === 'string' ? netns : `/proc/${netns.pid}/ns/net`;
  // A pipe would wait for a writer, on the main thread; entering it is refused like any file that is no namespace.
  const fd = addon().open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (fd >= 0) return fd;
  return new KernelError(
    'open network namespace',
    path,
    -fd,
    fd === -errnos.ENOENT ? 'no such namespace' : undefined,
  );
}

/**
 * Runs a synchronous function with this thread in the namespace: sockets it opens and /proc/sys/net that it reads belong
 * there. Promises that it starts do not. Throws KernelError when the thread cannot enter; when it cannot come back the
 * process aborts, because everything after would happen in the wrong namespace.
 */
export function withNetns<T>(netns: NetnsReference, run: () => T): T {
  const fd = openNetns(netns);
  if (fd instanceof KernelError) throw fd;
  try {
    return withNetnsFd(fd, typeof netns === 'string' ? netns : `of process ${netns.pid}`, run);
  } finally {
    addon().close(fd);
  }
}

/** The same by an open descriptor, which stays open; name is for messages. */
export function withNetnsFd<T>(fd: number, name: string, run: () => T): T {
  const native = addon();
  const home = homeOfThread();
  const entered = native.setns(fd, CLONE_NEWNET);
  if (entered < 0) {
    native.close(home);
    const hint = entered === -errnos.EINVAL ? 'not a network namespace' : rootHint(-entered).trim();
    throw new KernelError('enter network namespace', name, -entered, hint);
  }
  try {
    return run();
  } finally {
    const back = native.setns(home, CLONE_NEWNET);
    if (back < 0) {
      native.abort(
        `podroute: cannot return from network namespace ${name}: ${new KernelError('setns', 'home', -back).code}; ` +
          `aborting, since this thread would go on in the wrong namespace`,
      );
    }
    native.close(home);
  }
}

function homeOfThread(): number {
  // Opened anew each time: whoever moved this thread to another namespace for good (a worker) means that one.
  const home = addon().open('/proc/thread-self/ns/net', constants.O_RDONLY);
  if (home < 0) throw new KernelError('open network namespace', '/proc/thread-self/ns/net', -home);
  return home;
}

function checkName(name: string): void {
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(name) || name === '.' || name === '..') {
    throw new Error(
      `network namespace name ${JSON.stringify(name)}: wanted letters, digits, '.', '_' or '-'`,
    );
  }
}

function rootHint(errno: number): string {
  return errno === errnos.EPERM || errno === errnos.EACCES
    ? ' (run as root, or in a user namespace: unshare -rmn)'
    : '';
}
