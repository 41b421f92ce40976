// What a peer is owed that changes update groups: the units that it holds otherwise than the new group's members do.
import type { UpdatePacker } from './sending/update-packer.ts';
import type { AdjRibOut } from './adj-rib-out.ts';
import type { CatchUp } from './sending/catch-up.ts';
import type { ExportRules } from './export-rules.ts';
import type { RibTable } from '../table/rib-table.ts';

/** Sets whose octets are compared; routes with others are simply sent again. */
const MOST_COMPARED = 4096;

interface GroupState {
  readonly rules: ExportRules;
  readonly table: RibTable;
  readonly out: AdjRibOut;
  readonly unitEnd: number;
  isSentTo(unit: number, slot: number): boolean;
}

/** @param old the peer's catch-up in the group that it leaves, if it was not in its stream */
export function oweDifference(
  catchUp: CatchUp,
  old: CatchUp | undefined,
  from: GroupState,
  to: GroupState,
  packer: UpdatePacker,
): void {
  const { slot } = catchUp.member;
  const end = Math.max(to.unitEnd, from.unitEnd);
  const known = new Map<number, boolean>();
  for (let unit = 0; unit < end; unit++) {
    const byState = from.isSentTo(unit, slot);
    const isHeld = old === undefined ? byState : old.holds(unit, byState);
    const isWanted = to.isSentTo(unit, slot);
    const isCurrent = old === undefined || old.isUpToDate(unit);
    if (isHeld === isWanted && (!isHeld || (isCurrent && looksSame(unit, from, to, packer, known)))) continue;
    catchUp.mark(unit, isHeld);
  }
}

/**
 * Have members of both groups the same octets of a unit that both advertise?
 * @param known answers by set and source, filled here
 */
function looksSame(
  unit: number,
  from: GroupState,
  to: GroupState,
  packer: UpdatePacker,
  known: Map<number, boolean>,
): boolean {
  const set = to.out.set[unit]! - 1;
  const source = to.out.source[unit]!;
  if (set !== from.out.set[unit]! - 1 || source !== from.out.source[unit]) return false;
  if (to.rules.octets === from.rules.octets) return true;
  const key = set * 0x10000 + source;
  let isSame = known.get(key);
  if (isSame === undefined) {
    if (known.size >= MOST_COMPARED) return false;
    const [now, before] = [to, from].map(({ rules }) => packer.outgoing(set, source, to.table, rules));
    isSame =
      now !== undefined &&
      before !== undefined &&
      Buffer.compare(now.nextHop, before.nextHop) === 0 &&
      Buffer.compare(now.attributes, before.attributes) === 0;
    known.set(key, isSame);
  }
  return isSame;
}
