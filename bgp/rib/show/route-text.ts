// Paths as an operator reads them: as they are in the tables, as they were received (before import policy), and
// as they go out to a peer (after export policy, as its UPDATE says). Display only; one object for one page.
import { formatOctets, withZone } from '#ip';
import {
  ATTR_AS_PATH,
  ATTR_CLUSTER_LIST,
  ATTR_COMMUNITIES,
  ATTR_LARGE_COMMUNITIES,
  ATTR_LOCAL_PREF,
  ATTR_MED,
  ATTR_NEXT_HOP,
  ATTR_ORIGIN,
  ATTR_ORIGINATOR_ID,
  AttributeVerdict,
  formatAttributes,
  printNextHop,
  SessionCodecContext,
  validateAttributes,
} from '../../message/index.ts';
import { KIND_EBGP, KIND_LOCAL } from '../table/peer-slots.ts';
import { BEST, MULTIPATH, type RibTable } from '../table/rib-table.ts';
import type { UpdateGroup } from '../out/update-group.ts';
import type { RibContents } from './rib-contents.ts';
import type { RouteText } from './view.ts';
import { whyPath } from './why.ts';

type AttributeTexts = Pick<
  RouteText,
  | 'asPath'
  | 'origin'
  | 'localPref'
  | 'med'
  | 'communities'
  | 'largeCommunities'
  | 'originatorId'
  | 'clusterList'
  | 'others'
>;

export class RouteTexts {
  readonly #rib: RibContents;
  readonly #bytes = new Uint8Array(16);
  /** By set: routes of a page share most of theirs. Bound: the page. */
  readonly #bySet = new Map<number, AttributeTexts>();
  readonly #verdict = new AttributeVerdict();
  readonly #context = new SessionCodecContext();

  constructor(rib: RibContents) {
    this.#rib = rib;
  }

  prefix(table: RibTable, id: number): string {
    const length = table.prefixes.read(id, this.#bytes, 0);
    return `${formatOctets(this.#bytes, 0, table.family === 0 ? 4 : 16)}/${length}`;
  }

  /** As the decision sees it: after import policy, with the default LOCAL_PREF of a route that came without. */
  inUse(table: RibTable, id: number, path: number): RouteText {
    const { attributes } = this.#rib;
    const set = table.attribute[path]!;
    const text = this.#path(table, id, path, set);
    const weight = attributes.weightOf(set);
    return {
      ...text,
      localPref: attributes.localPref[set]!,
      ...(weight === 0 ? {} : { others: [...(text.others ?? []), { name: 'weight', value: `${weight}` }] }),
    };
  }

  /** Before import policy. */
  received(table: RibTable, id: number, path: number): RouteText {
    return this.#path(table, id, path, this.#rib.paths.received(table, path));
  }

  /** As a group's members get it. Undefined when it fits into no message. */
  sent(table: RibTable, id: number, path: number, group: UpdateGroup): RouteText | undefined {
    const out = this.#rib.exports.outgoing(group, group.rules.addPath ? path : id);
    if (out === undefined) return undefined;
    const context = this.#context;
    context.external = group.rules.external;
    context.fourByteAs = group.rules.plan.fourByteAs;
    validateAttributes(out.attributes, 0, out.attributes.length, context, this.#verdict);
    const { pathId: _, ...frame } = this.#frame(table, id, path);
    return {
      ...frame,
      ...attributeTexts(this.#verdict.bytes, 0, this.#verdict.length),
      nextHop: printNextHop(out.nextHop, 0, out.nextHop.length),
      ...(group.rules.addPath ? { pathId: path + 1 } : {}),
    };
  }

  #path(table: RibTable, id: number, path: number, set: number): RouteText {
    const { attributes, nextHops } = this.#rib;
    const { address, device } = nextHops.read(attributes.nextHop[set]!);
    let texts = this.#bySet.get(set);
    if (texts === undefined) {
      const start = attributes.start(set);
      texts = attributeTexts(attributes.blob(set), start, start + attributes.length[set]!);
      this.#bySet.set(set, texts);
    }
    return {
      ...this.#frame(table, id, path),
      ...texts,
      nextHop: withZone(address, device),
    };
  }

  /** What does not depend on the attributes. */
  #frame(table: RibTable, id: number, path: number): Omit<RouteText, keyof AttributeTexts | 'nextHop'> {
    const { slots, bySlot, decision, originated } = this.#rib;
    const slot = table.peer[path]!;
    const kind = slots.kind[slot]!;
    const flags = table.flags[path]!;
    const prefix = this.prefix(table, id);
    const origin = kind === KIND_LOCAL ? originated.why(prefix) : undefined;
    const why = whyPath(this.#rib, table, path);
    return {
      prefix,
      peer: bySlot[slot]?.id ?? 'local',
      source: kind === KIND_LOCAL ? 'local' : kind === KIND_EBGP ? 'ebgp' : 'ibgp',
      best: (flags & BEST) !== 0,
      multipath: (flags & MULTIPATH) !== 0 && table.best(id) >= 0,
      usable: decision.isUsable(table, path),
      ...(table.receivedId === undefined ? {} : { pathId: table.receivedId[path]! }),
      ageSeconds: this.#rib.paths.ageSeconds(table, path),
      stale: slots.isStale(slot, table.family, table.epoch[path]!),
      why: origin === undefined ? why : `${why} (from ${origin})`,
    };
  }
}

function attributeTexts(bytes: Uint8Array, start: number, end: number): AttributeTexts {
  const out: { -readonly [K in keyof AttributeTexts]: AttributeTexts[K] } = {
    asPath: '',
    origin: 'incomplete',
    communities: [],
    largeCommunities: [],
  };
  for (const { type, name, value } of formatAttributes(bytes, start, end)) {
    switch (type) {
      case ATTR_ORIGIN:
        out.origin = String(value).toLowerCase();
        break;
      case ATTR_AS_PATH:
        out.asPath = String(value);
        break;
      case ATTR_MED:
        out.med = Number(value);
        break;
      case ATTR_LOCAL_PREF:
        out.localPref = Number(value);
        break;
      case ATTR_COMMUNITIES:
        out.communities = list(value);
        break;
      case ATTR_LARGE_COMMUNITIES:
        out.largeCommunities = list(value);
        break;
      case ATTR_ORIGINATOR_ID:
        out.originatorId = String(value);
        break;
      case ATTR_CLUSTER_LIST:
        out.clusterList = list(value);
        break;
      case ATTR_NEXT_HOP:
        break;
      default:
        out.others = [...(out.others ?? []), { name, value: list(value).join(' ') }];
    }
  }
  return out;
}

function list(value: string | number | readonly string[]): readonly string[] {
  return typeof value === 'object' ? value : [String(value)];
}
