// Reads of the RIB for the command line. Pages are short enough that a million routes can
// be walked while the speaker works: at most `limit` routes and about two milliseconds a call.
import {
  familyIndex,
  formatWords,
  parseAddressWords,
  parsePrefixWords,
  type PrefixWords,
  truncateWords,
} from '#ip';
import type { Clock } from '#world';
import { MOST_PATHS } from '../table/decision-steps.ts';
import { BEST, DEAD, MULTIPATH, type RibTable } from '../table/rib-table.ts';
import type { RibContents } from './rib-contents.ts';
import { RouteTexts } from './route-text.ts';
import type { RibSizes, RibView, RoutePage, RouteQuery, RouteText } from './view.ts';
import { traceLines } from './policy-trace.ts';
import { sentLines, whyNotSent } from './why-sent.ts';

const CALL_MS = 2;
/** Prefixes between looks at the clock. */
const STRIDE = 256;

export class RoutePages implements RibView {
  readonly #rib: RibContents;
  readonly #clock: Clock;
  readonly #multipath = new Int32Array(MOST_PATHS);

  constructor(rib: RibContents, clock: Clock) {
    this.#rib = rib;
    this.#clock = clock;
  }

  sizes(): RibSizes {
    const { tables, attributes, exports } = this.#rib;
    let bytes = attributes.bytes;
    for (const table of tables) bytes += table.bytes;
    for (const groups of exports.groups) for (const group of groups) bytes += group.out.bytes;
    return {
      prefixes: { ipv4: tables[0].liveCount, ipv6: tables[1].liveCount },
      paths: tables[0].pathIds.used + tables[1].pathIds.used,
      attributeSets: attributes.count - attributes.unusedCount,
      bytes,
      changesWaiting: tables[0].dirtyCount + tables[1].dirtyCount,
    };
  }

  /** Of a peer that has not been up yet there are none. @throws Error when the query needs a peer, or names a text that is no prefix, or a wrong cursor */
  routes(query: RouteQuery): RoutePage {
    const { peer: id, prefix: text, view } = query;
    if (id !== undefined && this.#rib.peer(id) === undefined)
      return { routes: [], notes: [`session ${id} has not been up since the agent started`] };
    if (id === undefined && (view === 'received' || view === 'advertised'))
      throw new Error(`'${view}' needs a peer`);
    const texts = new RouteTexts(this.#rib);
    if (text !== undefined && !text.includes('/')) return this.#longestMatch(query, text, texts);
    const prefix = text === undefined ? undefined : parsePrefixWords(text);
    if (text !== undefined && prefix === undefined) throw new Error(`'${text}' is not a prefix`);
    if (prefix !== undefined && query.longer !== true) return this.#exact(query, prefix, texts);
    const routes: RouteText[] = [];
    const cursor = this.#walk(query, prefix, texts, routes);
    return cursor === undefined ? { routes } : { routes, cursor };
  }

  #exact(query: RouteQuery, prefix: PrefixWords, texts: RouteTexts): RoutePage {
    const table = this.#rib.tables[prefix.family];
    const id = find(table, prefix);
    const routes: RouteText[] = [];
    if (id >= 0) this.#collect(table, id, query, texts, routes);
    return { routes, notes: this.#notes(query, table, id, texts, routes.length > 0, prefix) };
  }

  /** The most specific prefix around an address that the view has. */
  #longestMatch(query: RouteQuery, text: string, texts: RouteTexts): RoutePage {
    const address = parseAddressWords(text);
    if (address === undefined) throw new Error(`'${text}' is neither a prefix nor an address`);
    if (query.longer === true)
      throw new Error(`'${text}' is an address: give a prefix to see what is inside it`);
    const table = this.#rib.tables[address.family];
    const routes: RouteText[] = [];
    const whole: PrefixWords = { ...address, length: address.words.length * 32 };
    for (let outer: PrefixWords | undefined = whole; outer !== undefined; outer = parentOf(outer)) {
      const id = find(table, outer);
      if (id < 0) continue;
      this.#collect(table, id, query, texts, routes);
      if (routes.length > 0) return { routes, notes: this.#notes(query, table, id, texts, true, outer) };
    }
    const id = this.#covering(table, whole);
    return { routes, notes: this.#notes(query, table, id, texts, false, whole) };
  }

  /** PrefixWords id of the longest match that has a path; -1 when there is none. */
  #covering(table: RibTable, prefix: PrefixWords): number {
    for (let outer: PrefixWords | undefined = prefix; outer !== undefined; outer = parentOf(outer)) {
      const id = find(table, outer);
      if (id >= 0 && table.head[id] !== 0) return id;
    }
    return -1;
  }

  /** What there is to say of one prefix beside its paths. */
  #notes(
    query: RouteQuery,
    table: RibTable,
    id: number,
    texts: RouteTexts,
    isFound: boolean,
    asked: PrefixWords,
  ): string[] {
    const rib = this.#rib;
    const peer = query.peer === undefined ? undefined : rib.peer(query.peer);
    if (id < 0 || table.head[id] === 0) {
      const around = this.#covering(table, asked);
      const isAddress = asked.length === asked.words.length * 32;
      const text = formatWords(asked.words) + (isAddress ? '' : `/${asked.length}`);
      return [
        around < 0
          ? `no route to ${text}, and none that covers it`
          : `no route to ${text} itself; the longest match is ${texts.prefix(table, around)}`,
      ];
    }
    const prefix = texts.prefix(table, id);
    if (peer !== undefined && query.view === 'advertised') {
      const reason = whyNotSent(rib, peer, table, id);
      return reason === undefined ? [] : [`${prefix} is not sent to ${peer.id}: ${reason}`];
    }
    if (peer !== undefined && !isFound) {
      const state = peer.session === undefined ? ': its session is not established' : '';
      return [`${prefix} was not received from ${peer.id}${state}`];
    }
    if (query.explain !== true) return [];
    return [...sentLines(rib, table, id), ...traceLines(rib, table, id)].map((line) => `${prefix}: ${line}`);
  }

  #walk(
    query: RouteQuery,
    inside: PrefixWords | undefined,
    texts: RouteTexts,
    routes: RouteText[],
  ): string | undefined {
    const cursor = /^([01]):(\d+)$/.exec(query.cursor ?? '0:0');
    if (cursor === null) throw new Error(`'${query.cursor}' is not a cursor`);
    const [cursorFamily, cursorId] = [Number(cursor[1]), Number(cursor[2])];
    const wanted = inside?.family ?? (query.family === undefined ? undefined : familyIndex(query.family));
    const start = this.#clock.now();
    for (const family of [0, 1] as const) {
      if (family < cursorFamily || (wanted !== undefined && wanted !== family)) continue;
      const table = this.#rib.tables[family];
      const end = table.prefixes.ids.end;
      for (let id = family === cursorFamily ? cursorId : 0; id < end; id++) {
        const isTime = id % STRIDE === STRIDE - 1 && this.#clock.now() - start > CALL_MS;
        if (routes.length >= query.limit || isTime) return `${family}:${id}`;
        if (table.head[id] === 0 || (inside !== undefined && !table.isInside(id, inside))) continue;
        this.#collect(table, id, query, texts, routes);
      }
    }
    return undefined;
  }

  #collect(table: RibTable, id: number, query: RouteQuery, texts: RouteTexts, routes: RouteText[]): void {
    const rib = this.#rib;
    const peer = query.peer === undefined ? undefined : rib.peer(query.peer);
    const used = rib.decision.markMultipath(table, id, this.#multipath) === 0 ? 0 : BEST | MULTIPATH;
    for (let path = table.head[id]! - 1; path >= 0; path = table.next[path]! - 1) {
      const flags = table.flags[path]!;
      if ((flags & DEAD) !== 0) continue;
      const slot = table.peer[path]!;
      if (query.view === 'best' && (flags & used) === 0) continue;
      if (query.view === 'received' && slot !== peer!.slot) continue;
      if (query.view !== 'advertised' && peer !== undefined && slot !== peer.slot) continue;
      if (query.view === 'advertised') {
        const session = peer!.session;
        const group = session && rib.exports.groupOf(session, table.family);
        if (group === undefined) continue;
        if (!group.rules.addPath && rib.view.chosen(group.rules, table, id) !== path) continue;
        if (!rib.exports.isHeld(session!, group, group.rules.addPath ? path : id)) continue;
        const text = texts.sent(table, id, path, group);
        if (text !== undefined) routes.push(text);
      } else if (query.view === 'received') {
        routes.push(texts.received(table, id, path));
      } else {
        routes.push(texts.inUse(table, id, path));
      }
    }
  }
}

function parentOf(prefix: PrefixWords): PrefixWords | undefined {
  if (prefix.length === 0) return undefined;
  return truncateWords(prefix, prefix.length - 1);
}

function find(table: RibTable, prefix: PrefixWords): number {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = prefix.words;
  return prefix.family === 0
    ? table.prefixes.find4(w0, prefix.length)
    : table.prefixes.find6(w0, w1, w2, w3, prefix.length);
}
