// Lists of communities of all three kinds on the wire, in words: what is there, what goes, what is added. One comparison
// serves all kinds.

import { readU32, writeU32 } from '../../big-endian.ts';
import { AttributeRange, findAttribute } from '../attribute-list.ts';
import type { CommunityPattern, ExportPlan } from '../export-plan.ts';
import { keep, OPTIONAL_TRANSITIVE, type OutgoingBlock, writeValue } from '../row.ts';

const range = new AttributeRange();

/** Does a community of the canonical block at bytes[start, end) fit? */
export function carriesCommunity(
  bytes: Uint8Array,
  start: number,
  end: number,
  pattern: CommunityPattern,
): boolean {
  if (!findAttribute(bytes, start, end, pattern.type, range)) return false;
  return isListed(bytes, range.start, range.end, pattern);
}

function isListed(bytes: Uint8Array, start: number, end: number, pattern: CommunityPattern): boolean {
  const size = pattern.words.length * 4;
  for (let at = start; at < end; at += size) if (fits(bytes, at, pattern)) return true;
  return false;
}

/** Does the community that begins at bytes[at] fit? It must be of the pattern's list. */
function fits(bytes: Uint8Array, at: number, { words, masks }: CommunityPattern): boolean {
  for (let i = 0; i < words.length; i++) {
    if ((readU32(bytes, at + i * 4) & masks[i]!) >>> 0 !== words[i]!) return false;
  }
  return true;
}

/** Does the plan add communities of this list? */
export function addsTo(type: number, { addCommunities }: ExportPlan): boolean {
  for (let i = 0; i < addCommunities.length; i++) if (addCommunities[i]!.type === type) return true;
  return false;
}

/**
 * Sends the list at src[start, end) without what the plan deletes, and behind it what the plan adds and is not there yet;
 * without any the attribute goes. Attributes' `Rewrite`; `size` is that of one community.
 */
export function changeCommunities(
  block: OutgoingBlock,
  type: number,
  start: number,
  end: number,
  to: number,
  size: number,
): number {
  const { plan, src, value } = block;
  const adds = plan.addCommunities;
  const deletes = plan.deleteCommunities;
  if (adds.length + deletes.length === 0) return keep(block, type, start, end, to);
  let length = 0;
  for (let at = start; start >= 0 && at < end; at += size) {
    if (isDeleted(src, at, type, deletes)) continue;
    for (let i = 0; i < size; i++) value[length++] = src[at + i]!;
  }
  for (let i = 0; i < adds.length; i++) {
    const community = adds[i]!;
    if (community.type !== type || isListed(value, 0, length, community)) continue;
    if (length + size > 65535) return -1;
    for (let w = 0; w < community.words.length; w++) length = writeU32(value, length, community.words[w]!);
  }
  return length === 0 ? to : writeValue(block, type, OPTIONAL_TRANSITIVE, length, to);
}

function isDeleted(
  bytes: Uint8Array,
  at: number,
  type: number,
  patterns: readonly CommunityPattern[],
): boolean {
  for (let i = 0; i < patterns.length; i++) {
    if (patterns[i]!.type === type && fits(bytes, at, patterns[i]!)) return true;
  }
  return false;
}
