// The network configuration list that tells a container runtime to call us. It appears by rename, only when ADD can be
// served, and stays across restarts.
import type { Disk } from '#world';
import { NEWEST } from './server/request/network-config.ts';

export interface ConflistOptions {
  readonly socketPath: string;
  readonly stateDir: string;
  /** Default: the MTU of the uplink. */
  readonly mtu?: number;
  /** Plugins behind ours, e.g. portmap with its capability. */
  readonly chained?: readonly Readonly<Record<string, unknown>>[];
}

/** Runtimes take the first name in alphabetical order. */
const FILE_NAME = '10-podroute.conflist';

function conflistText(options: ConflistOptions): string {
  const podroute = {
    type: 'podroute',
    socketPath: options.socketPath,
    stateDir: options.stateDir,
    ...(options.mtu === undefined ? {} : { mtu: options.mtu }),
    capabilities: { ips: true, mac: true, 'io.kubernetes.cri.pod-annotations': true },
  };
  const plugins = [podroute, ...(options.chained ?? [])];
  return `${JSON.stringify({ cniVersion: NEWEST, name: 'podroute', plugins }, undefined, 2)}\n`;
}

/** Leaves the file alone when it says the same already: runtimes reload at every change. */
export async function writeConflist(folder: string, options: ConflistOptions, disk: Disk): Promise<void> {
  const path = `${folder}/${FILE_NAME}`;
  const bytes = Buffer.from(conflistText(options));
  const present = await disk.read(path);
  if (present !== undefined && bytes.equals(present)) return;
  // The container runtime reads it as another user; and of the names in it only .conf, .conflist and .json.
  await disk.makeFolder(folder);
  await disk.replace(path, bytes);
}
