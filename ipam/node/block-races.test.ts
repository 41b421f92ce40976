// What the node does with blocks while the store or the disk is busy with them, or before anybody told it anything; and
// that whoever listens hears of each change.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FakeClock, MemoryDisk } from '#world/testing';
import { Ipam } from './ipam.ts';
import { inputs, owner, pool, startNode, type TestNode } from './testing/ipam-node.ts';
import { MemoryBlockStore } from './testing/memory-block-store.ts';

const POOL = pool('v4', '10.0.0.0/24', 28);
const SWEEP_MS = 60_000;

const states = ({ ipam }: Pick<TestNode, 'ipam'>): Record<string, string> =>
  Object.fromEntries(ipam.usage().blocks.map(({ cidr, state }) => [cidr, state]));
const problems = ({ ipam }: TestNode): string => ipam.usage().problems.join('\n');
const storedCidrs = (store: MemoryBlockStore): string[] => [...store.blocks.values()].map((b) => b.spec.cidr);

/** Two addresses in blocks that the node has not. */
function elsewhere(node: TestNode): string[] {
  const held = node.ipam.blocks().map(({ cidr }) => cidr);
  return [16, 32, 48, 64].filter((n) => !held.includes(`10.0.0.${n}/28`)).map((n) => `10.0.0.${n}`);
}

/** The next call of `name` waits until what is returned is called. */
function hold<T extends object>(target: T, name: keyof T & string): () => void {
  const call = (target[name] as (...args: unknown[]) => unknown).bind(target);
  let go: () => void = () => undefined;
  const gate = new Promise<void>((done) => (go = done));
  Object.assign(target, {
    [name]: async (...args: unknown[]) => {
      Reflect.deleteProperty(target, name);
      await gate;
      return call(...args);
    },
  });
  return go;
}

/** Started, and told nothing yet. */
function untold(store: MemoryBlockStore, disk = new MemoryDisk()): Pick<TestNode, 'ipam' | 'log'> {
  const log: string[] = [];
  const write = (subject: string, message: string): void => void log.push(`${subject}: ${message}`);
  const io = { disk, store, clock: new FakeClock(), log: { info: write, warn: write, error: write } };
  return { ipam: new Ipam({ node: 'n1', stateDir: '/state' }, io), log };
}

describe('ipam: blocks, as things happen at once', () => {
  it('that the store knows as this node’s serve before the first inputs came', async () => {
    const first = await startNode(inputs([POOL]));
    const [cidr = ''] = storedCidrs(first.store);
    const node = untold(first.store);
    await node.ipam.start();
    await node.ipam.settled();
    assert.deepEqual(states(node), { [cidr]: 'active' });
    assert.ok('addresses' in (await node.ipam.allocate(owner(1), ['ipv4'])));
  });

  it('that the store tells of make a claim needless that waits for its answer, with one free address too', async () => {
    const store = new MemoryBlockStore();
    const small = pool('v4', '10.0.0.0/29', 31);
    const first = await startNode(inputs([small], { reservations: [] }), { store });
    const [cidr = ''] = storedCidrs(store);
    await first.ipam[Symbol.asyncDispose]();
    const node = untold(store);
    const go = hold(store, 'list');
    await node.ipam.start();
    const [reserved = ''] = cidr.split('/');
    node.ipam.setInputs(inputs([small], { reservations: [`${reserved}/32`] }));
    const before = store.calls.create;
    assert.deepEqual(states(node), {});
    go();
    await node.ipam.settled();
    assert.deepEqual(states(node), { [cidr]: 'active' });
    assert.equal(store.calls.create, before);
    const served = await node.ipam.allocate(owner(1), ['ipv4']);
    const free = reserved.replace(/\d+$/, (last) => String(Number(last) + 1));
    assert.deepEqual('addresses' in served && served.addresses, { ipv4: free });
  });

  it('of a pool that was disabled while one was claimed of it give out nothing', async () => {
    const store = new MemoryBlockStore();
    const node = await startNode(inputs([]), { store });
    const go = hold(store, 'create');
    node.ipam.setInputs(inputs([POOL]));
    await new Promise(setImmediate);
    node.ipam.setInputs(inputs([{ ...POOL, disabled: true }]));
    go();
    await node.ipam.settled();
    assert.deepEqual(Object.values(states(node)), ['frozen']);
  });

  it('give out nothing until the disk has them', async () => {
    const node = await startNode(inputs([POOL]), { tuning: { lowWaterShare: 0 } });
    const [far = ''] = elsewhere(node);
    const cidr = `${far}/28`;
    // The block is claimed in the store; the journal fails from here on.
    const create = node.store.create.bind(node.store);
    node.store.create = async (block) => {
      const answer = await create(block);
      node.disk.failure = 'full';
      return answer;
    };
    const refused = await node.ipam.allocate(owner(1), ['ipv4'], { ipv4: far });
    assert.ok('kind' in refused);
    assert.equal(refused.code, 104);
    assert.match(refused.message, /full/);
    assert.ok(
      node.ipam.blocks().some((block) => block.cidr === cidr),
      'and it is announced',
    );
    node.disk.failure = undefined;
    await node.clock.run(6_000);
    assert.ok('addresses' in (await node.ipam.allocate(owner(2), ['ipv4'], { ipv4: far })));
  });

  it('are held once for all who ask for addresses of one at the same time, and go with the last of them', async () => {
    const node = await startNode(inputs([POOL]));
    const [far = ''] = elsewhere(node);
    const wanted = [1, 2, 3].map((n) => far.replace(/\d+$/, (last) => String(Number(last) + n)));
    const answers = await Promise.all(
      wanted.map((ipv4, n) => node.ipam.allocate(owner(n), ['ipv4'], { ipv4 })),
    );
    assert.deepEqual(
      answers.map((answer) => 'addresses' in answer && answer.addresses.ipv4),
      wanted,
    );
    const cidr = `${far}/28`;
    assert.equal(node.ipam.blocks().filter((block) => block.cidr === cidr).length, 1);
    for (const n of wanted.keys()) {
      assert.equal(states(node)[cidr], 'active', `${n} have gone`);
      await node.ipam.release(owner(n));
      await node.ipam.settled();
    }
    assert.equal(states(node)[cidr], undefined);
    assert.ok(!storedCidrs(node.store).includes(cidr));
  });

  it('are looked for once, however many wait for one', async () => {
    const store = new MemoryBlockStore();
    const one = pool('v4', '10.0.0.0/28', 28);
    await startNode(inputs([one]), { name: 'n2', store });
    const node = await startNode(inputs([one]), { store });
    await node.clock.run(10_000);
    const before = { ...store.calls };
    await Promise.all([1, 2, 3, 4].map((n) => node.ipam.allocate(owner(n), ['ipv4'])));
    assert.equal(store.calls.list - before.list, 1);
  });

  it('that are claimed again before the store heard that they went are not taken away afterwards', async () => {
    const node = await startNode(inputs([POOL]));
    const [far = ''] = elsewhere(node);
    await node.ipam.allocate(owner(1), ['ipv4'], { ipv4: far });
    node.store.delete = async () => {
      throw new Error('no answer');
    };
    await node.ipam.release(owner(1));
    await node.ipam.settled();
    assert.equal(states(node)[`${far}/28`], undefined);
    await node.ipam.allocate(owner(2), ['ipv4'], { ipv4: far });
    Reflect.deleteProperty(node.store, 'delete');
    await node.clock.run(SWEEP_MS);
    await node.ipam.settled();
    assert.ok(storedCidrs(node.store).includes(`${far}/28`));
    assert.equal(node.ipam.allocationOf(owner(2))?.addresses.ipv4, far);
  });

  it('are left alone once the node has stopped', async () => {
    const node = await startNode(inputs([POOL]));
    await node.ipam[Symbol.asyncDispose]();
    node.store.blocks.clear();
    const before = { ...node.store.calls };
    await node.clock.run(3 * SWEEP_MS);
    assert.deepEqual(node.store.calls, before);
  });
});

describe('ipam: blocks that were claimed for one address', () => {
  it('stay while they are frozen, and as the last active one; which then is a block like any other', async () => {
    const node = await startNode(inputs([POOL]));
    const [own = ''] = storedCidrs(node.store);
    const [a = '', b = ''] = elsewhere(node);
    await node.ipam.allocate(owner(1), ['ipv4'], { ipv4: a });
    await node.ipam.allocate(owner(2), ['ipv4'], { ipv4: b });
    node.ipam.setInputs(inputs([POOL], { guarded: [`${a}/32`] }));
    await node.ipam.release(owner(1));
    await node.ipam.settled();
    assert.equal(states(node)[`${a}/28`], 'frozen', 'it is given back after the grace time');
    node.ipam.setInputs(inputs([POOL], { guarded: [own, `${a}/32`] }));
    await node.ipam.release(owner(2));
    await node.ipam.settled();
    assert.equal(states(node)[`${b}/28`], 'active', 'the last active one');
    node.ipam.setInputs(inputs([POOL]));
    await node.ipam.allocate(owner(3), ['ipv4']);
    await node.ipam.release(owner(3));
    await node.ipam.settled();
    assert.deepEqual(Object.keys(states(node)).sort(), [own, `${a}/28`, `${b}/28`].sort());
  });
});

describe('ipam: blocks at a sweep', () => {
  it('of podCIDRs stay while they are wanted, those of a disabled pool for the grace time, in use or not', async () => {
    const node = await startNode(inputs([], { podCidrs: ['10.9.0.0/29'] }));
    await node.clock.run(2 * SWEEP_MS);
    assert.deepEqual(states(node), { '10.9.0.0/29': 'active' });
    const other = await startNode(inputs([POOL]), { tuning: { emptyBlockGraceMs: 5 * SWEEP_MS } });
    other.ipam.setInputs(inputs([{ ...POOL, disabled: true }]));
    await other.clock.run(2 * SWEEP_MS);
    assert.deepEqual(Object.values(states(other)), ['frozen']);
    await other.clock.run(4 * SWEEP_MS);
    assert.deepEqual(states(other), {});
  });

  it('that another took are no problem any more once the last pod has left them', async () => {
    const node = await startNode(inputs([POOL]), { tuning: { emptyBlockGraceMs: SWEEP_MS } });
    await node.ipam.allocate(owner(1), ['ipv4']);
    const [[name, object] = ['', undefined]] = [...node.store.blocks];
    node.store.blocks.set(name, { ...object!, spec: { ...object!.spec, node: 'n2' } });
    await node.clock.run(SWEEP_MS);
    assert.match(problems(node), /the store says it is node n2's/);
    await node.ipam.release(owner(1));
    await node.clock.run(3 * SWEEP_MS);
    await node.ipam.settled();
    assert.equal(problems(node), '');
    assert.equal(states(node)[object!.spec.cidr], undefined);
    assert.ok(storedCidrs(node.store).includes(object!.spec.cidr), 'it is not ours to delete');
  });

  it('are not said to be had again while addresses run low', async () => {
    const node = await startNode(inputs([pool('v4', '10.0.0.0/28', 28)]));
    for (let i = 0; i < 14; i++) await node.ipam.allocate(owner(i), ['ipv4']);
    await node.clock.run(5 * SWEEP_MS);
    assert.match(problems(node), /no more ipv4 blocks/);
    assert.equal(node.log.filter((line) => /no more blocks/.test(line)).length, 1);
    assert.equal(node.log.filter((line) => /had again/.test(line)).length, 0);
  });
});

describe('ipam: when blocks run low', () => {
  it('a pool that is new is asked at once, although another was just found used up', async () => {
    const store = new MemoryBlockStore();
    const one = pool('v4', '10.0.0.0/28', 28);
    await startNode(inputs([one]), { name: 'n2', store });
    const node = await startNode(inputs([one]), { store });
    assert.deepEqual(states(node), {});
    node.ipam.setInputs(inputs([one, pool('w4', '10.1.0.0/28', 28)]));
    await node.ipam.settled();
    assert.deepEqual(states(node), { '10.1.0.0/28': 'active' });
  });

  it('a new pool gives the spare that the old one had not; podCIDRs have no spare, and that is no problem', async () => {
    const one = pool('v4', '10.0.0.0/30', 30);
    const node = await startNode(inputs([one]));
    for (let i = 0; i < 4; i++) await node.ipam.allocate(owner(i), ['ipv4']);
    node.ipam.setInputs(inputs([one, pool('w4', '10.1.0.0/30', 30)]));
    await node.ipam.settled();
    assert.deepEqual(Object.keys(states(node)), ['10.0.0.0/30', '10.1.0.0/30']);
    const plain = await startNode(inputs([], { podCidrs: ['10.9.0.0/30'] }));
    for (let i = 0; i < 4; i++) await plain.ipam.allocate(owner(i), ['ipv4']);
    await plain.ipam.settled();
    assert.equal(problems(plain), '');
    assert.equal(plain.ipam.whyUnready(), undefined);
    await plain.ipam.allocate(owner(4), ['ipv4']);
    assert.match(plain.ipam.whyUnready() ?? '', /no ipv4 address is free on node n1, and no further block/);
  });
});

describe('ipam: who listens', () => {
  it('knows at each moment which blocks there are, and which problems', async () => {
    const small = pool('v4', '10.0.0.0/26', 28);
    const number = fc.integer({ min: 0, max: 3 });
    const steps = fc.array(
      fc.oneof(
        fc.record({
          kind: fc.constant('inputs' as const),
          pools: fc.constantFrom([small], [small], [{ ...small, disabled: true }], []),
          podCidrs: fc.constantFrom([], ['10.9.0.0/29'], ['10.9.0.0/29', '10.9.1.0/29']),
          guarded: fc.constantFrom([], [], ['10.0.0.0/28'], ['10.0.0.17/32', '10.9.1.0/29']),
          nodes: fc.constantFrom(undefined, new Set(['n1']), new Set(['n1', 'n2'])),
        }),
        fc.record({ kind: fc.constant('add' as const), id: number, at: fc.option(number) }),
        fc.record({ kind: fc.constant('del' as const), id: number }),
        fc.record({ kind: fc.constant('store' as const), at: number, node: fc.constantFrom('n1', 'n2', '') }),
        fc.record({ kind: fc.constant('release' as const), at: number }),
        fc.record({ kind: fc.constant('silence' as const), isSilent: fc.boolean() }),
        fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(1_000, SWEEP_MS) }),
      ),
      { maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const node = await startNode(inputs([small]), {
          tuning: { emptyBlockGraceMs: SWEEP_MS, maxBlocks: 3, orphanGraceMs: 2 * SWEEP_MS },
        });
        const seen = (): string => JSON.stringify([node.ipam.blocks(), node.ipam.usage().problems]);
        let told = seen();
        node.ipam.subscribe(() => (told = seen()));
        const check = (what: string): void => assert.equal(told, seen(), `after ${what}`);
        for (const step of sequence) {
          if (step.kind === 'inputs') {
            const { pools, nodes, ...more } = step;
            node.ipam.setInputs(inputs(pools, { ...more, ...(nodes === undefined ? {} : { nodes }) }));
          }
          if (step.kind === 'add') {
            const asked = step.at === null ? {} : { ipv4: `10.0.0.${step.at * 16 + 1}` };
            await node.ipam.allocate(owner(step.id), ['ipv4'], asked);
          }
          if (step.kind === 'del') await node.ipam.release(owner(step.id));
          if (step.kind === 'store') {
            const name = `10-0-0-${step.at * 16}-28`;
            const metadata = { name, resourceVersion: `${name} of ${step.node}` };
            const spec = { cidr: `10.0.0.${step.at * 16}/28`, node: step.node, pool: 'v4' };
            if (step.node === '') node.store.blocks.delete(name);
            else
              node.store.blocks.set(name, {
                ...{ apiVersion: 'podroute.io/v1', kind: 'IPAMBlock' },
                metadata,
                spec,
              });
          }
          if (step.kind === 'release')
            await node.ipam.releaseBlock(`10.0.0.${step.at * 16}/28`).catch(() => undefined);
          if (step.kind === 'silence') node.store.failure = step.isSilent ? 'no answer' : undefined;
          if (step.kind === 'time') await node.clock.run(step.ms);
          check(JSON.stringify(step));
          await node.ipam.settled();
          check(`${JSON.stringify(step)}, settled`);
        }
      }),
      { numRuns: 60 },
    );
  });
});
