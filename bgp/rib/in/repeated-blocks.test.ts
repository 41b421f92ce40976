// Blocks of attributes that come again and again: each is judged once, and taken for another's never.
import assert from 'node:assert/strict';
import type { FakePeerOptions } from '../testing/fake-session.ts';
import { RibLab } from '../testing/rib-lab.ts';
import {
  asPathValue,
  attribute,
  mpReach,
  NEXT_HOP,
  nlri,
  ORIGIN_IGP,
  u32,
  update,
} from '../../testing/message-bytes.ts';

const HOP = '192.0.2.1';
const HOP6 = '2001:db8::1';
const BLOCK = `${ORIGIN_IGP} ${attribute(0x40, 2, asPathValue([65001]))}`;
const CLASSIC = `${BLOCK} ${NEXT_HOP}`;

function labWith(more: Partial<FakePeerOptions> = {}): RibLab {
  const lab = new RibLab();
  lab.up({ id: 'a', address: HOP, as: 65001, ...more });
  return lab;
}

/** 'prefix via next hop, path' of all paths, after these were fed one after the other. */
function tableOf(lab: RibLab, ...messages: Buffer[]): string[] {
  for (const message of messages) lab.feed('a', message);
  lab.settle();
  const routes = lab.routes({});
  return routes.map(({ prefix: to, nextHop, asPath }) => `${to} via ${nextHop}, ${asPath}`).sort();
}

/** How often each message made the importer look for attributes or judge them. */
function looks(messages: readonly Buffer[], more: Partial<FakePeerOptions> = {}): number[] {
  const lab = labWith(more);
  const { intern } = lab.rib;
  let count = 0;
  for (const name of ['judge', 'recall'] as const) {
    const real = intern[name].bind(intern) as (...args: unknown[]) => number;
    Object.assign(intern, {
      [name]: (...args: unknown[]) => {
        count++;
        return real(...args);
      },
    });
  }
  return messages.map((message) => {
    count = 0;
    lab.feed('a', message);
    return count;
  });
}

describe('a block of attributes that comes again', () => {
  const two = (...blocks: readonly string[]): Buffer[] =>
    blocks.map((attributes, i) => update({ attributes, nlri: nlri(`20.0.${i}.0/24`) }));

  it('is the same only octet for octet', () => {
    const path = (...as: number[]) => `${ORIGIN_IGP} ${attribute(0x40, 2, asPathValue(as))} ${NEXT_HOP}`;
    assert.deepEqual(
      tableOf(labWith(), ...two(path(65001), path(65002), path(65002), path(65002, 65003), path(65002))),
      [
        '20.0.0.0/24 via 192.0.2.1, 65001',
        '20.0.1.0/24 via 192.0.2.1, 65002',
        '20.0.2.0/24 via 192.0.2.1, 65002',
        '20.0.3.0/24 via 192.0.2.1, 65002 65003',
        '20.0.4.0/24 via 192.0.2.1, 65002',
      ],
    );
  });

  it('is another one by its first octet, too: here flags that ORIGIN must not have (RFC 7606 §3 (c))', () => {
    const lab = labWith();
    assert.deepEqual(tableOf(lab, ...two(CLASSIC, CLASSIC.replace(/^40/, 'c0'), CLASSIC)), [
      '20.0.0.0/24 via 192.0.2.1, 65001',
      '20.0.2.0/24 via 192.0.2.1, 65001',
    ]);
    assert.match(lab.events.join(), /^malformed a treatAsWithdraw: origin[^,]*$/);
  });

  it('is marked each time as a route from above is, with others between (RFC 9234 §5)', () => {
    const lab = labWith({ negotiated: { role: 'customer' } });
    const inside = lab.up({ id: 'inside', address: '192.0.2.3', as: 65000 });
    const other = `${CLASSIC} ${attribute(0x80, 4, u32(1))}`;
    tableOf(lab, ...two(CLASSIC, other, CLASSIC, other));
    const marks = [...inside.held.values()].map((text) => /otc=\d+/.exec(text)?.[0]);
    assert.deepEqual(marks, Array(4).fill('otc=65001'));
  });

  it('has the next hop of its own message', () => {
    const hops = [
      '3001:db8::1',
      '2001:db8::1',
      '2001:db8::2',
      '2001:db8::2 fe80::2',
      '2001:db8::2 fe80::3',
      '2001:db8::2',
    ];
    const messages = hops.map((hop, i) =>
      update({ attributes: `${BLOCK} ${mpReach(2, hop, `2001:db8:${i + 1}::/48`)}` }),
    );
    const lab = labWith({ negotiated: { device: 'eth0' } });
    const nextHops = tableOf(lab, ...messages).map((text) => text.split(' ')[2]);
    const fresh = messages.map((message) => {
      const [only = ''] = tableOf(labWith({ negotiated: { device: 'eth0' } }), message);
      return only.split(' ')[2];
    });
    assert.deepEqual(nextHops, fresh);
    assert.equal(new Set(fresh).size > 2, true, fresh.join());
  });

  it('is read however long it is', () => {
    const long = (octets: number, last: number) => {
      const value = Array.from({ length: Math.ceil(octets / 4) }, (_, i) => u32(i)).join('');
      return `${CLASSIC} ${attribute(0xd0, 8, `${value}${u32(0xff00 + last)}`)}`;
    };
    for (const octets of [4040, 4060, 4100, 9000]) {
      const lab = labWith();
      for (const message of two(CLASSIC, long(octets, 1), long(octets, 2), long(octets, 2), CLASSIC))
        lab.feed('a', message);
      lab.settle();
      const lastOf = lab.routes({}).map(({ communities }) => communities.at(-1));
      assert.deepEqual(lastOf, [undefined, '0:65281', '0:65282', '0:65282', undefined], `${octets}`);
    }
  });

  it('means another thing in another session, where AS numbers have two octets', () => {
    const lab = labWith();
    const message = update({ attributes: CLASSIC, nlri: nlri('20.0.1.0/24') });
    assert.equal(tableOf(lab, message).length, 1);
    lab.down('a');
    lab.up({ id: 'a', address: HOP, as: 65001, negotiated: { fourByteAs: false } });
    assert.deepEqual(tableOf(lab, message), []);
    assert.match(lab.events.join(), /malformed a treatAsWithdraw: as_path/);
  });

  it('is kept no longer than its session', () => {
    const lab = labWith();
    const { attributeSets } = lab.pages.sizes();
    for (let i = 0; i < 3; i++) {
      tableOf(
        lab,
        update({ attributes: CLASSIC, nlri: nlri('20.0.1.0/24') }),
        update({ attributes: `${CLASSIC} ${attribute(0xc0, 8, u32(i))}`, nlri: nlri('20.0.1.0/24') }),
        update({ attributes: `${BLOCK} ${mpReach(2, HOP6, '2001:db8:2::/48')}` }),
      );
      assert.ok(lab.pages.sizes().attributeSets > attributeSets);
      lab.down('a');
      lab.settle();
      assert.equal(lab.pages.sizes().attributeSets, attributeSets);
      lab.up({ id: 'a', address: HOP, as: 65001 });
    }
  });

  it('is looked for and judged once, also beside others of the other kind', () => {
    const four = (n: number, attributes = CLASSIC) => update({ attributes, nlri: nlri(`20.0.${n}.0/24`) });
    const six = (n: number, hop: string, attributes = BLOCK) =>
      update({ attributes: `${attributes} ${mpReach(2, hop, `2001:db8:${n + 1}::/48`)}` });
    const med = `${CLASSIC} ${attribute(0x80, 4, u32(1))}`;
    const isNew = (messages: Buffer[], more: Partial<FakePeerOptions> = {}): string =>
      looks(messages, more)
        .map((n) => (n > 0 ? 'new' : 'same'))
        .join(' ');
    assert.equal(isNew([four(1), four(2), four(3)]), 'new same same');
    assert.equal(isNew([four(1), six(1, HOP6), four(2), six(2, HOP6)]), 'new new same same');
    assert.equal(isNew([six(1, HOP6), six(2, '2001:db8::2'), six(3, '2001:db8::2')]), 'new new same');
    assert.equal(
      isNew([six(1, `${HOP6} fe80::1`), six(2, `${HOP6} fe80::1`), six(3, HOP6)], {
        negotiated: { device: 'eth0' },
      }),
      'new same new',
    );
    assert.equal(isNew([four(1), four(2, med), four(3, med), four(4)]), 'new new same new');
    const v4 = (n: number, hop: string) =>
      update({ attributes: `${BLOCK} ${mpReach(1, hop, `20.0.${n}.0/24`)}` });
    assert.equal(isNew([v4(1, HOP), v4(2, HOP), v4(3, '192.0.2.9'), four(4)]), 'new same new new');
  });

  it('is remembered up to 4,096 octets', () => {
    const of = (octets: number) => {
      const rest = octets - CLASSIC.replaceAll(' ', '').length / 2 - 4;
      assert.equal(rest % 4, 0);
      const communities = Array.from({ length: rest / 4 }, (_, i) => u32(i)).join('');
      const block = `${CLASSIC} ${attribute(0xd0, 8, communities)}`;
      return [1, 2].map((n) => update({ attributes: block, nlri: nlri(`20.0.${n}.0/24`) }));
    };
    const size = (CLASSIC.replaceAll(' ', '').length / 2) % 4;
    const most = 4096 - ((4096 - size) % 4);
    assert.deepEqual(
      [most, most + 4].map((octets) => looks(of(octets))[1]! > 0),
      [false, true],
    );
  });
});
