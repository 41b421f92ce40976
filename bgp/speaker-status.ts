// What the RIB adds to a neighbour's status: how many routes came and went. Plain data.
import { FAMILIES, familyIndex, type Family } from './family.ts';
import type { Rib } from './rib/rib.ts';

export interface FamilyRoutes {
  readonly family: Family;
  /** Live paths received, those that policy filtered included. */
  readonly received: number;
  /** Routes of the peer's update group; its own are not sent back to it. */
  readonly advertised: number;
  /** Changes that a slow or new peer is still owed; 0 when it is up to date. */
  readonly owed: number;
  readonly endOfRibReceived: boolean;
  readonly endOfRibSent: boolean;
}

export interface PeerRoutes {
  readonly families: readonly FamilyRoutes[];
  readonly importPolicy: string;
  readonly exportPolicy: string;
  /** Reading is paused until the RIB has caught up. */
  readonly isPaused: boolean;
  /** UPDATEs whose routes counted as withdrawn because of malformed attributes (RFC 7606). */
  readonly treatedAsWithdraw: number;
  readonly discardedAttributes: number;
}

/** Undefined for a neighbour that has never been up. */
export function peerRoutes(rib: Rib, id: string): PeerRoutes | undefined {
  const peer = rib.peer(id);
  if (peer === undefined) return undefined;
  const { session } = peer;
  return {
    families: FAMILIES.filter((f) => session?.negotiated.families.includes(f)).map((family) => {
      const index = familyIndex(family);
      const group = session && rib.exports.groupOf(session, index);
      const catchUp = group?.catchUps.find((c) => c.member.slot === peer.slot);
      return {
        family,
        received: peer.received[index]!,
        advertised: group?.advertised ?? 0,
        owed: catchUp?.owed ?? 0,
        endOfRibReceived: peer.endOfRibReceived[index]!,
        endOfRibSent: peer.endOfRibSent[index]!,
      };
    }),
    importPolicy: peer.importPolicy.policy.name,
    exportPolicy: peer.exportPolicy.policy.name,
    isPaused: peer.isPaused,
    treatedAsWithdraw: peer.treatedAsWithdraw,
    discardedAttributes: peer.discardedAttributes,
  };
}
