// When a node holds, freezes, keeps and gives back blocks, as inputs change and the store fails.
import assert from 'node:assert/strict';
import type { IPAMBlock } from '#api';
import { hostLinkName, ownerKey, POD_LINK } from './owner-key.ts';
import { OrphanBlocks } from './orphan-blocks.ts';
import { MemoryBlockStore } from './testing/memory-block-store.ts';
import { inputs, owner, pool, startNode, type TestNode } from './testing/ipam-node.ts';

const POD_CIDRS = { podCidrs: ['10.9.0.0/29', '10.9.1.0/29'] };
const POOL = pool('v4', '10.0.0.0/24', 28);
const SWEEP_MS = 60_000;

const states = ({ ipam }: TestNode): Record<string, string> =>
  Object.fromEntries(ipam.usage().blocks.map(({ cidr, state }) => [cidr, state]));
const stored = ({ store }: TestNode): string[] => [...store.blocks.values()].map(({ spec }) => spec.cidr);

describe('ipam: the blocks of a node as its inputs change', () => {
  it('podCIDRs go when a pool serves: at once while they are empty, else when their last address is free', async () => {
    const node = await startNode(inputs([], POD_CIDRS));
    await node.ipam.allocate(owner(1), ['ipv4']);
    node.ipam.setInputs(inputs([POOL], POD_CIDRS));
    await node.ipam.settled();
    const [own = ''] = stored(node);
    assert.deepEqual(states(node), { '10.9.0.0/29': 'frozen', [own]: 'active' });
    const next = await node.ipam.allocate(owner(2), ['ipv4']);
    assert.ok('addresses' in next && next.addresses.ipv4?.startsWith('10.0.0.'));
    await node.clock.run(SWEEP_MS);
    assert.equal(states(node)['10.9.0.0/29'], 'frozen', 'in use');
    await node.ipam.release(owner(1));
    await node.clock.run(SWEEP_MS);
    await node.ipam.settled();
    assert.deepEqual(states(node), { [own]: 'active' });
    assert.match(node.log.join('\n'), /10\.9\.0\.0\/29: podCIDR no longer used/);
    assert.match(node.log.join('\n'), /10\.9\.1\.0\/29: podCIDR no longer used/);
  });

  it('a podCIDR in use is known again after a restart, when it is a pool that serves by then', async () => {
    const first = await startNode(inputs([], POD_CIDRS));
    await first.ipam.allocate(owner(1), ['ipv4']);
    await first.ipam[Symbol.asyncDispose]();
    const node = await startNode(inputs([POOL], POD_CIDRS), { disk: first.disk, store: first.store });
    assert.equal(states(node)['10.9.0.0/29'], 'frozen');
    assert.equal(states(node)['10.9.1.0/29'], undefined);
  });

  it('a block gives out nothing while its pool is disabled, gone or elsewhere, whatever other pools there are', async () => {
    const node = await startNode(inputs([POOL]));
    const [cidr = ''] = stored(node);
    const other = pool('other', '10.5.0.0/24', 28);
    for (const [pools, state] of [
      [[{ ...POOL, disabled: true }, other], 'frozen'],
      [[POOL, other], 'active'],
      [[other], 'frozen'],
      [[POOL, other], 'active'],
      [[{ ...POOL, cidr: '10.7.0.0/24' }, other], 'frozen'],
    ] as const) {
      node.ipam.setInputs(inputs([...pools]));
      await node.ipam.settled();
      assert.equal(states(node)[cidr], state);
    }
  });

  it('a block over somebody’s network is neither announced nor given out, until that is gone', async () => {
    const node = await startNode(inputs([POOL]));
    const [cidr = ''] = stored(node);
    let heard = 0;
    const stop = node.ipam.subscribe(() => heard++);
    node.ipam.setInputs(inputs([POOL], { guarded: [cidr] }));
    await node.ipam.settled();
    assert.equal(states(node)[cidr], 'frozen');
    assert.ok(!node.ipam.blocks().some((block) => block.cidr === cidr));
    assert.ok(heard > 0, 'it is told of');
    stop();
    heard = 0;
    node.ipam.setInputs(inputs([POOL]));
    await node.ipam.settled();
    assert.equal(states(node)[cidr], 'active');
    assert.equal(heard, 0, 'nobody listens any more');
  });

  it('an empty block that the store cannot be told of is told later, and its object goes', async () => {
    const node = await startNode(inputs([pool('v4', '10.0.0.0/24', 30)]), {
      tuning: { emptyBlockGraceMs: 1000, cooldownMs: 0 },
    });
    for (let i = 0; i < 9; i++) await node.ipam.allocate(owner(i), ['ipv4']);
    await node.ipam.settled();
    const most = stored(node).length;
    assert.ok(most >= 3);
    for (let i = 0; i < 9; i++) await node.ipam.release(owner(i));
    await node.clock.run(1000);
    node.store.delete = async () => {
      throw new Error('no answer');
    };
    await node.clock.run(2 * SWEEP_MS);
    const held = Object.keys(states(node)).length;
    assert.ok(held < most, 'given back here');
    assert.equal(stored(node).length, most, 'and not there');
    Reflect.deleteProperty(node.store, 'delete');
    await node.clock.run(5_000);
    await node.ipam.settled();
    assert.ok(stored(node).length < most, 'asked again after five seconds');
    assert.match(node.log.join('\n'), /block given back to pool v4/);
  });

  it('a claim that the store refuses is made again five seconds later, and why it waits is said meanwhile', async () => {
    // Of an API server that has just started, and whose policies have not read the pools.
    const refusal =
      '422 Invalid: failed to configure policy: failed to find resource referenced by paramKind';
    const store = new MemoryBlockStore();
    const create = store.create.bind(store);
    let asked = 0;
    let isRefused = true;
    store.create = (block) => {
      asked++;
      return isRefused ? Promise.reject(new Error(refusal)) : create(block);
    };
    const node = await startNode(inputs([POOL]), { store });
    const problem = `no more ipv4 blocks: the next one cannot be claimed: ${refusal}; asked again every 5 s`;
    assert.deepEqual(node.ipam.usage().problems, [problem]);
    assert.equal(node.ipam.whyUnready(), `node n1 has no ipv4 block yet: ${problem}`);
    assert.equal(node.log.filter((line) => line.includes(refusal)).length, 1, 'once in the log');
    const before = asked;
    const pod = await node.ipam.allocate(owner(1), ['ipv4']);
    assert.ok('code' in pod && pod.code === 11 && pod.message.includes(refusal));
    assert.equal(asked, before + 1, 'a pod asks at once');
    isRefused = false;
    let heard = 0;
    node.ipam.subscribe(() => heard++);
    await node.clock.run(5_000);
    await node.ipam.settled();
    assert.equal(node.ipam.whyUnready(), undefined);
    assert.deepEqual([node.ipam.usage().problems, stored(node).length], [[], 1]);
    assert.ok('addresses' in (await node.ipam.allocate(owner(1), ['ipv4'])), 'the next ADD has it');
    assert.ok(heard > 0, 'it is told of');
    assert.match(node.log.join('\n'), /blocks are to be had again/);
  });

  it('a spare block that was refused is asked for no more, nor told of, once it is not wanted', async () => {
    const node = await startNode(inputs([POOL]), { tuning: { cooldownMs: 0 } });
    const create = node.store.create.bind(node.store);
    let asked = 0;
    node.store.create = () => {
      asked++;
      return Promise.reject(new Error('422 Invalid: not yet synced'));
    };
    for (let i = 0; i < 14; i++) await node.ipam.allocate(owner(i), ['ipv4']);
    await node.ipam.settled();
    assert.match(node.ipam.usage().problems.join(), /the next one cannot be claimed: 422 Invalid/);
    assert.equal(node.ipam.whyUnready(), undefined, 'addresses are free');
    for (let i = 0; i < 14; i++) await node.ipam.release(owner(i));
    const before = asked;
    await node.clock.run(5_000);
    await node.ipam.settled();
    assert.deepEqual([node.ipam.usage().problems, asked], [[], before]);
    node.store.create = create;
    await node.clock.run(5_000);
    assert.equal(stored(node).length, 1);
  });

  it('a node may hold so many blocks, and says so when it needs one more', async () => {
    const node = await startNode(inputs([pool('v4', '10.0.0.0/24', 31)]), { tuning: { maxBlocks: 2 } });
    let refused: unknown;
    for (let i = 0; i < 6; i++) refused = await node.ipam.allocate(owner(i), ['ipv4']);
    assert.match(JSON.stringify(refused), /the node holds 2 blocks, the most it may/);
    assert.match(node.ipam.usage().problems.join(), /no more ipv4 blocks: the node holds 2 blocks/);
    assert.equal(stored(node).length, 2);
    node.ipam.setInputs(inputs([]));
    await node.ipam.settled();
    assert.doesNotMatch(node.ipam.usage().problems.join(), /no more ipv4 blocks/);
  });
});

describe('names made of an owner', () => {
  it('of the host’s link: pr and thirteen digits of the key, fifteen octets in all', () => {
    const key = ownerKey({ containerId: 'c1', ifname: 'eth0' });
    assert.match(key, /^[0-9a-f]{32}$/);
    assert.equal(hostLinkName(key), `pr${key.slice(0, 13)}`);
    assert.match(hostLinkName(key), POD_LINK);
    assert.notEqual(key, ownerKey({ containerId: 'c1', ifname: 'eth1' }));
    assert.notEqual(key, ownerKey({ containerId: 'c2', ifname: 'eth0' }));
  });
});

describe('blocks of a node that is gone, as a problem', () => {
  const blocks = (count: number): IPAMBlock[] =>
    Array.from({ length: count }, (_, i) => ({
      ...({ apiVersion: 'podroute.io/v1', kind: 'IPAMBlock' } as const),
      metadata: { name: `b${i}`, resourceVersion: '1' },
      spec: { cidr: `10.0.${i}.0/28`, node: 'gone', pool: 'v4' },
    }));

  it('names four of them, counts the others, and says when and how they come back', () => {
    const told = (count: number): string => {
      const orphans = new OrphanBlocks(600_000);
      orphans.look(blocks(count), new Set(['n1']), 0);
      assert.equal(orphans.problems().length, 1);
      return orphans.problems()[0]!;
    };
    assert.match(
      told(4),
      /owns 10\.0\.0\.0\/28, 10\.0\.1\.0\/28, 10\.0\.2\.0\/28, 10\.0\.3\.0\/28: taken back after 10 minutes/,
    );
    assert.match(told(6), /10\.0\.3\.0\/28 and 2 more: taken back/);
    assert.match(told(6), /or at once by: podroute ipam release 10\.0\.0\.0\/28$/);
  });

  it('is none, and nothing is ever due, where the controller takes them back', () => {
    const orphans = new OrphanBlocks(Number.POSITIVE_INFINITY);
    orphans.look(blocks(4), new Set(['n1']), 0);
    assert.deepEqual(orphans.problems(), []);
    assert.deepEqual(orphans.due(Number.MAX_SAFE_INTEGER), []);
    assert.equal(orphans.all().length, 4);
  });
});
