// What must hold whatever happens: several nodes on one store, disks that lose power at any step.
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { type Family, overlaps, parsePrefix } from '#ip';
import { FakeClock } from '#world/testing';
import { addressesOf } from './state.ts';
import { MemoryBlockStore } from './testing/memory-block-store.ts';
import { inputs, owner, pool, startNode, type TestNode } from './testing/ipam-node.ts';
import type { Addresses } from './types.ts';

const POOLS = [pool('v4', '10.0.0.0/26', 29), pool('v6', 'fd00::/122', 125)];
const FAMILIES: Family[] = ['ipv4', 'ipv6'];
const TUNING = { emptyBlockGraceMs: 100_000, cooldownMs: 1000, journalRewriteAt: 8 };
const NODES = 3;
const OWNERS = 12;

type Command =
  | { readonly do: 'add' | 'del'; readonly node: number; readonly owner: number }
  | { readonly do: 'addAt'; readonly node: number; readonly owner: number; readonly ipv4: string }
  | { readonly do: 'addMany'; readonly node: number; readonly owners: number[] }
  | { readonly do: 'crashSoon'; readonly node: number; readonly steps: number }
  | { readonly do: 'restart'; readonly node: number }
  | { readonly do: 'fullDisk'; readonly node: number; readonly isFull: boolean }
  | { readonly do: 'storeDown'; readonly isDown: boolean }
  | { readonly do: 'wait'; readonly ms: number };

const node = fc.nat({ max: NODES - 1 });
const who = fc.nat({ max: OWNERS - 1 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('add' as const), node, owner: who }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('del' as const), node, owner: who }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('addMany' as const),
      node,
      owners: fc.uniqueArray(who, { minLength: 2, maxLength: OWNERS }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('addAt' as const),
      node,
      owner: who,
      ipv4: fc.nat({ max: 63 }).map((n) => `10.0.0.${n}`),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('crashSoon' as const), node, steps: fc.nat({ max: 8 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fullDisk' as const), node, isFull: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('storeDown' as const), isDown: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(10, 2000, 130_000) }),
  },
);

/** What one node told its callers. An owner that is in neither map is unknown: a call for it failed. */
interface Told {
  readonly held: Map<number, Addresses>;
  readonly gone: Set<number>;
}

class Cluster {
  readonly store = new MemoryBlockStore();
  readonly clock = new FakeClock();
  readonly nodes: TestNode[] = [];
  readonly told: Told[] = [];
  readonly #chance: () => number;

  constructor(chance: () => number) {
    this.#chance = chance;
  }

  async start(): Promise<void> {
    for (let i = 0; i < NODES; i++) {
      this.told.push({ held: new Map(), gone: new Set() });
      this.nodes.push(await this.#boot(i));
    }
  }

  #boot(i: number, before?: TestNode): Promise<TestNode> {
    const disk = before?.disk.recover({ next: this.#chance });
    const io = { store: this.store, clock: this.clock, name: `n${i}`, tuning: TUNING };
    return startNode(inputs(POOLS), disk === undefined ? io : { ...io, disk });
  }

  async run(c: Command): Promise<void> {
    switch (c.do) {
      case 'add':
        return this.#add(c.node, c.owner);
      case 'addAt':
        return this.#add(c.node, c.owner, { ipv4: c.ipv4 });
      case 'addMany':
        await Promise.all(c.owners.map((o) => this.#add(c.node, o)));
        return;
      case 'del':
        return this.#del(c.node, c.owner);
      case 'crashSoon':
        return this.nodes[c.node]!.disk.crashAfter(c.steps);
      case 'restart':
        return this.restart(c.node);
      case 'fullDisk':
        this.nodes[c.node]!.disk.failure = c.isFull ? 'ENOSPC: no space left on device' : undefined;
        return;
      case 'storeDown':
        this.store.failure = c.isDown ? 'store: does not answer' : undefined;
        return;
      case 'wait':
        this.clock.advance(c.ms);
        await Promise.all(this.nodes.map((n) => n.ipam.settled()));
        return;
    }
  }

  async restart(i: number): Promise<void> {
    const old = this.nodes[i]!;
    old.disk.crash();
    await old.ipam[Symbol.asyncDispose]().catch(() => undefined);
    this.nodes[i] = await this.#boot(i, old);
  }

  async #add(i: number, o: number, requested: Addresses = {}): Promise<void> {
    const told = this.told[i]!;
    const before = told.held.get(o);
    told.gone.delete(o);
    const answer = await this.nodes[i]!.ipam.allocate(owner(`${i}-${o}`), FAMILIES, requested);
    if ('kind' in answer) return;
    if (before !== undefined) assert.deepEqual(answer.addresses, before, 'the same owner gets the same');
    told.held.set(o, answer.addresses);
  }

  async #del(i: number, o: number): Promise<void> {
    const told = this.told[i]!;
    told.held.delete(o);
    const error = await this.nodes[i]!.ipam.release(owner(`${i}-${o}`));
    if (error === undefined) told.gone.add(o);
  }

  check(): void {
    const seen = new Map<string, string>();
    this.told.forEach(({ held, gone }, i) => {
      const { ipam } = this.nodes[i]!;
      for (const [o, addresses] of held) {
        assert.deepEqual(ipam.allocationOf(owner(`${i}-${o}`))?.addresses, addresses, `n${i} holds ${o}'s`);
        for (const address of addressesOf(addresses)) {
          assert.equal(seen.get(address), undefined, `${address} is given twice`);
          seen.set(address, `${i}-${o}`);
        }
      }
      for (const o of gone)
        assert.equal(ipam.allocationOf(owner(`${i}-${o}`)), undefined, `n${i} freed ${o}'s`);
      const taken = new Set(ipam.usage().allocations.flatMap((a) => addressesOf(a.addresses)));
      assert.equal(taken.size, 2 * ipam.usage().allocations.length, 'two addresses an owner, none shared');
    });
    const blocks = this.nodes.flatMap((n, i) =>
      n.ipam.blocks().map((b) => ({ i, prefix: parsePrefix(b.cidr)! })),
    );
    for (const a of blocks) {
      for (const b of blocks) {
        if (a !== b) assert.ok(!overlaps(a.prefix, b.prefix), `a block of n${a.i} overlaps one of n${b.i}`);
      }
    }
  }
}

describe('ipam, whatever happens', () => {
  it('gives no address twice, shares no block, forgets nothing it told', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 5, maxLength: 60 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        async (commands, chances) => {
          const cluster = new Cluster(() => chances.next().value as number);
          await cluster.start();
          for (const c of commands) {
            await cluster.run(c);
            cluster.check();
          }
          cluster.store.failure = undefined;
          for (let i = 0; i < NODES; i++) await cluster.restart(i);
          cluster.check();
        },
      ),
      { numRuns: Number(process.env['IPAM_RUNS'] ?? 200), endOnFailure: true },
    );
  });
});
