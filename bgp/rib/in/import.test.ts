// What one UPDATE does to the tables: its parts, what is not for us, and blocks of attributes that come again.
import assert from 'node:assert/strict';
import type { FakePeerOptions } from '../testing/fake-session.ts';
import { RibLab } from '../testing/rib-lab.ts';
import {
  announceMessage,
  asPathValue,
  attribute,
  mpReach,
  mpUnreach,
  NEXT_HOP,
  nlri,
  ORIGIN_IGP,
  update,
  withdrawMessage,
} from '../../testing/message-bytes.ts';

const HOP = '192.0.2.1';
const HOP6 = '2001:db8::1';
const PATH = attribute(0x40, 2, asPathValue([65001]));
const BLOCK = `${ORIGIN_IGP} ${PATH}`;
const WRONG = `400101 09 ${PATH}`;
const CLASSIC = `${BLOCK} ${NEXT_HOP}`;

function labWith(more: Partial<FakePeerOptions> = {}): RibLab {
  const lab = new RibLab();
  lab.up({ id: 'a', address: HOP, as: 65001, ...more });
  return lab;
}

/** 'prefix#id via next hop, path' of all paths. */
function table(lab: RibLab): string[] {
  lab.settle();
  return lab
    .routes({})
    .map(
      ({ prefix: to, pathId, nextHop, asPath }) =>
        `${to}${pathId === undefined ? '' : `#${pathId}`} via ${nextHop}, ${asPath}`,
    )
    .sort();
}

/** Fed one after the other. */
function tableOf(lab: RibLab, ...messages: Buffer[]): string[] {
  for (const message of messages) lab.feed('a', message);
  return table(lab);
}

describe('import: the parts of an UPDATE', () => {
  for (const [family, four, six] of [
    ['IPv4', ['20.0.1.0/24', '20.0.2.0/24', '20.0.3.0/24'], false],
    ['IPv6', ['2001:db8:1::/48', '2001:db8:2::/48', '2001:db8:3::/48'], true],
  ] as const) {
    const hop = six ? HOP6 : HOP;
    const [one, two, three] = four;
    it(`${family}: announced, withdrawn, changed`, () => {
      const lab = labWith();
      assert.deepEqual(tableOf(lab, announceMessage([one, two], { path: [65001], nextHop: hop })), [
        `${one} via ${hop}, 65001`,
        `${two} via ${hop}, 65001`,
      ]);
      assert.deepEqual(
        tableOf(
          lab,
          announceMessage([two], { path: [65001, 65009], nextHop: hop }),
          withdrawMessage([one, three]),
        ),
        [`${two} via ${hop}, 65001 65009`],
      );
    });
  }

  it('IPv6 prefixes differ in each of their words, and there may be as many as fit a message', () => {
    const lab = labWith();
    const hosts = [0, 1, 2, 3].map((word) => {
      const groups = ['2001', 'db8', '1', '1', '1', '1', '1', '1'];
      groups[word * 2 + 1] = 'abcd';
      return `${groups.join(':')}/128`;
    });
    const many = Array.from({ length: 300 }, (_, i) => `2001:db8:${(i + 0x10).toString(16)}::/48`);
    lab.announce('a', [...hosts, ...many.slice(0, 150)], { path: [65001], nextHop: HOP6 });
    lab.announce('a', many.slice(150), { path: [65001], nextHop: HOP6 });
    lab.settle();
    const best = () => lab.routes({ view: 'best' }).map(({ prefix: to }) => to);
    assert.deepEqual(best().sort(), [...hosts, ...many].sort());
    lab.feed('a', withdrawMessage([hosts[1]!, hosts[2]!, hosts[3]!]));
    lab.settle();
    assert.deepEqual(best().sort(), [hosts[0]!, ...many].sort());
  });

  it('IPv4 by MP_REACH_NLRI and MP_UNREACH_NLRI is what the classic fields say, too (RFC 4760)', () => {
    const lab = labWith();
    const announce = update({
      attributes: `${BLOCK} ${mpReach(1, '192.0.2.9', '20.0.1.0/24', '20.0.2.0/24')}`,
    });
    assert.deepEqual(tableOf(lab, announce), [
      '20.0.1.0/24 via 192.0.2.9, 65001',
      '20.0.2.0/24 via 192.0.2.9, 65001',
    ]);
    assert.deepEqual(tableOf(lab, update({ attributes: mpUnreach(1, '20.0.1.0/24') })), [
      '20.0.2.0/24 via 192.0.2.9, 65001',
    ]);
    assert.deepEqual(tableOf(lab, update({ withdrawn: nlri('20.0.2.0/24') })), []);
  });

  it('IPv4 has IPv6 next hops where that was agreed (RFC 8950)', () => {
    const lab = labWith({ negotiated: { extendedNextHop: true } });
    const announce = update({ attributes: `${BLOCK} ${mpReach(1, HOP6, '20.0.1.0/24')}` });
    assert.deepEqual(tableOf(lab, announce), [`20.0.1.0/24 via ${HOP6}, 65001`]);
  });

  it('all four kinds of routes in one message, each with its own next hop, and the classic ones after it', () => {
    const lab = labWith();
    const before = [
      announceMessage(['20.0.1.0/24'], { path: [65001], nextHop: HOP }),
      announceMessage(['2001:db8:1::/48'], { path: [65001], nextHop: HOP6 }),
    ];
    const all = update({
      withdrawn: nlri('20.0.1.0/24'),
      attributes: `${mpReach(2, '2001:db8::9', '2001:db8:2::/48')} ${mpUnreach(2, '2001:db8:1::/48')} ${CLASSIC}`,
      nlri: nlri('20.0.2.0/24'),
    });
    const after = ['20.0.2.0/24 via 192.0.2.1, 65001', '2001:db8:2::/48 via 2001:db8::9, 65001'];
    assert.deepEqual(tableOf(lab, ...before, all), after);
    assert.deepEqual(tableOf(lab, all), after, 'and once more');
    // The same attributes without MP_REACH_NLRI, and with one that has another next hop.
    assert.deepEqual(
      tableOf(
        lab,
        update({ attributes: CLASSIC, nlri: nlri('20.0.3.0/24') }),
        update({ attributes: `${CLASSIC} ${mpReach(2, '2001:db8::8', '2001:db8:3::/48')}` }),
      ),
      [after[0], '20.0.3.0/24 via 192.0.2.1, 65001', after[1], '2001:db8:3::/48 via 2001:db8::8, 65001'],
    );
    assert.deepEqual(lab.events, []);
  });

  it('the first message of all may have both kinds of routes', () => {
    const both = update({
      attributes: `${CLASSIC} ${mpReach(2, HOP6, '2001:db8:2::/48')}`,
      nlri: nlri('20.0.2.0/24'),
    });
    assert.deepEqual(tableOf(labWith(), both), [
      '20.0.2.0/24 via 192.0.2.1, 65001',
      `2001:db8:2::/48 via ${HOP6}, 65001`,
    ]);
  });

  it('what is withdrawn and announced in one message is announced (RFC 4271 §4.3)', () => {
    const lab = labWith();
    const message = update({
      withdrawn: nlri('20.0.1.0/24'),
      attributes: CLASSIC,
      nlri: nlri('20.0.1.0/24'),
    });
    assert.deepEqual(tableOf(lab, message, message), ['20.0.1.0/24 via 192.0.2.1, 65001']);
  });

  it('a malformed announcement withdraws what it names, of each kind, and nothing else (RFC 7606 §2)', () => {
    const [FOUR, SIX] = ['20.0.1.0/24', '2001:db8:1::/48'];
    for (const [gone, attributes, classic] of [
      [FOUR, `${WRONG} ${NEXT_HOP}`, FOUR],
      [FOUR, '', FOUR],
      [FOUR, `${WRONG} ${mpReach(1, HOP, FOUR)}`, undefined],
      [SIX, `${WRONG} ${mpReach(2, HOP6, SIX)}`, undefined],
      [SIX, `${BLOCK} ${mpReach(2, 'ff02::1', SIX)}`, undefined],
    ] as const) {
      const lab = labWith();
      lab.announce('a', ['20.0.1.0/24', '20.0.2.0/24'], { path: [65001], nextHop: HOP });
      lab.announce('a', ['2001:db8:1::/48', '2001:db8:2::/48'], { path: [65001], nextHop: HOP6 });
      const all = table(lab);
      const message = update({ attributes, nlri: classic === undefined ? '' : nlri(classic) });
      assert.deepEqual(
        tableOf(lab, message),
        all.filter((text) => !text.startsWith(gone)),
        attributes,
      );
      assert.equal(lab.session('a').failure, undefined);
      assert.match(lab.events.join(), /^malformed a treatAsWithdraw: [^,]+$/);
    }
  });

  it('nothing of a message that ends the session is taken, before or behind the fault (RFC 7606 §5.3)', () => {
    for (const attributes of [
      `${CLASSIC} 800e05 0002011020`,
      `${CLASSIC} ${mpReach(2, HOP6, '2001:db8:1::/48')} ${mpUnreach(2)} ${mpUnreach(2)}`,
    ]) {
      const lab = labWith();
      lab.announce('a', ['20.0.1.0/24'], { path: [65001], nextHop: HOP });
      lab.feed('a', update({ attributes, nlri: nlri('20.0.2.0/24') }));
      assert.match(lab.events.join(), /^malformed a sessionReset: [^,]+$/);
      assert.deepEqual(table(lab), []);
    }
  });
});

describe('import: what is not for us', () => {
  it('End-of-RIB of a family is told, and is no more than that (RFC 4724 §2)', () => {
    const lab = labWith();
    lab.announce('a', ['20.0.1.0/24'], { path: [65001], nextHop: HOP });
    const before = table(lab);
    const peer = lab.rib.peer('a')!;
    lab.feed('a', update({ attributes: mpUnreach(2) }));
    assert.deepEqual(lab.events, ['end-of-rib a 1']);
    assert.deepEqual(peer.endOfRibReceived, [false, true]);
    assert.deepEqual(tableOf(lab, update({})), before);
    assert.deepEqual(lab.events, ['end-of-rib a 1', 'end-of-rib a 0']);
    assert.deepEqual(peer.endOfRibReceived, [true, true]);
  });

  it('a family that was not agreed is told once a message, and the other one counts (RFC 4760 §7)', () => {
    const lab = labWith({ families: ['ipv6'] });
    const both = update({
      withdrawn: nlri('20.0.7.0/24'),
      attributes: `${CLASSIC} ${mpReach(2, HOP6, '2001:db8:2::/48')}`,
      nlri: nlri('20.0.2.0/24'),
    });
    assert.deepEqual(tableOf(lab, both), [`2001:db8:2::/48 via ${HOP6}, 65001`]);
    assert.deepEqual(lab.events, ['ignored family of a']);
    assert.deepEqual(tableOf(lab, update({ attributes: mpUnreach(2, '2001:db8:2::/48') })), []);
    assert.deepEqual(lab.events, ['ignored family of a']);
  });

  it('prefixes that no table of unicast routes may hold are told once a message, and the others count', () => {
    const lab = labWith();
    for (const [hop, bad, good] of [
      [HOP, ['224.1.0.0/16', '127.0.0.0/8'], '20.0.1.0/24'],
      [HOP6, ['ff00:1::/32', 'fe80:0:0:1::/64'], '2001:db8:1::/48'],
    ] as const) {
      lab.events.length = 0;
      const with_ = (...list: string[]) => announceMessage(list, { path: [65001], nextHop: hop });
      assert.ok(tableOf(lab, with_(...bad, good)).includes(`${good} via ${hop}, 65001`));
      assert.deepEqual(lab.events, ['ignored prefix of a']);
      lab.feed('a', with_(good));
      assert.deepEqual(lab.events, ['ignored prefix of a']);
      lab.feed('a', with_(bad[0]));
      assert.deepEqual(lab.events, ['ignored prefix of a', 'ignored prefix of a'], 'one is enough');
    }
    assert.equal(table(lab).length, 2);
  });
});

describe('import: path identifiers (RFC 7911)', () => {
  for (const [one, hop] of [
    ['20.0.1.0/24', HOP],
    ['2001:db8:1::/48', HOP6],
  ] as const) {
    it(`paths to ${one} with different ones stand side by side, and go one by one`, () => {
      const lab = labWith({ addPathReceive: true });
      const announce = (id: number, as: number) =>
        announceMessage([`${one}#${id}`], { path: [65001, as], nextHop: hop });
      assert.deepEqual(tableOf(lab, announce(7, 65007), announce(8, 65008)), [
        `${one}#7 via ${hop}, 65001 65007`,
        `${one}#8 via ${hop}, 65001 65008`,
      ]);
      assert.deepEqual(tableOf(lab, announce(7, 65009), withdrawMessage([`${one}#8`, `${one}#9`])), [
        `${one}#7 via ${hop}, 65001 65009`,
      ]);
    });
  }
});
