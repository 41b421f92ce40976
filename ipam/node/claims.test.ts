// Claims by themselves: which blocks a node asks for, how often it asks, and what it does with each answer.
import assert from 'node:assert/strict';
import type { IPAMBlock } from '#api';
import { formatPrefix, parsePrefix, type Prefix } from '#ip';
import { BlockClaims, type ClaimResult, enabledPools } from './claims.ts';
import { MemoryBlockStore } from './testing/memory-block-store.ts';
import { pool } from './testing/ipam-node.ts';

const POOL = pool('v4', '10.0.0.0/24', 28);
const prefix = (text: string): Prefix => parsePrefix(text)!;
const none = (): boolean => false;

/** Claims one block after the other; held are those that it got. */
async function claimAll(
  claims: BlockClaims,
  most: number,
  of = POOL,
  guarded: string[] = [],
): Promise<string[]> {
  const got: string[] = [];
  const held = (one: Prefix): boolean => got.includes(formatPrefix(one));
  while (got.length < most) {
    const result = await claims.claim([of], held, guarded.map(prefix));
    if (result.kind !== 'claimed') return [...got, result.kind];
    got.push(formatPrefix(result.prefix));
  }
  return got;
}
const names = (count: number, last = 0): string[] =>
  Array.from({ length: count }, (_, i) => `10.0.0.${i * 16 + last}/28`);
function store(...taken: readonly (readonly [string, string])[]): MemoryBlockStore {
  const made = new MemoryBlockStore();
  for (const [cidr, node] of taken) void made.create(object(cidr, node));
  return made;
}
const object = (cidr: string, node: string): IPAMBlock => ({
  apiVersion: 'podroute.io/v1',
  kind: 'IPAMBlock',
  metadata: { name: cidr.replaceAll(/[./]/g, '-') },
  spec: { cidr, node, pool: 'v4' },
});

describe('claims of blocks', () => {
  it('take every block of the pool once, in an order of the node’s own, and then say that there is none', async () => {
    const orders = new Set<string>();
    for (const node of ['n1', 'n2', 'n3', 'n4']) {
      const got = await claimAll(new BlockClaims(node, new MemoryBlockStore()), 17);
      assert.equal(got.at(-1), 'exhausted');
      assert.deepEqual(got.slice(0, -1).sort(), names(16).sort());
      orders.add(got.join());
    }
    assert.ok(orders.size > 2);
  });

  it('of a second node go round those of the first, and list what is taken only when eight in a row were', async () => {
    const shared = new MemoryBlockStore();
    await claimAll(new BlockClaims('n1', shared), 5);
    const claims = new BlockClaims('n2', shared);
    const before = { ...shared.calls };
    const got = await claimAll(claims, 12);
    assert.equal(got.at(-1), 'exhausted');
    assert.equal(new Set([...shared.blocks.values()].map(({ spec }) => spec.cidr)).size, 16);
    // The first list looks for blocks of other sizes, the last for what is free.
    assert.equal(shared.calls.list - before.list, 2);
    assert.ok(shared.calls.create - before.create <= 16, `${shared.calls.create - before.create} asked`);
  });

  it('ask for no block twice that another has, and for all again once something was given back', async () => {
    const shared = store(...names(15).map((cidr) => [cidr, 'other'] as const));
    const claims = new BlockClaims('n1', shared);
    const first = await claims.claim([POOL], none, []);
    assert.ok(first.kind === 'claimed');
    assert.equal(formatPrefix(first.prefix), '10.0.0.240/28');
    const held = (one: Prefix): boolean => formatPrefix(one) === '10.0.0.240/28';
    for (let i = 0; i < 3; i++) await claims.claim([POOL], held, []);
    const before = shared.calls.create;
    assert.equal((await claims.claim([POOL], held, [])).kind, 'exhausted');
    assert.equal(shared.calls.create, before, 'all are known to be taken');
    const taken = [...shared.blocks.values()].find(({ spec }) => spec.cidr === '10.0.0.0/28')!;
    assert.equal(await claims.takeBack(taken.metadata.name, taken.metadata.resourceVersion!), true);
    const again = await claims.claim([POOL], held, []);
    assert.ok(again.kind === 'claimed');
    assert.equal(formatPrefix(again.prefix), '10.0.0.0/28');
  });

  it('take no block that overlaps something guarded, however large that is', async () => {
    const claims = new BlockClaims('n1', new MemoryBlockStore());
    const got = await claimAll(claims, 17, POOL, ['10.0.0.0/26', '10.0.0.129/32', '10.0.0.192/28']);
    assert.deepEqual(
      got.slice(0, -1).sort(),
      names(16)
        .filter((cidr) => !['0', '16', '32', '48', '128', '192'].includes(cidr.split(/[./]/)[3]!))
        .sort(),
    );
    const huge = pool('huge', 'fd00::/32', 122);
    const result = await claims.claim([huge], none, [prefix('fd00::/33')]);
    assert.ok(result.kind === 'claimed');
    assert.match(formatPrefix(result.prefix), /^fd00:0:[89a-f]/);
    assert.equal((await claims.claim([huge], none, [prefix('fd00::/16')])).kind, 'exhausted');
  });

  it('go round blocks of another size, from before the pool’s blockSize was another', async () => {
    const shared = store(
      ['10.0.0.0/26', 'n9'],
      ['10.0.0.68/30', 'n9'],
      ['10.0.0.96/28', 'n9'],
      ['10.9.0.0/20', 'n9'],
    );
    const got = await claimAll(new BlockClaims('n1', shared), 17);
    assert.deepEqual(
      got.slice(0, -1).sort(),
      names(16)
        .filter((cidr) => !['0', '16', '32', '48', '64', '96'].includes(cidr.split(/[./]/)[3]!))
        .sort(),
    );
    assert.equal(shared.calls.create, 4 + 10, 'none is asked for in vain');
  });

  it('go from one pool to the next', async () => {
    const claims = new BlockClaims('n1', store(['10.0.0.0/28', 'n9']));
    const small = pool('a', '10.0.0.0/28', 28);
    const result = await claims.claim([small, pool('b', '10.1.0.0/28', 28)], none, []);
    assert.deepEqual(result.kind === 'claimed' && [formatPrefix(result.prefix), result.pool], [
      '10.1.0.0/28',
      'b',
    ]);
    assert.equal((await claims.claim([small], none, [])).kind, 'exhausted');
    assert.equal((await claims.claim([], none, [])).kind, 'exhausted');
  });

  it('give up when others are always faster', async () => {
    const shared = new MemoryBlockStore();
    const wide = pool('v4', '10.0.0.0/20', 28);
    const listed = shared.list.bind(shared);
    // Nobody's list ever shows what the others have.
    shared.list = async () => (await listed()).slice(0, 0);
    shared.create = async (block) => ({ kind: 'conflict', newest: object(block.spec.cidr, 'faster') });
    const result = await new BlockClaims('n1', shared).claim([wide], none, []);
    assert.deepEqual(result, {
      kind: 'failed',
      message: 'pool v4: 16 blocks in a row were claimed by others first',
    });
  });

  it('say what the store said, and when it does not answer', async () => {
    const shared = store(['10.0.0.0/28', 'n2'], ['10.0.0.16/28', 'n1']);
    const claims = new BlockClaims('n1', shared);
    const exactly = (cidr: string): Promise<ClaimResult> => claims.claimExactly(prefix(cidr), 'v4');
    assert.deepEqual(await exactly('10.0.0.0/28'), { kind: 'taken', node: 'n2' });
    assert.equal(
      (await exactly('10.0.0.16/28')).kind,
      'claimed',
      'by an earlier claim whose answer was lost',
    );
    assert.equal((await exactly('10.0.0.32/28')).kind, 'claimed');
    const made = [...shared.blocks.values()].find(({ spec }) => spec.cidr === '10.0.0.32/28')!;
    assert.deepEqual(made.spec, { cidr: '10.0.0.32/28', node: 'n1', pool: 'v4' });
    assert.deepEqual(made.metadata.labels, { 'podroute.io/node': 'n1' });
    shared.unreadable.set('10-0-0-48-28', 'empty');
    assert.deepEqual(await exactly('10.0.0.48/28'), { kind: 'unreadable', why: 'empty' });
    shared.failure = 'no answer';
    assert.deepEqual(await exactly('10.0.0.0/28'), { kind: 'failed', message: 'no answer' });
    assert.deepEqual(await claims.claim([POOL], none, []), { kind: 'failed', message: 'no answer' });
  });

  it('write no label that Kubernetes would refuse', async () => {
    const shared = new MemoryBlockStore();
    await new BlockClaims(`n${'x'.repeat(63)}`, shared).claim([POOL], none, []);
    assert.equal([...shared.blocks.values()][0]!.metadata.labels, undefined);
  });

  it('give back what is this node’s, and nothing else', async () => {
    const shared = store(['10.0.0.0/28', 'n2'], ['10.0.0.16/28', 'n1']);
    const claims = new BlockClaims('n1', shared);
    for (const cidr of ['10.0.0.0/28', '10.0.0.16/28', '10.0.0.32/28']) await claims.giveBack(prefix(cidr));
    assert.deepEqual(
      [...shared.blocks.values()].map(({ spec }) => spec.cidr),
      ['10.0.0.0/28'],
    );
    const all = await claimAll(claims, 16);
    assert.equal(all.length, 16, 'fifteen, and no more');
    // What was given back is asked for again, although this node's order is beyond it.
    await claims.giveBack(prefix(all[0]!));
    const again = await claims.claim([POOL], (one) => all.slice(1).includes(formatPrefix(one)), []);
    assert.equal(again.kind === 'claimed' && formatPrefix(again.prefix), all[0]);
    assert.equal(await claims.takeBack('10-0-0-0-28', 'older'), false);
    assert.equal(await claims.takeBack('not-there', '1'), true);
  });
});

describe('pools that serve a family', () => {
  it('are those that are not disabled, by name', () => {
    const all = [pool('b', '10.0.0.0/24', 28), pool('a', '10.1.0.0/24', 28), pool('c', 'fd00::/112', 122)];
    const serving = (family: 'ipv4' | 'ipv6'): string[] =>
      enabledPools([...all, pool('d', '10.2.0.0/24', 28, true)], family).map(({ name }) => name);
    assert.deepEqual([serving('ipv4'), serving('ipv6')], [['a', 'b'], ['c']]);
  });
});
