// Why a prefix is or is not sent to a neighbour, in words. Display only: the code that decides gives
// the reason, and here it is put into words.
import { familyName } from '#ip';
import type { Session } from '../../session/index.ts';
import type { RibPeer } from '../in/rib-peer.ts';
import type { RibTable } from '../table/rib-table.ts';
import type { ExportRules } from '../out/export-rules.ts';
import * as view from '../out/export-view.ts';
import type { UpdateGroup } from '../out/update-group.ts';
import type { RibContents } from './rib-contents.ts';

/** Names shown of the peers that one line is about. */
const SHOWN = 20;
const NO_USABLE_PATH = 'no path to it can be used';

/** Undefined when the peer has it. */
export function whyNotSent(
  rib: RibContents,
  peer: RibPeer,
  table: RibTable,
  prefix: number,
): string | undefined {
  const { session } = peer;
  if (session === undefined) return 'its session is not established';
  const group = rib.exports.groupOf(session, table.family);
  if (group === undefined) return `${familyName(table.family)} unicast was not agreed with it`;
  if (isHeld(rib, session, group, table, prefix)) return undefined;
  const path = rib.view.chosen(group.rules, table, prefix);
  if (path < 0) return NO_USABLE_PATH;
  if (table.peer[path] === peer.slot) return 'split horizon: the best path came from there';
  const result = rib.view.path(group.rules, table, path);
  if (result < 0) return refusalText(rib, group.rules, table, path, result);
  const unit = group.rules.addPath ? path : prefix;
  if (rib.exports.isHeldBack(session, group, unit)) return 'it waits for the advertisement interval';
  if (group.isBuilding || group.isSentTo(unit, peer.slot)) return 'it is still to be sent';
  if (group.out.set[unit] === 0) return 'its attributes fit into no message';
  return 'its next hop is that neighbour itself';
}

function refusalText(
  rib: RibContents,
  rules: ExportRules,
  table: RibTable,
  path: number,
  code: number,
): string {
  switch (code) {
    case view.NOT_REFLECTED:
      return 'iBGP routes go only to or from reflector clients';
    case view.KEPT_BY_COMMUNITY:
      return 'a well-known community keeps it here';
    case view.KEPT_BY_OTC:
      return 'OTC (RFC 9234)';
    case view.NO_NEXT_HOP:
      return 'no next hop that it could use: of another family, or good on another link only';
    case view.REJECTED_BY_POLICY:
      return `export policy: ${rib.view.whyRejected(rules, table, path)}`;
    case view.AGGREGATE_STAYS:
      return 'an aggregate goes to neighbours outside of the cluster only';
    case view.SUPPRESSED:
      return 'an aggregate with summaryOnly stands for it';
    case view.FITS_NO_MESSAGE:
      return 'its attributes fit into no message';
    default:
      return NO_USABLE_PATH;
  }
}

/** Which established sessions have a prefix, and why the others have not: a line for each reason. */
export function sentLines(rib: RibContents, table: RibTable, prefix: number): string[] {
  const sent: string[] = [];
  const waiting: string[] = [];
  const byReason = new Map<string, string[]>();
  for (const peer of rib.peers()) {
    if (peer.session === undefined) continue;
    const reason = whyNotSent(rib, peer, table, prefix);
    if (reason === undefined && waits(rib, peer.session, table, prefix)) waiting.push(peer.id);
    else if (reason === undefined) sent.push(peer.id);
    else byReason.set(reason, [...(byReason.get(reason) ?? []), peer.id]);
  }
  return [
    ...(sent.length === 0 ? [] : [`sent to ${namesOf(sent)}`]),
    ...(waiting.length === 0
      ? []
      : [`sent to ${namesOf(waiting)} before it changed: the change waits for the advertisement interval`]),
    ...[...byReason].map(([reason, ids]) => `not sent to ${namesOf(ids)}: ${reason}`),
  ];
}

function isHeld(
  rib: RibContents,
  session: Session,
  group: UpdateGroup,
  table: RibTable,
  prefix: number,
): boolean {
  if (!group.rules.addPath) return rib.exports.isHeld(session, group, prefix);
  for (let path = table.head[prefix]! - 1; path >= 0; path = table.next[path]! - 1) {
    if (rib.exports.isHeld(session, group, path)) return true;
  }
  return false;
}

/** It has it, and is not told yet what changed. */
function waits(rib: RibContents, session: Session, table: RibTable, prefix: number): boolean {
  const group = rib.exports.groupOf(session, table.family);
  if (group === undefined) return false;
  if (!group.rules.addPath) return rib.exports.isHeldBack(session, group, prefix);
  for (let path = table.head[prefix]! - 1; path >= 0; path = table.next[path]! - 1)
    if (rib.exports.isHeldBack(session, group, path)) return true;
  return false;
}

/** The first of them, and how many more. */
export function namesOf(ids: readonly string[]): string {
  const more = ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : '';
  return ids.slice(0, SHOWN).join(', ') + more;
}
