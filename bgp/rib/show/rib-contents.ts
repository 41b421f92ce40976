// What of the RIB is shown: the parts that pages and reasons are read from. Nothing here changes them.
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import type { AdjRibIn } from '../in/adj-rib-in.ts';
import type { Eligibility } from '../in/eligibility.ts';
import type { Originated } from '../in/originated.ts';
import type { RibPeer } from '../in/rib-peer.ts';
import type { ExportGroups } from '../out/export-groups.ts';
import type { ExportView } from '../out/export-view.ts';
import type { Decision } from '../table/decision.ts';
import type { PeerSlots } from '../table/peer-slots.ts';
import type { RibTable } from '../table/rib-table.ts';

export interface RibContents {
  readonly tables: readonly [RibTable, RibTable];
  readonly attributes: AttributeStore;
  readonly nextHops: NextHops;
  readonly slots: PeerSlots;
  readonly decision: Decision;
  readonly paths: AdjRibIn;
  readonly eligibility: Eligibility;
  readonly originated: Originated;
  readonly view: ExportView;
  readonly exports: ExportGroups;
  readonly bySlot: readonly (RibPeer | undefined)[];
  peer(id: string): RibPeer | undefined;
  peers(): Iterable<RibPeer>;
}
