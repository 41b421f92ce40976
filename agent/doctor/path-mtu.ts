// Whether packets as large as the links allow really reach the neighbours, by echoes with DF set; and whether pods' links
// fit what leads out. A neighbour that answers no ping at all says nothing of its MTU.
import { POD_LINK } from '#ipam';
import { CONFLIST_NAME } from '#cni-plugin';
import { KernelError, type Link } from '#linux';
import { type Finding, good, MOST_NAMED, notTested, shellWord, warning, wrong } from './finding.ts';
import { listed } from '../listed.ts';
import { probeCommand } from '../status/probe-command.ts';
import { linkTowards, neighbourAddresses, type Patient, readText, uplinks } from './patient.ts';

const MOST_NEIGHBOURS = 32;
/** Passes whatever carries IP at all. */
const SMALL = 64;
const LARGEST = 65_535;
const FIRST_WAIT_MS = 1_200;
const SEARCH_WAIT_MS = 450;
const SEARCH_SIZES = 12;
/** 12 sizes a round divide by 13: 65,535 in five. */
const SEARCH_ROUNDS = 5;

/** What one neighbour answered. */
export type PathMtu =
  | { readonly kind: 'whole' }
  /** The largest packet that came back. */
  | { readonly kind: 'less'; readonly mtu: number }
  | { readonly kind: 'silent' }
  | { readonly kind: 'not asked'; readonly why: string };

export interface NeighbourPath {
  readonly address: string;
  readonly device: string;
  readonly linkMtu: number;
  readonly path: PathMtu;
}

export async function lookAtPathMtu(patient: Patient): Promise<Finding[]> {
  const [links, addresses] = await Promise.all([
    patient.kernel.links(),
    neighbourAddresses(patient, MOST_NEIGHBOURS),
  ]);
  const paths = await Promise.all(
    addresses.map(async (address): Promise<NeighbourPath[]> => {
      const link = await linkTowards(patient, address, links);
      // A neighbour on this very host has no path, and one without a route is the sessions' trouble.
      if (link === undefined || link.loopback) return [];
      const path = await measure(patient, address, Math.min(link.mtu, LARGEST));
      return [{ address, device: link.name, linkMtu: link.mtu, path }];
    }),
  );
  return judgePaths(paths.flat());
}

async function measure(patient: Patient, address: string, linkMtu: number): Promise<PathMtu> {
  const first = await patient.echo(address, [SMALL, linkMtu], FIRST_WAIT_MS);
  if (first instanceof KernelError) return { kind: 'not asked', why: first.message };
  if (first.has(linkMtu)) return { kind: 'whole' };
  if (!first.has(SMALL)) return { kind: 'silent' };
  let fits = SMALL;
  let fails = linkMtu;
  for (let round = 0; round < SEARCH_ROUNDS && fails - fits > 1; round++) {
    const sizes = sizesBetween(fits, fails);
    const answered = await patient.echo(address, sizes, SEARCH_WAIT_MS);
    if (answered instanceof KernelError) break;
    fits = Math.max(fits, ...answered);
    fails = Math.min(fails, ...sizes.filter((size) => size > fits));
  }
  return { kind: 'less', mtu: fits };
}

/** Evenly spread, neither end among them. */
export function sizesBetween(fits: number, fails: number): number[] {
  const count = Math.min(SEARCH_SIZES, fails - fits - 1);
  return Array.from({ length: count }, (_, i) => fits + Math.round(((i + 1) * (fails - fits)) / (count + 1)));
}

export function judgePaths(paths: readonly NeighbourPath[]): Finding[] {
  const findings: Finding[] = [];
  const small = new Map<string, { mtu: number; of: NeighbourPath }>();
  for (const one of paths) {
    if (one.path.kind !== 'less') continue;
    const before = small.get(one.device);
    if (before === undefined || one.path.mtu < before.mtu)
      small.set(one.device, { mtu: one.path.mtu, of: one });
  }
  for (const [device, { mtu, of }] of small) {
    findings.push(
      wrong(
        `packets of ${of.linkMtu} octets, the MTU of ${device}, do not reach ${of.address} (${probeCommand(of.address, of.linkMtu)}), those of ${mtu} do; raise the MTU of what lies between, or lower it here`,
        `ip link set dev ${shellWord(device)} mtu ${mtu}`,
      ),
    );
  }
  const whole = paths.filter(({ path }) => path.kind === 'whole');
  if (whole.length > 0)
    findings.push(good(`packets as large as the link allows reach ${listed(whole.map(textOf), MOST_NAMED)}`));
  const silent = paths.filter(({ path }) => path.kind === 'silent').map(({ address }) => address);
  if (silent.length > 0) findings.push(notTested(`no ping is answered by ${listed(silent, MOST_NAMED)}`));
  for (const { path } of paths.slice(0, 4)) if (path.kind === 'not asked') findings.push(notTested(path.why));
  return findings.length > 0 ? findings : [notTested('no neighbour to ask')];
}

const textOf = ({ address, linkMtu }: NeighbourPath): string => `${address} (${linkMtu})`;

export async function lookAtPodMtu(patient: Patient): Promise<Finding[]> {
  const [links, out, conflist] = await Promise.all([
    patient.kernel.links(),
    uplinks(patient),
    readText(patient, `${patient.places.cniConfDir}/${CONFLIST_NAME}`),
  ]);
  const pods = links.filter(({ name }) => POD_LINK.test(name));
  const file = `${patient.places.cniConfDir}/${CONFLIST_NAME}`;
  return judgePodMtu({ pods, out, configured: configuredMtu(conflist), file });
}

/** Undefined: as the uplink has it. */
function configuredMtu(conflist: string | undefined): number | undefined {
  const found = /"mtu":\s*([1-9]\d*)/.exec(conflist ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

export interface PodMtuFacts {
  readonly pods: readonly Link[];
  readonly out: readonly Link[];
  readonly configured: number | undefined;
  readonly file: string;
}

export function judgePodMtu({ pods, out, configured, file }: PodMtuFacts): Finding[] {
  if (out.length === 0) return [notTested('no link leads out of this node')];
  const least = out.reduce((a, b) => (b.mtu < a.mtu ? b : a));
  const findings: Finding[] = [];
  if (configured !== undefined && configured > least.mtu)
    findings.push(
      wrong(
        `${file} gives pods an MTU of ${configured}, and ${least.name} has ${least.mtu}`,
        `sed -i 's/"mtu": *${configured}\\b/"mtu": ${least.mtu}/' ${shellWord(file)}`,
      ),
    );
  const large = pods.filter(({ mtu }) => mtu > least.mtu);
  if (large.length > 0)
    findings.push(
      warning(
        `${large.length} pod(s) have an MTU of ${Math.max(...large.map(({ mtu }) => mtu))}, and ${least.name} has ${least.mtu}: pods keep the one that they began with, start them anew`,
      ),
    );
  const sizes = [...new Set(out.map(({ mtu }) => mtu))];
  if (sizes.length > 1)
    findings.push(
      warning(
        `the ways out have MTUs of ${sizes.join(', ')}: pods get the least of the default routes' links`,
      ),
    );
  if (findings.length > 0) return findings;
  const own = configured ?? least.mtu;
  return [good(`new pods get ${own}; what other nodes give theirs is not known here`)];
}
