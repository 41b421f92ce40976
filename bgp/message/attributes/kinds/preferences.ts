// Attributes that are a number or a few, most of them there to choose between paths or to stop loops: ORIGIN,
// MULTI_EXIT_DISC, LOCAL_PREF, ATOMIC_AGGREGATE (RFC 4271), ORIGINATOR_ID and CLUSTER_LIST of route reflection
// (RFC 4456), OTC (RFC 9234).

import {
  ACTION_DISCARD_ATTRIBUTE,
  ACTION_TREAT_AS_WITHDRAW,
  ATTR_ATOMIC_AGGREGATE,
  ATTR_CLUSTER_LIST,
  ATTR_LOCAL_PREF,
  ATTR_MED,
  ATTR_ORIGIN,
  ATTR_ORIGINATOR_ID,
  ATTR_OTC,
} from '../../constants.ts';
import { readU32, writeU32 } from '../../big-endian.ts';
import { AttributeRange, findAttribute } from '../attribute-list.ts';
import { RELATION_EBGP, RELATION_SAME } from '../export-plan.ts';
import {
  append,
  type AttributeRow,
  BAD_LENGTH,
  BAD_ORIGIN,
  copyToValue,
  fourOctets,
  keep,
  multipleOf,
  OPTIONAL,
  OPTIONAL_TRANSITIVE,
  type OutgoingBlock,
  printIpv4,
  row,
  strip,
  WELL_FORMED,
  WELL_KNOWN,
  writeNumber,
  writeValue,
} from '../row.ts';
import * as present from '../verdict.ts';

const ORIGINS: readonly string[] = ['igp', 'egp', 'incomplete'];

const ORIGIN = row({
  type: ATTR_ORIGIN,
  name: 'origin',
  flags: WELL_KNOWN,
  isMandatory: true,
  check: (buf, start, end) => (end - start !== 1 ? BAD_LENGTH : buf[start]! > 2 ? BAD_ORIGIN : WELL_FORMED),
  onError: ACTION_TREAT_AS_WITHDRAW,
  accept(block, type, start, end, flags) {
    block.out.origin = block.buf[start]!;
    append(block, type, start, end, flags);
  },
  print: (buf, start) => ORIGINS[buf[start]!] ?? `origin ${buf[start]}`,
  present: present.PRESENT_ORIGIN,
});

const MED = row({
  type: ATTR_MED,
  name: 'med',
  flags: OPTIONAL,
  check: fourOctets,
  onError: ACTION_TREAT_AS_WITHDRAW,
  accept(block, type, start, end, flags) {
    block.out.hasMed = true;
    block.out.med = readU32(block.buf, start);
    append(block, type, start, end, flags);
  },
  adds: (plan) => plan.med >= 0,
  toIbgp: (block, type, start, end, to) =>
    block.plan.med >= 0
      ? writeNumber(block, type, OPTIONAL, block.plan.med, to)
      : keep(block, type, start, end, to),
  // RFC 4271 section 5.1.4: that of another neighbour must not go on to a third AS
  toEbgp(block, type, start, end, to) {
    const { med, keepMed } = block.plan;
    if (med >= 0) return writeNumber(block, type, OPTIONAL, med, to);
    return keepMed ? keep(block, type, start, end, to) : to;
  },
  print: readU32,
  present: present.PRESENT_MED,
});

const LOCAL_PREF = row({
  type: ATTR_LOCAL_PREF,
  name: 'local_pref',
  flags: WELL_KNOWN,
  internalOnly: true,
  check: fourOctets,
  onError: ACTION_TREAT_AS_WITHDRAW,
  accept(block, type, start, end, flags) {
    block.out.hasLocalPref = true;
    block.out.localPref = readU32(block.buf, start);
    append(block, type, start, end, flags);
  },
  adds: (plan) => (plan.relation === RELATION_SAME ? plan.localPref >= 0 : plan.relation !== RELATION_EBGP),
  toIbgp(block, type, start, end, to) {
    const { localPref, defaultLocalPref } = block.plan;
    if (localPref < 0 && start !== -1) return keep(block, type, start, end, to);
    return writeNumber(block, type, WELL_KNOWN, localPref >= 0 ? localPref : defaultLocalPref, to);
  },
  toEbgp: strip,
  print: readU32,
  present: present.PRESENT_LOCAL_PREF,
});

const ATOMIC_AGGREGATE = row({
  type: ATTR_ATOMIC_AGGREGATE,
  name: 'atomic_aggregate',
  flags: WELL_KNOWN,
  check: (_buf, start, end) => (start === end ? WELL_FORMED : BAD_LENGTH),
  onError: ACTION_DISCARD_ATTRIBUTE,
  print: () => 'true',
  present: present.PRESENT_ATOMIC_AGGREGATE,
});

const ORIGINATOR_ID = row({
  type: ATTR_ORIGINATOR_ID,
  name: 'originator_id',
  flags: OPTIONAL,
  internalOnly: true,
  check: fourOctets,
  onError: ACTION_TREAT_AS_WITHDRAW,
  accept(block, type, start, end, flags) {
    block.out.hasOriginatorId = true;
    block.out.originatorId = readU32(block.buf, start);
    append(block, type, start, end, flags);
  },
  adds: (plan) => plan.originatorId >= 0,
  toIbgp: (block, type, start, end, to) =>
    start === -1
      ? writeNumber(block, type, OPTIONAL, block.plan.originatorId, to)
      : keep(block, type, start, end, to),
  toEbgp: strip,
  print: printIpv4,
  present: present.PRESENT_ORIGINATOR_ID,
});

const CLUSTER_LIST = row({
  type: ATTR_CLUSTER_LIST,
  name: 'cluster_list',
  flags: OPTIONAL,
  internalOnly: true,
  check: (_buf, start, end) => multipleOf(4, start, end),
  onError: ACTION_TREAT_AS_WITHDRAW,
  accept(block, type, start, end, flags) {
    const out = block.out;
    append(block, type, start, end, flags);
    out.clusterListLength = (end - start) >> 2;
    out.clusterListEnd = out.length;
    out.clusterListStart = out.length - (end - start);
  },
  adds: (plan) => plan.clusterId >= 0,
  toIbgp: prependClusterId,
  toEbgp: strip,
  print(buf, start, end) {
    const texts: string[] = [];
    for (let at = start; at + 4 <= end; at += 4) texts.push(printIpv4(buf, at));
    return texts;
  },
  present: present.PRESENT_CLUSTER_LIST,
});

const OTC = row({
  type: ATTR_OTC,
  name: 'otc',
  flags: OPTIONAL_TRANSITIVE,
  check: fourOctets,
  onError: ACTION_TREAT_AS_WITHDRAW,
  accept(block, type, start, end, flags) {
    block.out.hasOtc = true;
    block.out.otc = readU32(block.buf, start);
    append(block, type, start, end, flags);
  },
  adds: (plan) => plan.otc >= 0,
  toIbgp: addOtc,
  toEbgp: addOtc,
  print: readU32,
  present: present.PRESENT_OTC,
});

export const PREFERENCE_ROWS: readonly AttributeRow[] = [
  ORIGIN,
  MED,
  LOCAL_PREF,
  ATOMIC_AGGREGATE,
  ORIGINATOR_ID,
  CLUSTER_LIST,
  OTC,
];

function prependClusterId(
  block: OutgoingBlock,
  type: number,
  start: number,
  end: number,
  to: number,
): number {
  if (block.plan.clusterId < 0) return keep(block, type, start, end, to);
  if (start !== -1 && end - start + 4 > 65535) return -1;
  const length = copyToValue(block, start, end, writeU32(block.value, 0, block.plan.clusterId));
  return writeValue(block, type, OPTIONAL, length, to);
}

/** One that is there stays (RFC 9234 section 5). */
function addOtc(block: OutgoingBlock, type: number, start: number, end: number, to: number): number {
  return start === -1
    ? writeNumber(block, type, OPTIONAL_TRANSITIVE, block.plan.otc, to)
    : keep(block, type, start, end, to);
}

const range = new AttributeRange();

/** True when CLUSTER_LIST of the canonical block at bytes[start, end) holds this cluster (loop check). */
export function clusterListContains(
  bytes: Uint8Array,
  start: number,
  end: number,
  clusterId: number,
): boolean {
  if (!findAttribute(bytes, start, end, ATTR_CLUSTER_LIST, range)) return false;
  for (let at = range.start; at < range.end; at += 4) if (readU32(bytes, at) === clusterId) return true;
  return false;
}
