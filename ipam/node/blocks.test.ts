// Blocks against the store while the node runs: lost, taken by others, left over by nodes that are gone, used up.
import assert from 'node:assert/strict';
import type { IPAMBlock } from '#api';
import { MemoryBlockStore } from './testing/memory-block-store.ts';
import { inputs, owner, pool, startNode, type TestNode } from './testing/ipam-node.ts';
import type { IpamInputs } from './types.ts';

const POOL = pool('v4', '10.0.0.0/24', 28);
const SWEEP_MS = 60_000;

/** What the agent passes on when the store told of a change. */
const told = (store: MemoryBlockStore, more: Partial<IpamInputs> = {}) =>
  inputs([POOL], { stored: readable(store).map(({ spec }) => spec), ...more });
const readable = (store: MemoryBlockStore) =>
  [...store.blocks.values()].filter(({ metadata }) => !store.unreadable.has(metadata.name));

async function tell(node: TestNode, more?: Partial<IpamInputs>): Promise<void> {
  node.ipam.setInputs(told(node.store, more));
  await node.clock.run(1_000);
  await node.ipam.settled();
}

async function steal(node: TestNode, thief: string): Promise<IPAMBlock> {
  const [[name, object] = ['', undefined]] = [...node.store.blocks];
  const stolen = { ...object!, spec: { ...object!.spec, node: thief } };
  node.store.blocks.set(name, stolen);
  return stolen;
}

const problems = (node: TestNode) => node.ipam.usage().problems.join('\n');
const cidrs = (node: TestNode) => node.ipam.blocks().map(({ cidr }) => cidr);

describe('ipam: blocks, compared with the store', () => {
  it('that vanish from it at run time are made again within a second, in use or not', async () => {
    for (const isUsed of [true, false]) {
      const node = await startNode(inputs([POOL]));
      if (isUsed) await node.ipam.allocate(owner(1), ['ipv4']);
      const before = [...node.store.blocks.values()].map(({ spec }) => spec);
      node.store.blocks.clear();
      await tell(node);
      assert.deepEqual(
        [...node.store.blocks.values()].map(({ spec }) => spec),
        before,
      );
      assert.match(node.log.join('\n'), /its object was gone from the store: made again/);
    }
  });

  it('that another took meanwhile give out nothing more, are not announced, and are named', async () => {
    const node = await startNode(inputs([POOL]));
    await node.ipam.allocate(owner(1), ['ipv4']);
    let changes = 0;
    node.ipam.subscribe(() => changes++);
    const { spec } = await steal(node, 'n2');
    await tell(node);
    assert.ok(!cidrs(node).includes(spec.cidr));
    assert.ok(changes > 0);
    assert.match(
      problems(node),
      new RegExp(`block ${spec.cidr} is held here, but the store says it is node n2's`),
    );
    const next = await node.ipam.allocate(owner(2), ['ipv4']);
    assert.ok('addresses' in next);
    assert.equal(
      node.ipam.usage().blocks.find(({ cidr }) => cidr === spec.cidr)?.used,
      1,
      'the second address comes from elsewhere',
    );
    assert.equal([...node.store.blocks.values()].find((b) => b.spec.cidr === spec.cidr)?.spec.node, 'n2');

    const [[name, stolen] = ['', undefined]] = [...node.store.blocks].filter(
      ([, b]) => b.spec.cidr === spec.cidr,
    );
    node.store.blocks.set(name, { ...stolen!, spec: { ...stolen!.spec, node: 'n1' } });
    await tell(node);
    assert.equal(problems(node), '', 'it was given back to this node');
    assert.ok(cidrs(node).includes(spec.cidr));
  });

  it('are compared at every sweep, also when nobody told of a change', async () => {
    const node = await startNode(inputs([POOL]));
    node.store.blocks.clear();
    await node.clock.run(SWEEP_MS + 1_000);
    assert.equal(node.store.blocks.size, 1);
  });

  it('whose object cannot be read are kept and named, and harm no other', async () => {
    const node = await startNode(inputs([POOL]));
    const [name = ''] = node.store.blocks.keys();
    node.store.unreadable.set(name, 'the file is empty');
    await tell(node);
    assert.match(
      problems(node),
      /is held here, and its object in the store cannot be read \(the file is empty\)/,
    );
    assert.equal(cidrs(node).length, 1);
    const other = await startNode(inputs([POOL]), { name: 'n2', store: node.store });
    assert.equal(cidrs(other).length, 1);
    assert.notDeepEqual(cidrs(other), cidrs(node));
    node.store.unreadable.clear();
    await tell(node);
    assert.equal(problems(node), '');
  });

  it('are claimed around one that cannot be read, though the pool has only one more', async () => {
    const store = new MemoryBlockStore();
    store.unreadable.set('10-0-0-0-28', 'the file is empty');
    const node = await startNode(inputs([pool('v4', '10.0.0.0/27', 28)]), { store });
    assert.deepEqual(cidrs(node), ['10.0.0.16/28']);
  });
});

describe('ipam: blocks of nodes that are gone', () => {
  const GRACE_MS = 600_000;
  const POOL_OF_TWO = pool('v4', '10.0.0.0/27', 28);

  async function after(gone: string): Promise<TestNode> {
    const store = new MemoryBlockStore();
    const old = await startNode(inputs([POOL_OF_TWO]), { name: gone, store });
    for (let i = 0; i < 20; i++) await old.ipam.allocate(owner(i), ['ipv4']);
    await old.ipam[Symbol.asyncDispose]();
    const node = await startNode(inputs([POOL_OF_TWO]), { store });
    await tell(node, { pools: [POOL_OF_TWO], nodes: new Set(['n1']) });
    return node;
  }

  it('are named, and taken back after the grace time: then the pool has room again', async () => {
    const node = await after('old');
    assert.match(problems(node), /node old has no Node object any more and still owns 10\.0\.0\.\d+\/28, 10/);
    assert.match(problems(node), /no more ipv4 blocks: every block of IPPool v4/);
    await node.clock.run(GRACE_MS - SWEEP_MS - 1_000);
    assert.equal(node.store.blocks.size, 2);
    assert.deepEqual(cidrs(node), []);
    await node.clock.run(3 * SWEEP_MS);
    assert.equal(cidrs(node).length, 1);
    assert.equal(problems(node), '');
    assert.deepEqual(
      [...node.store.blocks.values()].map(({ spec }) => spec.node),
      ['n1'],
    );
  });

  it('stay when the node comes back in time, and when nobody knows which nodes there are', async () => {
    const node = await after('old');
    await node.clock.run(GRACE_MS / 2);
    node.ipam.setInputs(inputs([POOL_OF_TWO], { nodes: new Set(['n1', 'old']) }));
    await node.clock.run(GRACE_MS);
    assert.equal(node.store.blocks.size, 2);
    assert.doesNotMatch(problems(node), /no Node object/);
    node.ipam.setInputs(inputs([POOL_OF_TWO]));
    await node.clock.run(2 * GRACE_MS);
    assert.equal(node.store.blocks.size, 2);
  });

  it('are given another grace time when somebody made them anew', async () => {
    const node = await after('old');
    await node.clock.run(GRACE_MS / 2);
    for (const [name, block] of node.store.blocks) {
      node.store.blocks.set(name, { ...block, metadata: { ...block.metadata, resourceVersion: 'new' } });
    }
    await node.clock.run(GRACE_MS - 3 * SWEEP_MS);
    assert.equal(node.store.blocks.size, 2);
  });

  it('are taken back at once on demand, and only theirs', async () => {
    const node = await after('old');
    const [first = ''] = node.ipam.orphanBlocks().map(({ cidr }) => cidr);
    assert.deepEqual(await node.ipam.releaseBlock(first), { kind: 'freed', cidr: first, node: 'old' });
    await node.ipam.settled();
    assert.deepEqual(cidrs(node), [first], 'it is this node’s now');
    const refused = await node.ipam.releaseBlock(first);
    assert.match(
      refused.kind === 'refused' ? refused.why : '',
      /does not belong to a node that has no Node object/,
    );
    assert.equal(node.store.blocks.size, 2);
  });
});

describe('ipam: no more blocks', () => {
  it('is a problem for as long as it lasts, whatever changes meanwhile, and not any longer', async () => {
    const store = new MemoryBlockStore();
    const small = pool('v4', '10.0.0.0/28', 28);
    const other = await startNode(inputs([small]), { name: 'n2', store });
    const node = await startNode(inputs([small]), { store });
    let changes = 0;
    node.ipam.subscribe(() => changes++);
    for (let minute = 0; minute < 5; minute++) {
      await node.clock.run(SWEEP_MS);
      node.ipam.setInputs(inputs([small]));
      await node.ipam.settled();
      assert.match(problems(node), /no more ipv4 blocks: every block of IPPool v4/, `minute ${minute}`);
      assert.match(node.ipam.whyUnready() ?? '', /no ipv4 block yet: no more ipv4 blocks/);
    }
    assert.equal(changes, 0, 'nothing new to tell');
    await other.ipam[Symbol.asyncDispose]();
    store.blocks.clear();
    await node.clock.run(SWEEP_MS + 1_000);
    assert.equal(problems(node), '');
    assert.equal(cidrs(node).length, 1);
    assert.ok(changes > 0);
  });

  it('is none any more when pods are gone and no further block is wanted', async () => {
    const node = await startNode(inputs([pool('v4', '10.0.0.0/28', 28)]));
    for (let i = 0; i < 14; i++) await node.ipam.allocate(owner(i), ['ipv4']);
    await node.ipam.settled();
    assert.match(problems(node), /no more ipv4 blocks/);
    for (let i = 0; i < 14; i++) await node.ipam.release(owner(i));
    await node.clock.run(SWEEP_MS + 1_000);
    assert.equal(problems(node), '');
  });
});

describe('ipam: addresses that are asked for', () => {
  it('cost no more blocks than the node may have', async () => {
    const node = await startNode(inputs([POOL]), { tuning: { maxBlocks: 4 } });
    const answers = [];
    for (let i = 0; i < 16; i++) {
      answers.push(await node.ipam.allocate(owner(i), ['ipv4'], { ipv4: `10.0.0.${16 * i + 1}` }));
    }
    assert.equal(cidrs(node).length, 4);
    const refused = answers.filter((answer) => 'kind' in answer);
    assert.equal(refused.length, 12);
    for (const { code, message } of refused) {
      assert.equal(code, 102);
      assert.match(message, /its block .* cannot be had: the node holds 4 blocks, the most it may/);
    }
  });

  it('give their block back as soon as they are free again, all but the last block', async () => {
    const node = await startNode(inputs([POOL]));
    const [own = ''] = cidrs(node);
    const far = own === '10.0.0.32/28' ? '10.0.0.64' : '10.0.0.32';
    await node.ipam.allocate(owner(0), ['ipv4'], { ipv4: far });
    assert.equal(cidrs(node).length, 2);
    await node.ipam.release(owner(0));
    await node.ipam.settled();
    assert.deepEqual(cidrs(node), [own]);
    assert.equal(node.store.blocks.size, 1);
  });
});
