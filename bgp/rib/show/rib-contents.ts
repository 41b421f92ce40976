// What of the RIB is shown: the parts that pages and reasons are read from. Nothing here changes them.
import type { AttributeReader } from '../attributes/attribute-reader.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import type { Importer } from '../in/import.ts';
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
  readonly reader: AttributeReader;
  readonly nextHops: NextHops;
  readonly slots: PeerSlots;
  readonly decision: Decision;
  readonly importer: Importer;
  readonly originated: Originated;
  readonly view: ExportView;
  readonly exports: ExportGroups;
  readonly bySlot: readonly (RibPeer | undefined)[];
  peer(id: string): RibPeer | undefined;
  peers(): Iterable<RibPeer>;
}
