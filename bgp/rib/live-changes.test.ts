// What changes while sessions go on, or between two of them, must reach neighbours and forwarding: next hops, loops,
// multipath, who a neighbour is. Import policies have a file of their own.
import assert from 'node:assert/strict';
import type { FakePeerOptions } from './testing/fake-session.ts';
import { A, B, configure, ebgp, follow, held, ibgp } from './testing/live-lab.ts';
import { RibLab } from './testing/rib-lab.ts';
import type { PeerConfig } from '../config.ts';

describe('rib: what changes on a session that goes on', () => {
  it('reaches forwarding: the metric of an import policy, of some routes, and later of none', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.up(ebgp(2));
    const metrics = new Map<string, number>();
    const { forwarding, tables } = lab.rib;
    forwarding.subscribe(({ family, prefixIds, count }) => {
      for (let i = 0; i < count; i++) {
        const out = { kind: 0, metric: 9, count: 0, nextHopIds: new Int32Array(8) };
        forwarding.forwarding(family, prefixIds[i]!, out);
        metrics.set(lab.rib.prefixText(tables[family], prefixIds[i]!), out.metric);
      }
    });
    lab.announce('e1', [A, B], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    assert.deepEqual(Object.fromEntries(metrics), { [A]: 0, [B]: 0 });
    const before = held(lab, 'e2');
    const sets = (metric: number): Partial<PeerConfig> => ({
      import: {
        name: 'metric',
        terms: [
          {
            match: { prefixes: [{ prefix: A, operator: 'equal' }] },
            action: { verdict: 'accept', set: { metric } },
            why: 'setPriority',
          },
        ],
        otherwise: 'accept',
      },
    });
    for (const metric of [500, 2_147_483_646, 0]) {
      configure(lab, ebgp(1), sets(metric));
      assert.deepEqual(Object.fromEntries(metrics), { [A]: metric, [B]: 0 });
      assert.deepEqual(held(lab, 'e2'), before, 'nobody is told another route');
    }
  });

  const TAKER = ibgp(1);
  const OUTSIDE = ebgp(2);
  for (const [what, taker, before, change, after] of [
    ['nextHopMode', TAKER, 'nh=192.0.2.1 path=7 lp=100', { nextHop: 'self' }, 'nh=10.0.0.1 path=7 lp=100'],
    [
      'a new address of the node',
      OUTSIDE,
      'nh=10.0.0.1 path=65000,7',
      { nextHopSelf: { ipv4: '10.0.0.8' } },
      'nh=10.0.0.8 path=65000,7',
    ],
  ] as const) {
    it(`is sent: ${what}`, () => {
      const lab = new RibLab();
      for (const peer of [ebgp(1), taker]) lab.up(peer);
      lab.announce('e1', [A], { path: [7], nextHop: '192.0.2.1' });
      lab.settle();
      assert.deepEqual(held(lab, taker.id), { [A]: before });
      configure(lab, taker, change);
      assert.deepEqual(held(lab, taker.id), { [A]: after });
      const [shown] = lab.routes({ view: 'advertised', peer: taker.id });
      assert.equal(shown!.nextHop, /nh=(\S+)/.exec(after)![1]);
    });
  }

  it('is sent: private AS numbers removed, and a route server client; only where octets differ', () => {
    const lab = new RibLab();
    const client = ebgp(2);
    for (const peer of [ebgp(1), client]) lab.up(peer);
    lab.announce('e1', [A], { path: [65101, 7], nextHop: '192.0.2.1' });
    lab.announce('e1', [B], { path: [7], nextHop: '192.0.2.1' });
    lab.settle();
    const { announced } = lab.session('e2');
    configure(lab, client, { removePrivateAs: true });
    assert.deepEqual(held(lab, 'e2'), { [A]: 'nh=10.0.0.1 path=65000,7', [B]: 'nh=10.0.0.1 path=65000,7' });
    assert.equal(lab.session('e2').announced - announced, 1);
    configure(lab, client, { removePrivateAs: true, routeServerClient: true });
    assert.deepEqual(held(lab, 'e2'), { [A]: 'nh=192.0.2.1 path=7', [B]: 'nh=192.0.2.1 path=7' });
  });

  it('is sent: a new cluster ID, which is a loop from then on, as the old one no longer is', () => {
    const lab = new RibLab();
    for (const peer of [ibgp(1, { client: true }), ibgp(2)]) lab.up(peer);
    lab.announce('i1', [A], { path: [], nextHop: '192.0.2.1' });
    lab.announce('i1', [B], { path: [], nextHop: '192.0.2.1', clusterList: ['10.0.0.1'] });
    lab.settle();
    const own = { asNumber: 65000, routerId: 0x0a000001, clusterId: 0x0a000063 };
    lab.rib.reconfigure(own, lab.rib.decision.rules);
    lab.settle();
    const reflected = 'nh=192.0.2.1 path= lp=100 orig=198.51.100.1';
    assert.deepEqual(held(lab, 'i2'), {
      [A]: `${reflected} cl=10.0.0.99`,
      [B]: `${reflected} cl=10.0.0.99,10.0.0.1`,
    });
  });

  it('is sent: the next hop of an export policy, to everybody but who has that address (TX-4)', () => {
    const lab = new RibLab();
    const via = (nextHop: string): Partial<PeerConfig> => ({
      export: {
        name: nextHop,
        terms: [{ match: {}, action: { verdict: 'accept', set: { nextHop } }, why: 'rule 1' }],
        otherwise: 'reject',
      },
    });
    const takers = [ibgp(1), ebgp(2), ebgp(3)];
    lab.up(ebgp(4));
    for (const taker of takers) lab.up(taker);
    lab.announce('e4', [A], { path: [65104], nextHop: '192.0.2.4' });
    lab.settle();
    const hops = () =>
      takers.map(({ id }) => /nh=([^ ]*)/.exec(JSON.stringify(lab.session(id).held.get(A) ?? ''))?.[1]);
    assert.deepEqual(hops(), ['192.0.2.4', '10.0.0.1', '10.0.0.1']);
    for (const [nextHop, told] of [
      ['203.0.113.7', ['203.0.113.7', '203.0.113.7', '203.0.113.7']],
      ['192.0.2.3', ['192.0.2.3', '192.0.2.3', undefined]],
      ['fd00::9', [undefined, undefined, undefined]],
      ['self', ['10.0.0.1', '10.0.0.1', '10.0.0.1']],
      ['peer', [undefined, undefined, undefined]],
    ] as const) {
      for (const taker of takers) configure(lab, taker, via(nextHop));
      assert.deepEqual(hops(), told, nextHop);
    }
  });

  it('reaches forwarding: how many paths are used together', () => {
    const lab = new RibLab();
    const told = follow(lab);
    for (const peer of [ebgp(1), ebgp(2)]) lab.up(peer);
    for (const n of [1, 2]) lab.announce(`e${n}`, [A], { path: [65100 + n], nextHop: `192.0.2.${n}` });
    lab.settle();
    assert.deepEqual(told.get(A), ['192.0.2.1']);
    lab.rib.reconfigure(lab.rib.intern.identity, { ebgp: 8, ibgp: 8, relax: true });
    lab.settle();
    assert.deepEqual(told.get(A), ['192.0.2.1', '192.0.2.2']);
    lab.rib.reconfigure(lab.rib.intern.identity, { ebgp: 1, ibgp: 1, relax: false });
    lab.settle();
    assert.deepEqual(told.get(A), ['192.0.2.1']);
  });

  it('reaches neighbours and forwarding: how MED is compared', () => {
    const lab = new RibLab();
    const told = follow(lab);
    for (const peer of [ebgp(1), ebgp(2), TAKER]) lab.up(peer);
    lab.announce('e1', [A], { path: [65101], nextHop: '192.0.2.1', med: 9 });
    lab.announce('e2', [A], { path: [65102], nextHop: '192.0.2.2' });
    for (const [rules, hop] of [
      [{ alwaysCompareMed: true }, '192.0.2.2'],
      [{ alwaysCompareMed: true, missingMedAsWorst: true }, '192.0.2.1'],
      [{ alwaysCompareMed: true }, '192.0.2.2'],
      [{}, '192.0.2.1'],
    ] as const) {
      lab.rib.reconfigure(lab.rib.intern.identity, { ebgp: 1, ibgp: 1, relax: false, ...rules });
      lab.settle();
      assert.deepEqual(told.get(A), [hop]);
      assert.match(held(lab, 'i1')[A]!, new RegExp(`^nh=${hop} `));
    }
  });

  it('an address of ours is no next hop while a session uses it, and one again when none does', () => {
    const lab = new RibLab();
    const other = ebgp(2, { negotiated: { localAddress: '10.0.0.7' } });
    for (const peer of [ebgp(1), TAKER]) lab.up(peer);
    lab.announce('e1', [A], { path: [65101], nextHop: '10.0.0.7' });
    lab.settle();
    assert.deepEqual(Object.keys(held(lab, 'i1')), [A]);
    lab.up(other);
    lab.settle();
    assert.deepEqual(held(lab, 'i1'), {}, 'it became ours');
    lab.down('e2');
    lab.settle();
    assert.deepEqual(Object.keys(held(lab, 'i1')), [A], 'another node has it now');
    configure(lab, TAKER, { nextHopSelf: { ipv4: '10.0.0.7' } });
    assert.deepEqual(held(lab, 'i1'), {}, 'what we send as our own counts too');
  });

  it('a third router one hop away is a next hop while it is on a link of ours, or the neighbour may be further away', () => {
    const lab = new RibLab();
    const near = ebgp(1, { config: { ttl: { kind: 'direct' } } });
    for (const peer of [near, TAKER]) lab.up(peer);
    const tell = (isReachable: boolean, isOnLink: boolean): string[] => {
      lab.rib.updateNextHop('192.0.2.77', isReachable, 0, undefined, ['eth0'], isOnLink);
      lab.settle();
      return Object.keys(held(lab, 'i1'));
    };
    lab.announce('e1', [A], { path: [65101], nextHop: '192.0.2.77' });
    lab.settle();
    assert.deepEqual(tell(true, true), [A]);
    assert.deepEqual(tell(true, false), [], 'its link is gone, and a default route is there');
    assert.deepEqual(tell(true, true), [A]);
    assert.deepEqual(tell(false, false), []);
    assert.equal(lab.routes({})[0]?.why, 'next hop 192.0.2.77 is unreachable');
    assert.deepEqual(tell(true, false), []);
    configure(lab, near, { ttl: { kind: 'multihop', hops: 2 } });
    assert.deepEqual(Object.keys(held(lab, 'i1')), [A]);
    configure(lab, near, { ttl: { kind: 'gtsm', hops: 1 } });
    assert.deepEqual(held(lab, 'i1'), {});
  });

  it('a link-local address of ours is ours on its own link only', () => {
    const lab = new RibLab();
    const on = (n: number, device: string, localAddress: string) =>
      ebgp(n, {
        address: `fe80::${n}`,
        negotiated: { localAddress, remoteRouterId: `9.9.9.${n}`, device },
      });
    for (const peer of [on(2, 'eth0', 'fe80::1'), on(3, 'eth1', 'fe80::7')]) lab.up(peer);
    lab.announce('e2', ['fd12::/32'], { path: [65102], nextHop: 'fe80::1' });
    lab.announce('e2', ['fd13::/32'], { path: [65102], nextHop: 'fe80::7' });
    lab.settle();
    const best = lab.routes({ view: 'best' }).map(({ prefix, nextHop }) => `${prefix} ${nextHop}`);
    assert.deepEqual(best, ['fd13::/32 fe80::7%eth0']);
  });
});

describe('rib: a session that comes back', () => {
  it('and says the same leaves no hole in a group that was built meanwhile', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.announce('e1', [A, B], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    lab.down('e1');
    lab.up(ibgp(1));
    lab.rib.exports.step();
    lab.up(ebgp(1));
    lab.announce('e1', [A, B], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    assert.deepEqual(Object.keys(held(lab, 'i1')), [A, B]);
  });

  it('and says the same is used again together with others', () => {
    const lab = new RibLab({ ebgp: 4, ibgp: 4, relax: true }, 1);
    const told = follow(lab);
    lab.up(ebgp(9));
    // The walk that finds what is gone must be on its way when the session is back.
    const many = Array.from({ length: 100 }, (_, i) => `21.0.${i}.0/24`);
    lab.announce('e9', many, { path: [65109], nextHop: '192.0.2.9' });
    for (const n of [1, 2, 3]) {
      lab.up(ebgp(n));
      lab.announce(`e${n}`, [A], { path: [65100 + n], nextHop: `192.0.2.${n}` });
    }
    lab.settle();
    lab.down('e2');
    // A change of another path of the prefix: forwarding is told while the second one is gone.
    lab.announce('e3', [A], { path: [65103], nextHop: '192.0.2.4' });
    lab.turn();
    lab.up(ebgp(2));
    lab.announce('e2', [A], { path: [65102], nextHop: '192.0.2.2' });
    lab.settle();
    assert.deepEqual(told.get(A), ['192.0.2.1', '192.0.2.2', '192.0.2.4']);
  });

  it('as somebody else (another router ID) is told to others, although its routes are the same (RFC 4456)', () => {
    const lab = new RibLab();
    lab.up(ibgp(1, { client: true }));
    lab.up(ibgp(2));
    lab.announce('i1', [A], { path: [7], nextHop: '192.0.2.1' });
    lab.settle();
    assert.match(held(lab, 'i2')[A]!, /orig=198\.51\.100\.1 /);
    lab.down('i1');
    lab.up(ibgp(1, { client: true, negotiated: { remoteRouterId: '9.9.9.9' } }));
    lab.announce('i1', [A], { path: [7], nextHop: '192.0.2.1' });
    lab.settle();
    assert.match(held(lab, 'i2')[A]!, /orig=9\.9\.9\.9 /);
  });
});

describe('rib: link-local next hops (RFC 2545 section 3)', () => {
  const on = (n: number, device: string, as: number, more: Partial<FakePeerOptions> = {}) =>
    ebgp(n, {
      ...more,
      as,
      address: `fe80::${n}`,
      negotiated: { localAddress: 'fe80::1', remoteRouterId: `9.9.9.${n}`, device },
    });

  it('go to neighbours on their link; others get the global address, or ours', () => {
    const lab = new RibLab();
    for (const peer of [on(1, 'eth0', 65101), on(2, 'eth0', 65000), on(3, 'eth1', 65000), ibgp(4)])
      lab.up(peer);
    lab.announce('e1', ['fd12:1::/48'], { path: [65101], nextHop: 'fd00::9 fe80::1:1' });
    lab.announce('e1', ['fd12:2::/48'], { path: [65101], nextHop: 'fe80::1:1' });
    lab.settle();
    const nextHops = (id: string) =>
      Object.values(held(lab, id)).map((text) => /nh=(.*) path/.exec(text)![1]);
    assert.deepEqual(nextHops('e2'), ['fd00::9 fe80::1:1', 'fe80::1:1']);
    assert.deepEqual(nextHops('e3'), ['fd00::9', 'fd00::1 fe80::1']);
    assert.deepEqual(nextHops('i4'), ['fd00::9', 'fd00::1']);
  });

  it('stay here where the next hop must be kept and means nothing to the neighbour, with the reason', () => {
    const lab = new RibLab();
    for (const peer of [on(1, 'eth0', 65101), ibgp(4, { config: { nextHop: 'keep' } })]) lab.up(peer);
    lab.announce('e1', ['fd12:2::/48'], { path: [65101], nextHop: 'fe80::1:1' });
    lab.settle();
    assert.deepEqual(held(lab, 'i4'), {});
    const { notes } = lab.pages.routes({ view: 'advertised', peer: 'i4', prefix: 'fd12:2::/48', limit: 1 });
    assert.match(notes![0]!, /good on another link only/);
  });
});

describe('rib: attribute sets', () => {
  it('are stored once, the shortest that there are too', () => {
    const lab = new RibLab();
    lab.up(ibgp(1));
    lab.announce('i1', [A], { path: [], nextHop: '192.0.2.1' });
    lab.announce('i1', ['20.0.3.0/24'], { path: [7], nextHop: '192.0.2.1', origin: 2 });
    lab.announce('i1', [B], { path: [], nextHop: '192.0.2.1' });
    lab.settle();
    assert.equal(lab.pages.sizes().attributeSets, 2);
  });
});

describe('rib: more equal paths than may be used', () => {
  it('are chosen alike whatever the order in which they came, and stay chosen when others change', () => {
    const orders = [
      [1, 2, 3, 4, 5],
      [5, 4, 3, 2, 1],
      [3, 5, 1, 4, 2],
    ];
    for (const order of orders) {
      const lab = new RibLab({ ebgp: 3, ibgp: 1, relax: true });
      const told = follow(lab);
      for (const n of order) {
        lab.up(ebgp(n));
        lab.announce(`e${n}`, [A], { path: [65100 + n], nextHop: `192.0.2.${n}` });
        lab.settle();
      }
      assert.deepEqual(told.get(A), ['192.0.2.1', '192.0.2.2', '192.0.2.3'], `came as ${order.join()}`);
      // The fourth comes again with other attributes, which moves it in the list and nowhere else.
      lab.withdraw('e4', [A]);
      lab.announce('e4', [A], { path: [65104], nextHop: '192.0.2.4', communities: [1] });
      lab.settle();
      assert.deepEqual(told.get(A), ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
    }
  });
});
