// What a dump and each notification mean, with columns of two families and a kernel in memory that is never asked.
import assert from 'node:assert/strict';
import { type Kernel, type KernelEvent, type Link, MemoryKernel, type Route } from '#linux';
import { Columns } from '../fib-columns.ts';
import { HopSets } from '../hop-sets.ts';
import { NO_TARGET, Targets } from '../targets.ts';
import { tablePrefix } from '../table-prefix.ts';
import { NextHops } from '../tracked-hops.ts';
import { KernelView } from './kernel-view.ts';

const link = (index: number, name: string, change: Partial<Link> = {}): Link => ({
  ...{ index, name, mtu: 1500, up: true, carrier: true, loopback: false, group: 0, peerElsewhere: false },
  ...change,
});
function route(destination: string, change: Partial<Route> = {}): Route {
  const family = destination.includes(':') ? 'ipv6' : 'ipv4';
  const base = { table: 254, protocol: 179, scope: 'global', type: 'unreachable', metric: 1024 } as const;
  return { family, destination, ...base, nextHops: [], ...change };
}
const via = (gateway: string, deviceIndex = 2): Partial<Route> => ({
  type: 'unicast',
  nextHops: [{ gateway, deviceIndex }],
});
const pod = (destination: string): Route =>
  route(destination, { type: 'unicast', nextHops: [{ deviceIndex: 9 }] });

class Bench {
  readonly kernel: Kernel = new MemoryKernel();
  readonly view = new KernelView({ kernel: this.kernel, table: 254, protocol: 179, metric: 1024 });
  readonly targets = new Targets(this.kernel.routeBatch({ table: 254, protocol: 179 }), 1024);
  readonly #sets = new HopSets(new NextHops(this.view), this.targets);
  readonly unreachable = this.targets.takeUnreachable();
  readonly columns = [0, 1].map(
    (family) => new Columns(family as 0 | 1, 42, this.#sets, this.targets, this.unreachable),
  ) as unknown as readonly [Columns, Columns];

  /** Held by a block, and as if it had been flushed. */
  hold(prefix: string, installed = this.unreachable): number {
    const { family, bytes, length } = tablePrefix(prefix);
    const column = this.columns[family];
    const id = column.add(bytes, 0, length);
    column.hold(id, true);
    column.setInstalled(id, installed);
    this.rest();
    return id;
  }
  /** The queue is empty. */
  rest(): void {
    this.pending();
  }
  /** Prefixes that wait to be looked at; they have been, then. */
  pending(): string[] {
    return this.columns.flatMap((column) => {
      const out: string[] = [];
      for (let id = column.next(); id >= 0; id = column.next()) {
        out.push(column.textOf(id));
        column.done(id);
      }
      return out;
    });
  }
  hear(event: KernelEvent, isUsed = false) {
    return this.view.apply(event, this.columns, () => isUsed);
  }
  reconcile(own: readonly Route[], keepUnwanted = false): number {
    return this.view.reconcile(own, this.columns, this.targets, keepUnwanted);
  }
}

describe('a dump of the kernel’s routes, read', () => {
  it('leaves nothing of what was there before, and gives the own routes', async () => {
    const eth0 = route('10.9.0.0/24', { protocol: 2, type: 'unicast', nextHops: [{ deviceIndex: 2 }] });
    const shown = { links: [link(2, 'eth0')], routes: [eth0, route('10.1.0.0/26'), pod('10.1.0.5/32')] };
    class Shown extends MemoryKernel {
      override links = async () => shown.links;
      override routes = async ({ table }: { table?: number } = {}) => (table === 254 ? shown.routes : []);
    }
    const view = new KernelView({ kernel: new Shown(), table: 254, protocol: 179, metric: 1024 });
    assert.deepEqual(await view.read(), [route('10.1.0.0/26')]);
    assert.deepEqual([[...view.links.keys()], [...view.foreign.all(254)]], [[2], [eth0]]);
    Object.assign(shown, { links: [link(3, 'eth1')], routes: [] });
    assert.deepEqual(await view.read(), []);
    assert.deepEqual([[...view.links.keys()], [...view.foreign.all(254)]], [[3], []]);
  });
});

describe('a dump of the kernel’s routes, compared', () => {
  it('changes nothing when all is there', () => {
    const bench = new Bench();
    bench.hold('10.1.0.0/26');
    bench.hold('fd01::/122');
    const own = [route('10.1.0.0/26'), route('fd01::/122')];
    for (let i = 0; i < 2; i++) {
      assert.equal(bench.reconcile(own), 0);
      assert.deepEqual(
        bench.columns.map((column) => column.installedOf(0)),
        [bench.unreachable, bench.unreachable],
      );
      bench.rest();
    }
  });

  it('counts what is wanted and missing or different, in both families', () => {
    const bench = new Bench();
    for (const prefix of ['10.1.0.0/26', '10.1.1.0/26', 'fd01::/122']) bench.hold(prefix);
    assert.equal(bench.reconcile([route('10.1.0.0/26', via('10.9.0.1'))]), 3);
    assert.equal(bench.columns[0].installedOf(1), NO_TARGET);
    assert.equal(bench.columns[1].installedOf(0), NO_TARGET);
    assert.deepEqual(bench.pending(), ['10.1.0.0/26', '10.1.1.0/26', 'fd01::/122']);
    // What was never put there is not missing.
    bench.hold('10.1.0.0/26', NO_TARGET);
    bench.hold('10.1.1.0/26', NO_TARGET);
    assert.equal(bench.reconcile([route('10.1.1.0/26')]), 0);
  });

  it('adopts what nobody wants when told to keep it, and else marks it to be deleted', () => {
    for (const keep of [true, false]) {
      const bench = new Bench();
      bench.hold('10.1.0.0/26');
      assert.equal(bench.reconcile([route('10.1.0.0/26'), route('10.7.0.0/26')], keep), 0);
      assert.equal(bench.columns[0].adoptedCount, keep ? 1 : 0);
      assert.deepEqual(bench.pending(), keep ? ['10.1.0.0/26'] : ['10.1.0.0/26', '10.7.0.0/26']);
      // Gone again, by somebody else's hand.
      assert.equal(bench.reconcile([route('10.1.0.0/26')], keep), 0);
      assert.equal(bench.columns[0].adoptedCount, 0);
      bench.rest();
      assert.equal(bench.columns[0].prefixes.count, 1);
    }
  });

  it('takes of several metrics the wanted one, and remembers the others of this dump', () => {
    const bench = new Bench();
    const id = bench.hold('10.1.0.0/26', NO_TARGET);
    const [column] = bench.columns;
    for (const own of [
      [20, 1024],
      [1024, 20],
    ]) {
      bench.reconcile(own.map((metric) => route('10.1.0.0/26', { metric })));
      assert.deepEqual([column.installedOf(id), column.leftovers.of(id)], [bench.unreachable, 20]);
    }
    bench.reconcile([route('10.1.0.0/26')]);
    assert.equal(column.leftovers.of(id), 0);
    bench.reconcile([route('10.1.0.0/26', { metric: 20 })]);
    assert.deepEqual([column.installedMetricOf(id), column.leftovers.of(id)], [20, 0]);
  });

  it('knows a route through gateways as the target that makes it, with weights, onlink and all its next hops', () => {
    const bench = new Bench();
    for (const l of [link(2, 'eth0'), link(3, 'eth1')]) bench.view.links.set(l.index, l);
    const hops = [
      { gateway: '10.9.0.1', deviceIndex: 2, weight: 3 },
      { gateway: '10.9.1.1', deviceIndex: 3, onlink: true },
      { gateway: '10.9.1.2', deviceIndex: 3, weight: 1, onlink: false },
    ];
    bench.reconcile([route('10.1.0.0/26', { type: 'unicast', nextHops: hops })]);
    bench.reconcile([
      route('fd01::/64', via('fd09::1', 3)),
      route('10.1.0.0/26', { type: 'unicast', nextHops: hops }),
    ]);
    const [ipv4, ipv6] = bench.columns.map((column) => column.installedOf(0));
    const [weighted, onlink, plain] = hops;
    const { weight: _w, onlink: _o, ...bare } = plain!;
    assert.equal(bench.targets.takeHops(0, [bare, onlink!, weighted!]), ipv4);
    assert.equal(bench.targets.takeHops(1, [{ gateway: 'fd09::1', deviceIndex: 3 }]), ipv6);
    assert.notEqual(bench.targets.takeHops(0, [bare, { ...onlink!, onlink: false }, weighted!]), ipv4);
    assert.notEqual(bench.targets.takeHops(0, [bare, onlink!, { ...weighted!, weight: 1 }]), ipv4);
  });

  it('takes of several that nobody wants the one that the kernel uses', () => {
    for (const metrics of [
      [50, 20, 70],
      [20, 50, 70],
      [70, 50, 20],
    ]) {
      const bench = new Bench();
      bench.reconcile(metrics.map((metric) => route('10.7.0.0/26', { metric })));
      const [column] = bench.columns;
      assert.equal(column.installedMetricOf(0), 20);
      assert.deepEqual(
        [50, 70].map((metric) => column.leftovers.has(0, metric)),
        [true, true],
      );
      assert.equal(column.leftovers.has(0, 20), false);
    }
  });

  it('counts no difference of what nobody wants, and looks again at what is left over', () => {
    const bench = new Bench();
    for (const gateway of ['10.9.0.1', '10.9.0.2'])
      assert.equal(bench.reconcile([route('10.7.0.0/26', via(gateway))], true), 0);
    const [column] = bench.columns;
    const { bytes, length } = tablePrefix('10.8.0.0/26');
    column.leftovers.add(column.add(bytes, 0, length), 20);
    bench.rest();
    bench.reconcile([]);
    assert.deepEqual(bench.pending().sort(), ['10.7.0.0/26', '10.8.0.0/26']);
    assert.equal(column.prefixes.count, 0);
  });

  it('overwrites what it cannot name, such as a route over a link that has just gone', () => {
    const bench = new Bench();
    const id = bench.hold('10.1.0.0/26');
    bench.targets.takeHops = () => {
      throw new Error('ENODEV');
    };
    assert.equal(bench.reconcile([route('10.1.0.0/26', via('10.9.0.1'))]), 1);
    const [column] = bench.columns;
    assert.deepEqual([column.installedOf(id), column.leftovers.of(id)], [NO_TARGET, 1024]);
    assert.deepEqual(bench.pending(), ['10.1.0.0/26']);
  });

  it('leaves no use of a target behind', () => {
    const bench = new Bench();
    bench.view.links.set(2, link(2, 'eth0'));
    const own = [route('10.1.0.0/26', via('10.9.0.1'))];
    bench.reconcile(own);
    bench.rest();
    const target = bench.columns[0].installedOf(0);
    bench.reconcile([]);
    bench.rest();
    assert.throws(() => bench.targets.batchIdOf(target), RangeError);
  });
});

describe('a notification of the kernel', () => {
  const changed = (change: 'new' | 'deleted', r: Route): KernelEvent => ({ type: 'route', change, route: r });

  it('that some were lost means that all is read again', () => {
    assert.deepEqual(new Bench().hear({ type: 'overrun' }), { reread: true });
  });

  it('of an own route means that somebody touched it', () => {
    const bench = new Bench();
    bench.hold('10.1.0.0/26');
    assert.deepEqual(bench.hear(changed('deleted', route('10.1.0.0/26'))), { touched: { family: 0, id: 0 } });
    assert.equal(bench.columns[0].installedOf(0), NO_TARGET);
    assert.deepEqual(bench.pending(), ['10.1.0.0/26']);
    assert.deepEqual(bench.hear(changed('new', route('fd07::/122'))), { touched: { family: 1, id: 0 } });
    assert.equal(bench.columns[1].installedOf(0), NO_TARGET);
    assert.equal(bench.columns[1].leftovers.of(0), 1024);
    assert.deepEqual(bench.pending(), ['fd07::/122']);
    assert.deepEqual(bench.hear(changed('deleted', route('10.8.0.0/26'))), {}, 'never known');
    for (const other of [{ table: 100 }, { metric: 20 }])
      assert.deepEqual(bench.hear(changed('deleted', route('10.1.0.0/26', other))), {});
    assert.deepEqual(bench.pending(), []);
    bench.columns[0].leftovers.add(0, 20);
    assert.deepEqual(bench.hear(changed('deleted', route('10.1.0.0/26', { metric: 20 }))), {
      touched: { family: 0, id: 0 },
    });
    assert.equal(bench.columns[0].leftovers.of(0), 0, 'somebody has deleted a leftover');
  });

  it('of a pod’s route in the place of a block means that the block waits until it has gone', () => {
    const bench = new Bench();
    bench.hold('10.1.0.0/26');
    bench.hold('10.1.0.5/32');
    assert.deepEqual(bench.hear(changed('new', pod('10.1.0.9/32'))), {}, 'no route of ours was there');
    assert.deepEqual(bench.hear(changed('new', { ...pod('10.1.0.5/32'), metric: 20 })), {}, 'beside it');
    assert.equal(bench.columns[0].installedOf(1), bench.unreachable);
    assert.deepEqual(bench.hear(changed('new', pod('10.1.0.5/32'))), {});
    assert.equal(bench.columns[0].installedOf(1), NO_TARGET);
    assert.deepEqual(bench.pending(), []);
    assert.deepEqual(bench.hear(changed('deleted', pod('10.1.0.5/32'))), { work: true });
    assert.deepEqual(bench.pending(), ['10.1.0.5/32']);
    // The first number of the table is a prefix as well.
    assert.deepEqual(bench.hear(changed('deleted', pod('10.1.0.0/26'))), { work: true });
  });

  it('of a pod’s route in the place of a learned one means that there is work', () => {
    const bench = new Bench();
    const { bytes, length } = tablePrefix('10.1.0.5/32');
    const id = bench.columns[0].add(bytes, 0, length);
    bench.columns[0].setInstalled(id, bench.unreachable);
    assert.deepEqual(bench.hear(changed('new', pod('10.1.0.5/32'))), { work: true });
    assert.equal(bench.columns[0].installedOf(id), NO_TARGET);
  });

  it('of a route of others may change how next hops are reached', () => {
    const bench = new Bench();
    const foreign = (destination: string, change: Partial<Route> = {}): Route =>
      route(destination, { protocol: 188, ...via('10.9.0.1'), ...change });
    assert.deepEqual(bench.hear(changed('new', foreign('10.0.0.0/8'))), { facts: true });
    assert.deepEqual(bench.hear(changed('new', foreign('10.0.0.0/8', { table: 77 }))), {});
    assert.deepEqual(bench.hear(changed('new', foreign('fe80::/64'))), {});
  });

  it('of an address, a neighbour or a rule means nothing to it', () => {
    const bench = new Bench();
    const none = {} as never;
    assert.deepEqual(bench.hear({ type: 'address', change: 'new', address: none }, true), {});
    assert.deepEqual(bench.hear({ type: 'neighbour', change: 'new', neighbour: none }, true), {});
    assert.deepEqual(bench.hear({ type: 'rule', change: 'new', rule: none }, true), {});
  });

  const heardOf = (bench: Bench, now: Link, isUsed: boolean, change: 'new' | 'deleted' = 'new') =>
    bench.hear({ type: 'link', change, link: now }, isUsed);

  it('of a link that nothing uses means nothing, but is remembered', () => {
    const bench = new Bench();
    assert.deepEqual(heardOf(bench, link(5, 'eth5'), false), {});
    assert.equal(bench.view.links.get(5)?.name, 'eth5');
    assert.deepEqual(heardOf(bench, link(5, 'eth5', { up: false }), false), {});
    assert.deepEqual(heardOf(bench, link(5, 'eth5'), false, 'deleted'), {});
    assert.equal(bench.view.links.has(5), false);
  });

  it('of a link in use means what changed: nothing, the facts, or that routes went without a word', () => {
    const bench = new Bench();
    const steps: readonly (readonly [Partial<Link>, object])[] = [
      [{}, { facts: true }],
      [{}, {}],
      [{ mtu: 9000 }, {}],
      [{ carrier: false }, { facts: true }],
      [{ carrier: true }, { facts: true }],
      [{ up: false }, { facts: true, reread: true }],
      [{ up: false }, {}],
      [{ up: true }, { facts: true }],
      [{ name: 'uplink' }, { facts: true }],
    ];
    for (const [change, effect] of steps)
      assert.deepEqual(heardOf(bench, link(5, 'eth5', change), true), effect, JSON.stringify(change));
    assert.deepEqual(heardOf(bench, link(5, 'uplink'), true, 'deleted'), { facts: true, reread: true });
  });

  it('of a link matters when a route of others leads through it, or it was used under its old name', () => {
    const bench = new Bench();
    bench.hear(changed('new', route('10.0.0.0/8', { protocol: 188, ...via('10.9.0.1', 5) })));
    assert.deepEqual(heardOf(bench, link(5, 'eth5'), false), { facts: true });
    assert.deepEqual(heardOf(bench, link(6, 'old'), false), {});
    const renamed = bench.view.apply(
      { type: 'link', change: 'new', link: link(6, 'new') },
      bench.columns,
      ({ name }) => name === 'old',
    );
    assert.deepEqual(renamed, { facts: true });
  });
});

describe('what the kernel says of its host', () => {
  const seen = (...routes: Route[]): KernelView => {
    const { view } = new Bench();
    for (const l of [link(1, 'lo', { loopback: true }), link(2, 'eth0'), link(3, 'eth1')])
      view.links.set(l.index, l);
    for (const r of routes) view.foreign.apply('new', r);
    return view;
  };
  const others = (destination: string, change: Partial<Route>): Route =>
    route(destination, { protocol: 4, metric: 0, ...change });

  it('default gateways: of each family the best that has a gateway on a known link', () => {
    const found = seen(
      others('0.0.0.0/0', { ...via('10.9.0.1', 2), metric: 20 }),
      others('0.0.0.0/0', { ...via('10.9.1.1', 3), metric: 10 }),
      others('0.0.0.0/0', { ...via('10.9.2.1', 77), metric: 5 }),
      others('0.0.0.0/0', { type: 'unicast', nextHops: [{ deviceIndex: 2 }], metric: 4 }),
      others('0.0.0.0/0', { type: 'blackhole', metric: 3 }),
      others('::/0', via('fd09::1')),
    ).defaultGateways();
    assert.deepEqual(found, {
      ipv4: { address: '10.9.1.1', device: 'eth1' },
      ipv6: { address: 'fd09::1', device: 'eth0' },
    });
    assert.deepEqual(seen(others('0.0.0.0/1', via('10.9.0.1'))).defaultGateways(), {});
  });

  it('networks: own addresses and what is connected by the kernel or by router advertisements', () => {
    const on = (deviceIndex: number, protocol: number): Partial<Route> => ({
      type: 'unicast',
      nextHops: [{ deviceIndex }],
      protocol,
    });
    const networks = seen(
      others('127.0.0.1/32', { table: 255, type: 'local' }),
      others('::1/128', { table: 255, type: 'local' }),
      others('10.9.0.1/32', { table: 255, type: 'local' }),
      others('10.9.0.255/32', { table: 255, type: 'broadcast' }),
      others('10.9.0.0/24', on(2, 2)),
      others('fd09::/64', on(3, 9)),
      others('10.50.0.0/16', on(2, 4)),
      others('10.60.0.0/16', { ...via('10.9.0.9'), protocol: 2 }),
      others('10.65.0.0/16', {
        ...{ type: 'unicast', protocol: 2 },
        nextHops: [{ deviceIndex: 2 }, { gateway: '10.9.0.9', deviceIndex: 2 }],
      }),
      others('10.70.0.0/16', { type: 'blackhole', protocol: 2 }),
      others('10.80.0.0/16', on(44, 2)),
    ).hostNetworks();
    assert.deepEqual(networks.map(({ prefix, what }) => `${prefix} ${what}`).sort(), [
      '10.80.0.0/16 the network of link 44',
      '10.9.0.0/24 the network of link eth0',
      '10.9.0.1/32 an address of this node',
      'fd09::/64 the network of link eth1',
    ]);
  });
});
