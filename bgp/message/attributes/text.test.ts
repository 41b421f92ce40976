import assert from 'node:assert/strict';
import { attribute, bytes, IPV6_NEXT_HOP, MANDATORY, MED_50 } from '../../testing/message-bytes.ts';
import { SessionCodecContext } from '../context.ts';
import { type AttributeInput, buildAttributes } from './originate.ts';
import * as communities from './kinds/communities.ts';
import { carriesCommunity } from './kinds/community-list.ts';
import { parseCommunityPattern } from './kinds/community-pattern.ts';
import { formatAttributes } from './table.ts';
import { countAs, startsWithAs } from './kinds/as-path.ts';
import { AttributeRange, findAttribute } from './attribute-list.ts';
import { clusterListContains } from './kinds/preferences.ts';
import { validateAttributes } from './validate.ts';
import { AttributeVerdict, HAS_NO_EXPORT } from './verdict.ts';

function values(attributes: string): Record<string, unknown> {
  const buf = bytes(attributes);
  return Object.fromEntries(formatAttributes(buf, 0, buf.length).map(({ name, value }) => [name, value]));
}

describe('attributes as text', () => {
  it('prints the attributes by their names', () => {
    assert.deepEqual(
      values(
        MANDATORY +
          MED_50 +
          '4006 00' +
          attribute(0xc0, 7, '0000fde9 0a000001') +
          attribute(0xc0, 8, 'fde80001 ffffff01 ffff029a') +
          attribute(0x80, 9, '0a000009') +
          attribute(0x80, 10, '0a000001 0a000002') +
          attribute(0x80, 26, '01 000b 0000000000000064') +
          attribute(0xc0, 32, '0000fde8 00000001 ffffffff') +
          attribute(0xc0, 35, '0000fde9') +
          attribute(0xe0, 99, '0102ff'),
      ),
      {
        origin: 'igp',
        as_path: '65001 65002',
        next_hop: '192.0.2.1',
        med: 50,
        atomic_aggregate: 'true',
        aggregator: '65001 10.0.0.1',
        communities: ['65000:1', 'no-export', 'blackhole'],
        originator_id: '10.0.0.9',
        cluster_list: ['10.0.0.1', '10.0.0.2'],
        aigp: 100,
        large_communities: ['65000:1:4294967295'],
        otc: 65001,
        'attribute 99': '0x0102ff',
      },
    );
  });

  it('prints extended communities of every layout', () => {
    const list = [
      '0002fde800000001',
      '0102c00002010005',
      '0202fa56ea010007',
      '0003fde800000001',
      '4004fde84cee6b28',
      '0004fde84cee6b28',
      '4306000000000001',
    ];
    assert.deepEqual(values(attribute(0xc0, 16, list.join(''))).ext_communities, [
      'rt:65000:1',
      'rt:192.0.2.1:5',
      'rt:4200000001:7',
      'ro:65000:1',
      'lb:65000:125000000',
      'transitive-lb:65000:125000000',
      'generic:0x4306:0x000000000001',
    ]);
    assert.deepEqual(values(attribute(0xc0, 25, `0002${IPV6_NEXT_HOP}0009`)).ipv6_ext_communities, [
      'rt:[2001:db8::1]:9',
    ]);
  });

  it('prints what it can of attributes that nobody has checked', () => {
    for (const value of ['', '00', '0102030405', 'ff'.repeat(40)]) {
      for (let type = 0; type < 256; type++) values(attribute(0xc0, type, value));
    }
    assert.deepEqual(values(attribute(0x80, 14, `0002 01 10 ${IPV6_NEXT_HOP} 00`)), {
      mp_reach: 'next hop 2001:db8::1',
    });
  });

  it('reads communities as people write them', () => {
    assert.equal(communities.parseCommunity('65000:1'), 0xfde80001);
    assert.equal(communities.parseCommunity('65535:65535'), 0xffffffff);
    for (const name of [
      'no-export',
      'no-advertise',
      'graceful-shutdown',
      'blackhole',
      'llgr-stale',
      'no-llgr',
    ]) {
      assert.equal(communities.formatCommunity(communities.parseCommunity(name)!), name);
    }
    for (const bad of ['', '65000', '65536:1', '1:65536', '1:2:3', 'a:b', '-1:2', '1: 2', 'no-such']) {
      assert.equal(communities.parseCommunity(bad), undefined, bad);
    }
    assert.deepEqual(communities.parseLargeCommunity('4294967295:0:1'), [4294967295, 0, 1]);
    for (const bad of ['1:2', '1:2:4294967296', '1:2:x', '99999999999:1:1']) {
      assert.equal(communities.parseLargeCommunity(bad), undefined, bad);
    }
  });
});

describe('attributes of an own route', () => {
  const out = new Uint8Array(4096);
  const verdict = new AttributeVerdict();

  function build(input: AttributeInput): Record<string, unknown> {
    const end = buildAttributes(input, out, 3);
    assert.ok(end > 0);
    validateAttributes(out, 3, end, Object.assign(new SessionCodecContext(), { external: false }), verdict);
    assert.equal(verdict.action, 0);
    return Object.fromEntries(formatAttributes(out, 3, end).map(({ name, value }) => [name, value]));
  }

  it('are IGP and an empty path when nothing else is said', () => {
    assert.deepEqual(build({}), { origin: 'igp', as_path: '' });
    assert.deepEqual(Buffer.from(out.subarray(3, 10)).toString('hex'), '40010100400200');
  });

  it('have everything that was asked for, without duplicates', () => {
    const texts = build({
      origin: 2,
      asPath: [65001, 4200000001],
      med: 0,
      localPref: 200,
      communities: [0xffffff01, 0xfde80001, 0xffffff01],
      largeCommunities: [
        [1, 2, 3],
        [1, 2, 3],
      ],
    });
    assert.deepEqual(texts, {
      origin: 'incomplete',
      as_path: '65001 4200000001',
      med: 0,
      local_pref: 200,
      communities: ['no-export', '65000:1'],
      large_communities: ['1:2:3'],
    });
    assert.deepEqual([verdict.localPref, verdict.med, verdict.flags], [200, 0, HAS_NO_EXPORT]);
  });

  it('are refused when they do not fit', () => {
    const many = Array.from({ length: 1100 }, (_, i) => i);
    assert.equal(buildAttributes({ communities: many }, out, 0), -1);
    assert.equal(buildAttributes({ asPath: many }, out, 0), -1);
  });
});

describe('questions about attributes', () => {
  const path = attribute(0x40, 2, '0302 0000fc00 0000fc01 0203 0000fde9 0000fde9 0000fdea 0101 0000fde9');
  const block = bytes(
    `4001 01 00 ${path} ${attribute(0xc0, 8, 'fde80001 ffffff01')} ${attribute(0x80, 10, '0a000001 0a000002')}
     ${attribute(0xd0, 32, '000000010000000200000003')}`,
  );
  const end = block.length;

  it('count an AS in every kind of segment', () => {
    assert.equal(countAs(block, 0, end, 65001), 3);
    assert.equal(countAs(block, 0, end, 64512), 1);
    assert.equal(countAs(block, 0, end, 1), 0);
    assert.equal(countAs(block, 0, 4, 65001), 0);
  });

  it('compare the beginning of the path', () => {
    assert.ok(startsWithAs(block, 0, end, []));
    assert.ok(startsWithAs(block, 0, end, [64512, 64513, 65001]));
    assert.ok(startsWithAs(block, 0, end, [64512, 64513, 65001, 65001, 65002, 65001]));
    assert.ok(!startsWithAs(block, 0, end, [64512, 64513, 65001, 65001, 65002, 65001, 1]));
    assert.ok(!startsWithAs(block, 0, end, [65001]));
  });

  it('find communities, large communities and cluster IDs', () => {
    const carries = (text: string) => carriesCommunity(block, 0, end, parseCommunityPattern(text)!);
    for (const text of ['no-export', '65000:1', '65000:*', '*:1', '*:*', '1:2:3', '1:*:3', '*:*:*'])
      assert.ok(carries(text), text);
    for (const text of ['1:65535', '65001:*', '*:2', '2:3:1', '1:*:2', 'rt:*:*'])
      assert.ok(!carries(text), text);
    assert.ok(clusterListContains(block, 0, end, 0x0a000002));
    assert.ok(!clusterListContains(block, 0, end, 0x0a000003));
    assert.ok(!clusterListContains(block, 0, 4, 0x0a000002));
  });

  it('find an attribute, or an empty range', () => {
    const mandatory = bytes(MANDATORY);
    const range = new AttributeRange();
    assert.ok(findAttribute(mandatory, 0, mandatory.length, 3, range));
    assert.deepEqual([...mandatory.subarray(range.start, range.end)], [192, 0, 2, 1]);
    assert.ok(!findAttribute(block, 0, end, 3, range));
    assert.deepEqual([range.start, range.end], [0, 0]);
  });
});
