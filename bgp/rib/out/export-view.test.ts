// May a route go out to a group: the rules written once more, for any mixture of routes and rules, also such as
// exportRules() makes only together.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  HAS_NO_ADVERTISE,
  HAS_NO_EXPORT,
  HAS_NO_EXPORT_SUBCONFED,
  PRESENT_OTC,
} from '../../message/index.ts';
import { compilePolicy } from '../../policy/compile.ts';
import {
  ACCEPT_ALL,
  type Policy,
  type PolicyMatch,
  type PolicySet,
  REJECT_ALL,
} from '../../policy/policy.ts';
import type { Aggregates } from '../in/aggregates.ts';
import type { AttributeIntern } from '../attributes/attribute-intern.ts';
import type { AttributeReader } from '../attributes/attribute-reader.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import { NextHops } from '../attributes/next-hops.ts';
import { Decision } from '../table/decision.ts';
import { KIND_EBGP, KIND_IBGP, KIND_LOCAL, PeerSlots } from '../table/peer-slots.ts';
import { FILTERED, RibTable } from '../table/rib-table.ts';
import type { ExportRules } from './export-rules.ts';
import * as view from './export-view.ts';

interface Route {
  readonly isUsable: boolean;
  readonly source: number;
  readonly isFromClient: boolean;
  readonly flags: number;
  readonly hasOtc: boolean;
  /** In HOPS; -1: ours. */
  readonly hop: number;
}
interface Rules {
  readonly family: 0 | 1;
  readonly external: boolean;
  readonly client: boolean;
  readonly blockedFlags: number;
  readonly blocksOtc: boolean;
  readonly keepsNextHop: boolean;
  readonly link: string | undefined;
  readonly replacesLinkLocal: boolean;
  readonly hasSelf: boolean;
  readonly extendedNextHop: boolean;
  readonly policy: number;
}

const LINK_LOCAL = [0xfe800000 | 0, 0, 0, 9];
const GLOBAL = [0x20010db8, 0, 0, 9];
/** Where one may be sent: what family it is of, and the link of one that means nothing elsewhere. */
const HOPS: readonly { readonly family: 0 | 1; readonly onlyOn?: string }[] = [
  { family: 0 },
  { family: 1 },
  { family: 1, onlyOn: 'eth0' },
  { family: 1 },
];

function internHops(hops: NextHops): number[] {
  return [
    hops.intern4(0x0a000001),
    hops.intern6(GLOBAL, undefined, 'eth0'),
    hops.intern6(undefined, LINK_LOCAL, 'eth0'),
    // Elsewhere its global half goes out.
    hops.intern6(GLOBAL, LINK_LOCAL, 'eth0'),
  ];
}

/** What it makes of route `n` of the scene: another set, none that fits, rejected, or as it is. */
const AS_IT_IS = 'as it is';
const LOCAL_PREF = 'with LOCAL_PREF';
const TOO_LARGE = 'too large';
const REJECTED = 'rejected';

const term = (match: PolicyMatch, verdict: 'accept' | 'reject', set?: PolicySet): Policy => ({
  name: 'p',
  terms: [{ match, action: { verdict, ...(set && { set }) }, why: 'rule 1' }],
  otherwise: 'accept',
});
const POLICIES: readonly { policy: Policy; makes: (route: Route, n: number) => string }[] = [
  { policy: ACCEPT_ALL, makes: () => AS_IT_IS },
  { policy: REJECT_ALL, makes: () => REJECTED },
  {
    policy: term({ source: 'ebgp' }, 'reject'),
    makes: ({ source }) => (source === KIND_EBGP ? REJECTED : AS_IT_IS),
  },
  {
    policy: term({ prefixes: [{ prefix: '10.0.1.0/24', operator: 'equal' }] }, 'reject'),
    makes: (_route, n) => (n === 1 ? REJECTED : AS_IT_IS),
  },
  {
    policy: term({ source: 'local' }, 'accept', { localPref: 7 }),
    makes: ({ source }) => (source === KIND_LOCAL ? LOCAL_PREF : AS_IT_IS),
  },
  {
    policy: term({ communities: ['65000:1'] }, 'accept', { med: 7 }),
    makes: (_route, n) => (n === 0 ? TOO_LARGE : AS_IT_IS),
  },
];

/** Sets that a policy changed have these numbers above. */
const CHANGED = 100;
const MOST = 4;
const bool = fc.boolean();
const flags = fc
  .subarray([HAS_NO_ADVERTISE, HAS_NO_EXPORT, HAS_NO_EXPORT_SUBCONFED], { maxLength: 2 })
  .map((some) => some.reduce((all, flag) => all | flag, 0));
const scenes = fc.record({
  routes: fc.array(
    fc.record({
      isUsable: fc.constantFrom(true, true, true, false),
      source: fc.constantFrom(KIND_LOCAL, KIND_EBGP, KIND_IBGP, KIND_IBGP),
      isFromClient: bool,
      flags: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, flags),
      hasOtc: bool,
      hop: fc.integer({ min: -1, max: HOPS.length - 1 }),
    }),
    { minLength: 2, maxLength: MOST },
  ),
  rules: fc.record({
    family: fc.constantFrom(0 as const, 1 as const),
    external: bool,
    client: bool,
    blockedFlags: flags,
    blocksOtc: bool,
    keepsNextHop: fc.constantFrom(true, true, false),
    link: fc.constantFrom(undefined, 'eth0', 'eth1'),
    replacesLinkLocal: bool,
    hasSelf: bool,
    extendedNextHop: bool,
    policy: fc.nat(POLICIES.length - 1),
  }),
});

/** The columns that the view reads, with a path for each of up to MOST routes, from a peer each. */
class Columns {
  readonly table = new RibTable(0, 1);
  readonly view: view.ExportView;
  readonly #slots = new PeerSlots();
  readonly #hopIds: readonly number[];
  readonly #hops = new Int32Array(CHANGED * 2);
  readonly #store = {
    flags: new Uint8Array(MOST),
    present: new Uint32Array(MOST),
    nextHop: this.#hops,
    references: new Int32Array(CHANGED * 2),
    hasSecrets: () => false,
    leavesWithHop: (set: number, isUsual: boolean): boolean => isUsual && this.#hops[set]! >= 0,
    release: () => undefined,
  } satisfies Partial<AttributeStore>;

  constructor() {
    const nextHops = new NextHops(1);
    this.#hopIds = internHops(nextHops);
    const store = this.#store as unknown as AttributeStore;
    const intern = {
      store,
      changed: (set: number, [change]: PolicySet[], _otc: number, isExport: boolean) =>
        isExport && change!.localPref !== undefined ? CHANGED + set : -1,
    } as unknown as AttributeIntern;
    const reader = {
      carriesCommunity: (set: number) => set === 0,
      generationOf: () => 1,
    } as unknown as AttributeReader;
    const multipath = { ebgp: 1, ibgp: 1, relax: false };
    const { table } = this;
    const decision = new Decision(store, reader, this.#slots, nextHops, multipath, 1);
    for (let n = 0; n < MOST; n++)
      table.addPath(table.prefixes.findOrAdd4(0x0a000000 | (n << 8), 24), this.#slots.take(), n, 0, 0);
    this.view = new view.ExportView(
      intern,
      reader,
      this.#slots,
      nextHops,
      decision,
      [table],
      [{ isOn: false } as Aggregates],
    );
  }

  put(routes: readonly Route[]): void {
    routes.forEach(({ isUsable, source, isFromClient, flags: has, hasOtc, hop }, n) => {
      const slot = this.table.peer[n]!;
      this.#slots.kind[slot] = source;
      this.#slots.client[slot] = isFromClient ? 1 : 0;
      this.table.flags[n] = isUsable ? 0 : FILTERED;
      this.#store.flags[n] = has;
      this.#store.present[n] = ~PRESENT_OTC | (hasOtc ? PRESENT_OTC : 0);
      for (const set of [n, CHANGED + n]) this.#store.nextHop[set] = this.#hopIds[hop] ?? -1;
    });
  }
}

/** Compiled once: a policy remembers what it made last. */
const compiled = POLICIES.map(({ policy }) => compilePolicy(policy));

const rulesOf = ({ hasSelf, policy, ...rest }: Rules): ExportRules =>
  ({
    ...rest,
    self: hasSelf ? new Uint8Array(4) : undefined,
    policy: compiled[policy],
  }) as ExportRules;

/** Is there a next hop that the group's neighbours could use? */
function hasNextHop(rules: Rules, { hop }: Route): boolean {
  const known = HOPS[hop];
  if (known === undefined || !rules.keepsNextHop) return rules.hasSelf;
  // RFC 8950: only IPv4 routes, and only where both sides said so.
  const isRead = known.family === rules.family || (rules.family === 0 && rules.extendedNextHop);
  if (!isRead) return false;
  // RFC 2545 section 3.
  const isHere = known.onlyOn === undefined || known.onlyOn === rules.link;
  return isHere || (rules.replacesLinkLocal && rules.hasSelf);
}

function expected(rules: Rules, route: Route, n: number): number {
  if (!route.isUsable) return view.NOT_USABLE;
  // RFC 4456: what was heard inside the AS goes on inside it only from clients, or to them.
  const staysInside = route.source === KIND_IBGP && !rules.external;
  if (staysInside && !route.isFromClient && !rules.client) return view.NOT_REFLECTED;
  const isOurs = route.source === KIND_LOCAL;
  if (!isOurs && [1, 2, 4].some((flag) => (route.flags & rules.blockedFlags & flag) !== 0))
    return view.KEPT_BY_COMMUNITY;
  if (route.hasOtc && rules.blocksOtc) return view.KEPT_BY_OTC;
  const isHeard = hasNextHop(rules, route);
  switch (POLICIES[rules.policy]!.makes(route, n)) {
    case AS_IT_IS:
      return isHeard ? n : view.NO_NEXT_HOP;
    case LOCAL_PREF:
      return isHeard ? CHANGED + n : view.NO_NEXT_HOP;
    case TOO_LARGE:
      return view.FITS_NO_MESSAGE;
    default:
      return view.REJECTED_BY_POLICY;
  }
}

const RUNS = { numRuns: 2000 };

describe('what goes out to a group', () => {
  const columns = new Columns();

  it('is each route that no rule keeps here, as the policy makes it; else the first rule that keeps it', () => {
    fc.assert(
      fc.property(scenes, ({ routes, rules }) => {
        columns.put(routes);
        routes.forEach((route, n) => {
          assert.equal(columns.view.path(rulesOf(rules), columns.table, n), expected(rules, route, n));
          assert.equal(columns.view.lookedAt, n);
        });
      }),
      RUNS,
    );
  });

  it('is said to people: the rule of the policy that rejects', () => {
    fc.assert(
      fc.property(scenes, ({ routes, rules }) => {
        columns.put(routes);
        routes.forEach((route, n) => {
          const { policy, makes } = POLICIES[rules.policy]!;
          const why = policy === REJECT_ALL ? 'reject all: no rule accepts it' : 'rule 1';
          assert.equal(
            columns.view.whyRejected(rulesOf(rules), columns.table, n),
            makes(route, n) === REJECTED ? why : undefined,
          );
        });
      }),
      { numRuns: 200 },
    );
  });

  it('has a reason of its own for each rule, none of which is a set', () => {
    const reasons = [
      view.NOT_USABLE,
      view.NOT_REFLECTED,
      view.KEPT_BY_COMMUNITY,
      view.KEPT_BY_OTC,
      view.NO_NEXT_HOP,
      view.REJECTED_BY_POLICY,
      view.FITS_NO_MESSAGE,
    ];
    assert.equal(new Set(reasons).size, reasons.length);
    assert.ok(reasons.every((reason) => reason < 0));
  });
});
