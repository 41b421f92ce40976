// The comparison by itself: what is done about each difference between the blocks held here and the store's objects.
import assert from 'node:assert/strict';
import type { IPAMBlock } from '#api';
import { formatPrefix, parsePrefix } from '#ip';
import { FakeClock } from '#world/testing';
import { BlockComparison, storedBlock } from './block-comparison.ts';
import { BlockClaims } from './claims.ts';
import type { LocalBlock } from './local-block.ts';
import { IpamState } from './state.ts';
import { MemoryBlockStore } from './testing/memory-block-store.ts';
import type { StoredBlock } from './types.ts';

const GRACE_MS = 1000;
const A = '10.0.0.0/28';
const B = '10.0.0.16/28';

class Bench {
  readonly state = new IpamState();
  readonly store = new MemoryBlockStore();
  readonly clock = new FakeClock();
  readonly did: string[] = [];
  readonly leaving = new Set<string>();
  readonly comparison = new BlockComparison(
    'n1',
    GRACE_MS,
    this.state,
    new BlockClaims('n1', this.store),
    {
      clock: this.clock,
      store: this.store,
      log: {
        info: (subject, message) => void this.did.push(`${subject} ${message}`),
        warn: (subject, message) => void this.did.push(`${subject} ${message}`),
        error: (subject, message) => void this.did.push(`${subject} ${message}`),
      },
    },
    {
      hold: async (prefix, pool) => void this.did.push(`hold ${formatPrefix(prefix)} of '${pool}'`),
      drop: (block) => {
        this.did.push(`drop ${block.cidr}`);
        this.state.removeBlock(block);
        this.comparison.forget(block);
      },
      giveBack: (block) => {
        this.did.push(`give back ${block.cidr}`);
        this.state.removeBlock(block);
        this.comparison.forget(block);
        this.leaving.add(block.cidr);
      },
      isLeaving: (cidr) => this.leaving.has(cidr),
    },
  );

  hold(cidr: string, used = 1): LocalBlock {
    const block = this.state.addBlock(parsePrefix(cidr)!, 'v4', 0);
    for (let i = 0; i < used; i++) block.take(i);
    return block;
  }
  put(cidr: string, node: string, pool?: string, creationTimestamp?: string): void {
    const name = cidr.replaceAll(/[./:]+/g, '-');
    const made = creationTimestamp === undefined ? {} : { creationTimestamp };
    const metadata = { name, resourceVersion: `${node} ${cidr}`, ...made };
    const spec = { cidr, node, ...(pool === undefined ? {} : { pool }) } as IPAMBlock['spec'];
    this.store.blocks.set(name, { apiVersion: 'podroute.io/v1', kind: 'IPAMBlock', metadata, spec });
  }
  async run(nodes?: string[]): Promise<string[]> {
    this.did.length = 0;
    await this.comparison.run(nodes === undefined ? {} : { nodes: new Set(nodes) });
    return [...this.did];
  }
  get stored(): StoredBlock[] {
    return [...this.store.blocks.values()].map(({ spec }) => spec);
  }
  /** As the agent tells of them. */
  get told(): StoredBlock[] {
    return [...this.store.blocks.values()].map(storedBlock);
  }
  differs(nodes?: string[]): boolean {
    return this.comparison.differsFrom(this.told, nodes === undefined ? undefined : new Set(nodes));
  }
}

describe('blocks held and stored', () => {
  it('that agree need nothing', async () => {
    const bench = new Bench();
    bench.hold(A);
    // Of a podCIDR: the store does not know it.
    bench.state.addBlock(parsePrefix('10.9.0.0/24')!, undefined, 0);
    bench.put(A, 'n1');
    bench.put(B, 'n2');
    assert.equal(bench.differs(), false);
    assert.equal(bench.differs(['n1', 'n2']), false);
    assert.equal(bench.comparison.differsFrom(undefined, new Set()), false, 'the store told nothing');
    assert.deepEqual(await bench.run(['n1', 'n2']), []);
    assert.deepEqual(bench.comparison.problems(), []);
  });

  it('of which one is this node’s and not held: it is held, unless it is being given back', async () => {
    const bench = new Bench();
    bench.put(A, 'n1', 'v4');
    bench.put(B, 'n1');
    bench.put('nonsense', 'n1');
    assert.equal(bench.differs(), true);
    assert.deepEqual(await bench.run(), [`hold ${A} of 'v4'`, `hold ${B} of ''`]);
    bench.leaving.add(A).add(B);
    assert.equal(bench.differs(), false);
    assert.deepEqual(await bench.run(), []);
  });

  it('of which one is another’s: it freezes while it is in use, and is told of once', async () => {
    const bench = new Bench();
    const block = bench.hold(A);
    bench.hold(B, 0);
    bench.put(A, 'n2');
    bench.put(B, 'n2');
    assert.equal(bench.differs(), true);
    assert.deepEqual(await bench.run(), [
      `${A} held here with 1 addresses in use, but the store says it is node n2's`,
      `${B} held here with 0 addresses in use, but the store says it is node n2's`,
      `drop ${B}`,
    ]);
    assert.equal(block.state, 'frozen');
    assert.equal(bench.comparison.isLost(block), true);
    assert.match(bench.comparison.problems().join(), /^block 10\.0\.0\.0\/28 is held here, but .* node n2's/);
    assert.equal(bench.differs(), false);
    assert.deepEqual(await bench.run(), []);
    bench.put(A, 'n3');
    assert.equal(bench.differs(), true);
    assert.equal((await bench.run()).length, 1, 'of the next owner as well');
    bench.put(A, 'n1');
    assert.equal(bench.differs(), true);
    assert.deepEqual(await bench.run(), [`${A} is this node’s again by the store`]);
    assert.equal(bench.comparison.isLost(block), false);
    assert.equal(bench.differs(), false);
  });

  it('of which one is stored no more: it is made again, or let go when nobody needs it', async () => {
    const bench = new Bench();
    const used = bench.hold(A);
    used.state = 'frozen';
    bench.hold(B, 0).state = 'active';
    bench.hold('10.0.0.32/28', 0).state = 'frozen';
    assert.equal(bench.differs(), true);
    assert.deepEqual(await bench.run(), [
      `${A} its object was gone from the store: made again`,
      `${B} its object was gone from the store: made again`,
      'drop 10.0.0.32/28',
    ]);
    assert.deepEqual(bench.stored, [
      { cidr: A, node: 'n1', pool: 'v4' },
      { cidr: B, node: 'n1', pool: 'v4' },
    ]);
    assert.equal(bench.differs(), false);
  });

  it('of which one was lost and is stored no more: it is this node’s again', async () => {
    const bench = new Bench();
    const block = bench.hold(A);
    bench.put(A, 'n2');
    await bench.run();
    bench.store.blocks.clear();
    await bench.run();
    assert.equal(bench.comparison.isLost(block), false);
    assert.deepEqual(bench.comparison.problems(), []);
  });

  it('of which one is taken while it is made again: it is lost', async () => {
    const bench = new Bench();
    const block = bench.hold(A);
    bench.put(A, 'n2');
    bench.store.list = async () => [];
    assert.deepEqual(await bench.run(), [
      `${A} held here with 1 addresses in use, but the store says it is node n2's`,
    ]);
    assert.equal(bench.comparison.isLost(block), true);
  });

  it('of which one cannot be read: it is named, compared again at each word of the store, and forgotten when dropped', async () => {
    const bench = new Bench();
    const block = bench.hold(A);
    const name = '10-0-0-0-28';
    bench.store.unreadable.set(name, 'the file is empty');
    assert.deepEqual(await bench.run(), []);
    assert.match(bench.comparison.problems().join(), /cannot be read \(the file is empty\)/);
    bench.put(A, 'n1');
    assert.equal(bench.differs(), true);
    bench.comparison.forget(block);
    assert.deepEqual(bench.comparison.problems(), []);
    bench.store.unreadable.clear();
    assert.equal(bench.differs(), false);
  });

  it('rejects when the store does not answer, while it is listed or while one is made again', async () => {
    const bench = new Bench();
    bench.hold(A);
    bench.store.create = async () => {
      throw new Error('no answer');
    };
    await assert.rejects(bench.run(), /no answer/);
    bench.store.failure = 'down';
    await assert.rejects(bench.run(), /down/);
  });
});

describe('blocks of several nodes that overlap', () => {
  const WIDE = '10.0.0.0/24';
  const [EARLY, LATE] = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z'];

  it('belong to the node whose was made first: of the other’s nothing is announced while it is in use', async () => {
    const bench = new Bench();
    const block = bench.hold(A);
    bench.put(A, 'n1', 'v4', LATE);
    bench.put(WIDE, 'n2', 'v4', EARLY);
    assert.equal(bench.differs(), true);
    assert.deepEqual(await bench.run(), [
      `${A} held here with 1 addresses in use, and overlaps block ${WIDE} of node n2, which was made first`,
    ]);
    assert.deepEqual([block.state, bench.comparison.isLost(block)], ['frozen', true]);
    assert.match(
      bench.comparison.problems().join(),
      /overlaps block 10\.0\.0\.0\/24 of node n2.* not announced/,
    );
    assert.equal(bench.differs(), false);
    assert.deepEqual(await bench.run(), [], 'told once');
    bench.store.blocks.delete('10-0-0-0-24');
    assert.deepEqual(await bench.run(), [`${A} overlaps no other node’s block any more`]);
    assert.deepEqual([bench.comparison.isLost(block), bench.comparison.problems()], [false, []]);
  });

  it('stay as they are where this node’s was made first, or in one second is first by name', async () => {
    for (const [own, other] of [
      [EARLY, LATE],
      [EARLY, EARLY],
      [undefined, undefined],
    ]) {
      const bench = new Bench();
      // Its name is the first: 10-0-0-0-24.
      bench.hold(WIDE);
      bench.put(WIDE, 'n1', 'v4', own);
      bench.put(A, 'n2', 'v4', other);
      assert.equal(bench.differs(), false);
      assert.deepEqual(await bench.run(), []);
      const theirs = new Bench();
      theirs.hold(A);
      theirs.put(A, 'n1', 'v4', other);
      theirs.put(WIDE, 'n2', 'v4', own);
      assert.equal((await theirs.run()).length, 1, 'the other node says the same');
    }
  });

  it('go back when nobody has an address of them, or when they are not held', async () => {
    const bench = new Bench();
    bench.hold(A, 0);
    bench.put(A, 'n1', 'v4', LATE);
    bench.put(B, 'n1', 'v4', LATE);
    bench.put(WIDE, 'n2', 'v4', EARLY);
    assert.deepEqual(await bench.run(), [
      `${A} given back: it overlaps block ${WIDE} of node n2`,
      `give back ${A}`,
    ]);
    assert.deepEqual(
      bench.stored.map(({ cidr }) => cidr),
      [A, WIDE],
      'the one that was not held is free at once',
    );
  });

  it('are looked for among all once an hour where own ones alone are followed, and always while there are some', async () => {
    const bench = new Bench();
    const block = bench.hold(A);
    bench.put(A, 'n1', 'v4', LATE);
    const run = () => bench.comparison.run({ isStoredOwnOnly: true });
    await run();
    bench.put(WIDE, 'n2', 'v4', EARLY);
    await run();
    assert.equal(bench.comparison.isLost(block), false);
    await bench.clock.run(3_600_000);
    await run();
    assert.equal(bench.comparison.isLost(block), true);
    await run();
    assert.equal(bench.comparison.isLost(block), true);
    bench.store.blocks.delete('10-0-0-0-24');
    await run();
    assert.equal(bench.comparison.isLost(block), false);
  });
});

describe('blocks of nodes without a Node object', () => {
  it('are named, and taken back after the grace time, to the millisecond', async () => {
    const bench = new Bench();
    bench.put(A, 'gone');
    bench.put(B, 'n2');
    const nodes = ['n1', 'n2'];
    assert.equal(bench.differs(nodes), true);
    assert.equal(bench.differs(), false, 'nobody knows which nodes there are');
    assert.deepEqual(await bench.run(nodes), []);
    assert.deepEqual(
      bench.comparison.orphans().map(({ cidr, node }) => `${cidr} ${node}`),
      [`${A} gone`],
    );
    assert.match(bench.comparison.problems().join(), /node gone has no Node object any more and still owns/);
    assert.equal(bench.differs(nodes), false);
    assert.equal(bench.differs(['n1', 'n2', 'gone']), true, 'it came back');
    assert.equal(bench.differs(['n1', 'gone']), true, 'another one is gone');
    await bench.clock.run(GRACE_MS - 1);
    assert.deepEqual(await bench.run(nodes), []);
    await bench.clock.run(1);
    assert.deepEqual(await bench.run(nodes), [`${A} taken back: node gone has no Node object any more`]);
    assert.deepEqual(bench.comparison.orphans(), []);
    assert.deepEqual(
      bench.stored.map(({ cidr }) => cidr),
      [B],
    );
  });

  it('start anew when the object changed, and when the node was back', async () => {
    const bench = new Bench();
    bench.put(A, 'gone');
    await bench.run(['n1']);
    await bench.clock.run(GRACE_MS);
    await bench.run(['n1', 'gone']);
    assert.deepEqual(await bench.run(['n1']), []);
    await bench.clock.run(GRACE_MS);
    bench.put(A, 'gone2');
    assert.deepEqual(await bench.run(['n1']), []);
    await bench.clock.run(GRACE_MS);
    assert.equal((await bench.run(['n1'])).length, 1);
  });

  it('are released at once when somebody asks, and nothing else is', async () => {
    const bench = new Bench();
    bench.put(A, 'gone');
    bench.put(B, 'n2');
    const nodes = new Set(['n1', 'n2']);
    assert.deepEqual(await bench.comparison.release(A, nodes), { kind: 'freed', cidr: A, node: 'gone' });
    assert.deepEqual(bench.comparison.orphans(), []);
    for (const [cidr, known] of [
      [A, nodes],
      [B, nodes],
      [B, undefined],
    ] as const)
      assert.equal((await bench.comparison.release(cidr, known)).kind, 'refused');
    bench.put(A, 'gone');
    bench.store.delete = async () => ({ kind: 'conflict' });
    assert.deepEqual(await bench.comparison.release(A, nodes), {
      kind: 'refused',
      why: `block ${A} changed meanwhile`,
    });
    assert.equal(bench.comparison.orphans().length, 1);
  });

  it('are asked for by label where the store tells of own blocks alone; old ones get theirs first', async () => {
    const bench = new Bench();
    bench.hold(A);
    bench.put(A, 'n1', 'v4');
    bench.put(B, 'n2', 'v4');
    const run = async () => {
      await bench.comparison.run({ isStoredOwnOnly: true });
      return bench.did.splice(0);
    };
    assert.deepEqual(await run(), []);
    const labels = [...bench.store.blocks.values()].map(({ spec, metadata }) => [spec.node, metadata.labels]);
    assert.deepEqual(labels, [
      ['n1', { 'podroute.io/node': 'n1' }],
      ['n2', undefined],
    ]);
    assert.deepEqual(await run(), []);
    assert.deepEqual(bench.store.listed, [{}, { 'podroute.io/node': 'n1' }]);
    const [own] = [...bench.store.blocks.values()];
    bench.store.blocks.set(own!.metadata.name, { ...own!, metadata: { ...own!.metadata, labels: {} } });
    await run();
    assert.deepEqual(bench.store.blocks.get('10-0-0-0-28')?.metadata.labels, { 'podroute.io/node': 'n1' });
  });
});
