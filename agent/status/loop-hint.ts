// Nodes that share one AS behind a router get each other's routes with their own AS in AS_PATH and must refuse them
// (RFC 4271 section 9.1.2). That is right and yet seldom what was wanted: this says what to change. Pure.
import type { PerFamily } from '#agent-api';

export interface LoopFacts {
  readonly type: 'ebgp' | 'ibgp' | undefined;
  readonly localAs: number;
  /** Paths refused because of our own AS. */
  readonly ownAsLoops: PerFamily;
  /** The object that asked for the session. */
  readonly from: string;
  readonly allowed: number;
  /** The node speaks iBGP too, and so has the other nodes' routes from themselves. */
  readonly hasInternal: boolean;
}

/** Undefined when nothing needs to be said. */
export function loopHint(facts: LoopFacts): string | undefined {
  const { ipv4, ipv6 } = facts.ownAsLoops;
  const count = ipv4 + ipv6;
  if (count === 0 || facts.type !== 'ebgp' || facts.hasInternal) return undefined;
  const routes = count === 1 ? '1 route is' : `${count} routes are`;
  const next = Math.min(facts.allowed + 1, 255);
  return `${routes} refused: our own AS ${facts.localAs} is in AS_PATH. If they are those of nodes in the same AS: numAllowedLocalASNumbers: ${next} in ${facts.from}, as-override at the neighbour, or an AS of its own for each node`;
}
