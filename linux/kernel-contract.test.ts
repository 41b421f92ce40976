// What podroute expects of a Kernel, asked of Linux itself (in a fresh namespace) and of the one in memory.
import assert from 'node:assert/strict';
import { type Kernel, type KernelEvent, PODROUTE_PROTOCOL, type Request, type Route } from './kernel.ts';
import { waitUntil } from '#world';
import { KernelError } from './kernel-error.ts';
import { MemoryKernel } from './memory/memory-kernel.ts';
import { openKernel } from './real/real-kernel.ts';
import { needNamespaces, TestNetns } from './testing/temporary-netns.ts';

const bindings = [
  { name: 'in memory', isReal: false },
  { name: 'of Linux', isReal: true },
];

/** eth7 has 10.1.1.1/24 and fd00:1::1/64, its other end is eth8. */
const twoEnds: readonly Request[] = [
  { type: 'setLink', device: 'lo', up: true },
  {
    type: 'addLink',
    kind: 'veth',
    name: 'eth7',
    mac: '02:00:00:00:00:07',
    mtu: 1400,
    up: true,
    peer: { name: 'eth8' },
  },
  { type: 'setLink', device: 'eth8', up: true },
  { type: 'addAddress', device: 'eth7', address: '10.1.1.1/24' },
  { type: 'addAddress', device: 'eth7', address: 'fd00:1::1/64', noDad: true },
];

for (const { name, isReal } of bindings) {
  describe(`a kernel ${name}`, function () {
    if (isReal) needNamespaces(this);
    let netns: TestNetns | undefined;
    let kernel: Kernel;
    let events: KernelEvent[];
    let watch: Disposable;

    beforeEach(async () => {
      netns = isReal ? new TestNetns() : undefined;
      kernel = netns === undefined ? new MemoryKernel() : await openKernel({ netns: netns.path });
      events = [];
      watch = kernel.watch((event) => events.push(event), {
        kinds: ['link', 'address', 'route', 'neighbour', 'rule'],
      });
      assert.deepEqual(await kernel.apply(twoEnds), [undefined, undefined, undefined, undefined, undefined]);
    });
    afterEach(async () => {
      watch[Symbol.dispose]();
      await kernel[Symbol.asyncDispose]();
      netns?.[Symbol.dispose]();
    });

    const linkIndex = async (device: string) =>
      (await kernel.links()).find((link) => link.name === device)?.index;
    const only = async (request: Request) => (await kernel.apply([request]))[0]?.message;
    const ours = async (): Promise<Route[]> => await kernel.routes({ protocol: 179 });
    /** Waits until a notification like this has come. */
    const heard = async (test: (event: KernelEvent) => boolean) => {
      await waitUntil('a notification', 5_000, () => events.some(test));
      return true;
    };

    it('shows a veth with both ends up and with carrier', async () => {
      const links = await kernel.links();
      const [own, other] = ['eth7', 'eth8'].map((device) => links.find((link) => link.name === device));
      assert.ok(own && other);
      assert.deepEqual(
        { ...own, index: 0, peerIndex: own.peerIndex === other.index },
        {
          index: 0,
          name: 'eth7',
          kind: 'veth',
          mac: '02:00:00:00:00:07',
          mtu: 1400,
          up: true,
          carrier: true,
          loopback: false,
          group: 0,
          peerElsewhere: false,
          peerIndex: true,
        },
      );
      assert.equal(links.find((link) => link.loopback)?.name, 'lo');
    });

    it('shows addresses with the routes that come with them', async () => {
      const deviceIndex = await linkIndex('eth7');
      const address = (await kernel.addresses()).find((found) => found.address === '10.1.1.1/24');
      assert.deepEqual(address, {
        family: 'ipv4',
        address: '10.1.1.1/24',
        deviceIndex,
        device: 'eth7',
        scope: 'global',
        tentative: false,
        permanent: true,
      });
      const connected = (await kernel.routes({ table: 254, protocol: 2 })).map((route) => route.destination);
      assert.ok(connected.includes('10.1.1.0/24') && connected.includes('fd00:1::/64'), connected.join(' '));
    });

    it('gives one result a request, and goes on after one that fails', async () => {
      const results = await kernel.apply([
        {
          type: 'addRoute',
          route: { destination: '10.2.0.0/24', nextHops: [{ gateway: '10.9.9.9', device: 'eth7' }] },
        },
        { type: 'addRoute', route: { destination: '10.3.0.0/24', nextHops: [{ gateway: '10.1.1.2' }] } },
        { type: 'addLink', kind: 'veth', name: 'eth7', peer: { name: 'eth9' } },
        { type: 'deleteRoute', route: { destination: '10.4.0.0/24', protocol: 179 } },
        { type: 'deleteLink', device: 'nope' },
        { type: 'addAddress', device: 'eth7', address: '10.1.1.1/24' },
        { type: 'deleteAddress', device: 'eth7', address: '10.1.1.9/24' },
        { type: 'deleteNeighbour', device: 'eth7', address: '10.1.1.9' },
        { type: 'addRoute', route: { destination: 'ten', nextHops: [{ gateway: '10.1.1.2' }] } },
      ]);
      assert.deepEqual(
        results.map((error) => error?.code),
        [
          'ENETUNREACH',
          undefined,
          'EEXIST',
          'ESRCH',
          'ENODEV',
          'EEXIST',
          'EADDRNOTAVAIL',
          'ENOENT',
          'EINVAL',
        ],
      );
      assert.equal(
        results[0]?.message,
        'add route 10.2.0.0/24 via 10.9.9.9 dev eth7 table 254: ENETUNREACH (Nexthop has invalid gateway)',
      );
      assert.match(results[4]?.message ?? '', /^delete link nope: ENODEV \(no device nope/);
      assert.deepEqual(
        (await ours()).map((route) => route.destination),
        ['10.3.0.0/24'],
      );
    });

    it('keeps type, table, metric, weights, source and MTU of a route', async () => {
      const device = 'eth7';
      const deviceIndex = await linkIndex(device);
      const errors = await kernel.apply([
        {
          type: 'addRoute',
          route: {
            destination: '10.2.0.0/16',
            nextHops: [
              { gateway: '10.1.1.2', device },
              { gateway: '10.1.1.3', device, weight: 3 },
            ],
            table: 1000,
            metric: 1024,
            source: '10.1.1.1',
            mtu: 1300,
          },
        },
        {
          type: 'addRoute',
          route: { destination: 'fd00:2::/48', nextHops: [{ gateway: 'fd00:1::2', device }], metric: 7 },
        },
        {
          type: 'addRoute',
          route: { destination: '10.5.0.0/24', nextHops: [{ gateway: 'fd00:1::2', device }] },
        },
        { type: 'addRoute', route: { destination: '10.6.0.0/24', type: 'unreachable', metric: 1024 } },
        { type: 'addRoute', route: { destination: 'fd00:6::/64', type: 'unreachable', metric: 1024 } },
        {
          type: 'addRoute',
          route: { destination: '10.7.0.0/24', nextHops: [{ gateway: '169.254.1.1', device, onlink: true }] },
        },
      ]);
      assert.deepEqual(
        errors.filter((error) => error !== undefined),
        [],
      );
      const common = { protocol: 179, scope: 'global', type: 'unicast', table: 254 } as const;
      const found = new Map((await ours()).map((route) => [route.destination, route]));
      assert.deepEqual(found.get('10.2.0.0/16'), {
        ...common,
        family: 'ipv4',
        destination: '10.2.0.0/16',
        table: 1000,
        metric: 1024,
        source: '10.1.1.1',
        mtu: 1300,
        nextHops: [
          { gateway: '10.1.1.2', deviceIndex, device },
          { gateway: '10.1.1.3', deviceIndex, device, weight: 3 },
        ],
      });
      assert.deepEqual(found.get('fd00:2::/48'), {
        ...common,
        family: 'ipv6',
        destination: 'fd00:2::/48',
        metric: 7,
        nextHops: [{ gateway: 'fd00:1::2', deviceIndex, device }],
      });
      assert.deepEqual(found.get('10.5.0.0/24')?.nextHops, [{ gateway: 'fd00:1::2', deviceIndex, device }]);
      for (const prefix of ['10.6.0.0/24', 'fd00:6::/64']) {
        assert.deepEqual([found.get(prefix)?.type, found.get(prefix)?.nextHops], ['unreachable', []]);
      }
      assert.equal(found.get('10.7.0.0/24')?.nextHops[0]?.onlink, true);
      assert.deepEqual(await kernel.routes({ table: 4711 }), []);
      assert.deepEqual(
        (await kernel.routes({ protocol: 179, family: 'ipv6' })).map((route) => route.destination).sort(),
        ['fd00:2::/48', 'fd00:6::/64'],
      );
    });

    it('adds a route only where none of the same metric is, and replaces when told', async () => {
      const route = (gateway: string) => ({
        destination: '10.2.0.0/24',
        nextHops: [{ gateway }],
        metric: 1024,
      });
      assert.equal(await only({ type: 'addRoute', route: route('10.1.1.2') }), undefined);
      assert.match((await only({ type: 'addRoute', route: route('10.1.1.3') })) ?? '', /EEXIST/);
      assert.equal(await only({ type: 'addRoute', route: route('10.1.1.4'), replace: true }), undefined);
      assert.equal(await only({ type: 'addRoute', route: { ...route('10.1.1.5'), metric: 9 } }), undefined);
      const gateways = (await ours()).map((found) => found.nextHops[0]?.gateway ?? '').sort();
      assert.deepEqual(gateways, ['10.1.1.4', '10.1.1.5']);
    });

    it('deletes the route of that protocol and metric, and no other', async () => {
      const nextHops = [{ gateway: '10.1.1.2' }];
      await kernel.apply([
        { type: 'addRoute', route: { destination: '10.2.0.0/24', nextHops, protocol: 4, metric: 5 } },
        { type: 'addRoute', route: { destination: '10.2.0.0/24', nextHops, metric: 1024 } },
      ]);
      const destination = '10.2.0.0/24';
      assert.match(
        (await only({ type: 'deleteRoute', route: { destination, protocol: 186 } })) ?? '',
        /ESRCH/,
      );
      assert.match(
        (await only({ type: 'deleteRoute', route: { destination, protocol: 179, metric: 5 } })) ?? '',
        /ESRCH/,
      );
      assert.equal(await only({ type: 'deleteRoute', route: { destination, protocol: 179 } }), undefined);
      assert.deepEqual((await kernel.routes({ protocol: 4 })).length, 1);
    });

    it('looks up what a packet would do', async () => {
      const deviceIndex = await linkIndex('eth7');
      await kernel.apply([
        { type: 'addRoute', route: { destination: '10.2.0.0/16', nextHops: [{ gateway: '10.1.1.2' }] } },
        { type: 'addRoute', route: { destination: '10.2.3.0/24', type: 'unreachable' } },
        {
          type: 'addRoute',
          route: { destination: 'fd00:2::/48', nextHops: [{ gateway: 'fd00:1::2', device: 'eth7' }] },
        },
      ]);
      const way = { kind: 'unicast', device: 'eth7', deviceIndex, source: '10.1.1.1' };
      assert.deepEqual(await kernel.lookup('10.2.0.1'), { ...way, gateway: '10.1.1.2' });
      assert.deepEqual(await kernel.lookup('10.1.1.77'), way);
      assert.deepEqual(await kernel.lookup('10.2.3.4'), { kind: 'unreachable' });
      assert.deepEqual(await kernel.lookup('fd00:2::9'), {
        ...way,
        gateway: 'fd00:1::2',
        source: 'fd00:1::1',
      });
      const own = await kernel.lookup('10.1.1.1');
      assert.ok(!(own instanceof KernelError) && own.kind === 'local' && own.device === 'lo');
      const nowhere = await kernel.lookup('192.0.2.1');
      assert.ok(nowhere instanceof KernelError);
      assert.equal(nowhere.message, 'look up route to 192.0.2.1: ENETUNREACH');
    });

    it('tells of links, addresses, routes, neighbours and rules that come and go', async () => {
      await kernel.apply([
        { type: 'addRoute', route: { destination: '10.2.0.0/24', nextHops: [{ gateway: '10.1.1.2' }] } },
        { type: 'deleteRoute', route: { destination: '10.2.0.0/24', protocol: 179 } },
        { type: 'addNeighbour', device: 'eth7', address: '10.1.1.9', mac: '02:00:00:00:00:09' },
        { type: 'addRule', rule: { family: 'ipv4', priority: 77, table: 1000, to: '10.8.0.0/16' } },
        { type: 'deleteRule', rule: { family: 'ipv4', priority: 77, table: 1000, to: '10.8.0.0/16' } },
        { type: 'deleteAddress', device: 'eth7', address: '10.1.1.1/24' },
        { type: 'deleteLink', device: 'eth8' },
      ]);
      assert.ok(await heard((e) => e.type === 'link' && e.change === 'deleted' && e.link.name === 'eth8'));
      const changes = (test: (event: KernelEvent) => boolean) =>
        events.filter(test).map((event) => ('change' in event ? event.change : event.type));
      const pair = ['new', 'deleted'];
      assert.deepEqual(
        changes((e) => e.type === 'route' && e.route.destination === '10.2.0.0/24'),
        pair,
      );
      assert.deepEqual(
        changes((e) => e.type === 'address' && e.address.address === '10.1.1.1/24'),
        pair,
      );
      assert.deepEqual(
        changes((e) => e.type === 'rule' && e.rule.priority === 77),
        pair,
      );
      const neighbour = events.find((e) => e.type === 'neighbour' && e.neighbour.address === '10.1.1.9');
      assert.ok(neighbour?.type === 'neighbour' && neighbour.neighbour.mac === '02:00:00:00:00:09');
      assert.ok(await heard((e) => e.type === 'link' && e.change === 'deleted' && e.link.name === 'eth7'));
    });

    it('takes routes away with the link that they go through', async () => {
      await kernel.apply([
        { type: 'addRoute', route: { destination: '10.2.0.0/24', nextHops: [{ gateway: '10.1.1.2' }] } },
        { type: 'addRoute', route: { destination: 'fd00:2::/64', nextHops: [{ gateway: 'fd00:1::2' }] } },
      ]);
      assert.equal((await ours()).length, 2);
      await kernel.apply([{ type: 'setLink', device: 'eth7', up: false }]);
      assert.deepEqual(await ours(), []);
      assert.ok(await heard((e) => e.type === 'link' && e.link.name === 'eth7' && !e.link.up));
      assert.match(
        (await only({
          type: 'addRoute',
          route: { destination: '10.2.0.0/24', nextHops: [{ device: 'eth7' }] },
        })) ?? '',
        /ENETDOWN \(Device for nexthop is not up\)/,
      );
    });

    it('deletes the links of a group together, and never those without one', async () => {
      await kernel.apply([
        { type: 'addLink', kind: 'veth', name: 'pr1', group: 77, peer: { name: 'pr1b' } },
        { type: 'addLink', kind: 'veth', name: 'pr2', group: 77, peer: { name: 'pr2b' } },
      ]);
      assert.equal(await only({ type: 'deleteLinkGroup', group: 77 }), undefined);
      const left = (await kernel.links()).map((link) => link.name).sort();
      assert.deepEqual(left, ['eth7', 'eth8', 'lo']);
      assert.match(
        (await only({ type: 'deleteLinkGroup', group: 0 })) ?? '',
        /delete links of group 0: EINVAL/,
      );
    });

    it('sends thousands of routes in a batch and names the ones that failed', async () => {
      const batch = kernel.routeBatch();
      const ways = [
        batch.internNextHops(0, [{ gateway: '10.1.1.2', device: 'eth7' }]),
        batch.internNextHops(1, [{ gateway: 'fd00:1::2', device: 'eth7' }]),
      ] as const;
      assert.equal(batch.internNextHops(0, [{ gateway: '10.1.1.2', device: 'eth7' }]), ways[0]);
      const address = new Uint8Array(20);
      const count = 1200;
      const each = (action: (family: 0 | 1, offset: number, length: number) => void) => {
        for (let i = 0; i < count; i++) {
          address.set([0, 0, 20, i >> 8, i & 255, 0]);
          action(0, 2, 24);
          address.set([0, 0, 0xfd, 2, i >> 8, i & 255]);
          action(1, 2, 32);
        }
      };
      each((family, offset, length) => batch.add(family, address, offset, length, ways[family]));
      assert.equal(batch.length, 2 * count);
      const added = await batch.commit();
      assert.deepEqual(
        [added.length, added.every((errno) => errno === 0), batch.length],
        [2 * count, true, 0],
      );
      assert.equal((await ours()).length, 2 * count);
      assert.ok(await heard((e) => e.type === 'route' && e.route.destination.startsWith('20.')));

      batch.add(0, Uint8Array.of(20, 0, 0, 0), 0, 24, ways[0]);
      batch.replace(0, Uint8Array.of(20, 0, 1, 0), 0, 24, batch.internType('unreachable'));
      batch.delete(0, Uint8Array.of(99, 0, 0, 0), 0, 8);
      assert.deepEqual([...(await batch.commit())], [17, 0, 3]);
      assert.match(batch.explain(0)?.message ?? '', /^add route 20\.0\.0\.0\/24 .*table 254 .*EEXIST/);
      assert.equal(batch.explain(1), undefined);
      assert.match(batch.explain(2)?.message ?? '', /^delete route 99\.0\.0\.0\/8 .*ESRCH/);

      each((family, offset, length) => batch.delete(family, address, offset, length));
      const deleted = await batch.commit();
      assert.ok(deleted.every((errno) => errno === 0));
      assert.deepEqual(await ours(), []);
      assert.throws(() => batch.internNextHops(0, [{ gateway: '10.1.1.2', device: 'nope' }]), /nope.*ENODEV/);
    });

    it('leaves out of a watch what its own batches do', async () => {
      const seen: string[] = [];
      // Linux makes IPv6 routes of its own (protocol 2) some time after a link came up: they are not the batch's.
      const isOurs = ({ protocol }: Route) => protocol === PODROUTE_PROTOCOL;
      using _own = kernel.watch(
        (e) => e.type === 'route' && isOurs(e.route) && seen.push(e.route.destination),
        {
          skipOwn: true,
        },
      );
      const batch = kernel.routeBatch();
      const id = batch.internNextHops(0, [{ gateway: '10.1.1.2', device: 'eth7' }]);
      batch.add(0, Uint8Array.of(20, 0, 0, 0), 0, 24, id);
      await batch.commit();
      assert.ok(await heard((e) => e.type === 'route' && e.route.destination === '20.0.0.0/24'));
      assert.deepEqual(seen, []);
    });
  });
}
