// The kernel's switches that routing needs: forwarding, reverse path filter, router advertisements, and by what equal
// paths are chosen.
import { type Family, familyLabel } from '#ip';
import { POD_LINK } from '#ipam';
import { type Finding, good, notTested, setSwitch, warning, wrong } from './finding.ts';
import { familiesInUse, type Patient, planOf, switchOf, uplinks } from './patient.ts';

/** rtm_protocol of routes that a router advertisement made. */
const RA_PROTOCOL = 9;
const MOST_LINKS = 2_000;

const FORWARDING: Readonly<Record<Family, string>> = {
  ipv4: 'net/ipv4/ip_forward',
  ipv6: 'net/ipv6/conf/all/forwarding',
};

export interface ForwardingFacts {
  readonly family: Family;
  readonly all: string | undefined;
  /** Links of pods and uplinks for which it is off, though `all` says on. */
  readonly offFor: readonly string[];
  /** Links that have a route of a router advertisement and would lose it by forwarding (accept_ra 1). */
  readonly advertised: readonly string[];
}

export async function lookAtForwarding(patient: Patient): Promise<Finding[]> {
  const [families, links, out, advertised] = await Promise.all([
    familiesInUse(patient),
    patient.kernel.links(),
    uplinks(patient),
    advertisedLinks(patient),
  ]);
  const names = links
    .slice(0, MOST_LINKS)
    .map(({ name }) => name)
    .filter((name) => POD_LINK.test(name));
  if (families.length === 0) return [notTested('this node has no address yet')];
  return families.map((family) => {
    const all = switchOf(patient, FORWARDING[family]);
    // Linux asks the link that a packet came in by, for IPv4; IPv6 the whole namespace.
    const asked = family === 'ipv4' ? [...names, ...out.map(({ name }) => name)] : [];
    const offFor = asked.filter((name) => switchOf(patient, `net/${family}/conf/${name}/forwarding`) === '0');
    return judgeForwarding({ family, all, offFor, advertised: advertised.map(({ name }) => name) });
  });
}

export function judgeForwarding({ family, all, offFor, advertised }: ForwardingFacts): Finding {
  const label = familyLabel(family);
  if (all === undefined) return wrong(`this kernel has no ${label}`);
  if (all === '0') {
    const keep = family === 'ipv6' ? advertised : [];
    return wrong(
      `${label} forwarding is off: no packet of a pod leaves the node`,
      ...keep.map((name) => setSwitch(`net/ipv6/conf/${name}/accept_ra`, 2)),
      setSwitch(FORWARDING[family], 1),
    );
  }
  if (offFor.length > 0)
    return wrong(
      `${label} forwarding is off for ${offFor.length} link(s): what comes in there goes no further`,
      ...offFor.slice(0, 16).map((name) => setSwitch(`net/${family}/conf/${name}/forwarding`, 1)),
    );
  return good(`${label} forwarding is on`);
}

export async function lookAtReversePath(patient: Patient): Promise<Finding[]> {
  const out = await uplinks(patient);
  const all = Number(switchOf(patient, 'net/ipv4/conf/all/rp_filter') ?? 0);
  const strict = out
    .map(({ name }) => name)
    .filter((name) => Math.max(all, Number(switchOf(patient, `net/ipv4/conf/${name}/rp_filter`) ?? 0)) === 1);
  return [judgeReversePath(strict, out.length)];
}

/** The larger of `all` and the link's own counts: 1 is strict (RFC 3704), 2 loose. */
export function judgeReversePath(strict: readonly string[], links: number): Finding {
  if (strict.length === 0) return good('no link to a neighbour filters strictly by reverse path');
  if (links < 2) return good(`rp_filter is strict on ${strict[0]}, the only way out: harmless`);
  return wrong(
    `rp_filter is strict on ${strict.join(', ')}: of ${links} ways out, what comes in by another than the answer takes is dropped`,
    ...strict.map((name) => setSwitch(`net/ipv4/conf/${name}/rp_filter`, 2)),
  );
}

async function advertisedLinks(patient: Patient): Promise<{ name: string; accept: string | undefined }[]> {
  const routes = await patient.kernel.routes({ family: 'ipv6', protocol: RA_PROTOCOL });
  const names = new Set(routes.flatMap(({ nextHops }) => nextHops.flatMap(({ device }) => device ?? [])));
  return [...names]
    .map((name) => ({ name, accept: switchOf(patient, `net/ipv6/conf/${name}/accept_ra`) }))
    .filter(({ accept }) => accept === '1');
}

export async function lookAtAdvertisements(patient: Patient): Promise<Finding[]> {
  const isForwarding = switchOf(patient, FORWARDING.ipv6) === '1';
  const found = await advertisedLinks(patient);
  return [
    judgeAdvertisements(
      isForwarding,
      found.map(({ name }) => name),
    ),
  ];
}

/** @param ignored links with a route of an advertisement, and accept_ra 1 */
export function judgeAdvertisements(isForwarding: boolean, ignored: readonly string[]): Finding {
  if (ignored.length === 0) return good('no link loses a route of a router advertisement');
  if (!isForwarding) return good('router advertisements are taken, as IPv6 forwarding is off');
  return wrong(
    `a node that forwards takes no router advertisements on ${ignored.join(', ')}: its IPv6 route there goes when its time is over`,
    ...ignored.map((name) => setSwitch(`net/ipv6/conf/${name}/accept_ra`, 2)),
  );
}

const HASH: Readonly<Record<Family, string>> = {
  ipv4: 'net/ipv4/fib_multipath_hash_policy',
  ipv6: 'net/ipv6/fib_multipath_hash_policy',
};

export async function lookAtMultipathHash(patient: Patient): Promise<Finding[]> {
  const plan = planOf(patient);
  if (plan === undefined) return [notTested('whether equal paths are used is not known without an agent')];
  const hasSeveral = Math.max(plan.speaker.multipath.ebgp, plan.speaker.multipath.ibgp) > 1;
  const hops = typeof patient.agent === 'string' ? 0 : (patient.agent.status.fib?.nextHops.length ?? 0);
  if (!hasSeveral || hops < 2) return [good('no equal paths to choose among')];
  const families = await familiesInUse(patient);
  return families.map((family) => judgeMultipathHash(family, switchOf(patient, HASH[family])));
}

export function judgeMultipathHash(family: Family, policy: string | undefined): Finding {
  const label = familyLabel(family);
  if (policy !== '0') return good(`equal ${label} paths are chosen by more than two addresses`);
  return warning(
    `equal ${label} paths are chosen by the two addresses alone: all connections between two pods take one`,
    setSwitch(HASH[family], 1),
  );
}
