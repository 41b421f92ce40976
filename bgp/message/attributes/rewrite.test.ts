import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as c from '../constants.ts';
import { SessionCodecContext } from '../context.ts';
import {
  AS_PATH,
  attribute,
  bytes,
  hexOf,
  LOCAL_PREF_100,
  MANDATORY,
  MED_50,
  NEXT_HOP,
  ORIGIN_IGP,
  u32,
} from '../../testing/message-bytes.ts';
import { EVERY_COMMUNITY, parseCommunityPattern } from './kinds/community-pattern.ts';
import {
  type ExportPlan,
  exportPlan,
  RELATION_CONFEDERATION,
  RELATION_EBGP,
  RELATION_IBGP,
  RELATION_SAME,
} from './export-plan.ts';
import { formatAttributes } from './table.ts';
import { rewriteAttributes } from './rewrite.ts';
import { validateAttributes } from './validate.ts';
import { AttributeVerdict } from './verdict.ts';

const patterns = (...texts: readonly string[]) => texts.map((text) => parseCommunityPattern(text)!);

const out = new Uint8Array(70_000);
const verdict = new AttributeVerdict();
const again = new AttributeVerdict();

/** Canonical bytes of attributes from an iBGP peer in a confederation, where everything is legal. */
function canonical(attributes: string): Uint8Array {
  const ctx = Object.assign(new SessionCodecContext(), { external: false, confederation: true, aigp: true });
  const block = bytes(attributes);
  validateAttributes(block, 0, block.length, ctx, verdict);
  assert.notEqual(verdict.action, c.ACTION_TREAT_AS_WITHDRAW);
  return verdict.bytes.slice(0, verdict.length);
}

function rewritten(attributes: string, plan: Partial<ExportPlan>, limit = out.length): number {
  const src = canonical(attributes);
  return rewriteAttributes(src, 0, src.length, exportPlan(plan), out, 5, limit);
}

/** 'name=value' of each attribute that leaves. */
function exported(attributes: string, plan: Partial<ExportPlan>): string[] {
  const end = rewritten(attributes, plan);
  assert.ok(end >= 5);
  return formatAttributes(out, 5, end).map(({ name, value }) => `${name}=${[value].flat().join(' ')}`);
}

const EBGP = { relation: RELATION_EBGP, prepend: [65000], nextHop: 0x0a000001 };
const IBGP = { relation: RELATION_IBGP, nextHop: 0x0a000001 };
const BASE = ORIGIN_IGP + AS_PATH;

describe('attributes on export', () => {
  it('TX-3 eBGP: prepends the own AS, sets the next hop, drops what is internal', () => {
    const internal =
      MED_50 + LOCAL_PREF_100 + attribute(0x80, 9, '0a000009') + attribute(0x80, 10, '0a000008');
    const aigp = attribute(0x80, 26, '01 000b 0000000000000064');
    assert.deepEqual(exported(BASE + internal + aigp, EBGP), [
      'origin=igp',
      'as_path=65000 65001 65002',
      'next_hop=10.0.0.1',
    ]);
    assert.equal(
      hexOf(out, 5, rewritten(BASE + internal, EBGP)),
      hexOf(bytes(`${ORIGIN_IGP} 4002 0e 0203 0000fde8 0000fde9 0000fdea 4003 04 0a000001`)),
    );
  });

  it('TX-3 iBGP: the path and MED stay, LOCAL_PREF is added when absent', () => {
    assert.deepEqual(exported(BASE + MED_50, IBGP), [
      'origin=igp',
      'as_path=65001 65002',
      'next_hop=10.0.0.1',
      'med=50',
      'local_pref=100',
    ]);
    assert.ok(exported(BASE + '4005 04 000000c8', IBGP).includes('local_pref=200'));
    assert.ok(exported(BASE + '4005 04 000000c8', { ...IBGP, localPref: 0 }).includes('local_pref=0'));
    assert.ok(exported(BASE, { ...IBGP, defaultLocalPref: 50 }).includes('local_pref=50'));
  });

  it('leaves the next hop out when it goes into MP_REACH_NLRI', () => {
    assert.deepEqual(exported(BASE, { relation: RELATION_EBGP, prepend: [65000] }), [
      'origin=igp',
      'as_path=65000 65001 65002',
    ]);
  });

  it('an empty path of an own route gets its first segment', () => {
    assert.equal(exported('4001 01 00 4002 00', EBGP)[1], 'as_path=65000');
    assert.equal(exported('4001 01 00 4002 00', IBGP)[1], 'as_path=');
  });

  it('prepends several, and begins a new segment when 255 are full or a set stands first', () => {
    assert.equal(
      exported(BASE, { ...EBGP, prepend: [65000, 65000, 64999] })[1],
      'as_path=65000 65000 64999 65001 65002',
    );
    assert.equal(exported('4001 01 00 4002 06 0101 0000fde9', EBGP)[1], 'as_path=65000 {65001}');
    const full = attribute(0x50, 2, `02ff${u32(65001).repeat(255)}`);
    const end = rewritten(ORIGIN_IGP + full, EBGP);
    assert.ok(hexOf(out, 5, end).includes('500204040201' + '0000fde8' + '02ff' + '0000fde9'));
    const nearly = attribute(0x50, 2, `02fe${u32(65001).repeat(254)}`);
    rewritten(ORIGIN_IGP + nearly, { ...EBGP, prepend: [64998, 64999] });
    assert.ok(hexOf(out, 5, 40).includes('0201' + '0000fde6' + '02ff' + '0000fde7' + '0000fde9'));
  });

  it('strips confederation segments towards eBGP and makes them inside the confederation (RFC 5065)', () => {
    const path = '4001 01 00 4002 12 0302 0000fc00 0000fc01 0201 0000fde9';
    assert.equal(exported(path.replace('12', '10'), EBGP)[1], 'as_path=65000 65001');
    assert.equal(exported(path.replace('12', '10'), IBGP)[1], 'as_path=(64512 64513) 65001');
    const inside = { relation: RELATION_CONFEDERATION, prepend: [64514] };
    assert.deepEqual(exported(path.replace('12', '10'), inside).slice(1), [
      'as_path=(64514 64512 64513) 65001',
      'local_pref=100',
    ]);
    assert.equal(exported(BASE, inside)[1], 'as_path=(64514) 65001 65002');
  });

  it('removes private AS numbers before it prepends', () => {
    const path = attribute(
      0x40,
      2,
      `0204 ${u32(64512)} ${u32(3320)} ${u32(65534)} ${u32(4200000000)} 0101 ${u32(65000)}`,
    );
    assert.equal(exported(ORIGIN_IGP + path, { ...EBGP, removePrivateAs: true })[1], 'as_path=65000 3320');
    const publics = attribute(
      0x40,
      2,
      `0204 ${u32(64511)} ${u32(65535)} ${u32(4199999999)} ${u32(4294967295)}`,
    );
    assert.equal(
      exported(ORIGIN_IGP + publics, { ...EBGP, removePrivateAs: true })[1],
      'as_path=65000 64511 65535 4199999999 4294967295',
    );
  });

  it('MED towards eBGP: dropped, kept when told to, or set by policy', () => {
    const med = (plan: Partial<ExportPlan>): string | undefined =>
      exported(BASE + MED_50, { ...EBGP, ...plan }).find((text) => text.startsWith('med'));
    assert.equal(med({}), undefined);
    assert.equal(med({ keepMed: true }), 'med=50');
    assert.equal(med({ med: 0 }), 'med=0');
    assert.ok(exported(BASE, { ...EBGP, med: 7 }).includes('med=7'));
    assert.ok(exported(BASE + MED_50, { ...IBGP, med: 4294967295 }).includes('med=4294967295'));
  });

  it('TX-2 reflector: ORIGINATOR_ID once, cluster ID in front, next hop, path and preference untouched', () => {
    const plan = { relation: RELATION_IBGP, originatorId: 0x01010101, clusterId: 0x02020202 };
    const first = exported(BASE + MED_50 + '4005 04 000000c8', plan);
    assert.deepEqual(first.slice(1), [
      'as_path=65001 65002',
      'med=50',
      'local_pref=200',
      'originator_id=1.1.1.1',
      'cluster_list=2.2.2.2',
    ]);
    const second = exported(
      BASE + attribute(0x80, 9, '09090909') + attribute(0x80, 10, '03030303 04040404'),
      plan,
    );
    assert.ok(second.includes('originator_id=9.9.9.9'));
    assert.ok(second.includes('cluster_list=2.2.2.2 3.3.3.3 4.4.4.4'));
  });

  it('replaces private AS numbers, and that of the neighbour, by ours; what is prepended stays', () => {
    const given = `4002 16 02 05 ${[64512, 3320, 4200000000, 3209, 65002].map(u32).join('')}`;
    const path = (plan: Partial<ExportPlan>): string | undefined =>
      exported(ORIGIN_IGP + given, { ...EBGP, prepend: [64600, 65002], ...plan })[1];
    const substitute = { substituteAs: 64600 };
    assert.equal(path(substitute), 'as_path=64600 65002 64512 3320 4200000000 3209 65002');
    assert.equal(path({ removePrivateAs: true }), 'as_path=64600 65002 3320 3209');
    const replaced = { ...substitute, removePrivateAs: true, replacesPrivateAs: true };
    assert.equal(path(replaced), 'as_path=64600 65002 64600 3320 64600 3209 64600');
    const overridden = { ...substitute, overriddenAs: 3320 };
    assert.equal(path(overridden), 'as_path=64600 65002 64512 64600 4200000000 3209 65002');
    assert.equal(path({ ...overridden, removePrivateAs: true }), 'as_path=64600 65002 64600 3209');
  });

  it('drops non-transitive extended communities towards eBGP, and the attribute when none is left', () => {
    const mixed = attribute(0xc0, 16, '4004fde84cee6b28 0002fde800000001');
    const lone = attribute(0xc0, 16, '4004fde84cee6b28');
    const ipv6 = attribute(0xc0, 25, `4002${'00'.repeat(18)} 0002${'00'.repeat(18)}`);
    const find = (attributes: string, plan: Partial<ExportPlan>): string | undefined =>
      exported(BASE + attributes, plan).find((text) => text.includes('ext_communities'));
    assert.equal(find(mixed, EBGP), 'ext_communities=rt:65000:1');
    assert.equal(find(mixed, IBGP), 'ext_communities=lb:65000:125000000 rt:65000:1');
    assert.equal(find(lone, EBGP), undefined);
    assert.equal(find(lone, { ...EBGP, keepNonTransitive: true }), 'ext_communities=lb:65000:125000000');
    const send = { ...EBGP, sendLinkBandwidth: true };
    assert.equal(find(mixed, send), 'ext_communities=transitive-lb:65000:125000000 rt:65000:1');
    assert.equal(find(attribute(0xc0, 16, '4003fde84cee6b28'), send), undefined, 'no other goes with it');
    assert.equal(find(ipv6, send), 'ipv6_ext_communities=rt:[::]:0');
    assert.equal(find(ipv6, EBGP), 'ipv6_ext_communities=rt:[::]:0');
  });

  it('passes unknown transitive attributes on with Partial set, to eBGP and iBGP', () => {
    for (const plan of [EBGP, IBGP]) {
      assert.ok(hexOf(out, 5, rewritten(`${BASE}c063 02 0102`, plan)).endsWith('e063020102'));
    }
    const same = rewritten(`${BASE}c063 02 0102`, { relation: RELATION_SAME });
    assert.ok(hexOf(out, 5, same).endsWith('c063020102'));
  });

  it('adds communities that are not there yet, without disturbing those that are', () => {
    const plan = {
      ...EBGP,
      addCommunities: patterns('no-export', '65000:1', '65000:1:2', '65000:1:3'),
    };
    assert.deepEqual(exported(BASE + attribute(0xc0, 8, 'fde80001'), plan).slice(3), [
      'communities=65000:1 no-export',
      'large_communities=65000:1:2 65000:1:3',
    ]);
    assert.deepEqual(exported(BASE + attribute(0xc0, 32, u32(65000) + u32(1) + u32(3)), plan).slice(3), [
      'communities=no-export 65000:1',
      'large_communities=65000:1:3 65000:1:2',
    ]);
  });

  it('takes communities of every kind away that fit a pattern, the attribute with the last, and then adds', () => {
    const lists =
      attribute(0xc0, 8, 'fde80001 fde80002 fde90001') +
      attribute(0xc0, 16, '0002fde800000001 0003fde800000001') +
      attribute(0xc0, 32, '0000fde80000000100000002');
    const changed = (deleted: readonly string[], added: readonly string[] = []) =>
      exported(BASE + lists, {
        ...IBGP,
        deleteCommunities: patterns(...deleted),
        addCommunities: patterns(...added),
      }).filter((text) => text.includes('communities'));
    assert.deepEqual(changed(['65000:*', 'rt:*:*', '65000:*:*']), [
      'communities=65001:1',
      'ext_communities=ro:65000:1',
    ]);
    assert.deepEqual(changed(['*:1'], ['65000:1', 'rt:65000:1', 'rt:65000:2']), [
      'communities=65000:2 65000:1',
      'ext_communities=rt:65000:1 ro:65000:1 rt:65000:2',
      'large_communities=65000:1:2',
    ]);
    assert.deepEqual(changed(EVERY_COMMUNITY), []);
    assert.deepEqual(changed(EVERY_COMMUNITY, ['1:1']), ['communities=1:1']);
  });

  it('TX-7 adds OTC when it is absent and keeps the one that is there', () => {
    assert.ok(exported(BASE, { ...EBGP, otc: 65000 }).includes('otc=65000'));
    assert.ok(exported(`${BASE}c023 04 0000fde9`, { ...EBGP, otc: 65000 }).includes('otc=65001'));
  });

  it('TX-6 peers without four-octet AS: AS_TRANS, AS4_PATH without confederation segments, AS4_AGGREGATOR', () => {
    const path = attribute(0x40, 2, `0202 ${u32(4200000001)} ${u32(65002)}`);
    const aggregator = attribute(0xc0, 7, `${u32(4200000001)} 0a000001`);
    const end = rewritten(ORIGIN_IGP + path + aggregator, { ...EBGP, fourByteAs: false });
    assert.equal(
      hexOf(out, 5, end),
      hexOf(
        bytes(`${ORIGIN_IGP} 4002 08 0203 fde8 5ba0 fdea 4003 04 0a000001 c007 06 5ba0 0a000001
          c011 0e 0203 0000fde8 fa56ea01 0000fdea c012 08 fa56ea01 0a000001`),
      ),
    );
    const small = rewritten(BASE + attribute(0xc0, 7, `${u32(65001)} 0a000001`), {
      ...EBGP,
      fourByteAs: false,
    });
    assert.equal(
      hexOf(out, 5, small),
      hexOf(bytes(`${ORIGIN_IGP} 4002 08 0203 fde8 fde9 fdea 4003 04 0a000001 c007 06 fde9 0a000001`)),
    );
    const confederation = attribute(0x40, 2, `0301 ${u32(4200000009)} 0201 ${u32(65002)}`);
    const without = rewritten(ORIGIN_IGP + confederation, { ...IBGP, fourByteAs: false });
    assert.ok(!hexOf(out, 5, without).includes('c011'));
  });

  it('writes the attributes in ascending order whatever the plan adds', () => {
    const plan = {
      relation: RELATION_IBGP,
      fourByteAs: false,
      prepend: [4200000001],
      nextHop: 1,
      med: 1,
      originatorId: 1,
      clusterId: 1,
      addCommunities: patterns('0:1', '1:1:1', 'rt:1:1'),
      otc: 1,
    };
    const end = rewritten(`${BASE}c007 08 fa56ea01 0a000001 c063 00`, plan);
    const types = formatAttributes(out, 5, end).map(({ type }) => type);
    const wire: number[] = [];
    for (let at = 5; at < end; at += 3 + out[at + 2]!) wire.push(out[at + 1]!);
    assert.deepEqual(types, wire);
    assert.deepEqual(wire, [1, 2, 3, 4, 5, 7, 8, 9, 10, 16, 17, 18, 32, 35, 99]);
  });

  it('gives -1 when the block does not fit, for every limit below what it needs, and writes nothing behind it', () => {
    const attributes = BASE + MED_50 + attribute(0xc0, 8, 'fde80001') + attribute(0xc0, 32, '00'.repeat(12));
    const plan = {
      ...IBGP,
      clusterId: 1,
      originatorId: 1,
      addCommunities: patterns('0:7'),
      otc: 3,
      fourByteAs: false,
    };
    const end = rewritten(attributes, plan);
    for (let limit = 5; limit < end; limit++) {
      out.fill(0xee);
      assert.equal(rewritten(attributes, plan, limit), -1);
      assert.ok(out.subarray(limit).every((octet) => octet === 0xee));
    }
    assert.equal(rewritten(attributes, plan, end), end);
  });

  it('gives -1 for a path, community list or cluster list that passes 65,535 octets', () => {
    const src = (type: number, flags: number, length: number, fill: string): Uint8Array =>
      bytes(BASE + attribute(flags | 0x10, type, fill.repeat(length / (fill.length / 2))));
    const fit = (block: Uint8Array, plan: Partial<ExportPlan>): number =>
      rewriteAttributes(block, 0, block.length, exportPlan(plan), out, 0, out.length);
    const path = bytes(`${ORIGIN_IGP}${attribute(0x50, 2, `02ff${u32(1).repeat(255)}`.repeat(64))}`);
    assert.ok(fit(path, {}) > 0);
    assert.equal(fit(path, { prepend: Array(255).fill(1) }), -1);
    assert.equal(fit(path, { prepend: Array(2000).fill(1) }), -1);
    assert.equal(fit(src(8, 0xc0, 65532, 'fde80001'), { addCommunities: patterns('0:1') }), -1);
    assert.equal(
      fit(src(32, 0xc0, 65532, '0000fde80000000100000001'), { addCommunities: patterns('1:1:1') }),
      -1,
    );
    assert.equal(fit(src(10, 0x80, 65532, '0a000001'), { clusterId: 1 }), -1);
  });

  it('the values of a plan for the same session alone change an attribute set (import policy)', () => {
    const source =
      BASE +
      MED_50 +
      LOCAL_PREF_100 +
      attribute(0x80, 9, '0a000009') +
      attribute(0xc0, 16, '4004fde84cee6b28');
    const src = canonical(source);
    const end = rewriteAttributes(src, 0, src.length, exportPlan({}), out, 0, out.length);
    assert.equal(hexOf(out, 0, end), hexOf(src));
    const plan = { localPref: 0, med: 9, prepend: [1], addCommunities: patterns('65535:0') };
    assert.deepEqual(exported(source, plan), [
      'origin=igp',
      'as_path=1 65001 65002',
      'med=9',
      'local_pref=0',
      'communities=graceful-shutdown',
      'originator_id=10.0.0.9',
      'ext_communities=lb:65000:125000000',
    ]);
    assert.ok(exported(MANDATORY, {}).every((text) => !text.startsWith('local_pref')));
  });

  it('a two-octet session gives back the same canonical attributes for any path', () => {
    const as = fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 65536, max: 0xffffffff }));
    const segment = fc.tuple(fc.constantFrom('01', '02'), fc.array(as, { minLength: 1, maxLength: 20 }));
    const ctx = Object.assign(new SessionCodecContext(), { fourByteAs: false, external: false });
    fc.assert(
      fc.property(
        fc.array(segment, { maxLength: 5 }),
        as,
        fc.boolean(),
        (segments, aggregatorAs, hasAggregator) => {
          const path = segments
            .map(([type, list]) => type + list.length.toString(16).padStart(2, '0') + list.map(u32).join(''))
            .join('');
          const aggregator = hasAggregator ? attribute(0xc0, 7, `${u32(aggregatorAs)}0a000001`) : '';
          const src = canonical(ORIGIN_IGP + attribute(0x50, 2, path) + aggregator);
          const end = rewriteAttributes(
            src,
            0,
            src.length,
            exportPlan({ fourByteAs: false }),
            out,
            0,
            out.length,
          );
          validateAttributes(out, 0, end, ctx, again);
          assert.equal(again.action, c.ACTION_OK);
          // old speakers keep no segment borders: compare hop by hop
          const before = formatAttributes(src, 0, src.length);
          assert.deepEqual(formatAttributes(again.bytes, 0, again.length), before);
        },
      ),
    );
  });

  it('what is exported to a peer of the same kind is well-formed for it', () => {
    const end = rewritten(BASE + MED_50 + LOCAL_PREF_100 + NEXT_HOP, IBGP);
    validateAttributes(out, 5, end, Object.assign(new SessionCodecContext(), { external: false }), again);
    assert.deepEqual([again.action, again.nextHop, again.localPref], [c.ACTION_OK, 0x0a000001, 100]);
  });
});
