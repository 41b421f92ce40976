// Addresses that are given out, held against the kernel: what was left over, what is missing, and giving back what was
// left over. Both run alone, so that no ADD or DEL is half done meanwhile.
import { type IpamUsage, hostLinkName, type Owner, ownerKey, POD_LINK } from '#ipam';
import { type Kernel, PODROUTE_PROTOCOL } from '#linux';
import { subjectOf } from '../attachment.ts';
import { del } from './del.ts';
import type { VerbIo } from './verb-io.ts';

export interface AddressFinding {
  /**
   * leaked: held for an attachment whose link is gone · unrouted: its link is there, its route is not · outside: in no
   * block of this node · ownerless: a link uses it, the journal knows no owner · unheld: a link uses it, nobody holds it ·
   * orphan: a block of a node that has no Node object any more
   */
  readonly kind: 'leaked' | 'unrouted' | 'outside' | 'ownerless' | 'unheld' | 'orphan';
  readonly address: string;
  readonly link: string;
  /** Who holds it, when that is known. */
  readonly owner?: string;
  readonly text: string;
  readonly next: string;
}

export interface AddressAudit {
  /** Addresses looked at. */
  readonly checked: number;
  readonly findings: readonly AddressFinding[];
}

export type ReleaseOutcome =
  | { readonly kind: 'freed'; readonly address: string; readonly owner?: string }
  | { readonly kind: 'refused'; readonly why: string };

/** An address that the kernel routes to a pod's link. */
export interface PodRoute {
  readonly address: string;
  readonly link: string;
}

export async function auditAddresses(io: VerbIo): Promise<AddressAudit> {
  const { links, routes } = await podLinksAndRoutes(io.kernel);
  const outside = new Set(io.ipam.check([]).outside.map(({ owner }) => ownerKey(owner)));
  const { checked, findings } = compareAddresses(io.ipam.usage(), outside, links, routes);
  const orphans = io.ipam.orphanBlocks().map(
    ({ cidr, node }): AddressFinding => ({
      kind: 'orphan',
      address: cidr,
      link: '',
      owner: `node ${node}`,
      text: `block of node ${node}, which has no Node object any more`,
      next: `podroute ipam release ${cidr}`,
    }),
  );
  return { checked, findings: [...findings, ...orphans] };
}

/** Frees what a pod that is gone still holds; refuses while the pod's link is there. Throws CniError. */
export async function releaseAddress(address: string, io: VerbIo): Promise<ReleaseOutcome> {
  const { allocations, adopted } = io.ipam.usage();
  const held = allocations.find(({ addresses }) => Object.values(addresses).includes(address));
  const link = held ? linkOf(held.owner) : adopted.find((one) => one.address === address)?.link;
  if (link === undefined) return { kind: 'refused', why: `${address} is held by nobody on this node` };
  const who = held ? subjectOf(held.owner) : 'a pod that the journal does not know';
  if ((await podLinksAndRoutes(io.kernel)).links.has(link)) {
    return {
      kind: 'refused',
      why: `${address} is in use by ${who}: its link ${link} is there; delete the pod`,
    };
  }
  if (held !== undefined) await del(held.owner, io);
  else io.ipam.abandon(address);
  return { kind: 'freed', address, ...(held === undefined ? {} : { owner: who }) };
}

/**
 * Pure.
 *
 * @param outside owner keys of what is in no block of this node
 * @param links pod links of the host
 */
function compareAddresses(
  { allocations, adopted }: Pick<IpamUsage, 'allocations' | 'adopted'>,
  outside: ReadonlySet<string>,
  links: ReadonlySet<string>,
  routes: readonly PodRoute[],
): AddressAudit {
  const findings: AddressFinding[] = [];
  const routed = new Set(routes.map(({ address, link }) => `${address} ${link}`));
  const held = new Set<string>();
  for (const { owner, addresses } of allocations) {
    const link = linkOf(owner);
    const who = subjectOf(owner);
    for (const address of Object.values(addresses)) {
      held.add(`${address} ${link}`);
      const found = (kind: AddressFinding['kind'], text: string, next: string) =>
        void findings.push({ kind, address, link, owner: who, text, next });
      if (!links.has(link)) {
        found('leaked', `held for ${who}, whose link ${link} is gone`, `podroute ipam release ${address}`);
      } else if (!routed.has(`${address} ${link}`)) {
        found('unrouted', `the kernel has no route to it by ${link}: ${who} hears nothing`, 'delete the pod');
      } else if (outside.has(ownerKey(owner))) {
        found('outside', `in no block of this node: nobody announces it`, 'delete the pod');
      }
    }
  }
  for (const { address, link } of adopted) {
    held.add(`${address} ${link}`);
    const isThere = links.has(link);
    const text = `of ${link}, whose owner the journal does not know${isThere ? '' : '; the link is gone'}`;
    const next = isThere ? 'nothing: kept until its DEL' : `podroute ipam release ${address}`;
    findings.push({ kind: 'ownerless', address, link, text, next });
  }
  for (const { address, link } of routes) {
    if (held.has(`${address} ${link}`)) continue;
    const text = `routed to ${link}, and nobody holds it: it may be given out again`;
    findings.push({ kind: 'unheld', address, link, text, next: 'restart the agent, which takes it in' });
  }
  return { checked: held.size, findings };
}

const linkOf = (owner: Owner): string => hostLinkName(ownerKey(owner));

/** Of what this agent, or one before it, made on the host. */
export async function podLinksAndRoutes(
  kernel: Pick<Kernel, 'links' | 'routes'>,
): Promise<{ readonly links: ReadonlySet<string>; readonly routes: readonly PodRoute[] }> {
  const [links, routes] = await Promise.all([kernel.links(), kernel.routes({ protocol: PODROUTE_PROTOCOL })]);
  return {
    links: new Set(links.map(({ name }) => name).filter((name) => POD_LINK.test(name))),
    routes: routes.flatMap(({ destination, nextHops: [hop] }) => {
      const link = hop?.device;
      if (link === undefined || hop?.gateway !== undefined || !POD_LINK.test(link)) return [];
      return [{ address: destination.slice(0, destination.indexOf('/')), link }];
    }),
  };
}
