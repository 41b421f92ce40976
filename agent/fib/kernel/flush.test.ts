// One slice of work against a kernel that answers what the test says.
import assert from 'node:assert/strict';
import { type FamilyIndex, formatPrefixOctets } from '#ip';
import { MemoryKernel, type Route, type RouteBatch } from '#linux';
import { Columns } from '../fib-columns.ts';
import { HopSets } from '../hop-sets.ts';
import { NO_TARGET, Targets } from '../targets.ts';
import { tablePrefix } from '../table-prefix.ts';
import { NextHops } from '../tracked-hops.ts';
import { Failures } from './failures.ts';
import { Flusher } from './flush.ts';
import { KernelView } from './kernel-view.ts';

const ESRCH = 3;
const EEXIST = 17;
const ENETUNREACH = 101;

class ScriptedKernel extends MemoryKernel {
  /** What a dump shows. */
  shown: Route[] = [];
  override async routes(): Promise<Route[]> {
    return this.shown;
  }
}

class Bench {
  readonly kernel = new ScriptedKernel();
  /** Since the last look: 'add 10.1.0.0/26'. */
  asked: string[] = [];
  /** By request; 0 for those that are not named. */
  answers: Readonly<Record<string, number>> = {};
  failure: Error | undefined;
  readonly warnings: object[] = [];
  readonly #waiting: string[] = [];
  readonly #ask =
    (what: string) =>
    (family: FamilyIndex, address: Uint8Array, offset: number, length: number, ...more: number[]): void => {
      const metric = more.at(-1) === 1024 ? '' : ` metric ${more.at(-1)}`;
      this.#waiting.push(`${what} ${formatPrefixOctets(family, address, offset, length)}${metric}`);
    };
  /** Groups of next hops in the kernel's pool. */
  readonly pool = new Set<number>();
  #lastGroup = 0;
  readonly #intern = (): number => {
    this.pool.add(++this.#lastGroup);
    return this.#lastGroup;
  };
  nowMs = 5000;
  readonly batch: RouteBatch = {
    internNextHops: this.#intern,
    internType: this.#intern,
    releaseNextHops: (id) => assert.ok(this.pool.delete(id)),
    add: this.#ask('add'),
    replace: this.#ask('replace'),
    delete: this.#ask('delete'),
    length: 0,
    commit: async () => {
      const requests = this.#waiting.splice(0);
      this.nowMs += 7;
      this.asked.push(...requests);
      if (this.failure !== undefined) throw this.failure;
      return Int32Array.from(requests, (request) => this.answers[request] ?? 0);
    },
    explain: () => undefined,
  };
  readonly targets = new Targets(this.batch, 1024);
  readonly view = new KernelView({ kernel: this.kernel, table: 254, protocol: 179, metric: 1024 });
  readonly #sets = new HopSets(new NextHops(this.view), this.targets);
  readonly unreachable = this.targets.takeUnreachable();
  readonly columns = [0, 1].map(
    (family) => new Columns(family as 0 | 1, 42, this.#sets, this.targets, this.unreachable),
  ) as unknown as readonly [Columns, Columns];
  readonly failures = new Failures();
  readonly flusher = new Flusher({
    ...{ kernel: this.kernel, batch: this.batch, table: 254, protocol: 179 },
    ...{ columns: this.columns, targets: this.targets, failures: this.failures, now: () => this.nowMs },
    log: {
      ...{ debug: () => undefined, info: () => undefined, error: () => undefined },
      warn: (fields: object) => void this.warnings.push(fields),
    } as never,
  });

  hold(prefix: string, isHeld = true): number {
    const { family, bytes, length } = tablePrefix(prefix);
    const id = this.columns[family].add(bytes, 0, length);
    this.columns[family].hold(id, isHeld);
    return id;
  }
  /** By this next hop on eth0, or by none. */
  learn(prefix: string, hop?: string): number {
    const { family, bytes, length } = tablePrefix(prefix);
    const id = this.columns[family].add(bytes, 0, length);
    this.columns[family].want(id, hop === undefined ? 0 : this.#sets.ofAddress(hop));
    return id;
  }
  /** What was asked until nothing was left to do. */
  async flush(): Promise<string[]> {
    this.asked = [];
    for (let i = 0; await this.flusher.flush(); i++) assert.ok(i < 50, 'never at rest');
    return this.asked;
  }
}

describe('a slice of kernel routes', () => {
  it('makes what is wanted exclusively, overwrites only what is known as ours, and asks once', async () => {
    const bench = new Bench();
    const id = bench.hold('10.1.0.0/26');
    bench.hold('fd01::/122');
    assert.deepEqual(await bench.flush(), ['add 10.1.0.0/26', 'add fd01::/122']);
    assert.equal(bench.columns[0].installedOf(id), bench.unreachable);
    bench.columns[0].markDirty(id);
    assert.deepEqual(await bench.flush(), []);
    bench.columns[0].setInstalled(id, NO_TARGET);
    bench.columns[0].leftovers.add(id, 1024);
    bench.columns[0].markDirty(id);
    assert.deepEqual(await bench.flush(), ['replace 10.1.0.0/26']);
    bench.hold('10.1.0.0/26', false);
    assert.deepEqual(await bench.flush(), ['delete 10.1.0.0/26']);
    assert.equal(bench.columns[0].prefixes.count, 0, 'forgotten');
    assert.equal(bench.columns[1].prefixes.count, 1);
  });

  it('leaves what an earlier run left, as long as it is adopted', async () => {
    const bench = new Bench();
    const { bytes, length } = tablePrefix('10.7.0.0/26');
    const [column] = bench.columns;
    const id = column.add(bytes, 0, length);
    column.setInstalled(id, bench.unreachable);
    column.setAdopted(id, true);
    column.markDirty(id);
    assert.deepEqual(await bench.flush(), []);
    column.setAdopted(id, false);
    column.markDirty(id);
    assert.deepEqual(await bench.flush(), ['delete 10.7.0.0/26']);
  });

  it('remembers a refusal, says it once, and forgets it with the next success', async () => {
    const bench = new Bench();
    const id = bench.hold('10.1.0.0/26');
    bench.answers = { 'add 10.1.0.0/26': ENETUNREACH };
    for (let i = 0; i < 3; i++) {
      bench.columns[0].markDirty(id);
      assert.deepEqual(await bench.flush(), ['add 10.1.0.0/26']);
      assert.equal(bench.warnings.length, 1);
    }
    assert.deepEqual(
      [bench.failures.of(0, id)?.reason, bench.failures.of(0, id)?.attempts],
      ['errno 101', 3],
    );
    assert.deepEqual(bench.warnings, [{ prefix: '10.1.0.0/26', reason: 'errno 101' }]);
    assert.equal(bench.columns[0].installedOf(id), NO_TARGET);
    bench.answers = {};
    bench.columns[0].markDirty(id);
    await bench.flush();
    assert.equal(bench.failures.count, 0);
    // One that needs no request any more has not failed either.
    bench.failures.note(0, id, 'old', 0);
    bench.columns[0].markDirty(id);
    await bench.flush();
    assert.equal(bench.failures.count, 0);
  });

  it('that deletes what has gone is content; one that makes it is not', async () => {
    const bench = new Bench();
    const id = bench.hold('10.1.0.0/26');
    await bench.flush();
    bench.hold('10.1.0.0/26', false);
    bench.answers = { 'delete 10.1.0.0/26': ESRCH };
    await bench.flush();
    assert.equal(bench.columns[0].prefixes.count, 0);
    assert.equal(bench.failures.count, 0);
    const again = bench.hold('10.1.0.0/26');
    assert.equal(again, id);
    bench.answers = { 'add 10.1.0.0/26': ESRCH };
    await bench.flush();
    assert.equal(bench.failures.of(0, again)?.reason, 'errno 3');
    bench.answers = {};
    bench.columns[0].markDirty(again);
    await bench.flush();
    bench.hold('10.1.0.0/26', false);
    bench.answers = { 'delete 10.1.0.0/26': 1 };
    await bench.flush();
    assert.equal(bench.failures.of(0, again)?.reason, 'errno 1', 'it is still there');
  });

  const shown = (change: Partial<Route>): Route => ({
    ...{ family: 'ipv4', destination: '10.1.0.0/26', table: 254, protocol: 179, scope: 'global' },
    ...{ type: 'unreachable', metric: 1024, nextHops: [], ...change },
  });
  const podRoute = { type: 'unicast', nextHops: [{ deviceIndex: 9 }] } as const;
  const collide = async (change: Partial<Route> | undefined): Promise<Bench> => {
    const bench = new Bench();
    bench.hold('10.1.0.0/26');
    bench.answers = { 'add 10.1.0.0/26': EEXIST };
    if (change !== undefined) bench.kernel.shown = [shown(change)];
    await bench.flusher.flush();
    bench.answers = {};
    return bench;
  };

  it('that meets an own route which it did not know of overwrites it', async () => {
    const bench = await collide({});
    assert.deepEqual(await bench.flush(), ['replace 10.1.0.0/26']);
    assert.equal(bench.failures.count, 0);
  });

  it('that meets a route which has gone by now tries again', async () => {
    for (const change of [undefined, { metric: 20 }, { destination: '10.9.0.0/26' }]) {
      const bench = await collide(change);
      assert.deepEqual(await bench.flush(), ['add 10.1.0.0/26']);
    }
  });

  it('that meets a pod’s route where a block is held leaves it there', async () => {
    const bench = await collide({ protocol: 12, ...podRoute });
    assert.equal(bench.failures.count, 1);
    bench.kernel.shown = [shown(podRoute)];
    bench.answers = { 'add 10.1.0.0/26': EEXIST };
    bench.columns[0].markDirty(0);
    assert.deepEqual(await bench.flush(), ['add 10.1.0.0/26']);
    assert.deepEqual(await bench.flush(), []);
    assert.equal(bench.failures.count, 0);
    assert.equal(bench.columns[0].installedOf(0), NO_TARGET);
  });

  it('that meets somebody else’s route says whose it is', async () => {
    const bench = await collide({ protocol: 12, ...podRoute });
    assert.deepEqual(await bench.flush(), []);
    assert.equal(
      bench.failures.of(0, 0)?.reason,
      'EEXIST: routing protocol 12 has a route to the same prefix with metric 1024',
    );
  });

  it('deletes with the metric that the kernel has it with, and overwrites what has the same one', async () => {
    const bench = new Bench();
    const id = bench.hold('10.1.0.0/26');
    const [column] = bench.columns;
    column.setInstalled(id, bench.targets.takeUnreachable(500));
    bench.hold('10.1.0.0/26', false);
    assert.deepEqual(await bench.flush(), ['delete 10.1.0.0/26 metric 500']);
    const again = bench.hold('10.1.0.0/26');
    column.setInstalled(again, bench.targets.takeHops(0, [{ gateway: '10.9.0.1', deviceIndex: 2 }]));
    assert.deepEqual(await bench.flush(), ['replace 10.1.0.0/26']);
    column.setInstalled(again, bench.targets.takeUnreachable(500));
    column.markDirty(again);
    assert.deepEqual(await bench.flush(), ['add 10.1.0.0/26', 'delete 10.1.0.0/26 metric 500']);
  });

  it('is content when a leftover has gone by itself, and when nothing is to be done', async () => {
    const bench = new Bench();
    const id = bench.hold('10.1.0.0/26');
    await bench.flush();
    bench.columns[0].leftovers.add(id, 500);
    bench.columns[0].markDirty(id);
    bench.answers = { 'delete 10.1.0.0/26 metric 500': ESRCH };
    assert.deepEqual(await bench.flush(), ['delete 10.1.0.0/26 metric 500']);
    assert.deepEqual([bench.failures.count, bench.columns[0].leftovers.of(id)], [0, 0]);
    bench.hold('fd01::/122');
    bench.hold('fd01::/122', false);
    assert.equal(await bench.flusher.flush(), true, 'one was looked at');
    assert.equal(await bench.flusher.flush(), false);
    assert.equal(bench.columns[1].prefixes.count, 0, 'forgotten');
  });

  it('that may not overwrite says so: only what was to be made is looked for', async () => {
    const bench = new Bench();
    const id = bench.hold('10.1.0.0/26');
    bench.columns[0].leftovers.add(id, 1024);
    bench.kernel.shown = [shown({})];
    bench.answers = { 'replace 10.1.0.0/26': EEXIST };
    assert.deepEqual(await bench.flush(), ['replace 10.1.0.0/26']);
    assert.equal(bench.failures.of(0, id)?.reason, 'errno 17');
  });

  it('counts what the kernel takes and refuses, and how long a batch takes', async () => {
    const bench = new Bench();
    const { figures } = bench.flusher;
    assert.deepEqual([figures.taken, [...figures.refusals]], [[0, 0], []]);
    for (const prefix of ['10.1.0.0/26', '10.1.1.0/26', '10.1.2.0/26', 'fd01::/122']) bench.hold(prefix);
    bench.answers = { 'add 10.1.1.0/26': ENETUNREACH, 'add 10.1.2.0/26': 1 };
    await bench.flush();
    bench.columns[0].markDirty(1);
    await bench.flush();
    assert.deepEqual(figures.taken, [1, 1]);
    assert.deepEqual(
      [...figures.refusals],
      [
        ['ENETUNREACH', 2],
        ['EPERM', 1],
      ],
    );
    assert.deepEqual([figures.batches.count, Math.round(figures.batches.sum * 1e6)], [2, 14_000]);
  });

  it('keeps no use of a target that nobody wants, whatever became of the batch', async () => {
    const bench = new Bench();
    const eth0 = { index: 2, name: 'eth0', mtu: 1500, up: true, carrier: true, loopback: false, group: 0 };
    bench.view.links.set(2, { ...eth0, peerElsewhere: false });
    bench.view.foreign.apply(
      'new',
      shown({ destination: '10.9.0.0/24', protocol: 2, type: 'unicast', nextHops: [{ deviceIndex: 2 }] }),
    );
    bench.learn('10.1.0.0/26', '10.9.0.1');
    bench.failure = new Error('ENOBUFS');
    await assert.rejects(bench.flusher.flush(), /ENOBUFS/);
    bench.failure = undefined;
    assert.deepEqual(await bench.flush(), ['add 10.1.0.0/26']);
    assert.equal(bench.pool.size, 2, 'that, and what holds blocks');
    bench.learn('10.1.0.0/26');
    assert.deepEqual(await bench.flush(), ['delete 10.1.0.0/26']);
    assert.equal(bench.pool.size, 1);
  });

  it('does no more than 2,000 prefixes, and what is left in the next', async () => {
    const bench = new Bench();
    for (let i = 0; i < 2100; i++) bench.hold(`10.${i >> 8}.${i & 255}.0/26`);
    assert.equal(await bench.flusher.flush(), true);
    assert.equal(bench.asked.length, 2000);
    assert.equal(await bench.flusher.flush(), true);
    assert.equal(bench.asked.length, 2100);
    assert.equal(await bench.flusher.flush(), false);
  });

  it('without an answer leaves all of it to be done again', async () => {
    const bench = new Bench();
    bench.hold('10.1.0.0/26');
    bench.hold('fd01::/122');
    bench.failure = new Error('ENOBUFS');
    await assert.rejects(bench.flusher.flush(), /ENOBUFS/);
    bench.failure = undefined;
    assert.deepEqual(await bench.flush(), ['add 10.1.0.0/26', 'add fd01::/122']);
    // And nothing else.
    bench.hold('fd02::/122');
    bench.failure = new Error('ENOBUFS');
    await assert.rejects(bench.flusher.flush(), /ENOBUFS/);
    assert.deepEqual(
      bench.columns.map((column) => column.pendingCount),
      [0, 1],
    );
  });
});
