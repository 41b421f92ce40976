// What neighbours are told of link bandwidths: as they came, also outside of the AS, or the sum of what shares the traffic.
import assert from 'node:assert/strict';
import type { PeerConfig } from '../../config.ts';
import { asPathValue, attribute, ORIGIN_IGP, u16, update } from '../../testing/message-bytes.ts';
import { fakeConfig, type FakePeerOptions, OWN_AS } from '../testing/fake-session.ts';
import { RibLab } from '../testing/rib-lab.ts';

const PREFIX = '10.1.0.0/16';

/** An octet 0x40 stays in the AS. */
function bandwidth(octets: number, type = '40'): string {
  const value = Buffer.alloc(4);
  value.writeFloatBE(octets);
  return attribute(0xc0, 16, `${type}04 ${u16(64512)} ${value.toString('hex')}`);
}

function announce(lab: RibLab, n: number, more: string): void {
  const hop = attribute(0x40, 3, `c00002${n.toString(16).padStart(2, '0')}`);
  const attributes = `${ORIGIN_IGP} ${attribute(0x40, 2, asPathValue([65100 + n]))} ${hop} ${more}`;
  lab.feed(`e${n}`, update({ attributes, nlri: '10 0a01' }));
}

const told = (lab: RibLab, id: string): string => {
  const text = lab.session(id).held.get(PREFIX);
  return text === undefined ? 'nothing' : (/ lb=(\S+)/.exec(text)?.[1] ?? 'none');
};
const taker = (id: string, as: number, config: Partial<PeerConfig>): FakePeerOptions => ({
  ...{ id, as, config, address: `192.0.2.${100 + id.charCodeAt(0)}` },
});

const ALL = { ebgp: 8, ibgp: 8, relax: true } as const;

function labWith(sources: number, takers: readonly FakePeerOptions[], ebgp: number = ALL.ebgp): RibLab {
  const lab = new RibLab({ ...ALL, ebgp });
  for (let n = 1; n <= sources; n++) lab.up({ id: `e${n}`, address: `192.0.2.${n}`, as: 65100 + n });
  for (const peer of takers) lab.up(peer);
  return lab;
}

describe('a link bandwidth', () => {
  const OUTSIDE = [
    taker('a', 65201, {}),
    taker('b', 65202, { linkBandwidth: 'send' }),
    taker('c', 65203, { linkBandwidth: 'sum' }),
  ];
  const INSIDE = [
    taker('i', OWN_AS, {}),
    taker('j', OWN_AS, { linkBandwidth: 'sum' }),
    taker('k', OWN_AS, { linkBandwidth: 'sum', nextHop: 'self' }),
  ];

  it('that stays in the AS goes out of it where that is asked for, in the form that may', () => {
    const lab = labWith(1, OUTSIDE);
    announce(lab, 1, bandwidth(1.25e9));
    lab.settle();
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => told(lab, id)),
      ['none', '1250000000', '1250000000'],
    );
    announce(lab, 1, bandwidth(5e9, '00'));
    lab.settle();
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => told(lab, id)),
      ['5000000000', '5000000000', '5000000000'],
    );
  });

  it('is the sum of all that share the traffic, where our next hop goes out; and follows each of them', () => {
    const lab = labWith(3, [...OUTSIDE, ...INSIDE]);
    const all = (...expected: string[]) => {
      lab.settle();
      assert.deepEqual(
        ['b', 'c', 'i', 'j', 'k'].map((id) => told(lab, id)),
        expected,
      );
    };
    announce(lab, 1, bandwidth(1e9));
    announce(lab, 2, bandwidth(2e9, '00'));
    all('1000000000', '3000000000', '1000000000', '1000000000', '3000000000');
    announce(lab, 2, bandwidth(3e9));
    all('1000000000', '4000000000', '1000000000', '1000000000', '4000000000');
    announce(lab, 3, bandwidth(4e9));
    all('1000000000', '8000000000', '1000000000', '1000000000', '8000000000');
    // Not all have one: as it came.
    announce(lab, 3, '');
    all('1000000000', '1000000000', '1000000000', '1000000000', '1000000000');
    lab.down('e3');
    all('1000000000', '4000000000', '1000000000', '1000000000', '4000000000');
    lab.rib.updateNextHop('192.0.2.2', false, 0);
    all('1000000000', '1000000000', '1000000000', '1000000000', '1000000000');
  });

  it('that is a sum names our AS, also after that is another', () => {
    const lab = labWith(2, OUTSIDE);
    announce(lab, 1, bandwidth(1e9));
    announce(lab, 2, bandwidth(2e9));
    lab.settle();
    const shown = () => JSON.stringify(lab.routes({ view: 'advertised', peer: 'c' })[0]?.others);
    assert.match(shown(), new RegExp(`transitive-lb:${OWN_AS}:3000000000`));
    lab.rib.reconfigure({ asNumber: 64999, routerId: 0x0a000001, clusterId: 0x0a000001 }, ALL);
    lab.down('c');
    lab.up(OUTSIDE[2]!);
    lab.settle();
    assert.match(shown(), /transitive-lb:64999:3000000000/);
  });

  it('is that of the best path where only one is used', () => {
    const lab = labWith(2, OUTSIDE, 1);
    announce(lab, 1, bandwidth(1e9));
    announce(lab, 2, bandwidth(2e9));
    lab.settle();
    assert.equal(told(lab, 'c'), '1000000000');
  });

  it('is told otherwise at once when that is configured, and not again when nothing differs', () => {
    const [peer] = OUTSIDE;
    const lab = labWith(2, [peer!]);
    announce(lab, 1, bandwidth(1e9));
    announce(lab, 2, bandwidth(2e9));
    lab.settle();
    for (const [linkBandwidth, expected] of [
      ['send', '1000000000'],
      ['sum', '3000000000'],
      [undefined, 'none'],
    ] as const) {
      const config = fakeConfig({ ...peer!, config: linkBandwidth === undefined ? {} : { linkBandwidth } });
      lab.session('a').config = config;
      lab.rib.neighbours.configure(config);
      lab.settle();
      assert.equal(told(lab, 'a'), expected);
    }
    const [shown] = lab.routes({ view: 'advertised', peer: 'a' });
    assert.equal(shown?.others, undefined);
  });

  it('of an own route is what a policy gives it', () => {
    const set = { addCommunities: ['generic:0x4004:0xfc004e9502f9'] };
    const config: Partial<PeerConfig> = {
      linkBandwidth: 'sum',
      export: {
        name: 'x',
        terms: [{ match: {}, action: { verdict: 'accept', set }, why: 'x' }],
        otherwise: 'reject',
      },
    };
    const lab = labWith(0, [taker('a', 65201, config)]);
    lab.rib.originated.originate([{ prefix: PREFIX, why: 'x' }]);
    lab.rib.wake();
    lab.settle();
    assert.equal(told(lab, 'a'), '1250000000');
  });
});
