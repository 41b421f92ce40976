// Who listens on a TCP port of this network namespace, and in which process: /proc/net/tcp, and the descriptors below
// /proc (root sees those of all).
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { formatOctets } from '#ip';

export interface TcpListener {
  /** '0.0.0.0', '::', or the address */
  readonly address: string;
  readonly port: number;
  /** Undefined: not found, as without root. */
  readonly process?: ListeningProcess;
}

export interface ListeningProcess {
  readonly pid: number;
  /** 'bird' */
  readonly name: string;
  /** The unit of systemd that started it, 'bird.service'. */
  readonly unit?: string;
  /** It runs in a container of Kubernetes. */
  readonly isInPod: boolean;
}

/** Processes that have more descriptors than this are looked at no further. */
const MOST_DESCRIPTORS = 65_536;
const MOST_PROCESSES = 65_536;
const LISTEN = '0A';

interface ListeningSocket {
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

export async function tcpListeners(port: number): Promise<TcpListener[]> {
  const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'].map((file) =>
    readFile(file, 'latin1').catch(() => ''),
  );
  const sockets = listeningSockets((await Promise.all(tables)).join('\n'), port);
  if (sockets.length === 0) return [];
  const owners = await ownersOf(new Set(sockets.map(({ inode }) => inode)));
  return sockets.map(({ address, port: at, inode }) => {
    const process = owners.get(inode);
    return { address, port: at, ...(process === undefined ? {} : { process }) };
  });
}

/** Lines of /proc/net/tcp and tcp6: `sl local_address rem_address st … inode`, addresses as the machine's words. */
export function listeningSockets(text: string, port: number): ListeningSocket[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local = '', , state] = fields;
    const [hex = '', portHex = ''] = local.split(':');
    const inode = fields[9];
    if (state !== LISTEN || inode === undefined || Number.parseInt(portHex, 16) !== port) return [];
    const bytes = Buffer.from(hex, 'hex');
    if (bytes.length !== 4 && bytes.length !== 16) return [];
    return [{ address: formatOctets(bytes.swap32(), 0, bytes.length), port, inode }];
  });
}

async function ownersOf(inodes: ReadonlySet<string>): Promise<Map<string, ListeningProcess>> {
  const owners = new Map<string, ListeningProcess>();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).slice(0, MOST_PROCESSES);
  for (const pid of pids) {
    if (owners.size === inodes.size) break;
    const folder = `/proc/${pid}/fd`;
    // Ended meanwhile, or somebody else's.
    const descriptors = (await readdir(folder).catch(() => [])).slice(0, MOST_DESCRIPTORS);
    for (const fd of descriptors) {
      const target = await readlink(`${folder}/${fd}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) owners.set(inode, await processOf(Number(pid)));
    }
  }
  return owners;
}

/** Of Node's thread the program that it runs: 'podroute.js'. */
function nameOf(comm: string, words: readonly string[]): string {
  if (comm !== 'MainThread' && comm !== 'node') return comm;
  return basename(words.slice(1).find((word) => !word.startsWith('-')) || comm);
}

async function processOf(pid: number): Promise<ListeningProcess> {
  const [comm = '', groups = '', words = ''] = await Promise.all(
    ['comm', 'cgroup', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
  );
  const unit = /:\/system\.slice\/(?:[^\n]*\/)?([^/\n]+\.service)$/m.exec(groups)?.[1];
  return {
    pid,
    name: nameOf(comm.trim(), words.split('\0')),
    ...(unit === undefined ? {} : { unit }),
    isInPod: /kubepods|cri-containerd|crio-/.test(groups),
  };
}
