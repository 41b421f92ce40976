// Which block a claim gets, against a reference: the first one, in the node's own order, that is neither taken nor guarded.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { ipamBlockName } from '#api';
import { formatPrefix, parsePrefix } from '#ip';
import { BlockClaims } from './claims.ts';
import { MemoryBlockStore } from './testing/memory-block-store.ts';
import { pool } from './testing/ipam-node.ts';

const put = (store: MemoryBlockStore, cidr: string, node: string): void => {
  store.blocks.set(ipamBlockName(cidr), {
    apiVersion: 'podroute.io/v1',
    kind: 'IPAMBlock',
    metadata: { name: ipamBlockName(cidr), resourceVersion: cidr },
    spec: { cidr, node, pool: 'v4' },
  });
};

/** The store, and the blocks that were asked for since the last look. */
function watched(): { store: MemoryBlockStore; asked: () => string[] } {
  const store = new MemoryBlockStore();
  const asked: string[] = [];
  const create = store.create.bind(store);
  store.create = (block) => {
    asked.push(block.spec.cidr);
    return create(block);
  };
  return { store, asked: () => asked.splice(0) };
}

/** Blocks of 10.0.0.0/24, by their number; the order is the node's as it is promised: from a hash of its name on. */
const cidrOf = (number: number): string => `10.0.0.${number * 16}/28`;
function orderOf(node: string, blocks: number, range: string): number[] {
  const first = createHash('sha256').update(`${node}\0${range}`).digest().readBigUInt64BE() % BigInt(blocks);
  return Array.from({ length: blocks }, (_, i) => (Number(first) + i) % blocks);
}

describe('claims of blocks, against a reference', () => {
  it('get the first block in the node’s order that is free, and ask for none twice', async () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 15 }), { maxLength: 14 });
    const scenes = fc.record({
      node: fc.stringMatching(/^[a-z]{1,4}$/),
      taken: numbers,
      guarded: fc.uniqueArray(fc.integer({ min: 0, max: 15 }), { maxLength: 5 }),
      steps: fc.array(fc.constantFrom('claim', 'claim', 'claim', 'give back'), { maxLength: 18 }),
    });
    await fc.assert(
      fc.asyncProperty(scenes, async ({ node, taken, guarded, steps }) => {
        const { store, asked } = watched();
        for (const number of taken) put(store, cidrOf(number), 'other');
        // Of another pool, and of another size: no business of this one's.
        put(store, '10.7.0.0/26', 'other');
        const claims = new BlockClaims(node, store);
        const held: number[] = [];
        const networks = guarded.map((number) => parsePrefix(`10.0.0.${number * 16 + 3}/32`)!);
        for (const step of steps) {
          if (step === 'give back') {
            const last = held.pop();
            if (last !== undefined) await claims.giveBack(parsePrefix(cidrOf(last))!);
            continue;
          }
          const isHeld = (prefix: { value: bigint }): boolean =>
            held.some((number) => parsePrefix(cidrOf(number))!.value === prefix.value);
          const result = await claims.claim([pool('v4', '10.0.0.0/24', 28)], isHeld, networks);
          const free = orderOf(node, 16, '10.0.0.0/24').filter(
            (number) => !taken.includes(number) && !guarded.includes(number) && !held.includes(number),
          );
          const names = asked();
          assert.equal(new Set(names).size, names.length, `asked for one twice: ${names.join()}`);
          assert.deepEqual(
            result.kind === 'claimed' ? formatPrefix(result.prefix) : result.kind,
            free[0] === undefined ? 'exhausted' : cidrOf(free[0]),
          );
          if (free[0] !== undefined) held.push(free[0]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('list once at first, and again only when eight in a row were taken or the pool is at its end', async () => {
    const { store, asked } = watched();
    const range = '10.0.0.0/24';
    const order = orderOf('n1', 16, range);
    for (const number of order.slice(0, 8)) put(store, cidrOf(number), 'other');
    put(store, '10.7.0.0/26', 'other');
    const claims = new BlockClaims('n1', store);
    const claim = () => claims.claim([pool('v4', range, 28)], () => false, []);
    await claim();
    assert.equal(store.calls.list, 2);
    assert.deepEqual(asked(), order.slice(0, 9).map(cidrOf));
    for (const number of order) put(store, cidrOf(number), 'other');
    await claim();
    assert.equal(store.calls.list, 3);
    assert.deepEqual(asked(), order.slice(8).map(cidrOf), 'what it knows to be taken is not asked for again');
    await claim();
    assert.deepEqual(asked(), []);
  });

  it('ask for eight blocks unseen, and then for sixteen different ones that no list shows as taken', async () => {
    const { store, asked } = watched();
    const all = store.list.bind(store);
    store.list = async () => (await all()).slice(0, 0);
    const create = store.create.bind(store);
    store.create = async (block) => {
      await create(block);
      return { kind: 'conflict', newest: { ...block, spec: { ...block.spec, node: 'faster' } } };
    };
    const result = await new BlockClaims('n1', store).claim([pool('v4', '10.0.0.0/20', 28)], () => false, []);
    assert.equal(result.kind, 'failed');
    const names = asked();
    assert.equal(names.length, 8 + 16);
    assert.equal(new Set(names.slice(8)).size, 16);
  });

  it('step over a huge guarded network, also when what is taken must be listed', async () => {
    const { store } = watched();
    const huge = pool('huge', 'fd00::/32', 122);
    put(store, 'fd00:0:8000::/122', 'other');
    put(store, 'fd00:0:8000::40/126', 'other');
    for (const node of ['n1', 'n2', 'n3', 'n4']) {
      const claims = new BlockClaims(node, store);
      const result = await claims.claim([huge], () => false, [parsePrefix('fd00::/33')!]);
      assert.ok(result.kind === 'claimed');
      assert.match(formatPrefix(result.prefix), /^fd00:0:[89a-f]/);
    }
  });
});
