// One link between a node and a router, both kernels in memory; what the router hears and says is at hand.
import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import {
  KernelError,
  MemoryKernel,
  MemoryRouterDiscovery,
  type Request,
  type RouterMessage,
  type RouterSocket,
} from '#linux';
import { SILENT } from '../log.ts';
import { LinkWatch } from './link-watch.ts';
import { RouterWatch } from './router-watch.ts';

const ETH1 = new Set(['eth1']);
const RA: RouterMessage = { type: 'advertisement', lifetimeSeconds: 1800 };

function change(kernel: MemoryKernel, ...requests: Request[]): void {
  for (const request of requests) assert.equal(kernel.change(request), undefined);
}

class Bench {
  readonly clock = new FakeClock();
  readonly node = new MemoryKernel('node');
  readonly tor = new MemoryKernel('tor');
  readonly heardByTor: string[] = [];
  readonly links = new LinkWatch(this.node, SILENT);
  readonly discovery = new MemoryRouterDiscovery(this.node);
  readonly routers = new RouterWatch({
    ...{ links: this.links, discovery: this.discovery },
    ...{ clock: this.clock, random: new SeededRandom(1), log: SILENT },
  });
  readonly #torDiscovery = new MemoryRouterDiscovery(this.tor);
  #torSocket: RouterSocket | undefined;
  changes = 0;
  readonly #startMs = this.clock.now();

  constructor() {
    this.routers.subscribe(() => this.changes++);
  }

  /** Plugged in, and the link followed. */
  static async following(): Promise<Bench> {
    const bench = new Bench();
    await bench.links.start();
    await bench.plugIn();
    bench.routers.follow(ETH1);
    return bench;
  }

  /** The wire, with link-local addresses at both ends. */
  async plugIn(addresses: readonly string[] = ['fe80::1', 'fe80::a']): Promise<void> {
    const wire = {
      type: 'addLink',
      kind: 'veth',
      name: 'eth1',
      mac: '02:00:00:00:00:01',
      peer: { name: 'swp1' },
    } as const;
    assert.equal(this.node.addPair(wire, this.tor), undefined);
    this.#torSocket = this.#open();
    for (const [kernel, device] of [
      [this.tor, 'swp1'],
      [this.node, 'eth1'],
    ] as const)
      change(kernel, { type: 'setLink', device, up: true });
    const [own, theirs] = addresses;
    if (own !== undefined) change(this.node, { type: 'addAddress', device: 'eth1', address: `${own}/64` });
    if (theirs !== undefined)
      change(this.tor, { type: 'addAddress', device: 'swp1', address: `${theirs}/64` });
    await this.clock.run(0);
  }

  #open(): RouterSocket {
    const socket = this.#torDiscovery.open('swp1', (message, from) => {
      const { type, ...rest } = message;
      const seconds = Math.round((this.clock.now() - this.#startMs) / 100) / 10;
      this.heardByTor.push(`${seconds} ${type} ${from} ${JSON.stringify(rest)}`);
    });
    if (socket instanceof KernelError) throw socket;
    return socket;
  }

  async say(message: RouterMessage, from?: string): Promise<void> {
    if (from !== undefined) {
      for (const { address } of (await this.tor.addresses()).filter(({ device }) => device === 'swp1'))
        change(this.tor, { type: 'deleteAddress', device: 'swp1', address });
      change(this.tor, { type: 'addAddress', device: 'swp1', address: `${from}/64` });
    }
    assert.equal(this.#torSocket?.send(message), undefined);
    await this.clock.run(0);
  }

  get heard() {
    return this.routers.heard().get('eth1');
  }

  /** The seconds at which the router heard us advertise. */
  advertisedAt(): number[] {
    return this.heardByTor
      .filter((line) => line.includes(' advertisement '))
      .map((line) => Number.parseFloat(line));
  }

  [Symbol.dispose](): void {
    this.routers[Symbol.dispose]();
    this.links[Symbol.dispose]();
  }
}

describe('the watch on routers', () => {
  it('advertises this node as no default router: at once, three times in a row, then every 7.5 to 10 seconds', async () => {
    using bench = await Bench.following();
    await bench.clock.run(120_000);
    assert.equal(
      bench.heardByTor.find((line) => line.includes(' advertisement ')),
      '0 advertisement fe80::1 {"lifetimeSeconds":0,"mac":"02:00:00:00:00:01"}',
    );
    const at = bench.advertisedAt();
    assert.deepEqual(at.slice(0, 3), [0, 3, 6]);
    const gaps = at
      .slice(2)
      .map((seconds, i) => at[i + 3]! - seconds)
      .slice(0, -1);
    assert.ok(gaps.length >= 10, gaps.join());
    for (const gap of gaps) assert.ok(gap >= 7.4 && gap <= 10.1, `${gap} s`);
  });

  it('solicits others three times while nobody is heard', async () => {
    using bench = await Bench.following();
    await bench.clock.run(60_000);
    const solicitations = bench.heardByTor.filter((line) => line.includes('solicitation'));
    assert.deepEqual(
      solicitations.map((line) => Number.parseFloat(line)),
      [0, 4, 8],
    );
  });

  it('answers solicitations within half a second, and a flood of them with one advertisement every three seconds', async () => {
    using bench = await Bench.following();
    await bench.clock.run(10_500);
    const before = bench.advertisedAt().length;
    await bench.say({ type: 'solicitation' });
    await bench.clock.run(500);
    assert.equal(bench.advertisedAt().length, before + 1);
    for (let i = 0; i < 600; i++) {
      await bench.say({ type: 'solicitation' });
      await bench.clock.run(50);
    }
    const during = bench.advertisedAt().length - before - 1;
    assert.ok(during >= 8 && during <= 10, `${during} in 30 s`);
  });

  it('answers a router that starts anew at once, and not one whose session is up', async () => {
    using bench = await Bench.following();
    await bench.clock.run(10_500);
    const before = bench.advertisedAt().length;
    await bench.say(RA);
    await bench.clock.run(500);
    assert.equal(bench.advertisedAt().length, before + 1);
    bench.routers.review(() => true);
    await bench.clock.run(3_000);
    await bench.say(RA);
    await bench.clock.run(500);
    assert.equal(bench.advertisedAt().length, before + 1);
  });

  it('waits for a link that is not there, and for its address; forgets it with the link', async () => {
    using bench = new Bench();
    await bench.links.start();
    bench.routers.follow(ETH1);
    assert.deepEqual(bench.heard, { state: 'absent' });
    await bench.plugIn([]);
    assert.equal(bench.heard?.state, 'listening');
    await bench.clock.run(1000);
    assert.deepEqual(bench.heardByTor, []);
    change(bench.node, { type: 'addAddress', device: 'eth1', address: 'fe80::1/64' });
    await bench.clock.run(600);
    assert.equal(bench.advertisedAt().length, 1);
    await bench.say(RA, 'fe80::a');
    assert.deepEqual(bench.heard, {
      ...{
        state: 'listening',
        since: new Date(bench.clock.wall() - 1600).toISOString(),
        neighbour: 'fe80::a',
      },
    });
    change(bench.node, { type: 'deleteLink', device: 'eth1' });
    await bench.clock.run(0);
    assert.deepEqual(bench.heard, { state: 'absent' });
    await bench.plugIn();
    assert.equal(bench.heard?.state, 'listening');
    await bench.say(RA, 'fe80::b');
    assert.equal('neighbour' in bench.heard! && bench.heard.neighbour, 'fe80::b');
  });

  it('keeps who was heard while the link is down, and takes whoever speaks first after it', async () => {
    using bench = await Bench.following();
    await bench.say(RA);
    change(bench.tor, { type: 'setLink', device: 'swp1', up: false });
    await bench.clock.run(60_000);
    const { state, neighbour } = bench.heard as { state: string; neighbour: string };
    assert.deepEqual([state, neighbour], ['down', 'fe80::a']);
    const before = bench.heardByTor.length;
    change(bench.tor, { type: 'setLink', device: 'swp1', up: true });
    await bench.clock.run(0);
    await bench.say(RA, 'fe80::b');
    bench.routers.review(() => false);
    assert.equal((bench.heard as { neighbour: string }).neighbour, 'fe80::b');
    assert.ok(bench.heardByTor.length > before, 'it advertises itself at once');
  });

  it('does not take itself for the neighbour when another program of the host speaks there', async () => {
    using bench = await Bench.following();
    change(bench.node, { type: 'addAddress', device: 'eth1', address: 'fe80::5/64' });
    await bench.say(RA, 'fe80::5');
    assert.equal('neighbour' in bench.heard!, false);
  });

  it('says why it cannot listen, and tries again', async () => {
    using bench = new Bench();
    await bench.links.start();
    const open = bench.discovery.open.bind(bench.discovery);
    bench.discovery.open = (device) => new KernelError('open ICMPv6 socket', `on ${device}`, 1);
    await bench.plugIn();
    bench.routers.follow(ETH1);
    assert.deepEqual(bench.heard, { state: 'deaf', why: 'open ICMPv6 socket on eth1: EPERM' });
    bench.discovery.open = open;
    bench.routers.review(() => false);
    assert.equal(bench.heard?.state, 'listening');
  });

  it('asks for a new plan a bounded number of times in a flood of strangers', async () => {
    using bench = await Bench.following();
    await bench.say(RA);
    const before = bench.changes;
    for (let i = 0; i < 2000; i++) {
      await bench.say(RA, `fe80::bad:${i.toString(16)}`);
      if (i % 100 === 0) {
        await bench.clock.run(1000);
        bench.routers.review(() => true);
      }
    }
    assert.equal((bench.heard as { neighbour: string }).neighbour, 'fe80::a');
    assert.ok(bench.changes - before <= 1, `${bench.changes - before} changes`);
  });

  it('keeps the silent neighbour of a session that is up while hundreds of others come and go, and remembers few', async () => {
    using bench = await Bench.following();
    await bench.say(RA);
    const before = bench.changes;
    const others = new Set<string>();
    // Twelve minutes: longer than any router is remembered that says nothing.
    for (let i = 0; i < 720; i++) {
      await bench.say(RA, `fe80::bad:${i.toString(16)}`);
      await bench.clock.run(1000);
      bench.routers.review(() => true);
      const { neighbour, other } = bench.heard as { neighbour: string; other?: string };
      assert.equal(neighbour, 'fe80::a', `after ${i} s`);
      if (other !== undefined) others.add(other);
    }
    // Each is named once at most, when the one named before it is forgotten.
    assert.ok(
      others.size <= 3 && bench.changes - before <= 3,
      `${[...others].join()} ${bench.changes - before}`,
    );
  });

  it('says and hears nothing on links that are no longer wanted', async () => {
    using bench = await Bench.following();
    await bench.clock.run(10_000);
    bench.routers.follow(new Set());
    const before = bench.heardByTor.length;
    await bench.clock.run(60_000);
    assert.equal(bench.heardByTor.length, before);
    assert.equal(bench.clock.pending, 0);
  });
});
