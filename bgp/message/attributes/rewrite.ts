// Makes the outgoing block of attributes from a canonical one (validate.ts), as an export plan says. Runs once per
// (attribute set, update group). The result ascends by type and holds no MP_REACH_NLRI.

import * as c from '../constants.ts';
import { copyOctets, readU32, writeU16, writeU32 } from '../octets.ts';
import { AttributeList, insertType, listAttributes, writeAttribute } from './attribute-list.ts';
import { containsCommunity, containsLargeCommunity } from './communities.ts';
import { type ExportPlan, RELATION_CONFEDERATION, RELATION_EBGP, RELATION_SAME } from './export-plan.ts';
import { copyTransitive } from './ext-communities.ts';
import { loadPath, narrowPath, needsAs4, PathBuffer, prependAs, writeAs4Path } from './path-export.ts';
import { ATTRIBUTE_TABLE, type ExportRule } from './table.ts';

const { FLAG_OPTIONAL, FLAG_TRANSITIVE, FLAG_PARTIAL } = c;
const OPTIONAL_TRANSITIVE = FLAG_OPTIONAL | FLAG_TRANSITIVE;

/** Scratch of one call. */
const list = new AttributeList();
const path = new PathBuffer();
const value = new Uint8Array(c.MAX_EXTENDED_MESSAGE_LENGTH + 1);

/**
 * Writes the attributes of src[start, end) for the peers of `plan` to out[at, limit).
 * @returns the offset behind them, or -1 when they do not fit (RFC 4271 section 9.2: do not advertise the route)
 */
export function rewriteAttributes(
  src: Uint8Array,
  start: number,
  end: number,
  plan: ExportPlan,
  out: Uint8Array,
  at: number,
  limit: number,
): number {
  if (listAttributes(list, src, start, end) >= 0) return -1;
  if (!preparePath(src, plan)) return -1;
  insertWanted(plan);
  let to = at;
  for (let i = 0; i < list.count; i++) {
    const type = list.types[i]!;
    to = writeOne(src, type, ruleOf(type, plan), plan, out, to, limit);
    if (to < 0) return -1;
  }
  return to;
}

/** The path as it leaves, in `path`; AS4_PATH and the lengths of others depend on it. */
function preparePath(src: Uint8Array, plan: ExportPlan): boolean {
  const from = list.valueStart[c.ATTR_AS_PATH]!;
  const to = list.valueEnd[c.ATTR_AS_PATH]!;
  loadPath(path, src, from, from < 0 ? from : to, plan.relation === RELATION_EBGP, plan.removePrivateAs);
  const type = plan.relation === RELATION_CONFEDERATION ? c.AS_CONFED_SEQUENCE : c.AS_SEQUENCE;
  for (let i = plan.prepend.length - 1; i >= 0; i--) {
    if (!prependAs(path, plan.prepend[i]!, type)) return false;
  }
  return path.end - path.start <= 65535;
}

/** Types that the plan may add take their place in the list; writeOne decides. */
function insertWanted(plan: ExportPlan): void {
  insertType(list, c.ATTR_AS_PATH);
  if (plan.nextHop >= 0) insertType(list, c.ATTR_NEXT_HOP);
  if (plan.med >= 0) insertType(list, c.ATTR_MED);
  if (plan.relation === RELATION_SAME) {
    if (plan.localPref >= 0) insertType(list, c.ATTR_LOCAL_PREF);
  } else if (plan.relation !== RELATION_EBGP) {
    insertType(list, c.ATTR_LOCAL_PREF);
  }
  if (plan.addCommunities.length > 0) insertType(list, c.ATTR_COMMUNITIES);
  if (plan.originatorId >= 0) insertType(list, c.ATTR_ORIGINATOR_ID);
  if (plan.clusterId >= 0) insertType(list, c.ATTR_CLUSTER_LIST);
  if (!plan.fourByteAs) {
    insertType(list, c.ATTR_AS4_PATH);
    insertType(list, c.ATTR_AS4_AGGREGATOR);
  }
  if (plan.addLargeCommunities.length > 0) insertType(list, c.ATTR_LARGE_COMMUNITIES);
  if (plan.otc >= 0) insertType(list, c.ATTR_OTC);
}

function ruleOf(type: number, plan: ExportPlan): ExportRule {
  const row = ATTRIBUTE_TABLE[type];
  if (row === undefined) return 'keep';
  return plan.relation === RELATION_EBGP ? row.toEbgp : row.toIbgp;
}

function writeOne(
  src: Uint8Array,
  type: number,
  rule: ExportRule,
  plan: ExportPlan,
  out: Uint8Array,
  to: number,
  limit: number,
): number {
  if (rule === 'strip') return to;
  const start = list.valueStart[type]!;
  const end = list.valueEnd[type]!;
  const present = start !== -1;
  const external = plan.relation === RELATION_EBGP;
  switch (type) {
    case c.ATTR_AS_PATH:
      return writePath(plan, out, to, limit);
    case c.ATTR_NEXT_HOP:
      return plan.nextHop < 0 ? to : writeNumber(FLAG_TRANSITIVE, type, plan.nextHop, out, to, limit);
    case c.ATTR_MED:
      if (plan.med >= 0) return writeNumber(FLAG_OPTIONAL, type, plan.med, out, to, limit);
      if (external && !plan.keepMed) return to;
      break;
    case c.ATTR_LOCAL_PREF:
      if (plan.localPref >= 0 || !present) {
        const preference = plan.localPref >= 0 ? plan.localPref : plan.defaultLocalPref;
        return writeNumber(FLAG_TRANSITIVE, type, preference, out, to, limit);
      }
      break;
    case c.ATTR_AGGREGATOR:
      if (!plan.fourByteAs) return writeOldAggregator(src, start, out, to, limit);
      break;
    case c.ATTR_COMMUNITIES:
      if (plan.addCommunities.length > 0) return writeCommunities(src, start, end, plan, out, to, limit);
      break;
    case c.ATTR_ORIGINATOR_ID:
      if (!present) return writeNumber(FLAG_OPTIONAL, type, plan.originatorId, out, to, limit);
      break;
    case c.ATTR_CLUSTER_LIST:
      if (plan.clusterId >= 0) return writeClusterList(src, start, end, plan, out, to, limit);
      break;
    case c.ATTR_EXT_COMMUNITIES:
      if (external && !plan.keepNonTransitive) return writeTransitive(src, type, 8, out, to, limit);
      break;
    case c.ATTR_IPV6_EXT_COMMUNITIES:
      if (external && !plan.keepNonTransitive) return writeTransitive(src, type, 20, out, to, limit);
      break;
    case c.ATTR_AS4_PATH:
      return writePath4(plan, out, to, limit);
    case c.ATTR_AS4_AGGREGATOR:
      return writeAggregator4(src, plan, out, to, limit);
    case c.ATTR_AIGP:
      if (external && !plan.keepAigp) return to;
      break;
    case c.ATTR_LARGE_COMMUNITIES:
      if (plan.addLargeCommunities.length > 0) {
        return writeLargeCommunities(src, start, end, plan, out, to, limit);
      }
      break;
    case c.ATTR_OTC:
      if (!present) return writeNumber(OPTIONAL_TRANSITIVE, type, plan.otc, out, to, limit);
      break;
    default:
      break;
  }
  return writeAttribute(out, to, limit, flagsOf(type, plan), type, src, start, end);
}

/** An attribute that podroute does not understand is passed on with Partial set (RFC 4271 section 5). */
function flagsOf(type: number, plan: ExportPlan): number {
  const isPassedOnBlindly = ATTRIBUTE_TABLE[type] === undefined && plan.relation !== RELATION_SAME;
  return isPassedOnBlindly ? list.flags[type]! | FLAG_PARTIAL : list.flags[type]!;
}

function writeNumber(
  flags: number,
  type: number,
  number: number,
  out: Uint8Array,
  to: number,
  limit: number,
): number {
  if (to + 7 > limit) return -1;
  out[to] = flags;
  out[to + 1] = type;
  out[to + 2] = 4;
  return writeU32(out, to + 3, number);
}

function writePath(plan: ExportPlan, out: Uint8Array, to: number, limit: number): number {
  if (plan.fourByteAs) {
    return writeAttribute(out, to, limit, FLAG_TRANSITIVE, c.ATTR_AS_PATH, path.bytes, path.start, path.end);
  }
  return writeAttribute(
    out,
    to,
    limit,
    FLAG_TRANSITIVE,
    c.ATTR_AS_PATH,
    value,
    0,
    narrowPath(path, value, 0),
  );
}

function writePath4(plan: ExportPlan, out: Uint8Array, to: number, limit: number): number {
  if (plan.fourByteAs || !needsAs4(path)) return to;
  const length = writeAs4Path(path, value, 0);
  return writeAttribute(out, to, limit, OPTIONAL_TRANSITIVE, c.ATTR_AS4_PATH, value, 0, length);
}

/** AGGREGATOR with a two-octet AS: AS_TRANS stands for one that does not fit (RFC 6793 section 4.2.2). */
function writeOldAggregator(
  src: Uint8Array,
  start: number,
  out: Uint8Array,
  to: number,
  limit: number,
): number {
  const as = readU32(src, start);
  writeU32(value, writeU16(value, 0, as > 65535 ? c.AS_TRANS : as), readU32(src, start + 4));
  return writeAttribute(out, to, limit, list.flags[c.ATTR_AGGREGATOR]!, c.ATTR_AGGREGATOR, value, 0, 6);
}

function writeAggregator4(
  src: Uint8Array,
  plan: ExportPlan,
  out: Uint8Array,
  to: number,
  limit: number,
): number {
  const start = list.valueStart[c.ATTR_AGGREGATOR]!;
  if (plan.fourByteAs || start === -1 || readU32(src, start) <= 65535) return to;
  return writeAttribute(out, to, limit, OPTIONAL_TRANSITIVE, c.ATTR_AS4_AGGREGATOR, src, start, start + 8);
}

function writeCommunities(
  src: Uint8Array,
  start: number,
  end: number,
  plan: ExportPlan,
  out: Uint8Array,
  to: number,
  limit: number,
): number {
  let length = copyValue(src, start, end, 0);
  for (let i = 0; i < plan.addCommunities.length; i++) {
    const community = plan.addCommunities[i]!;
    if (containsCommunity(value, 0, length, community)) continue;
    if (length + 4 > 65535) return -1;
    length = writeU32(value, length, community);
  }
  return writeAttribute(out, to, limit, OPTIONAL_TRANSITIVE, c.ATTR_COMMUNITIES, value, 0, length);
}

function writeLargeCommunities(
  src: Uint8Array,
  start: number,
  end: number,
  plan: ExportPlan,
  out: Uint8Array,
  to: number,
  limit: number,
): number {
  let length = copyValue(src, start, end, 0);
  for (let i = 0; i < plan.addLargeCommunities.length; i++) {
    const [global, local1, local2] = plan.addLargeCommunities[i]!;
    if (containsLargeCommunity(value, 0, length, global, local1, local2)) continue;
    if (length + 12 > 65535) return -1;
    length = writeU32(value, writeU32(value, writeU32(value, length, global), local1), local2);
  }
  return writeAttribute(out, to, limit, OPTIONAL_TRANSITIVE, c.ATTR_LARGE_COMMUNITIES, value, 0, length);
}

function writeClusterList(
  src: Uint8Array,
  start: number,
  end: number,
  plan: ExportPlan,
  out: Uint8Array,
  to: number,
  limit: number,
): number {
  if (start !== -1 && end - start + 4 > 65535) return -1;
  const length = copyValue(src, start, end, writeU32(value, 0, plan.clusterId));
  return writeAttribute(out, to, limit, FLAG_OPTIONAL, c.ATTR_CLUSTER_LIST, value, 0, length);
}

/** Extended communities that may leave the AS (RFC 4360 section 6); without any the attribute goes. */
function writeTransitive(
  src: Uint8Array,
  type: number,
  size: number,
  out: Uint8Array,
  to: number,
  limit: number,
): number {
  const length = copyTransitive(src, list.valueStart[type]!, list.valueEnd[type]!, size, value, 0);
  if (length === 0) return to;
  return writeAttribute(out, to, limit, list.flags[type]!, type, value, 0, length);
}

/** Copies a value of the source, if there is one, to value[at...]. */
function copyValue(src: Uint8Array, start: number, end: number, at: number): number {
  if (start === -1) return at;
  return copyOctets(src, start, end, value, at);
}
