// Addresses that no pod and no route of ours can have, and the rules that keep a field `cidr` out of them.
import { overlaps, parsePrefix } from '#ip';
import type { Rule } from './rules.ts';

/**
 * No host can have these (RFC 6890), or not as one that others reach. 240.0.0.0/4 is not among them: Linux routes it, so a
 * network that has run out of private addresses may use it, but for the very last.
 */
export const UNROUTABLE = [
  ['0.0.0.0/8', '"this network"'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255/32', 'broadcast'],
  ['::/8', 'unspecified, loopback and IPv4-mapped'],
  ['fe80::/10', 'link-local'],
  ['ff00::/8', 'multicast'],
] as const;

function outside<T extends WithCidr>(range: string, what: string): Rule<T> {
  const start = range.split('/')[0];
  return {
    fields: ['cidr'],
    message: `overlaps ${range} (${what}), which cannot be routed`,
    cel: `!isCIDR(self.cidr) || (!cidr('${range}').containsIP(cidr(self.cidr).ip()) && !cidr(self.cidr).containsIP('${start}'))`,
    broken: ({ cidr }) => overlaps(parsePrefix(cidr)!, parsePrefix(range)!),
  };
}

interface WithCidr {
  readonly cidr: string;
}

export const outsideUnroutable = <T extends WithCidr>(): Rule<T>[] =>
  UNROUTABLE.map(([range, what]) => outside<T>(range, what));
