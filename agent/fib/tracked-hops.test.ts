// The next hops that are used: how each is reached, who uses it, and what makes another answer.
import assert from 'node:assert/strict';
import type { Link, Route } from '#linux';
import { ForeignRoutes } from './foreign-routes.ts';
import { NextHops } from './tracked-hops.ts';

const link = (index: number, name: string): Link => ({
  ...{ index, name, mtu: 1500, up: true, carrier: true, loopback: false, group: 0, peerElsewhere: false },
});
const route = (destination: string, deviceIndex: number, gateway?: string): Route => ({
  ...{ family: 'ipv4', destination, table: 254, protocol: 4, scope: 'link', type: 'unicast', metric: 0 },
  nextHops: [{ deviceIndex, ...(gateway === undefined ? {} : { gateway }) }],
});

describe('the next hops that are used', () => {
  let foreign: ForeignRoutes;
  let links: Map<number, Link>;
  let hops: NextHops;
  beforeEach(() => {
    foreign = new ForeignRoutes([254]);
    links = new Map([link(2, 'eth0'), link(3, 'eth1')].map((l) => [l.index, l]));
    hops = new NextHops({ links, foreign });
    foreign.apply('new', route('10.9.0.0/24', 2));
  });
  const known = () => [...hops.all()].map(({ address, device }) => `${address}%${device}`);

  it('are kept once for an address on a link, as long as somebody uses them', () => {
    const one = hops.acquire('fe80::1', 'eth0');
    assert.equal(hops.acquire('fe80::1', 'eth0'), one);
    const other = hops.acquire('fe80::1', 'eth1');
    assert.notEqual(other, one);
    assert.equal(hops.get(one.id), one);
    assert.deepEqual(known(), ['fe80::1%eth0', 'fe80::1%eth1']);
    hops.release(one.id);
    hops.release(other.id);
    assert.deepEqual(known(), ['fe80::1%eth0']);
    assert.equal(hops.get(other.id), undefined);
    hops.release(one.id);
    assert.deepEqual(known(), []);
    hops.release(one.id);
    hops.release(77);
    assert.equal(hops.acquire('10.9.0.1', undefined).id < 2, true, 'numbers are used again');
    assert.equal(hops.acquire('10.9.0.2', undefined).id < 2, true);
  });

  it('are tracked by the speaker at most once each, beside those who install routes', () => {
    const tracked = hops.track('10.9.0.1', undefined);
    assert.equal(hops.track('10.9.0.1', undefined), tracked);
    const used = hops.acquire('10.9.0.1', undefined);
    assert.equal(used, tracked);
    hops.untrack('10.9.0.1', undefined);
    hops.untrack('10.9.0.1', undefined);
    hops.untrack('10.9.0.77', undefined);
    assert.deepEqual([known(), used.isTracked], [['10.9.0.1%undefined'], false]);
    assert.equal(hops.track('10.9.0.1', undefined).isTracked, true);
    hops.release(used.id);
    assert.deepEqual(known(), ['10.9.0.1%undefined']);
    hops.untrack('10.9.0.1', undefined);
    assert.deepEqual(known(), []);
  });

  it('are resolved when they are first asked for, and again; those that changed are told', () => {
    const near = hops.acquire('10.9.0.1', undefined);
    const far = hops.acquire('192.0.2.1', undefined);
    assert.deepEqual([near.resolution.isReachable, far.resolution.isReachable], [true, false]);
    assert.deepEqual(hops.resolveAgain(), []);
    foreign.apply('new', route('192.0.2.0/24', 3, '10.9.1.1'));
    assert.deepEqual(hops.resolveAgain(), [far]);
    assert.equal(far.resolution.how, 'via 10.9.1.1 dev eth1');
    assert.deepEqual(hops.resolveAgain(), []);
  });

  it('are reached through a gateway where that is said, in whatever state it is, and are on no link then', () => {
    const behind = hops.acquire('192.0.2.1', undefined);
    const onLink = hops.acquire('fe80::1', 'eth0');
    hops.gateways = new Map([
      ['192.0.2.1', '10.9.0.254'],
      ['fe80::1', '10.9.0.254'],
    ]);
    assert.deepEqual(hops.resolveAgain(), [behind]);
    const { isReachable, isOnLink, hops: ways, how } = behind.resolution;
    assert.deepEqual(
      [isReachable, isOnLink, ways],
      [true, false, [{ gateway: '10.9.0.254', deviceIndex: 2 }]],
    );
    assert.equal(how, 'through its gateway 10.9.0.254, which is connected on eth0');
    assert.equal(onLink.resolution.isOnLink, true);
    foreign.apply('deleted', route('10.9.0.0/24', 2));
    assert.deepEqual(hops.resolveAgain(), [behind]);
    assert.equal(behind.resolution.how, 'through its gateway 10.9.0.254, which no route leads to it');
  });

  it('depend on the links that they go over, and on those that they are named with', () => {
    assert.equal(hops.dependsOn(link(2, 'eth0')), false);
    hops.acquire('192.0.2.1', undefined);
    assert.equal(hops.dependsOn(link(2, 'eth0')), false, 'it goes over none');
    hops.acquire('10.9.0.1', undefined);
    const two = hops.acquire('198.51.100.1', undefined);
    assert.deepEqual([hops.dependsOn(link(2, 'eth0')), hops.dependsOn(link(3, 'eth1'))], [true, false]);
    foreign.apply('new', {
      ...route('198.51.100.0/24', 2, '10.9.0.9'),
      nextHops: [
        { gateway: '10.9.0.9', deviceIndex: 2 },
        { gateway: '10.9.1.9', deviceIndex: 3 },
      ],
    });
    hops.resolveAgain();
    assert.equal(hops.dependsOn(link(3, 'eth1')), true, 'one of two ways goes over it');
    hops.release(two.id);
    hops.acquire('fe80::1', 'eth9');
    assert.deepEqual([hops.dependsOn(link(9, 'eth9')), hops.dependsOn(link(3, 'eth1'))], [true, false]);
  });
});
