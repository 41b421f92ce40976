// What all update groups share: made once for a RIB, handed to each group.
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { ExportView } from './export-view.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import type { UpdateBatch } from './update-batch.ts';
import type { UpdateGroup } from './update-group.ts';
import type { UpdatePacker } from './update-packer.ts';

export interface GroupParts {
  readonly attributes: AttributeStore;
  readonly nextHops: NextHops;
  readonly view: ExportView;
  /** Empty between flushes. */
  readonly batch: UpdateBatch;
  readonly packer: UpdatePacker;
  /** Units looked at in one step of background work. */
  readonly grain: number;
  /** Units whose attributes fit into no message. */
  tooLarge(group: UpdateGroup, unit: number): void;
}
