import assert from 'node:assert/strict';
import { RibLab } from './testing/rib-lab.ts';

const ebgp = (n: number, more = {}) => ({ id: `e${n}`, address: `192.0.2.${n}`, as: 65100 + n, ...more });
const ibgp = (n: number, more = {}) => ({ id: `i${n}`, address: `198.51.100.${n}`, as: 65000, ...more });
const held = (lab: RibLab, id: string) => Object.fromEntries(lab.session(id).held);

describe('rib: routes between peers', () => {
  it('passes an eBGP route on with our AS, our next hop, and without MED and LOCAL_PREF', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.up(ebgp(2));
    lab.settle();
    lab.announce('e1', ['10.1.0.0/16'], { path: [65101], nextHop: '192.0.2.1', med: 5 });
    lab.settle();
    assert.deepEqual(held(lab, 'e2'), { '10.1.0.0/16': 'nh=10.0.0.1 path=65000,65101' });
    assert.deepEqual(held(lab, 'e1'), {}, 'never back to where it came from');
  });

  it('takes 240.0.0.0/4 for routes and next hops, as pools do', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.up(ibgp(1));
    lab.announce('e1', ['240.0.0.0/4', '250.1.0.0/16'], { path: [65101], nextHop: '241.0.0.1' });
    lab.settle();
    const text = 'nh=241.0.0.1 path=65101 lp=100';
    assert.deepEqual(held(lab, 'i1'), { '240.0.0.0/4': text, '250.1.0.0/16': text });
  });

  it('passes IPv6 routes on in MP_REACH_NLRI', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.up(ibgp(1));
    lab.announce('e1', ['fd12::/32', 'fd12:1::/48'], { path: [65101], nextHop: 'fd00::99' });
    lab.settle();
    assert.deepEqual(held(lab, 'i1'), {
      'fd12::/32': 'nh=fd00::99 path=65101 lp=100',
      'fd12:1::/48': 'nh=fd00::99 path=65101 lp=100',
    });
    lab.withdraw('e1', ['fd12::/32']);
    lab.settle();
    assert.deepEqual(Object.keys(held(lab, 'i1')), ['fd12:1::/48']);
  });

  it('does not pass iBGP routes on to iBGP peers, unless one of the two is a reflector client', () => {
    const lab = new RibLab();
    for (const peer of [ibgp(1), ibgp(2), ibgp(3, { client: true }), ibgp(4, { client: true })]) lab.up(peer);
    lab.announce('i1', ['10.1.0.0/16'], { path: [], nextHop: '198.51.100.1', localPref: 200 });
    lab.announce('i3', ['10.3.0.0/16'], { path: [], nextHop: '198.51.100.3', localPref: 100 });
    lab.settle();
    const one = 'nh=198.51.100.1 path= lp=200 orig=198.51.100.1 cl=10.0.0.1';
    const three = 'nh=198.51.100.3 path= lp=100 orig=198.51.100.3 cl=10.0.0.1';
    assert.deepEqual(held(lab, 'i1'), { '10.3.0.0/16': three });
    assert.deepEqual(held(lab, 'i2'), { '10.3.0.0/16': three });
    assert.deepEqual(held(lab, 'i3'), { '10.1.0.0/16': one });
    assert.deepEqual(held(lab, 'i4'), { '10.1.0.0/16': one, '10.3.0.0/16': three });
  });

  it('moves a route between sources: the new source gets a withdrawal, the old one the route', () => {
    const lab = new RibLab();
    for (const n of [1, 2, 3]) lab.up(ebgp(n));
    lab.announce('e2', ['10.1.0.0/16'], { path: [65102, 7], nextHop: '192.0.2.2' });
    lab.settle();
    assert.deepEqual(held(lab, 'e1'), { '10.1.0.0/16': 'nh=10.0.0.1 path=65000,65102,7' });
    lab.announce('e1', ['10.1.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    assert.deepEqual(held(lab, 'e1'), {});
    assert.deepEqual(held(lab, 'e2'), { '10.1.0.0/16': 'nh=10.0.0.1 path=65000,65101' });
    assert.deepEqual(held(lab, 'e3'), { '10.1.0.0/16': 'nh=10.0.0.1 path=65000,65101' });
  });

  it('withdraws everything of a peer that went down, and forgets it', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.up(ebgp(2));
    lab.announce('e1', ['10.1.0.0/16', '10.2.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    lab.down('e1');
    lab.settle();
    assert.deepEqual(held(lab, 'e2'), {});
    assert.deepEqual(lab.pages.sizes().prefixes, { ipv4: 0, ipv6: 0 });
    assert.equal(lab.pages.sizes().attributeSets, 0);
  });

  it('sends the table and End-of-RIB to a new peer, and End-of-RIB even of an empty table', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.settle();
    assert.deepEqual(lab.session('e1').endOfRib, ['ipv4', 'ipv6']);
    lab.announce('e1', ['10.1.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    lab.up(ebgp(2));
    lab.settle();
    assert.deepEqual(held(lab, 'e2'), { '10.1.0.0/16': 'nh=10.0.0.1 path=65000,65101' });
    assert.deepEqual(lab.session('e2').endOfRib, ['ipv4', 'ipv6']);
  });

  it('says nothing when a route is announced again as it was', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.up(ebgp(2));
    const route = { path: [65101], nextHop: '192.0.2.1' };
    lab.announce('e1', ['10.1.0.0/16'], route);
    lab.settle();
    const before = lab.session('e2').messages;
    lab.announce('e1', ['10.1.0.0/16'], route);
    lab.withdraw('e1', ['10.9.0.0/16']);
    lab.settle();
    assert.equal(lab.session('e2').messages, before);
  });

  it('keeps NO_EXPORT from eBGP and NO_ADVERTISE from everybody', () => {
    const lab = new RibLab();
    for (const peer of [ebgp(1), ebgp(2), ibgp(1)]) lab.up(peer);
    const route = { path: [65101], nextHop: '192.0.2.1' };
    lab.announce('e1', ['10.1.0.0/16'], { ...route, communities: [0xffffff01] });
    lab.announce('e1', ['10.2.0.0/16'], { ...route, communities: [0xffffff02] });
    lab.settle();
    assert.deepEqual(held(lab, 'e2'), {});
    assert.deepEqual(Object.keys(held(lab, 'i1')), ['10.1.0.0/16']);
  });

  it('keeps loops out of use, and shows why', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.up(ibgp(1, { client: true }));
    lab.announce('e1', ['10.1.0.0/16'], { path: [65101, 65000], nextHop: '192.0.2.1' });
    lab.announce('i1', ['10.2.0.0/16'], { path: [], nextHop: '198.51.100.1', originator: '10.0.0.1' });
    lab.announce('i1', ['10.3.0.0/16'], { path: [], nextHop: '198.51.100.1', clusterList: ['10.0.0.1'] });
    lab.announce('e1', ['10.4.0.0/16'], { path: [65101], nextHop: '10.0.0.1' });
    lab.settle();
    assert.deepEqual(held(lab, 'i1'), {});
    assert.deepEqual(held(lab, 'e1'), {});
    assert.deepEqual(
      lab.routes({}).map((r) => r.why),
      [
        'loop: our own AS 65000 is in AS_PATH once, none is allowed',
        'loop: ORIGINATOR_ID or CLUSTER_LIST is ours',
        'loop: ORIGINATOR_ID or CLUSTER_LIST is ours',
        'next hop is our own address',
      ],
    );
  });

  it('originates and withdraws own routes, with our next hop for everybody', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.up(ibgp(1));
    lab.rib.originated.originate([
      { prefix: '10.5.0.0/26', why: 'IPAMBlock b', communities: ['65000:7'] },
      { prefix: 'fd05::/122', why: 'IPAMBlock c' },
    ]);
    lab.rib.wake();
    lab.settle();
    assert.deepEqual(held(lab, 'e1'), {
      '10.5.0.0/26': 'nh=10.0.0.1 path=65000 comm=65000:7',
      'fd05::/122': 'nh=fd00::1 path=65000',
    });
    assert.equal(held(lab, 'i1')['10.5.0.0/26'], 'nh=10.0.0.1 path= lp=100 comm=65000:7');
    lab.rib.originated.withdraw(['10.5.0.0/26']);
    lab.rib.wake();
    lab.settle();
    assert.deepEqual(Object.keys(held(lab, 'e1')), ['fd05::/122']);
  });

  it('ends a session that passes its prefix limit', () => {
    const lab = new RibLab();
    lab.up(ebgp(1, { config: { maxPrefixes: { limit: 3, warnPercent: 50 } } }));
    const route = { path: [65101], nextHop: '192.0.2.1' };
    lab.announce('e1', ['10.1.0.0/16', '10.2.0.0/16'], route);
    assert.deepEqual(lab.events, ['near limit e1 0']);
    lab.announce('e1', ['10.3.0.0/16', '10.4.0.0/16'], route);
    assert.deepEqual(lab.events, ['near limit e1 0', 'over limit e1 0']);
    lab.settle();
    assert.equal(lab.pages.sizes().paths, 0);
  });

  it('does not use a path whose next hop is unreachable, and uses it when it comes back', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.up(ebgp(2));
    lab.announce('e1', ['10.1.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    lab.rib.updateNextHop('192.0.2.1', false, 0);
    lab.settle();
    assert.deepEqual(held(lab, 'e2'), {});
    assert.equal(lab.routes({})[0]!.why, 'next hop 192.0.2.1 is unreachable');
    lab.rib.updateNextHop('192.0.2.1', true, 7);
    lab.settle();
    assert.deepEqual(Object.keys(held(lab, 'e2')), ['10.1.0.0/16']);
  });

  it('tells link-local next hops apart by the link of their session', () => {
    const lab = new RibLab();
    const onLink = (id: string, as: number, device: string) =>
      lab.up({ id, address: 'fe80::b', as, families: ['ipv6'], negotiated: { device } });
    onLink('one', 65001, 'eth1');
    onLink('two', 65002, 'eth2');
    lab.announce('one', ['fd00:1::/32'], { path: [65001], nextHop: 'fe80::b' });
    lab.announce('two', ['fd00:1::/32'], { path: [65002, 65009], nextHop: 'fe80::b' });
    lab.settle();
    const best = () => lab.routes({ view: 'best' }).map((route) => route.asPath);
    assert.deepEqual(best(), ['65001']);
    lab.rib.updateNextHop('fe80::b', false, 0, 'eth1');
    lab.settle();
    assert.deepEqual(best(), ['65002 65009']);
    lab.rib.updateNextHop('fe80::b', true, 0, 'eth1');
    lab.settle();
    assert.deepEqual(best(), ['65001']);
  });

  it('does not give a route to the peer whose address is its next hop (TX-4)', () => {
    const lab = new RibLab();
    for (const n of [1, 2, 3]) lab.up(ibgp(n, { client: true }));
    lab.announce('i1', ['10.1.0.0/16'], { path: [], nextHop: '198.51.100.2' });
    lab.settle();
    assert.deepEqual(held(lab, 'i2'), {});
    assert.deepEqual(Object.keys(held(lab, 'i3')), ['10.1.0.0/16']);
    lab.announce('i1', ['10.1.0.0/16'], { path: [], nextHop: '198.51.100.1' });
    lab.settle();
    assert.deepEqual(Object.keys(held(lab, 'i2')), ['10.1.0.0/16']);
    lab.announce('i1', ['10.1.0.0/16'], { path: [], nextHop: '198.51.100.2' });
    lab.settle();
    assert.deepEqual(held(lab, 'i2'), {});
  });

  it('gives it to none of several sessions to that address (TX-4)', () => {
    const lab = new RibLab();
    for (const n of [1, 2, 3]) lab.up(ibgp(n, { client: true }));
    lab.up({ ...ibgp(4, { client: true }), address: '198.51.100.2' });
    lab.announce('i1', ['10.1.0.0/16'], { path: [], nextHop: '198.51.100.2' });
    lab.announce('i4', ['10.2.0.0/16'], { path: [], nextHop: '198.51.100.2' });
    lab.settle();
    assert.deepEqual([held(lab, 'i2'), held(lab, 'i4')], [{}, {}]);
    lab.down('i2');
    lab.settle();
    assert.deepEqual([Object.keys(held(lab, 'i3')).length, held(lab, 'i4')], [2, {}]);
  });
});
