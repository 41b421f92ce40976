// All that the doctor may look at: small readers, none of which changes anything. bindings/this-machine.ts has the real
// ones, testing/ a patient in memory. Whatever is asked may be slow or hang: examine.ts gives each check its time.
import type { PlanReply, StatusReply, VersionReply } from '#agent-api';
import {
  contains,
  type Family,
  FAMILIES,
  familyOf,
  needsZone,
  overlaps,
  parsePrefix,
  splitZone,
  withZone,
} from '#ip';
import { POD_LINK } from '#ipam';
import {
  type ClockDiscipline,
  type DiskTrial,
  type Kernel,
  KernelError,
  type Link,
  PODROUTE_PROTOCOL,
  type Route,
  type Sysctl,
  type TcpListener,
  type TriedFeatures,
} from '#linux';

/** What a running agent answers. */
export interface AgentSays {
  readonly version: VersionReply;
  readonly status: StatusReply;
  readonly plan: PlanReply;
}

/** Where an agent has its things on this node. */
export interface Places {
  readonly socketPath: string;
  readonly cniSocketPath: string;
  readonly stateDir: string;
  readonly cniConfDir: string;
  readonly cniBinDir: string;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
}

export interface Patient {
  readonly places: Places;
  /** Of the command. */
  readonly version: string;
  readonly isRoot: boolean;
  /** A text: why none answers. */
  readonly agent: AgentSays | string;
  /** Wall clock. */
  now(): number;
  /** Undefined: there is no such file. Rejects with a `code` such as EACCES. At most 4 MB. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Names in a folder; undefined: there is no such folder. */
  list(folder: string): Promise<readonly string[] | undefined>;
  readonly kernel: Pick<Kernel, 'links' | 'addresses' | 'routes' | 'neighbours' | 'lookup'>;
  readonly sysctl: Pick<Sysctl, 'read'>;
  /** The process that serves a unix socket (0: not to be seen from here), or why none does. */
  peer(socketPath: string): number | KernelError;
  /** Undefined: there is no such program. It gets no shell and only these variables. */
  run(
    command: readonly string[],
    how?: { readonly input?: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<CommandResult | undefined>;
  listeners(port: number): Promise<readonly TcpListener[]>;
  /** Which of these sizes the address answered. */
  echo(
    address: string,
    sizes: readonly number[],
    timeoutMs: number,
  ): Promise<ReadonlySet<number> | KernelError>;
  disk(path: string): Promise<DiskTrial>;
  features(): Promise<TriedFeatures>;
  /** Throws KernelError. */
  clock(): ClockDiscipline;
  /** The CNI executable that belongs to this command; undefined: it came without one. */
  readonly builtCniPlugin: string | undefined;
}

export async function readText(patient: Patient, path: string): Promise<string | undefined> {
  const bytes = await patient.read(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

/** Undefined where this kernel has no such switch. */
export function switchOf(patient: Patient, name: string): string | undefined {
  try {
    return patient.sysctl.read(name);
  } catch (error) {
    if (error instanceof KernelError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The agent's process as it is to be seen from here: in a container it has another number for itself. */
export function agentPid(patient: Patient): number | undefined {
  if (typeof patient.agent === 'string') return undefined;
  const peer = patient.peer(patient.places.socketPath);
  return typeof peer === 'number' && peer > 0 ? peer : patient.agent.version.pid;
}

export const planOf = ({ agent }: Patient) => (typeof agent === 'string' ? undefined : agent.plan.plan);

/** The prefixes of pods: of the whole cluster where an agent tells, else the blocks that this node's kernel holds. */
export async function podPrefixes(patient: Patient): Promise<readonly string[]> {
  const plan = planOf(patient);
  if (plan !== undefined)
    return [...new Set([...plan.kernel.clusterPrefixes, ...plan.kernel.unreachable])].filter(
      (prefix, _, all) => !all.some((other) => other !== prefix && covers(other, prefix)),
    );
  const own = await patient.kernel.routes({ protocol: PODROUTE_PROTOCOL });
  return own.filter(({ type }) => type === 'unreachable').map(({ destination }) => destination);
}

export function covers(outer: string, inner: string): boolean {
  const [a, b] = [parsePrefix(outer), parsePrefix(inner)];
  return a !== undefined && b !== undefined && contains(a, b);
}

export function doOverlap(one: string, other: string): boolean {
  const [a, b] = [parsePrefix(one), parsePrefix(other)];
  return a !== undefined && b !== undefined && overlaps(a, b);
}

/** The neighbours that the agent speaks to, eBGP first; without one the next hops that it has left in the kernel. */
export async function neighbourAddresses(patient: Patient, most: number): Promise<readonly string[]> {
  if (typeof patient.agent !== 'string') {
    const sessions = [...patient.agent.status.sessions];
    sessions.sort((a, b) => Number(a.type === 'ibgp') - Number(b.type === 'ibgp'));
    return [...new Set(sessions.map(({ remote }) => remote))].slice(0, most);
  }
  const own = await patient.kernel.routes({ protocol: PODROUTE_PROTOCOL });
  return [...new Set(own.flatMap(gatewaysOf))].slice(0, most);
}

const gatewaysOf = ({ nextHops }: Route): string[] =>
  nextHops.flatMap(({ gateway, device }) =>
    gateway === undefined || device === undefined
      ? []
      : [withZone(gateway, needsZone(gateway) ? device : undefined)],
  );

/** Documentation addresses (RFC 5737, RFC 3849): the default route answers for them. */
const OUTSIDE = ['192.0.2.1', '2001:db8::1'];

/** The links that lead to neighbours and out of the node. */
export async function uplinks(patient: Patient, most = 256): Promise<readonly Link[]> {
  const [links, neighbours] = await Promise.all([patient.kernel.links(), neighbourAddresses(patient, most)]);
  const found = await Promise.all(
    [...OUTSIDE, ...neighbours].map((address) => linkTowards(patient, address, links)),
  );
  return links.filter((link) => found.includes(link) && !link.loopback && !POD_LINK.test(link.name));
}

/** Undefined: no way there. */
export async function linkTowards(
  patient: Patient,
  remote: string,
  links: readonly Link[],
): Promise<Link | undefined> {
  const { address, zone } = splitZone(remote);
  if (zone !== undefined) return links.find(({ name }) => name === zone);
  const way = await patient.kernel.lookup(address);
  if (way instanceof KernelError || way.kind !== 'unicast') return undefined;
  return links.find(({ index }) => index === way.deviceIndex);
}

/** What families this node has addresses or pods in. */
export async function familiesInUse(patient: Patient): Promise<readonly Family[]> {
  const prefixes = await podPrefixes(patient);
  const own = typeof patient.agent === 'string' ? {} : patient.agent.status.addresses;
  const known = FAMILIES.filter(
    (family) => Object.hasOwn(own, family) || prefixes.some((prefix) => familyOf(prefix) === family),
  );
  if (known.length > 0) return known;
  const addresses = await patient.kernel.addresses();
  return FAMILIES.filter((family) =>
    addresses.some((one) => one.family === family && one.scope === 'global'),
  );
}
