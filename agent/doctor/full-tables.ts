// Tables of the kernel that are full when traffic grows: connections (conntrack), and neighbours (ARP, ND), which all
// network namespaces of a machine share.
import { type Family } from '#ip';
import { type Finding, good, notTested, setSwitch, warning, wrong } from './finding.ts';
import { type Patient, readText, switchOf } from './patient.ts';

const NEARLY = 0.7;
const FULL = 0.9;

export async function lookAtConntrack(patient: Patient): Promise<Finding[]> {
  const count = switchOf(patient, 'net/netfilter/nf_conntrack_count');
  const max = switchOf(patient, 'net/netfilter/nf_conntrack_max');
  if (count === undefined || max === undefined) return [good('conntrack is not in use')];
  return [judgeConntrack(Number(count), Number(max))];
}

export function judgeConntrack(count: number, max: number): Finding {
  const what = `${count} of ${max} connections are tracked`;
  const mend = setSwitch('net/netfilter/nf_conntrack_max', Math.max(262_144, 4 * count));
  // 0: no limit
  if (max === 0 || count <= max * NEARLY) return good(what);
  if (count <= max * FULL) return warning(`${what}: at the limit new ones are dropped`, mend);
  return wrong(`${what}: new ones are dropped`, mend);
}

const PLACES: readonly (readonly [Family, string, string])[] = [
  ['ipv4', 'arp_cache', 'ARP'],
  ['ipv6', 'ndisc_cache', 'ND'],
];

export async function lookAtNeighbours(patient: Patient): Promise<Finding[]> {
  const present = await patient.kernel.neighbours();
  return Promise.all(
    PLACES.map(async ([family, file, label]) => {
      const limit = switchOf(patient, `net/${family}/neigh/default/gc_thresh3`);
      // Seen in the first network namespace only, and not by a guest of a user namespace.
      if (limit === undefined) return notTested(`${label}: the limit is not to be seen here`);
      // Permanent entries, such as pods', are not counted against it.
      const kept = (state: string) => state === 'permanent' || state === 'noarp';
      const own = present.filter((one) => one.family === family && !kept(one.state)).length;
      const permanent = present.filter((one) => one.family === family && kept(one.state)).length;
      const all = entriesIn((await readText(patient, `/proc/net/stat/${file}`)) ?? '') - permanent;
      return judgeNeighbours(family, label, Math.max(own, all), Number(limit));
    }),
  );
}

/** The first column of the first line below the header, hexadecimal: of all network namespaces. */
export function entriesIn(text: string): number {
  return Number.parseInt(text.split('\n')[1] ?? '', 16) || 0;
}

export function judgeNeighbours(family: Family, label: string, count: number, limit: number): Finding {
  const what = `${label}: ${count} neighbours, room for ${limit}`;
  const more = Math.max(8192, 4 * count);
  const name = (n: number) => `net/${family}/neigh/default/gc_thresh${n}`;
  const mend = [setSwitch(name(3), more), setSwitch(name(2), more / 2), setSwitch(name(1), more / 8)];
  if (count <= limit * NEARLY) return good(what);
  if (count <= limit * FULL) return warning(`${what}: above it packets to new ones are dropped`, ...mend);
  return wrong(`${what}: packets to new ones are dropped`, ...mend);
}
