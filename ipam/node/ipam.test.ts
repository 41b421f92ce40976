import assert from 'node:assert/strict';
import type { Family } from '#ip';
import { MemoryBlockStore } from './testing/memory-block-store.ts';
import { inputs, owner, pool, startNode, type TestNode } from './testing/ipam-node.ts';
import type { Addresses, Allocation, Refusal } from './types.ts';

const BOTH: Family[] = ['ipv4', 'ipv6'];
const POOLS = [pool('v4', '10.0.0.0/24', 28), pool('v6', 'fd00::/120', 124)];

function granted(answer: Allocation | Refusal): Allocation {
  assert.ok(!('kind' in answer), 'message' in answer ? answer.message : '');
  return answer;
}
function refused(answer: Allocation | Refusal): Refusal {
  assert.ok('kind' in answer, 'an address was given');
  return answer;
}
async function fill(node: TestNode, count: number, families: Family[] = ['ipv4']): Promise<Addresses[]> {
  const all: Addresses[] = [];
  for (let i = 0; i < count; i++)
    all.push(granted(await node.ipam.allocate(owner(`f${i}`), families)).addresses);
  return all;
}

describe('ipam: where addresses come from', () => {
  it('claims one block of each family before the first pod', async () => {
    const { ipam, store } = await startNode(inputs(POOLS));
    assert.deepEqual(
      ipam.blocks().map((b) => [b.family, b.pool]),
      [
        ['ipv4', 'v4'],
        ['ipv6', 'v6'],
      ],
    );
    assert.equal(store.blocks.size, 2);
    assert.equal(ipam.whyUnready(), undefined);
  });

  it('writes nothing to the store for an address', async () => {
    const node = await startNode(inputs(POOLS));
    const before = { ...node.store.calls };
    await fill(node, 8, BOTH);
    assert.deepEqual(node.store.calls, before);
  });

  it("uses the Node's podCIDRs where no pool serves the family", async () => {
    const { ipam, store } = await startNode(inputs([POOLS[0]!], { podCidrs: ['10.9.0.0/24', 'fd09::/64'] }));
    const { addresses } = granted(await ipam.allocate(owner(1), BOTH));
    assert.match(addresses.ipv4!, /^10\.0\.0\./);
    assert.match(addresses.ipv6!, /^fd09::/);
    assert.deepEqual(
      ipam.blocks().map((b) => b.cidr),
      ['fd09::/64', [...store.blocks.values()][0]!.spec.cidr],
    );
  });

  it('takes every address of a block, the first and the last too', async () => {
    const node = await startNode(inputs([], { podCidrs: ['10.9.0.0/29'] }));
    const all = await fill(node, 8);
    assert.deepEqual(
      all.map((a) => a.ipv4),
      Array.from({ length: 8 }, (_, i) => `10.9.0.${i}`),
    );
  });

  it('claims no block that overlaps an address or a network of nodes and routers, and gives none out', async () => {
    const guarded = ['10.0.0.0/25', '10.0.0.130/32', 'fd00::/64'];
    const node = await startNode(inputs(POOLS, { guarded }));
    await fill(node, 7 * 16 + 1).then(
      () => assert.fail('more than there is'),
      () => undefined,
    );
    const blocks = [...node.store.blocks.values()].map(({ spec }) => spec.cidr).sort();
    const free = [144, 160, 176, 192, 208, 224, 240].map((n) => `10.0.0.${n}/28`);
    assert.deepEqual(blocks, free);
    const asked = refused(await node.ipam.allocate(owner('asked'), ['ipv4'], { ipv4: '10.0.0.5' }));
    assert.match(asked.message, /its block 10\.0\.0\.0\/28 overlaps an address or a network/);
  });

  it('steps over a network in a pool of more blocks than can be counted', async () => {
    const guarded = ['fd00::/49', 'fd00:0:0:ff00::/56'];
    const { store } = await startNode(inputs([pool('v6', 'fd00::/48', 122)], { guarded }));
    const [block] = store.blocks.values();
    assert.match(block!.spec.cidr, /^fd00:0:0:[89a-f]/);
  });

  it('gives nothing more out of a block that an address of the host has come into, until that is gone', async () => {
    const node = await startNode(inputs([], { podCidrs: ['10.9.0.0/29'] }));
    granted(await node.ipam.allocate(owner(1), ['ipv4']));
    const given = inputs([], { podCidrs: ['10.9.0.0/29'], guarded: ['10.9.0.1/32'] });
    node.ipam.setInputs(given);
    assert.deepEqual(node.ipam.blocks(), []);
    assert.equal(refused(await node.ipam.allocate(owner(2), ['ipv4'])).code, 101);
    node.ipam.setInputs({ ...given, guarded: [] });
    assert.equal(node.ipam.blocks().length, 1);
    granted(await node.ipam.allocate(owner(2), ['ipv4']));
  });

  it('leaves out reserved addresses unless one is asked for', async () => {
    const node = await startNode(
      inputs([], { podCidrs: ['10.9.0.0/29'], reservations: ['10.9.0.0/31', '10.9.0.7/32'] }),
    );
    assert.deepEqual(
      (await fill(node, 5)).map((a) => a.ipv4),
      ['10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.5', '10.9.0.6'],
    );
    assert.equal(refused(await node.ipam.allocate(owner('x'), ['ipv4'])).code, 100);
    const asked = await node.ipam.allocate(owner('x'), ['ipv4'], { ipv4: '10.9.0.7' });
    assert.equal(granted(asked).addresses.ipv4, '10.9.0.7');
    await node.ipam.release(owner('x'));
    assert.equal(refused(await node.ipam.allocate(owner('y'), ['ipv4'])).code, 100);
  });

  it('gives nothing from a disabled pool and keeps what was given', async () => {
    const node = await startNode(inputs(POOLS));
    const held = granted(await node.ipam.allocate(owner(1), ['ipv4']));
    node.ipam.setInputs(inputs([pool('v4', '10.0.0.0/24', 28, true)]));
    assert.equal(refused(await node.ipam.allocate(owner(2), ['ipv4'])).code, 101);
    assert.deepEqual(node.ipam.allocationOf(owner(1)), held);
    assert.equal(
      node.ipam.blocks().some((b) => b.pool === 'v4'),
      true,
    );
  });

  it('names the node and what is missing when it has no pool at all', async () => {
    const { ipam } = await startNode(inputs([]));
    assert.match(ipam.whyUnready()!, /node n1 has no addresses to give: no enabled IPPool selects it/);
    const { code, message } = refused(await ipam.allocate(owner(1), ['ipv4']));
    assert.equal(code, 101);
    assert.match(message, /no enabled ipv4 IPPool selects node n1/);
  });
});

describe('ipam: one owner', () => {
  it('gets the same addresses again', async () => {
    const { ipam } = await startNode(inputs(POOLS));
    const first = await ipam.allocate(owner(1), BOTH);
    assert.deepEqual(await ipam.allocate(owner(1), BOTH), first);
    const again = await ipam.reserve(owner(1), BOTH);
    assert.equal(again.kind === 'reserved' && again.isNew, false);
  });

  it('may be released twice, and when it never was', async () => {
    const { ipam } = await startNode(inputs(POOLS));
    await ipam.allocate(owner(1), BOTH);
    assert.equal(await ipam.release(owner(1)), undefined);
    assert.equal(await ipam.release(owner(1)), undefined);
    assert.equal(await ipam.release(owner('never')), undefined);
  });

  it('gets both families or nothing', async () => {
    const node = await startNode(inputs([pool('v4', '10.0.0.0/28', 28), pool('v6', 'fd00::/126', 126)]));
    await fill(node, 4, BOTH);
    const { code, message } = refused(await node.ipam.allocate(owner('x'), BOTH));
    assert.equal(code, 100);
    assert.match(
      message,
      /no ipv6 address is free on node n1: every block of IPPool v6 \(fd00::\/126\) is taken/,
    );
    assert.equal(node.ipam.usage().blocks.find((b) => b.family === 'ipv4')!.used, 4);
  });

  it('gets the address it asks for, or hears why not', async () => {
    const node = await startNode(inputs([pool('v4', '10.0.0.0/24', 28)]));
    const { ipam, store } = node;
    const block = ipam.blocks()[0]!.cidr;
    const inside = `${block.slice(0, block.lastIndexOf('.') + 1)}${Number(block.split(/[./]/)[3]) + 9}`;
    assert.equal(granted(await ipam.allocate(owner(1), ['ipv4'], { ipv4: inside })).addresses.ipv4, inside);
    const taken = refused(await ipam.allocate(owner(2), ['ipv4'], { ipv4: inside }));
    assert.equal(taken.code, 102);
    assert.match(taken.message, /is in use by pod default\/pod-1/);
    assert.equal(refused(await ipam.allocate(owner(2), ['ipv4'], { ipv4: '192.0.2.1' })).code, 101);
    const other = await startNode(inputs([pool('v4', '10.0.0.0/24', 28)]), { name: 'n2', store });
    const foreign = refused(await other.ipam.allocate(owner(3), ['ipv4'], { ipv4: inside }));
    assert.equal(foreign.code, 102);
    assert.match(foreign.message, /its block .* belongs to node n1/);
    const far = other.ipam.blocks()[0]!.cidr.startsWith('10.0.0.240') ? '10.0.0.225' : '10.0.0.241';
    const elsewhere = await ipam.allocate(owner(4), ['ipv4'], { ipv4: far });
    if (!('kind' in elsewhere)) assert.equal(elsewhere.addresses.ipv4, far);
  });
});

describe('ipam: reuse', () => {
  it('gives an address just freed out last', async () => {
    const node = await startNode(inputs([], { podCidrs: ['10.9.0.0/29'] }));
    await fill(node, 3);
    await node.ipam.release(owner('f1'));
    const next = [];
    for (let i = 0; i < 6; i++)
      next.push(granted(await node.ipam.allocate(owner(i), ['ipv4'])).addresses.ipv4);
    assert.deepEqual(next, ['10.9.0.3', '10.9.0.4', '10.9.0.5', '10.9.0.6', '10.9.0.7', '10.9.0.1']);
  });

  it('leaves an address alone for the cool-down while another block has one that was free for longer', async () => {
    const node = await startNode(inputs([], { podCidrs: ['10.9.0.0/30', '10.9.1.0/30'] }));
    await fill(node, 4);
    await node.ipam.release(owner('f1'));
    node.clock.advance(29_000);
    assert.equal(granted(await node.ipam.allocate(owner('a'), ['ipv4'])).addresses.ipv4, '10.9.1.0');
    node.clock.advance(1_000);
    assert.equal(granted(await node.ipam.allocate(owner('b'), ['ipv4'])).addresses.ipv4, '10.9.0.1');
  });

  it('remembers across a restart which was freed last', async () => {
    const given = inputs([], { podCidrs: ['10.9.0.0/29'] });
    const { ipam, disk } = await startNode(given);
    for (const i of [1, 2]) await ipam.allocate(owner(i), ['ipv4']);
    await ipam.release(owner(2));
    await ipam.release(owner(1));
    await ipam[Symbol.asyncDispose]();
    const again = await startNode(given, { disk });
    assert.deepEqual(
      (await fill(again, 8)).map((a) => a.ipv4!.at(-1)),
      ['2', '3', '4', '5', '6', '7', '1', '0'],
    );
  });
});

describe('ipam: blocks', () => {
  it('claims the next block before the last address is gone', async () => {
    const node = await startNode(inputs([pool('v4', '10.0.0.0/24', 28)]));
    await fill(node, 12);
    await node.ipam.settled();
    assert.equal(node.ipam.blocks().length, 1);
    await node.ipam.allocate(owner('more'), ['ipv4']);
    await node.ipam.settled();
    assert.equal(node.ipam.blocks().length, 2);
  });

  it('gives an empty extra block back after the grace time, never the last one', async () => {
    const node = await startNode(inputs([pool('v4', '10.0.0.0/24', 28)]));
    await fill(node, 20);
    assert.equal(node.ipam.blocks().length, 2);
    let changes = 0;
    node.ipam.subscribe(() => changes++);
    for (let i = 0; i < 20; i++) await node.ipam.release(owner(`f${i}`));
    node.clock.advance(200_000);
    await node.ipam.settled();
    assert.equal(node.store.blocks.size, 2);
    node.clock.advance(200_000);
    await node.ipam.settled();
    node.clock.advance(1_000_000);
    await node.ipam.settled();
    assert.equal(node.store.blocks.size, 1);
    assert.equal(node.ipam.blocks().length, 1);
    assert.equal(changes, 1);
  });

  it('has no block any more after a restart that it had given back, store or no store', async () => {
    const given = inputs([pool('v4', '10.0.0.0/24', 28)]);
    const node = await startNode(given);
    await fill(node, 20);
    for (let i = 0; i < 20; i++) await node.ipam.release(owner(`f${i}`));
    await node.clock.run(400_000);
    const left = node.ipam.blocks().map(({ cidr }) => cidr);
    assert.equal(left.length, 1);
    await node.ipam[Symbol.asyncDispose]();
    node.store.failure = 'connect ECONNREFUSED';
    const again = await startNode(given, { disk: node.disk, store: node.store });
    assert.deepEqual(
      again.ipam.blocks().map(({ cidr }) => cidr),
      left,
    );
  });

  it('gives back only what the store still calls its own', async () => {
    const node = await startNode(inputs([pool('v4', '10.0.0.0/24', 28)]));
    await fill(node, 20);
    for (let i = 0; i < 20; i++) await node.ipam.release(owner(`f${i}`));
    // Up to the last sweep before the grace time is over; then another node has the extra block.
    await node.clock.run(299_000);
    const extra = node.ipam.blocks().at(-1)!.cidr;
    const [[name, object] = ['', undefined]] = [...node.store.blocks].filter(
      ([, b]) => b.spec.cidr === extra,
    );
    node.store.blocks.set(name, { ...object!, spec: { ...object!.spec, node: 'n2' } });
    await node.clock.run(2_000_000);
    assert.equal(node.store.blocks.get(name)?.spec.node, 'n2');
    assert.equal(node.ipam.blocks().length, 1);
  });

  it('never shares a block with another node that asks at the same time', async () => {
    const store = new MemoryBlockStore();
    const one = [pool('v4', '10.0.0.0/24', 28)];
    const nodes = await Promise.all(
      Array.from({ length: 16 }, (_, i) => startNode(inputs(one), { name: `n${i}`, store })),
    );
    const cidrs = nodes.flatMap((n) => n.ipam.blocks().map((b) => b.cidr));
    assert.equal(cidrs.length, 16);
    assert.equal(new Set(cidrs).size, 16);
    const late = await startNode(inputs(one), { name: 'late', store });
    assert.equal(refused(await late.ipam.allocate(owner(1), ['ipv4'])).code, 100);
    assert.match(late.ipam.usage().problems.join(), /no more ipv4 blocks: every block of IPPool v4/);
  });

  it('lists the store once, not for every claim', async () => {
    const node = await startNode(inputs([pool('v4', '10.0.0.0/20', 28)]));
    const before = node.store.calls.list;
    await fill(node, 100);
    assert.ok(node.ipam.blocks().length >= 7);
    assert.equal(node.store.calls.list, before);
  });

  it('takes no block that overlaps one of another size', async () => {
    const store = new MemoryBlockStore();
    const a = await startNode(inputs([pool('v4', '10.0.0.0/24', 25)]), { name: 'a', store });
    const b = await startNode(inputs([pool('v4', '10.0.0.0/24', 28)]), { name: 'b', store });
    await fill(b, 120);
    const half = a.ipam.blocks()[0]!.cidr.startsWith('10.0.0.0') ? 0 : 128;
    for (const { cidr } of b.ipam.blocks()) {
      assert.equal(Number(cidr.split(/[./]/)[3]) < 128, half === 128, cidr);
    }
  });

  it('serves from its blocks while the store is away, also after a restart', async () => {
    const given = inputs([pool('v4', '10.0.0.0/24', 28)]);
    const before = await startNode(given);
    const held = await before.ipam.allocate(owner(1), ['ipv4']);
    await before.ipam[Symbol.asyncDispose]();
    before.store.failure = 'connect ECONNREFUSED';
    const { ipam, clock, store, disk } = await startNode(given, { disk: before.disk, store: before.store });
    assert.deepEqual(ipam.allocationOf(owner(1)), held);
    granted(await ipam.allocate(owner(2), ['ipv4']));
    assert.match(
      ipam.usage().problems.join(),
      /could not be compared with the store's: connect ECONNREFUSED/,
    );
    const rest = await Promise.all(
      Array.from({ length: 15 }, (_, i) => ipam.allocate(owner(`r${i}`), ['ipv4'])),
    );
    const late = refused(rest[14]!);
    assert.equal(late.code, 11);
    assert.match(late.message, /the next block cannot be claimed: connect ECONNREFUSED/);
    store.failure = undefined;
    clock.advance(5000);
    await ipam.settled();
    assert.deepEqual(ipam.usage().problems, []);
    granted(await ipam.allocate(owner('late'), ['ipv4']));
    assert.equal(disk.hasCrashed, false);
  });

  it("stops giving from a block that the store says is another node's", async () => {
    const given = inputs([pool('v4', '10.0.0.0/24', 28)]);
    const before = await startNode(given);
    await before.ipam.allocate(owner(1), ['ipv4']);
    await before.ipam[Symbol.asyncDispose]();
    const [name, object] = [...before.store.blocks][0]!;
    before.store.blocks.set(name, { ...object, spec: { ...object.spec, node: 'thief' } });
    const { ipam } = await startNode(given, { disk: before.disk, store: before.store });
    assert.match(ipam.usage().problems.join(), /the store says it is node thief's: its pods keep/);
    assert.ok(!ipam.blocks().some((b) => b.cidr === object.spec.cidr));
    const next = granted(await ipam.allocate(owner(2), ['ipv4']));
    assert.ok(
      ipam.usage().blocks.some((b) => b.cidr !== object.spec.cidr && b.used === 1),
      JSON.stringify(next),
    );
  });
});

describe('ipam: check', () => {
  it('finds addresses without an attachment, inside the network asked for', async () => {
    const { ipam } = await startNode(inputs(POOLS));
    for (const i of [1, 2]) await ipam.allocate(owner(i), BOTH);
    await ipam.allocate({ ...owner(3), network: 'other' }, BOTH);
    const live = [owner(1), { containerId: 'c9', ifname: 'eth0' }];
    const report = ipam.check(live, 'podroute');
    assert.deepEqual(
      report.leaked.map((a) => a.owner.containerId),
      ['c2'],
    );
    assert.deepEqual(report.missing, [{ containerId: 'c9', ifname: 'eth0' }]);
    assert.deepEqual(report.outside, []);
    assert.equal(ipam.check(live).leaked.length, 2);
  });

  it('keeps the address of a link that the journal does not know, until its DEL', async () => {
    const { hostLinkName, ownerKey } = await import('./owner-key.ts');
    const { ipam } = await startNode(inputs([], { podCidrs: ['10.9.0.0/31'] }));
    const link = hostLinkName(ownerKey(owner('lost')));
    assert.equal(ipam.adopt('10.9.0.0', link), true);
    assert.equal(granted(await ipam.allocate(owner(1), ['ipv4'])).addresses.ipv4, '10.9.0.1');
    assert.equal(refused(await ipam.allocate(owner(2), ['ipv4'])).code, 100);
    await ipam.release(owner('lost'));
    assert.equal(granted(await ipam.allocate(owner(2), ['ipv4'])).addresses.ipv4, '10.9.0.0');
  });
});
