// Reads of the RIB for the agent's FIB and the command line. Pages are short enough that a million routes can
// be walked while the speaker works: at most `limit` routes and about two milliseconds a call.
import type { FamilyIndex } from '../family.ts';
import { familyIndex } from '../family.ts';
import type { Clock } from '../io.ts';
import { formatIpv4, PRESENT_MED, PRESENT_ORIGINATOR_ID } from '../message/index.ts';
import { formatBytes, type Prefix, parsePrefix, mask } from './address-text.ts';
import { KIND_EBGP, KIND_LOCAL } from './peer-slots.ts';
import type { Rib } from './rib.ts';
import { BEST, DEAD, MULTIPATH, type RibTable, STALE } from './rib-table.ts';
import type { Forwarding, RibSizes, RibView, RoutePage, RouteQuery, RouteText } from './view.ts';
import { whyPath } from './why.ts';

const CALL_MS = 2;
/** Prefixes between looks at the clock. */
const STRIDE = 256;

export class RoutePages implements RibView {
  readonly #rib: Rib;
  readonly #clock: Clock;
  readonly #bytes = new Uint8Array(16);
  readonly #multipath = new Int32Array(64);

  constructor(rib: Rib, clock: Clock) {
    this.#rib = rib;
    this.#clock = clock;
  }

  readPrefix(family: FamilyIndex, id: number, out: Uint8Array): number {
    return this.#rib.tables[family].prefixes.read(id, out, 0);
  }

  forwarding(family: FamilyIndex, id: number, out: Forwarding): void {
    const { tables, decision, attributes, slots } = this.#rib;
    const table = tables[family];
    const best = id < table.prefixes.ids.end ? table.best(id) : -1;
    out.count = 0;
    out.kind = 0;
    if (best < 0 || !decision.isUsable(table, best)) return;
    if (slots.kind[table.peer[best]!] === KIND_LOCAL) {
      out.kind = 1;
      return;
    }
    out.kind = 2;
    const count = decision.markMultipath(table, id, this.#multipath);
    for (let i = 0; i < count && i < out.nextHopIds.length; i++) {
      out.nextHopIds[out.count++] = attributes.nextHop[table.attribute[this.#multipath[i]!]!]!;
    }
  }

  nextHop(id: number): { readonly address: string; readonly device?: string } {
    return this.#rib.nextHops.read(id);
  }

  sizes(): RibSizes {
    const { tables, attributes, exports } = this.#rib;
    let bytes = attributes.bytes;
    for (const table of tables) bytes += table.bytes;
    for (const groups of exports.groups) for (const group of groups) bytes += group.bytes;
    return {
      prefixes: { ipv4: tables[0].liveCount, ipv6: tables[1].liveCount },
      paths: tables[0].pathIds.used + tables[1].pathIds.used,
      attributeSets: attributes.count - attributes.unusedCount,
      bytes,
    };
  }

  /** @throws Error when the query names an unknown peer or a text that is no prefix */
  routes(query: RouteQuery): RoutePage {
    const prefix = query.prefix === undefined ? undefined : parsePrefix(query.prefix);
    if (query.prefix !== undefined && prefix === undefined)
      throw new Error(`'${query.prefix}' is not a prefix`);
    if (query.peer !== undefined && this.#rib.peer(query.peer) === undefined) {
      throw new Error(`no peer '${query.peer}' has been up`);
    }
    if (query.peer === undefined && (query.view === 'received' || query.view === 'advertised')) {
      throw new Error(`'${query.view}' needs a peer`);
    }
    const routes: RouteText[] = [];
    if (prefix !== undefined && query.longer !== true) {
      const id = find(this.#rib.tables[prefix.family], prefix);
      if (id >= 0) this.#collect(this.#rib.tables[prefix.family], id, query, routes);
      return { routes };
    }
    const cursor = this.#walk(query, prefix, routes);
    return cursor === undefined ? { routes } : { routes, cursor };
  }

  #walk(query: RouteQuery, inside: Prefix | undefined, routes: RouteText[]): string | undefined {
    const [cursorFamily, cursorId] = (query.cursor ?? '0:0').split(':').map(Number) as [FamilyIndex, number];
    const wanted = inside?.family ?? (query.family === undefined ? undefined : familyIndex(query.family));
    const start = this.#clock.now();
    for (const family of [0, 1] as const) {
      if (family < cursorFamily || (wanted !== undefined && wanted !== family)) continue;
      const table = this.#rib.tables[family];
      const end = table.prefixes.ids.end;
      for (let id = family === cursorFamily ? cursorId : 0; id < end; id++) {
        const isTime = id % STRIDE === STRIDE - 1 && this.#clock.now() - start > CALL_MS;
        if (routes.length >= query.limit || isTime) return `${family}:${id}`;
        if (table.head[id] === 0 || (inside !== undefined && !contains(inside, table, id))) continue;
        this.#collect(table, id, query, routes);
      }
    }
    return undefined;
  }

  #collect(table: RibTable, id: number, query: RouteQuery, routes: RouteText[]): void {
    const rib = this.#rib;
    const peer = query.peer === undefined ? undefined : rib.peer(query.peer);
    if (rib.decision.multipath.ebgp > 1 || rib.decision.multipath.ibgp > 1) {
      rib.decision.markMultipath(table, id, this.#multipath);
    }
    for (let path = table.head[id]! - 1; path >= 0; path = table.next[path]! - 1) {
      const flags = table.flags[path]!;
      if ((flags & DEAD) !== 0) continue;
      const slot = table.peer[path]!;
      if (query.view === 'best' && (flags & BEST) === 0) continue;
      if (query.view === 'received' && slot !== peer!.slot) continue;
      if (query.view !== 'advertised' && peer !== undefined && slot !== peer.slot) continue;
      if (query.view === 'advertised') {
        const group = peer!.session && rib.exports.groupOf(peer!.session, table.family);
        if (group === undefined || (!group.rules.addPath && (flags & BEST) === 0)) continue;
        if (!rib.exports.isHeld(peer!.session!, group, group.rules.addPath ? path : id)) continue;
      }
      routes.push(this.#text(table, id, path));
    }
  }

  #text(table: RibTable, id: number, path: number): RouteText {
    const { attributes, reader, slots, bySlot, nextHops, decision, originated } = this.#rib;
    const set = table.attribute[path]!;
    const slot = table.peer[path]!;
    const kind = slots.kind[slot]!;
    const flags = table.flags[path]!;
    const length = table.prefixes.read(id, this.#bytes, 0);
    const prefix = `${formatBytes(this.#bytes, 0, table.family === 0 ? 4 : 16)}/${length}`;
    const hop = attributes.nextHop[set]!;
    const { address, device } = nextHops.read(hop);
    const present = attributes.present[set]!;
    const clusters = reader.clusterListTexts(set);
    const origin = kind === KIND_LOCAL ? originated.why(prefix) : undefined;
    const why = whyPath(this.#rib, table, path);
    return {
      prefix,
      peer: bySlot[slot]?.id ?? 'local',
      source: kind === KIND_LOCAL ? 'local' : kind === KIND_EBGP ? 'ebgp' : 'ibgp',
      best: (flags & BEST) !== 0,
      multipath: (flags & MULTIPATH) !== 0,
      usable: decision.isUsable(table, path),
      nextHop: device === undefined ? address : `${address}%${device}`,
      asPath: reader.asPathText(set),
      origin: ['igp', 'egp', 'incomplete'][attributes.origin[set]!]!,
      localPref: attributes.localPref[set]!,
      ...((present & PRESENT_MED) === 0 ? {} : { med: attributes.med[set]! }),
      communities: reader.communityTexts(set),
      largeCommunities: reader.largeCommunityTexts(set),
      ...((present & PRESENT_ORIGINATOR_ID) === 0
        ? {}
        : { originatorId: formatIpv4(attributes.originator[set]!) }),
      ...(clusters.length === 0 ? {} : { clusterList: clusters }),
      ...(table.receivedId === undefined ? {} : { pathId: table.receivedId[path]! }),
      stale: (flags & STALE) !== 0,
      why: origin === undefined ? why : `${why} (from ${origin})`,
    };
  }
}

function find(table: RibTable, prefix: Prefix): number {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = prefix.words;
  return prefix.family === 0
    ? table.prefixes.find4(w0, prefix.length)
    : table.prefixes.find6(w0, w1, w2, w3, prefix.length);
}

function contains(outer: Prefix, table: RibTable, id: number): boolean {
  const p = table.prefixes;
  if (p.lengths[id]! < outer.length || (p.a0[id]! & mask(outer.length)) !== outer.words[0]) return false;
  if (table.family === 0) return true;
  return (
    (p.a1[id]! & mask(outer.length - 32)) === outer.words[1] &&
    (p.a2[id]! & mask(outer.length - 64)) === outer.words[2] &&
    (p.a3[id]! & mask(outer.length - 96)) === outer.words[3]
  );
}
