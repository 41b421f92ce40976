// a ── r ── b, with a second way from a to b by s; and hosts on a switch.
import assert from 'node:assert/strict';
import type { Request } from '../kernel.ts';
import { MemoryKernel } from './memory-kernel.ts';
import { walk, walkText } from './walk.ts';

function router(name: string): MemoryKernel {
  const kernel = new MemoryKernel(name);
  kernel.sysctl.write('net/ipv4/ip_forward', '1');
  must(kernel, { type: 'setLink', device: 'lo', up: true });
  return kernel;
}

function must(kernel: MemoryKernel, ...requests: Request[]): void {
  for (const request of requests) assert.equal(kernel.change(request), undefined);
}

function wire(
  a: MemoryKernel,
  nameA: string,
  addressA: string,
  b: MemoryKernel,
  nameB: string,
  addressB: string,
): void {
  const request = { type: 'addLink', kind: 'veth', name: nameA, up: true, peer: { name: nameB } } as const;
  assert.equal(a.addPair(request, b), undefined);
  must(b, { type: 'setLink', device: nameB, up: true });
  if (addressA !== '') must(a, { type: 'addAddress', device: nameA, address: addressA });
  if (addressB !== '') must(b, { type: 'addAddress', device: nameB, address: addressB });
}

const via = (destination: string, ...gateways: string[]): Request => ({
  type: 'addRoute',
  replace: true,
  route: { destination, nextHops: gateways.map((gateway) => ({ gateway })) },
});

describe('a packet through kernels in memory', () => {
  let a: MemoryKernel;
  let b: MemoryKernel;
  let r: MemoryKernel;
  let s: MemoryKernel;
  beforeEach(() => {
    [a, r, s, b] = [router('a'), router('r'), router('s'), router('b')];
    wire(a, 'toR', '10.1.0.1/24', r, 'toA', '10.1.0.2/24');
    wire(r, 'toB', '10.2.0.1/24', b, 'toR', '10.2.0.2/24');
    wire(a, 'toS', '10.3.0.1/24', s, 'toA', '10.3.0.2/24');
    wire(s, 'toB', '10.4.0.1/24', b, 'toS', '10.4.0.2/24');
    must(a, via('10.2.0.0/16', '10.1.0.2'));
  });
  const text = (destination: string) => walkText(walk(a, destination));

  it('goes by the longest match from neighbour to neighbour, and arrives', () => {
    assert.equal(text('10.2.0.2'), 'a toR via 10.1.0.2, r toB: arrived at b');
    must(a, via('10.2.0.2/32', '10.3.0.2'));
    must(s, via('10.2.0.0/24', '10.4.0.2'));
    assert.equal(text('10.2.0.2'), 'a toS via 10.3.0.2, s toB via 10.4.0.2: arrived at b');
    assert.equal(text('10.1.0.1'), ': arrived at a');
  });

  it('falls into a hole without a route, a link, a neighbour, or forwarding', () => {
    assert.equal(text('192.0.2.1'), ': hole at a, no route');
    assert.equal(text('10.1.0.77'), ': hole at a, nobody answers for 10.1.0.77 on toR');
    r.sysctl.write('net/ipv4/ip_forward', '0');
    assert.equal(text('10.2.0.2'), 'a toR via 10.1.0.2: hole at r, it does not forward');
    r.sysctl.write('net/ipv4/ip_forward', '1');
    must(b, { type: 'setLink', device: 'toR', up: false });
    assert.match(text('10.2.0.2'), /^a toR via 10\.1\.0\.2: hole at r, toB of 10\.2\.0\.0\/24 is down$/);
  });

  it('tries every next hop, and tells of the one that fails', () => {
    must(a, via('10.9.0.0/24', '10.1.0.2', '10.3.0.2'));
    must(b, { type: 'addAddress', device: 'lo', address: '10.9.0.1/32' });
    must(r, via('10.9.0.0/24', '10.2.0.2'));
    assert.equal(text('10.9.0.1'), 'a toS via 10.3.0.2: hole at s, no route');
    must(s, via('10.9.0.0/24', '10.4.0.2'));
    assert.equal(text('10.9.0.1'), 'a toR via 10.1.0.2, r toB via 10.2.0.2: arrived at b');
  });

  it('is dropped where it comes from a pod with an address that is not the pod’s', () => {
    r.podTable.replace([{ link: 'toA', addresses: ['10.1.0.1'] }]);
    assert.equal(text('10.2.0.2'), 'a toR via 10.1.0.2, r toB: arrived at b');
    assert.equal(
      walkText(walk(a, '10.2.0.2', '10.3.0.1')),
      'a toR via 10.1.0.2: hole at r, 10.3.0.1 is no address of the pod behind toA',
    );
    // Also to the host itself, and not by links that are no pod's.
    assert.equal(walk(a, '10.1.0.2', '10.3.0.1').end.kind, 'hole');
    assert.equal(walk(a, '10.3.0.2', '192.0.2.1').end.kind, 'arrived');
    must(b, via('10.1.0.0/24', '10.2.0.1'));
    assert.equal(walk(b, '10.1.0.1', '192.0.2.1').end.kind, 'arrived');
  });

  it('meets unreachable routes and loops', () => {
    must(r, { type: 'addRoute', route: { destination: '10.2.7.0/24', type: 'unreachable' } });
    assert.equal(text('10.2.7.1'), 'a toR via 10.1.0.2: unreachable at r');
    must(r, { type: 'addRoute', route: { destination: '10.2.8.0/24', type: 'blackhole' } });
    assert.equal(text('10.2.8.1'), 'a toR via 10.1.0.2: hole at r, a blackhole route to 10.2.8.0/24');
    must(r, via('10.2.9.0/24', '10.1.0.1'));
    assert.equal(text('10.2.9.1'), 'a toR via 10.1.0.2, r toA via 10.1.0.1: loop at a');
  });

  it('crosses a switch to whoever has the address, and to no port that is down', () => {
    const sw = router('switch');
    must(sw, { type: 'addLink', kind: 'bridge', name: 'br0', up: true });
    const bridge = sw.indexOf('br0');
    const hosts = [1, 2, 3].map((n) => {
      const host = router(`h${n}`);
      wire(host, 'eth0', `10.0.0.${n}/24`, sw, `p${n}`, '');
      must(sw, { type: 'setLink', device: `p${n}`, master: bridge });
      return host;
    });
    must(sw, { type: 'addAddress', device: 'br0', address: '10.0.0.254/24' });
    assert.equal(walkText(walk(hosts[0]!, '10.0.0.3')), 'h1 eth0: arrived at h3');
    assert.equal(walkText(walk(hosts[0]!, '10.0.0.254')), 'h1 eth0: arrived at switch');
    assert.equal(walkText(walk(sw, '10.0.0.2')), 'switch br0: arrived at h2');
    must(sw, { type: 'setLink', device: 'p3', up: false });
    assert.match(walkText(walk(hosts[0]!, '10.0.0.3')), /hole at h1, nobody answers for 10\.0\.0\.3 on eth0/);
    hosts[1]!.end();
    assert.equal(sw.indexOf('p2'), 0);
  });
});
