// The network configuration list that tells a container runtime to call us. It appears by rename, only when ADD can be
// served, and stays across restarts: it goes on uninstall.
import type { CniDisk } from './outside.ts';
import { NEWEST } from './server/request/network-config.ts';

export interface ConflistOptions {
  /** Default '10-podroute.conflist': runtimes take the first name in alphabetical order. */
  readonly fileName?: string;
  /** Name of the network: garbage collection keeps to it. Default 'podroute'. */
  readonly network?: string;
  readonly socketPath: string;
  readonly stateDir: string;
  /** Default: the MTU of the uplink. */
  readonly mtu?: number;
  /** Name of the executable. Default 'podroute'. */
  readonly type?: string;
  /** Plugins behind ours, e.g. portmap with its capability. */
  readonly chained?: readonly Readonly<Record<string, unknown>>[];
}

const DEFAULT_NAME = '10-podroute.conflist';

export function conflistText(options: ConflistOptions): string {
  const podroute = {
    type: options.type ?? 'podroute',
    socketPath: options.socketPath,
    stateDir: options.stateDir,
    ...(options.mtu === undefined ? {} : { mtu: options.mtu }),
    capabilities: { ips: true, mac: true, 'io.kubernetes.cri.pod-annotations': true },
  };
  const plugins = [podroute, ...(options.chained ?? [])];
  return `${JSON.stringify({ cniVersion: NEWEST, name: options.network ?? 'podroute', plugins }, undefined, 2)}\n`;
}

/** Leaves the file alone when it says the same already: runtimes reload at every change. */
export async function writeConflist(folder: string, options: ConflistOptions, disk: CniDisk): Promise<void> {
  const path = `${folder}/${options.fileName ?? DEFAULT_NAME}`;
  const bytes = Buffer.from(conflistText(options));
  const present = await disk.read(path);
  if (present !== undefined && bytes.equals(present)) return;
  await disk.makeFolder(folder);
  // No name that a runtime would read: libcni takes .conf, .conflist and .json.
  const temporary = `${path}.new`;
  const file = await disk.open(temporary, 'truncate');
  try {
    await file.append(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncFolder(folder);
}

/** On uninstall. */
export async function removeConflist(
  folder: string,
  fileName: string | undefined,
  disk: CniDisk,
): Promise<void> {
  await disk.remove(`${folder}/${fileName ?? DEFAULT_NAME}`);
}
