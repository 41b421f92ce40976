// Sends one message through everything that a received message goes through, and checks what must hold for any
// bytes: no throw, no offset outside, no prefix that the check missed, canonical attributes that stay as they are.

import {
  ACTION_OK,
  ACTION_RESET,
  ACTION_TREAT_AS_WITHDRAW,
  OPEN,
  ROUTE_REFRESH,
  UPDATE,
} from '../constants.ts';
import { EVERY_COMMUNITY, parseCommunityPattern } from '../attributes/kinds/community-pattern.ts';
import { exportPlan, RELATION_EBGP, RELATION_IBGP } from '../attributes/export-plan.ts';
import { formatAttributes } from '../attributes/table.ts';
import { rewriteAttributes } from '../attributes/rewrite.ts';
import { validateAttributes } from '../attributes/validate.ts';
import { AttributeVerdict, isOnlyIncomplete } from '../attributes/verdict.ts';
import { SessionCodecContext } from '../context.ts';
import { decodeNextHop, NextHop } from '../next-hop.ts';
import { nextIpv4, nextIpv6, NlriCursor, startNlri } from '../nlri.ts';
import { decodeNotification, describeNotification } from '../notification.ts';
import { decodeOpen, isNotificationError } from '../open.ts';
import { decodeRouteRefresh } from '../route-refresh.ts';
import { judgeUpdate, scanUpdate } from '../update.ts';
import { describeUpdateError, UpdateScan, updateNotification } from '../update-scan.ts';

function session(values: Partial<SessionCodecContext>): SessionCodecContext {
  return Object.assign(new SessionCodecContext(), values);
}

/** Sessions whose rules differ; a fuzzer goes round them. */
export const SESSIONS: readonly SessionCodecContext[] = [
  session({}),
  session({ external: false, extendedNextHop: true, aigp: true }),
  session({ fourByteAs: false }),
  session({ fourByteAs: false, external: false, confederation: true }),
  session({ addPathIpv4: true, addPathIpv6: true, extendedNextHop: true, rejectAsSets: true }),
  session({ families: 1 }),
  session({ families: 2 }),
];

const PLANS = [
  exportPlan({
    relation: RELATION_EBGP,
    prepend: [65000, 4200000000],
    nextHop: 0x0a000001,
    removePrivateAs: true,
    otc: 1,
  }),
  exportPlan({
    relation: RELATION_IBGP,
    originatorId: 1,
    clusterId: 2,
    nextHop: 0x0a000002,
    addCommunities: [parseCommunityPattern('0:4')!],
    deleteCommunities: EVERY_COMMUNITY.map((text) => parseCommunityPattern(text)!),
  }),
  exportPlan({
    relation: RELATION_EBGP,
    prepend: [65000],
    fourByteAs: false,
    addCommunities: [parseCommunityPattern('1:2:3')!, parseCommunityPattern('rt:1:2')!],
  }),
];

const scan = new UpdateScan();
const verdict = new AttributeVerdict();
const again = new AttributeVerdict();
const cursor = new NlriCursor();
const hop = new NextHop();
const out = new Uint8Array(70_000);
const canonicalSession = session({ external: false, confederation: true, aigp: true });

/** What one UPDATE came to, for counting: ACTION_*. */
export let lastAction = ACTION_OK;

/** Examines the message at buf[start, end); a sentence when something does not hold, else ''. `deep` adds the slow checks. */
export function examine(
  buf: Uint8Array,
  start: number,
  end: number,
  type: number,
  ctx: SessionCodecContext,
  deep: boolean,
): string {
  if (type === UPDATE) return examineUpdate(buf, start, end, ctx, deep);
  if (type === OPEN) {
    const open = decodeOpen(buf, start, end);
    if (isNotificationError(open)) return open.code === 2 ? '' : 'an OPEN error with another code';
    return open.asNumber > 0 && open.routerId > 0 ? '' : 'an OPEN with AS or identifier 0 passed';
  }
  if (type === ROUTE_REFRESH) {
    const refresh = decodeRouteRefresh(buf, start, end);
    return isNotificationError(refresh) === (end - start !== 23)
      ? ''
      : 'a ROUTE-REFRESH of a wrong length passed';
  }
  return describeNotification(decodeNotification(buf, start, end)).length > 0 ? '' : 'no words';
}

function examineUpdate(
  buf: Uint8Array,
  start: number,
  end: number,
  ctx: SessionCodecContext,
  deep: boolean,
): string {
  lastAction = scanUpdate(buf, start, end, ctx, scan);
  if (lastAction !== ACTION_OK) {
    if (scan.errorCode !== 3 || scan.errorOffset < start || scan.errorLength < 0)
      return 'no error beside an action';
    if (scan.errorOffset + scan.errorLength > end) return 'an error outside the message';
    if (deep) describeUpdateError(scan);
    if (lastAction === ACTION_RESET)
      return deep && updateNotification(buf, scan).code !== 3 ? 'wrong code' : '';
  }
  const problem = examineNlri(buf, start, end, ctx);
  if (problem !== '') return problem;
  if (scan.mpReachFamily >= 0) decodeNextHop(buf, scan.nextHopStart, scan.nextHopLength, hop);
  if (scan.blob === buf && scan.blobStart < scan.blobEnd && (scan.blobStart < start || scan.blobEnd > end)) {
    return 'attributes outside the message';
  }
  validateAttributes(scan.blob, scan.blobStart, scan.blobEnd, ctx, verdict);
  if (verdict.errorOffset < 0 || verdict.errorOffset + verdict.errorLength > Math.max(scan.blobEnd, 0)) {
    if (verdict.action !== ACTION_OK) return 'an attribute error outside the block';
  }
  lastAction = judgeUpdate(scan, verdict.action, verdict.hasNextHop, isOnlyIncomplete(verdict));
  if (deep) describeUpdateError(scan, verdict);
  if (verdict.action === ACTION_TREAT_AS_WITHDRAW) return '';
  return examineCanonical(deep);
}

/** The cursor finds as many prefixes as the check, and none of an impossible length. */
function examineNlri(buf: Uint8Array, start: number, end: number, ctx: SessionCodecContext): string {
  const ranges = [
    [scan.withdrawnStart, scan.withdrawnEnd, scan.withdrawnCount, 0],
    [scan.nlriStart, scan.nlriEnd, scan.nlriCount, 0],
    [scan.mpReachStart, scan.mpReachEnd, scan.mpReachCount, scan.mpReachFamily],
    [scan.mpUnreachStart, scan.mpUnreachEnd, scan.mpUnreachCount, scan.mpUnreachFamily],
  ] as const;
  for (const [from, to, expected, family] of ranges) {
    if (family < 0 || expected === 0) continue;
    if (from < start || to > end) return 'prefixes outside the message';
    startNlri(cursor, buf, from, to, family === 0 ? ctx.addPathIpv4 : ctx.addPathIpv6);
    let count = 0;
    while (family === 0 ? nextIpv4(cursor) : nextIpv6(cursor)) {
      count++;
      if (cursor.length > (family === 0 ? 32 : 128)) return 'a prefix that is too long';
    }
    if (count !== expected || cursor.position !== to) return 'a cursor that stops before the end';
  }
  return '';
}

/** Canonical attributes are well-formed, stay as they are when read again, and can be sent on. */
function examineCanonical(deep: boolean): string {
  if (verdict.length > 65535) return 'canonical attributes that fit no message';
  if (!deep) {
    const to = rewriteAttributes(verdict.bytes, 0, verdict.length, PLANS[0]!, out, 0, out.length);
    return to === 0 ? 'nothing to send' : '';
  }
  validateAttributes(verdict.bytes, 0, verdict.length, canonicalSession, again);
  if (again.action !== ACTION_OK) return 'canonical attributes that are malformed';
  if (Buffer.compare(bytesOf(again), bytesOf(verdict)) !== 0) return 'canonical attributes that change';
  formatAttributes(verdict.bytes, 0, verdict.length);
  for (const plan of PLANS) {
    const to = rewriteAttributes(verdict.bytes, 0, verdict.length, plan, out, 0, out.length);
    if (to < 0) continue;
    const peer = session({
      fourByteAs: plan.fourByteAs,
      external: plan.relation === RELATION_EBGP,
      confederation: true,
    });
    validateAttributes(out, 0, to, peer, again);
    if (again.action !== ACTION_OK) return 'attributes that we would send malformed';
  }
  return '';
}

function bytesOf(from: AttributeVerdict): Uint8Array {
  return from.bytes.subarray(0, from.length);
}
