// The network configuration list that tells a container runtime to call us. It appears by rename, only when ADD can be
// served, and stays across restarts. What an operator has put into it (plugins behind ours, an MTU) stays, too.
import { isDeepStrictEqual } from 'node:util';
import type { Disk } from '#world';
import { NEWEST } from './server/network-config.ts';

export interface ConflistOptions {
  readonly socketPath: string;
  readonly stateDir: string;
  /** Default: the MTU of the uplink, or what the file says. */
  readonly mtu?: number;
}

type Json = Readonly<Record<string, unknown>>;
type Conflist = Json & { readonly plugins: readonly Json[] };

/** Runtimes take the first name in alphabetical order. */
export const CONFLIST_NAME = '10-podroute.conflist';
/** What libcni looks at in its folder. */
const IS_READ = /^[^/]+\.(conf|conflist|json)$/;
const NETWORK = 'podroute';
const CAPABILITIES = { ips: true, mac: true, 'io.kubernetes.cri.pod-annotations': true };

/** The file with our entry as it has to be, and everything else as it was. */
function merged(before: Conflist | undefined, { socketPath, stateDir, mtu }: ConflistOptions): Conflist {
  const entry = (present: Json): Json => ({
    ...present,
    type: 'podroute',
    socketPath,
    stateDir,
    ...(mtu === undefined ? {} : { mtu }),
    capabilities: { ...(isObject(present['capabilities']) ? present['capabilities'] : {}), ...CAPABILITIES },
  });
  if (before === undefined) return { cniVersion: NEWEST, name: NETWORK, plugins: [entry({})] };
  const isThere = before.plugins.some(isOurs);
  const plugins = isThere
    ? before.plugins.map((plugin) => (isOurs(plugin) ? entry(plugin) : plugin))
    : [entry({}), ...before.plugins];
  return { ...before, plugins };
}

const isOurs = (plugin: Json): boolean => plugin['type'] === 'podroute';

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined when it is no list of plugins. */
function readConflist(bytes: Uint8Array): Conflist | undefined {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
  if (!isObject(json)) return undefined;
  const { plugins } = json;
  return Array.isArray(plugins) && plugins.every(isObject) ? { ...json, plugins } : undefined;
}

/** Leaves the file alone when it says the same already: runtimes reload at every change. */
export async function writeConflist(folder: string, options: ConflistOptions, disk: Disk): Promise<void> {
  const path = `${folder}/${CONFLIST_NAME}`;
  const present = await disk.read(path);
  const before = present && readConflist(present);
  const wanted = merged(before, options);
  if (isDeepStrictEqual(before, wanted)) return;
  // The container runtime reads it as another user; and of the names in it only .conf, .conflist and .json.
  await disk.makeFolder(folder);
  await disk.replace(path, Buffer.from(`${JSON.stringify(wanted, undefined, 2)}\n`));
}

/** The network's name in it: an operator may have given it another. */
export async function networkName(folder: string, disk: Disk): Promise<string> {
  const present = await disk.read(`${folder}/${CONFLIST_NAME}`);
  const name = present && readConflist(present)?.['name'];
  return typeof name === 'string' ? name : NETWORK;
}

/** Files of others that the runtime takes instead of ours. */
export async function filesBeforeOurs(folder: string, disk: Disk): Promise<string[]> {
  const files = (await disk.list(folder)) ?? [];
  return filesBefore(files.map(({ path }) => path));
}

/** The same of the names in that folder. */
export function filesBefore(names: readonly string[]): string[] {
  return names.filter((name) => IS_READ.test(name) && name < CONFLIST_NAME);
}
