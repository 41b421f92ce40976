// Which prefixes a neighbour would have with another configuration, or without some of our own routes: the rules that send
// are asked twice for each prefix, and nothing of the RIB changes. A generator, so that who walks it can rest.
import type { PeerConfig } from '../../config.ts';
import { familyIndex } from '#ip';
import type { CompiledPolicy } from '../../policy/compile.ts';
import type { OwnIdentity } from '../attributes/attribute-intern.ts';
import { type ExportRules, exportRules } from '../out/export-rules.ts';
import { LOCAL_SLOT } from '../table/peer-slots.ts';
import type { RibTable } from '../table/rib-table.ts';
import type { RibContents } from './rib-contents.ts';

/** Prefixes named of each sort; the rest is counted. */
const MOST_NAMED = 1000;
/** Prefixes between rests. */
const STRIDE = 256;

export interface PrefixCount {
  readonly count: number;
  /** At most 1,000. */
  readonly first: readonly string[];
}

export interface ExportRehearsal {
  readonly appear: PrefixCount;
  readonly vanish: PrefixCount;
  /** Sent before and after, with other attributes. */
  readonly change: PrefixCount;
}

class Names {
  #count = 0;
  readonly #first: string[] = [];

  add(text: string): void {
    this.#count++;
    if (this.#first.length < MOST_NAMED) this.#first.push(text);
  }
  get found(): PrefixCount {
    return { count: this.#count, first: this.#first };
  }
}

export interface RehearsedPeer {
  readonly config: PeerConfig;
  readonly exportPolicy: CompiledPolicy;
}

/**
 * @param next undefined: the session ends
 * @param withdrawn own prefixes that are announced no more
 * @returns undefined while the session is not established: nothing is sent
 */
export function* rehearseExport(
  rib: RibContents & { prefixText(table: RibTable, prefix: number): string },
  id: string,
  next: RehearsedPeer | undefined,
  own: OwnIdentity,
  withdrawn: ReadonlySet<string>,
): Generator<void, ExportRehearsal | undefined> {
  const peer = rib.peer(id);
  const session = peer?.session;
  if (peer === undefined || session === undefined) return undefined;
  const [appear, vanish, change] = [new Names(), new Names(), new Names()];
  for (const name of session.negotiated.families) {
    const family = familyIndex(name);
    const table = rib.tables[family];
    const before = exportRules(peer, session, family, own);
    const after = next === undefined ? undefined : exportRules(next, session, family, own);
    const areOctetsOther = after?.octets !== before.octets;
    for (let prefix = 0; prefix < table.prefixes.ids.end; prefix++) {
      if (prefix % STRIDE === STRIDE - 1) {
        yield;
        // While others had their turn it may have ended.
        if (peer.session !== session) return undefined;
      }
      if (table.head[prefix] === 0) continue;
      const had = sentSet(rib, before, table, prefix, peer.slot, false);
      const isGone = withdrawn.size > 0 && withdrawn.has(rib.prefixText(table, prefix));
      const has = after === undefined ? -1 : sentSet(rib, after, table, prefix, peer.slot, isGone);
      if (had < 0 && has < 0) continue;
      const sort = had < 0 ? appear : has < 0 ? vanish : had !== has || areOctetsOther ? change : undefined;
      sort?.add(rib.prefixText(table, prefix));
    }
  }
  return { appear: appear.found, vanish: vanish.found, change: change.found };
}

/** The attribute set that goes out for a prefix, of several paths the first's; below 0: none does. */
function sentSet(
  { view, decision }: RibContents,
  rules: ExportRules,
  table: RibTable,
  prefix: number,
  slot: number,
  withoutOwn: boolean,
): number {
  const chosen = view.chosen(rules, table, prefix);
  if (!rules.addPath && chosen >= 0 && !(withoutOwn && table.peer[chosen] === LOCAL_SLOT))
    return table.peer[chosen] === slot ? -1 : view.path(rules, table, chosen);
  if (!rules.addPath && !withoutOwn) return -1;
  for (let path = table.head[prefix]! - 1; path >= 0; path = table.next[path]! - 1) {
    const from = table.peer[path]!;
    if (from === slot || (withoutOwn && from === LOCAL_SLOT) || !decision.isUsable(table, path)) continue;
    const set = view.path(rules, table, path);
    if (set >= 0) return set;
  }
  return -1;
}
