import assert from 'node:assert/strict';
import { familyOf } from '#ip';
import type { Link, Route } from '#linux';
import { ForeignRoutes } from './foreign-routes.ts';
import { type LinkedHop, resolve, sameResolution } from './resolve.ts';

function link(index: number, name: string, change: Partial<Link> = {}): Link {
  const base = { mtu: 1500, up: true, carrier: true, loopback: false, group: 0, peerElsewhere: false };
  return { index, name, ...base, ...change };
}

function route(destination: string, change: Partial<Route> = {}): Route {
  const family = familyOf(destination);
  const base = { table: 254, protocol: 2, scope: 'link', type: 'unicast', metric: 0, nextHops: [] } as const;
  return { family, destination, ...base, ...change };
}

const links = new Map(
  [link(1, 'lo', { loopback: true }), link(2, 'eth0'), link(3, 'eth1')].map((l) => [l.index, l]),
);

function factsOf(routes: readonly Route[], over: ReadonlyMap<number, Link> = links) {
  const foreign = new ForeignRoutes([255, 254]);
  for (const r of routes) foreign.apply('new', r);
  return { links: over, foreign };
}

const connected = route('10.0.0.0/24', { nextHops: [{ deviceIndex: 2 }] });
const viaRouter = route('10.0.0.0/8', {
  protocol: 4,
  metric: 20,
  nextHops: [{ gateway: '10.0.0.1', deviceIndex: 2 }],
});
const ownAddress = route('10.0.0.9/32', { table: 255, type: 'local', nextHops: [{ deviceIndex: 2 }] });

describe('how a next hop is reached', () => {
  it('is itself when it is on a connected network', () => {
    const found = resolve('10.0.0.7', undefined, factsOf([connected, viaRouter]));
    assert.deepEqual(found, {
      isReachable: true,
      isOnLink: true,
      metric: 0,
      hops: [{ gateway: '10.0.0.7', deviceIndex: 2 }],
      how: 'connected on eth0',
    });
  });

  it('goes through the most specific route of others, with its metric', () => {
    const found = resolve('10.9.0.7', undefined, factsOf([connected, viaRouter]));
    assert.deepEqual(found.hops, [{ gateway: '10.0.0.1', deviceIndex: 2 }]);
    assert.equal(found.metric, 20);
    assert.equal(found.how, 'via 10.0.0.1 dev eth0');
  });

  it('is on a link when no way to it leads through a router', () => {
    const isOnLink = (address: string, ...routes: Route[]) =>
      resolve(address, undefined, factsOf(routes)).isOnLink;
    const point = route('0.0.0.0/0', { protocol: 4, metric: 5, nextHops: [{ deviceIndex: 3 }] });
    const mixed = { ...point, nextHops: [{ deviceIndex: 3 }, { gateway: '10.0.0.1', deviceIndex: 2 }] };
    assert.equal(isOnLink('10.0.0.7', connected, viaRouter), true);
    assert.equal(isOnLink('192.0.2.1', point), true);
    assert.equal(isOnLink('10.9.0.7', connected, viaRouter), false);
    assert.equal(isOnLink('192.0.2.1', mixed), false);
    assert.equal(isOnLink('10.0.0.9', connected, ownAddress), false);
    assert.equal(resolve('fe80::1', 'eth1', factsOf([])).isOnLink, true);
    assert.equal(resolve('fe80::1', 'eth7', factsOf([])).isOnLink, false);
  });

  it('uses every next hop of a multipath route whose link works', () => {
    const both = route('0.0.0.0/0', {
      nextHops: [
        { gateway: '10.0.0.1', deviceIndex: 2 },
        { gateway: '10.0.1.1', deviceIndex: 3 },
      ],
    });
    assert.equal(resolve('192.0.2.1', undefined, factsOf([both])).hops.length, 2);
    const down = new Map(links).set(3, link(3, 'eth1', { carrier: false }));
    assert.deepEqual(resolve('192.0.2.1', undefined, factsOf([both], down)).hops, [
      { gateway: '10.0.0.1', deviceIndex: 2 },
    ]);
  });

  it('is no way through an own address, an unreachable route, a dead link, or nothing', () => {
    const why = (address: string, routes: Route[], over = links) => {
      const found = resolve(address, undefined, factsOf(routes, over));
      assert.equal(found.isReachable, false);
      return found.how;
    };
    assert.equal(why('10.0.0.9', [connected, ownAddress]), 'is an address of this node');
    assert.match(why('10.0.0.7', [{ ...connected, type: 'unreachable', nextHops: [] }]), /unreachable/);
    const down = new Map(links).set(2, link(2, 'eth0', { up: false }));
    assert.equal(why('10.0.0.7', [connected], down), 'link eth0 is down');
    assert.equal(why('10.0.0.7', []), 'no route leads to it');
  });

  it('needs the link for a link-local next hop', () => {
    const found = resolve('fe80::1', 'eth1', factsOf([]));
    assert.deepEqual(found.hops, [{ gateway: 'fe80::1', deviceIndex: 3 }]);
    assert.equal(resolve('fe80::1', undefined, factsOf([])).isReachable, false);
    assert.equal(resolve('fe80::1', 'eth7', factsOf([])).how, 'link eth7 does not exist');
  });
});

describe('how a next hop is reached, in its corners', () => {
  it('is nothing for the unspecified addresses', () => {
    for (const address of ['0.0.0.0', '::'])
      assert.equal(
        resolve(address, undefined, factsOf([route('0.0.0.0/0'), route('::/0')])).how,
        'is the unspecified address',
      );
  });

  it('keeps that a gateway is on its link by decree, and has no metric where the network is connected', () => {
    const onlink = route('0.0.0.0/0', {
      metric: 7,
      nextHops: [{ gateway: '192.0.2.1', deviceIndex: 2, onlink: true }, { deviceIndex: 3 }],
    });
    const found = resolve('198.51.100.1', undefined, factsOf([onlink]));
    assert.deepEqual(found.hops, [
      { gateway: '192.0.2.1', deviceIndex: 2, onlink: true },
      { gateway: '198.51.100.1', deviceIndex: 3 },
    ]);
    assert.equal(found.metric, 7, 'not all of it is connected');
    assert.equal(resolve('10.0.0.7', undefined, factsOf([{ ...connected, metric: 100 }])).metric, 0);
  });

  it('is the same only when nothing differs that the speaker or the kernel would see', () => {
    const hop: LinkedHop = { gateway: '10.0.0.1', deviceIndex: 2 };
    const base = { isReachable: true, isOnLink: false, metric: 20, hops: [hop, hop], how: '' };
    assert.equal(sameResolution(base, { ...base, how: 'by other words' }), true);
    const onlink = [hop, { ...hop, onlink: true }];
    assert.equal(sameResolution({ ...base, hops: onlink }, { ...base, hops: [...onlink] }), true);
    for (const change of [
      { isReachable: false },
      { isOnLink: true },
      { metric: 21 },
      { hops: [hop] },
      { hops: [hop, hop, hop] },
      { hops: [hop, { ...hop, gateway: '10.0.0.2' }] },
      { hops: [hop, { ...hop, deviceIndex: 3 }] },
      { hops: onlink },
      { hops: [hop, { ...hop, weight: 2 }] },
    ]) {
      const other = { ...base, ...change };
      assert.equal(sameResolution(base, other), false, JSON.stringify(change));
      assert.equal(sameResolution(other, base), false, JSON.stringify(change));
    }
  });

  it('costs nothing where it cannot be reached', () => {
    const { isOnLink, metric, hops } = resolve('192.0.2.1', undefined, factsOf([]));
    assert.deepEqual([isOnLink, metric, hops], [false, 0, []]);
  });

  it('of a link-local one needs a link that works', () => {
    const found = resolve('fe80::1', 'eth0', factsOf([]));
    assert.deepEqual([found.isReachable, found.metric, found.how], [true, 0, 'connected on eth0']);
    const down = new Map(links).set(2, link(2, 'eth0', { up: false }));
    const lost = resolve('fe80::1', 'eth0', factsOf([], down));
    assert.deepEqual([lost.isReachable, lost.how, lost.hops], [false, 'link eth0 is down', []]);
  });

  it('goes over the loopback, which has no carrier, and not over a link that is unknown', () => {
    const bare = new Map(links).set(1, link(1, 'lo', { loopback: true, carrier: false }));
    const over = (deviceIndex: number) =>
      resolve('10.0.0.7', undefined, factsOf([route('10.0.0.0/24', { nextHops: [{ deviceIndex }] })], bare));
    assert.equal(over(1).isReachable, true);
    assert.equal(over(77).how, 'its link is gone');
    assert.equal(
      resolve('10.0.0.7', undefined, factsOf([route('10.0.0.0/24', { nextHops: [{}] })])).how,
      'its link is gone',
    );
  });
});

describe('routes of others', () => {
  it('are forgotten when they are deleted, one next hop at a time for IPv6', () => {
    const foreign = new ForeignRoutes([254]);
    const hops = [
      { gateway: 'fd00::1', deviceIndex: 2 },
      { gateway: 'fd00::2', deviceIndex: 2 },
    ];
    const both = route('fd01::/16', { metric: 1024, nextHops: hops });
    const address = Uint8Array.from([0xfd, 1, ...Array.from({ length: 14 }, () => 0)]);
    foreign.apply('new', both);
    foreign.apply('deleted', { ...both, nextHops: [hops[0]!] });
    assert.deepEqual(foreign.match(1, address)[0]?.nextHops, [hops[1]]);
    foreign.apply('deleted', { ...both, nextHops: [hops[1]!] });
    assert.deepEqual(foreign.match(1, address), []);
  });

  it('resolve nothing when every link has them: fe80::/10 and ff00::/8', () => {
    const foreign = new ForeignRoutes([254]);
    for (const text of ['fe80::/64', 'febf:1::/32', 'ff00::/8', 'ff02::1/128'])
      assert.equal(foreign.apply('new', route(text)), false, text);
    for (const text of ['fe7f::/16', 'fec0::/10', 'fe8::/16', '::/0', '254.128.0.0/16'])
      assert.equal(foreign.apply('new', route(text)), true, text);
  });

  it('tell whether an IPv4 route leads through a link', () => {
    const foreign = new ForeignRoutes([254]);
    foreign.apply('new', connected);
    assert.equal(foreign.usesLink(2), true);
    assert.equal(foreign.usesLink(3), false);
    foreign.apply('deleted', connected);
    assert.equal(foreign.usesLink(2), false);
  });

  it('count IPv4 routes of each link, whatever comes and goes twice', () => {
    const foreign = new ForeignRoutes([254]);
    const over = (destination: string, metric: number, ...indexes: number[]): Route =>
      route(destination, { metric, nextHops: indexes.map((deviceIndex) => ({ deviceIndex })) });
    foreign.apply('new', over('10.1.0.0/16', 0, 2));
    foreign.apply('new', over('10.1.0.0/16', 5, 2, 3));
    foreign.apply('new', over('10.1.0.0/16', 5, 2, 3));
    foreign.apply('new', route('10.2.0.0/16', { type: 'blackhole', nextHops: [{ deviceIndex: 4 }] }));
    assert.deepEqual(
      [2, 3, 4].map((i) => foreign.usesLink(i)),
      [true, true, false],
    );
    foreign.apply('deleted', over('10.1.0.0/16', 5));
    assert.deepEqual(
      [2, 3].map((i) => foreign.usesLink(i)),
      [true, false],
    );
    foreign.apply('deleted', over('10.1.0.0/16', 0));
    assert.equal(foreign.usesLink(2), false);
    foreign.apply('new', over('10.3.0.0/16', 0, 2));
    foreign.apply('new', over('10.4.0.0/16', 0, 2));
    foreign.apply('deleted', over('10.3.0.0/16', 0, 2));
    assert.equal(foreign.usesLink(2), true, 'the other one still does');
    foreign.apply('deleted', over('10.4.0.0/16', 0, 2));
    assert.equal(foreign.usesLink(2), false);
    foreign.apply('new', over('fd01::/64', 0, 2));
    assert.equal(foreign.usesLink(2), false, 'of IPv6 routes the kernel tells');
    foreign.apply('new', over('10.1.0.0/16', 0, 2));
    foreign.clear();
    assert.equal(foreign.usesLink(2), false);
    assert.deepEqual([...foreign.all(254)], []);
  });

  it('answer by the longest prefix, of one prefix the lowest metric first, of tables the first that knows', () => {
    const foreign = new ForeignRoutes([255, 254]);
    const metrics = (...octets: number[]): number[] =>
      foreign.match(0, Uint8Array.from(octets)).map(({ metric }) => metric);
    for (const [destination, metric] of [
      ['10.0.0.0/8', 1],
      ['10.1.0.0/16', 30],
      ['10.1.0.0/16', 20],
      ['10.1.0.0/16', 25],
      ['10.1.2.3/32', 3],
      ['10.7.0.0/16', 2],
      ['0.0.0.0/0', 9],
    ] as const)
      foreign.apply('new', route(destination, { metric }));
    assert.deepEqual(metrics(10, 1, 2, 4), [20, 25, 30]);
    assert.deepEqual(metrics(10, 1, 2, 3), [3]);
    assert.deepEqual(metrics(10, 2, 0, 0), [1]);
    assert.deepEqual(metrics(11, 0, 0, 0), [9]);
    assert.deepEqual(
      [...foreign.all(254)].map(({ destination, metric }) => `${destination} ${metric}`).sort(),
      ['0.0.0.0/0 9', '10.0.0.0/8 1', '10.1.0.0/16 20', '10.1.2.3/32 3', '10.7.0.0/16 2'],
    );
    foreign.apply('new', route('0.0.0.0/0', { table: 255, metric: 7 }));
    assert.deepEqual(metrics(10, 1, 2, 3), [7], 'a table that is asked first');
    assert.equal(foreign.apply('new', route('10.9.0.0/16', { table: 100 })), false);
    assert.deepEqual([...foreign.all(100)], []);
    foreign.apply('deleted', route('0.0.0.0/0', { table: 255, metric: 7 }));
    for (const metric of [20, 25, 30]) foreign.apply('deleted', route('10.1.0.0/16', { metric }));
    assert.deepEqual(metrics(10, 1, 2, 4), [1]);
    assert.equal([...foreign.all(254)].length, 4);
  });

  it('of several next hops lose those that the kernel names, by gateway and link', () => {
    const foreign = new ForeignRoutes([254]);
    const hops = [
      { gateway: 'fe80::1', deviceIndex: 2 },
      { gateway: 'fe80::1', deviceIndex: 3 },
      { gateway: 'fe80::2', deviceIndex: 2 },
      { gateway: 'fe80::2', deviceIndex: 3 },
    ];
    const address = new Uint8Array(16).fill(1);
    const left = () => foreign.match(1, address)[0]?.nextHops;
    foreign.apply('new', route('::/0', { nextHops: hops }));
    foreign.apply('deleted', route('::/0', { nextHops: [hops[1]!, hops[2]!] }));
    assert.deepEqual(left(), [hops[0], hops[3]]);
    foreign.apply('deleted', route('::/0', { metric: 7, nextHops: hops }));
    assert.deepEqual(left(), [hops[0], hops[3]], 'one of another metric');
    foreign.apply('deleted', route('::/0', { nextHops: [hops[0]!, hops[3]!] }));
    assert.equal(left(), undefined);
    foreign.apply('new', route('::/0', { nextHops: [hops[0]!] }));
    foreign.apply('deleted', route('::/0', { nextHops: [hops[1]!] }));
    assert.equal(left(), undefined, 'its only one was another by then');
    // IPv4 names one next hop, perhaps, and means the route.
    foreign.apply('new', route('0.0.0.0/0', { nextHops: hops.map(({ deviceIndex }) => ({ deviceIndex })) }));
    foreign.apply('deleted', route('0.0.0.0/0', { nextHops: [{ deviceIndex: 2 }] }));
    assert.deepEqual(foreign.match(0, new Uint8Array(4)), []);
  });
});
