// Which rule of the protocol forbids a route of a neighbour, as the operator reads it; and what standards make of a
// route on arrival.
import assert from 'node:assert/strict';
import {
  address,
  attribute,
  asPathValue,
  NEXT_HOP,
  ORIGIN_IGP,
  u32,
  update,
} from '../../testing/message-bytes.ts';
import type { PeerConfig } from '../../config.ts';
import { fakeConfig, type FakePeerOptions, OWN_AS } from '../testing/fake-session.ts';
import { RibLab } from '../testing/rib-lab.ts';

const HOP = '192.0.2.1';
const INSIDE: Partial<FakePeerOptions> = { as: OWN_AS };
const LOCAL_PREF = attribute(0x40, 5, u32(100));
const OTC = (as: number): string => attribute(0xc0, 35, u32(as));
const ORIGINATOR = (id: string): string => attribute(0x80, 9, address(id));
const CLUSTERS = (...ids: string[]): string => attribute(0x80, 10, ids.map(address).join(''));
const GRACEFUL_SHUTDOWN = attribute(0xc0, 8, 'ffff0000');
const NEXT_HOP_OURS = attribute(0x40, 3, address('10.0.0.1'));

function fed(peer: Partial<FakePeerOptions>, path: readonly number[], more: string, hop = NEXT_HOP): RibLab {
  const lab = new RibLab();
  lab.up({ id: 'a', address: HOP, as: 65001, ...peer });
  const attributes = `${ORIGIN_IGP} ${attribute(0x40, 2, asPathValue(path))} ${hop} ${more}`;
  lab.feed('a', update({ attributes, nlri: '10 0a01' }));
  lab.settle();
  return lab;
}
const role = (ours: 'provider' | 'customer' | 'peer' | 'rs' | 'rs-client'): Partial<FakePeerOptions> => ({
  negotiated: { role: ours },
});

describe('a route of a neighbour', () => {
  const LOOP = /loop/;
  const REFLECTED = /ORIGINATOR_ID or CLUSTER_LIST is ours/;
  for (const [what, peer, path, more, why] of [
    ['as it should be', {}, [65001], '', undefined],
    ['with our AS', {}, [65001, OWN_AS], '', LOOP],
    ['with our AS, as often as allowed', { config: { allowedLocalAs: 1 } }, [65001, OWN_AS], '', undefined],
    ['with our AS, more often', { config: { allowedLocalAs: 1 } }, [OWN_AS, OWN_AS], '', LOOP],
    ['that we made (RFC 4456 §8)', INSIDE, [7], `${LOCAL_PREF} ${ORIGINATOR('10.0.0.1')}`, REFLECTED],
    ['through our cluster', INSIDE, [7], `${LOCAL_PREF} ${CLUSTERS('10.0.0.9', '10.0.0.1')}`, REFLECTED],
    ['through another cluster', INSIDE, [7], `${LOCAL_PREF} ${CLUSTERS('10.0.0.9')}`, undefined],
    ['from outside, where ORIGINATOR_ID says nothing', {}, [65001], ORIGINATOR('10.0.0.1'), undefined],
    [
      'of another AS first',
      { config: { enforceFirstAs: true } },
      [65009],
      '',
      /first AS is not the neighbour/,
    ],
    [
      'of another AS first, inside our AS',
      { ...INSIDE, config: { enforceFirstAs: true } },
      [65009],
      LOCAL_PREF,
      undefined,
    ],
    ['with OTC, without roles', {}, [65001], OTC(65077), undefined],
    ['without OTC from a customer', role('provider'), [65001], '', undefined],
    ['with OTC from a customer', role('provider'), [65001], OTC(65001), /leak: OTC from a customer/],
    ['without OTC from a route server’s client', role('rs'), [65001], '', undefined],
    ['with OTC from a route server’s client', role('rs'), [65001], OTC(65001), /leak: OTC from a customer/],
    ['with its own OTC from a peer', role('peer'), [65001], OTC(65001), undefined],
    ['with another OTC from a peer', role('peer'), [65001], OTC(65077), /leak: OTC of another AS/],
  ] as const) {
    it(`${what}: ${why === undefined ? 'used' : 'not used, and why'}`, () => {
      const lab = fed(peer, path, more);
      const [route] = lab.routes({});
      assert.equal(route!.best, why === undefined);
      if (why !== undefined) assert.match(route!.why, why);
      assert.ok(!lab.events.some((event) => /treatAsWithdraw|sessionReset/.test(event)), lab.events.join());
    });
  }

  it('whose next hop is this node: not used, and why', () => {
    const [route] = fed({}, [65001], '', NEXT_HOP_OURS).routes({});
    assert.deepEqual([route!.best, route!.why], [false, 'next hop is our own address']);
  });
});

describe('on arrival', () => {
  it('GRACEFUL_SHUTDOWN from another AS makes a route the last choice, from our own it is done already (RFC 8326 §4)', () => {
    for (const [peer, path, more, localPref] of [
      [{}, [65001], GRACEFUL_SHUTDOWN, 0],
      [{}, [65001], '', 100],
      [INSIDE, [7], `${LOCAL_PREF} ${GRACEFUL_SHUTDOWN}`, 100],
    ] as const) {
      const lab = fed(peer, path, more);
      lab.up({ id: 'other', address: '192.0.2.2', as: 65002 });
      lab.announce('other', ['10.1.0.0/16'], { path: [65002, 65003, 65004], nextHop: '192.0.2.2' });
      lab.settle();
      const best = lab.routes({ view: 'best' })[0]!;
      assert.equal(best.peer, localPref === 0 ? 'other' : 'a');
    }
  });

  it('GRACEFUL_SHUTDOWN stands above what the import policy sets, also when that changes (RFC 8326 §4)', () => {
    const prefers = (localPref: number): Partial<PeerConfig> => ({
      import: {
        name: 'prefers',
        terms: [
          { match: {}, action: { verdict: 'accept', set: { localPref, weight: localPref } }, why: 'x' },
        ],
        otherwise: 'reject',
      },
    });
    const lab = fed({ config: prefers(300) }, [65001], GRACEFUL_SHUTDOWN);
    const inside = lab.up({ id: 'i', address: '192.0.2.3', as: OWN_AS });
    lab.settle();
    assert.match(inside.held.get('10.1.0.0/16')!, / lp=0 /);
    lab.up({ id: 'other', address: '192.0.2.2', as: 65002 });
    lab.announce('other', ['10.1.0.0/16'], { path: [65002, 65003, 65004], nextHop: '192.0.2.2' });
    lab.settle();
    assert.equal(lab.routes({ view: 'best' })[0]!.peer, 'other', 'whatever its weight');
    lab.down('other');
    lab.settle();
    const config = fakeConfig({ id: 'a', address: HOP, as: 65001, config: prefers(500) });
    lab.session('a').config = config;
    lab.rib.neighbours.configure(config);
    lab.settle();
    assert.match(inside.held.get('10.1.0.0/16')!, / lp=0 /);
    assert.equal(lab.routes({ view: 'received', peer: 'a' })[0]!.localPref, undefined, 'as it came');
    const attributes = `${ORIGIN_IGP} ${attribute(0x40, 2, asPathValue([65001]))} ${NEXT_HOP}`;
    lab.feed('a', update({ attributes, nlri: '10 0a01' }));
    lab.settle();
    assert.match(inside.held.get('10.1.0.0/16')!, / lp=500$/, 'without the community');
  });

  it('a route from above or from the side is marked as one that goes only to customers (RFC 9234 §5)', () => {
    for (const [peer, more, otc] of [
      [role('customer'), '', 65001],
      [role('peer'), '', 65001],
      [role('rs-client'), '', 65001],
      [role('customer'), OTC(65077), 65077],
      [role('provider'), '', undefined],
      [role('rs'), '', undefined],
      [{}, '', undefined],
      [{ ...INSIDE, ...role('customer') }, LOCAL_PREF, undefined],
    ] as const) {
      const lab = fed(peer, [65001], more);
      const inside = lab.up({ id: 'i', address: '192.0.2.3', as: OWN_AS });
      lab.up({ id: 'e', address: '192.0.2.4', as: 65009 });
      lab.settle();
      const seen = 'as' in peer ? lab.session('e') : inside;
      const text = seen.held.get('10.1.0.0/16') ?? '';
      assert.equal(
        /otc=(\d+)/.exec(text)?.[1],
        otc === undefined ? undefined : String(otc),
        JSON.stringify(peer),
      );
      assert.match(text, /path=/);
    }
  });

  it('what it is made of is stored once, and goes with the route', () => {
    for (const peer of [role('customer'), {}]) {
      const lab = fed(peer, [65001], GRACEFUL_SHUTDOWN);
      assert.equal(lab.pages.sizes().paths, 1);
      lab.down('a');
      lab.settle();
      assert.equal(lab.pages.sizes().paths, 0);
      // What was changed last, and to what, is remembered.
      assert.ok(lab.pages.sizes().attributeSets <= 2);
    }
  });
});
