// Controllers over one store: who leads, what is added up, and what is freed when.
import assert from 'node:assert/strict';
import type { BGPNodeStatus, BGPPeer, IPAMBlock, IPPool, Node } from '#api';
import { nothingRefused, parseDocument } from '#api';
import { MemoryStore, type MemoryStoreView } from '#store';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import { Controller, LEASE_NAME } from './controller.ts';
import { IN_USE } from './pool-finalizers.ts';

const GRACE_MS = 600_000;
const [NOT, USED] = [
  ['False', 'Conflict'],
  ['True', 'Usable'],
] as const;
const LEASE_SECONDS = 15;
/** The block, what its agent wrote, its Node, its end, and its Node once more. */
const QUESTIONS_A_BLOCK = 5;

const object = <T>(value: object): T => parseDocument(value).resource as T;
const node = (name: string, address?: string) => {
  const addresses = address === undefined ? [] : [{ type: 'InternalIP', address }];
  return object<Node>({ apiVersion: 'v1', kind: 'Node', metadata: { name }, status: { addresses } });
};
const ours = (kind: string, name: string, spec: object, more: object = {}) => ({
  apiVersion: 'podroute.io/v1',
  kind,
  metadata: { name },
  spec,
  ...more,
});
const pool = (name: string, cidr: string) => object<IPPool>(ours('IPPool', name, { cidr }));
const peer = (name: string, peerIP = '192.0.2.1') =>
  object<BGPPeer>(ours('BGPPeer', name, { peerIP, asNumber: 65000 }));
const block = (name: string, cidr: string, owner: string, of = 'pods') =>
  object<IPAMBlock>(ours('IPAMBlock', name, { cidr, node: owner, pool: of }));
const session = (name: string, state: string, more: object = {}) => ({
  peer: name,
  object: `BGPPeer ${name}`,
  address: '192.0.2.1',
  state,
  since: '2026-01-01T00:00:00.000Z',
  ...more,
});
const nodeStatus = (name: string, status: object) =>
  object<BGPNodeStatus>(ours('BGPNodeStatus', name, { node: name }, { status }));

describe('controllers of a cluster', () => {
  let clock: FakeClock;
  let shared: MemoryStore;
  let opened: AsyncDisposable[];
  let said: string[];

  beforeEach(() => {
    clock = new FakeClock();
    shared = new MemoryStore(clock);
    opened = [];
    said = [];
  });
  afterEach(async () => {
    for (const one of opened.toReversed()) await one[Symbol.asyncDispose]();
  });

  async function start(identity: string): Promise<{ controller: Controller; view: MemoryStoreView }> {
    const view = shared.view();
    await view.start();
    const say = (_: unknown, message: string) => void said.push(`${identity}: ${message}`);
    const log = { debug: say, info: say, warn: say, error: say };
    const settings = { identity, namespace: 'podroute', leaseSeconds: LEASE_SECONDS, nodeGraceMs: GRACE_MS };
    const controller = new Controller(settings, { clock, random: new SeededRandom(1), store: view, log });
    opened.push(view, controller);
    controller.start();
    await clock.run(100);
    return { controller, view };
  }

  const peerNow = (name: string) => shared.get({ kind: 'BGPPeer', name })?.status;
  const poolNow = (name: string) => shared.get({ kind: 'IPPool', name });
  const condition = (of: BGPPeer | IPPool | undefined, type: string) =>
    (of?.status?.conditions ?? []).find((one) => one.type === type);
  /** How often something was written into it. */
  const versions = (kind: 'BGPPeer' | 'IPPool', name: string) =>
    shared.get({ kind, name })!.metadata.resourceVersion;

  it('have one leader; when it is killed another goes on within the time of the lease, and nothing is lost', async () => {
    shared.apply(node('n1'), node('n2'), peer('tor-a'));
    shared.apply(nodeStatus('n1', { sessions: [session('tor-a', 'Established')] }));
    const first = await start('a');
    const second = await start('b');
    await clock.run(2_000);
    assert.deepEqual([first.controller.isLeader, second.controller.isLeader], [true, false]);
    assert.deepEqual([peerNow('tor-a')?.established, peerNow('tor-a')?.desired], [1, 1]);
    // It is cut off: as whoever is killed, it gives nothing back.
    first.view.failure = 'killed';
    shared.apply(nodeStatus('n2', { sessions: [session('tor-a', 'Active', { whyDown: 'no answer' })] }));
    await clock.run((LEASE_SECONDS + LEASE_SECONDS / 3 + 2) * 1000);
    assert.deepEqual([first.controller.isLeader, second.controller.isLeader], [false, true]);
    assert.deepEqual([peerNow('tor-a')?.established, peerNow('tor-a')?.desired], [1, 2]);
    assert.equal(peerNow('tor-a')?.worst, 'n2: no answer');
    first.view.failure = undefined;
    await clock.run(30_000);
    assert.deepEqual([first.controller.isLeader, second.controller.isLeader], [false, true]);
  });

  it('give the lease back when they are told to stop', async () => {
    const first = await start('a');
    const second = await start('b');
    await first.controller[Symbol.asyncDispose]();
    assert.equal(
      shared.get({ kind: 'Lease', namespace: 'podroute', name: LEASE_NAME })?.spec.holderIdentity,
      '',
    );
    await clock.run((LEASE_SECONDS * 1000) / 3 + 100);
    assert.equal(second.controller.isLeader, true);
  });

  it('write a status when it says something else, and keep the time of a condition that stays', async () => {
    shared.apply(
      node('n1'),
      peer('tor-a'),
      nodeStatus('n1', { sessions: [session('tor-a', 'Established')] }),
    );
    await start('a');
    await clock.run(3_000);
    const written = versions('BGPPeer', 'tor-a');
    const ready = condition(shared.get({ kind: 'BGPPeer', name: 'tor-a' }), 'Ready');
    assert.deepEqual([ready?.status, ready?.reason], ['True', 'AllEstablished']);
    await clock.run(120_000);
    assert.equal(versions('BGPPeer', 'tor-a'), written, 'nothing is new');
    const down = {
      sessions: [session('tor-a', 'Idle', { lastError: 'hold timer expired', lastErrorCode: '4/0' })],
    };
    shared.apply(nodeStatus('n1', down));
    await clock.run(2_500);
    const now = shared.get({ kind: 'BGPPeer', name: 'tor-a' });
    assert.deepEqual(
      [condition(now, 'Ready')?.status, condition(now, 'Ready')?.reason],
      ['False', 'SessionsDown'],
    );
    assert.notEqual(condition(now, 'Ready')?.lastTransitionTime, ready?.lastTransitionTime);
    assert.equal(condition(now, 'NoProblems')?.lastTransitionTime, ready?.lastTransitionTime);
    assert.equal(now?.status?.worst, 'n1: hold timer expired');
  });

  it('write the counters of a pool every half minute at most', async () => {
    const used = (n: number) =>
      nodeStatus('n1', { blocks: [{ cidr: '10.1.0.0/26', pool: 'pods', used: n, free: 9 }] });
    shared.apply(node('n1'), pool('pods', '10.1.0.0/16'), block('b', '10.1.0.0/26', 'n1'), used(1));
    await start('a');
    await clock.run(3_000);
    const { metadata, status } = poolNow('pods')!;
    assert.deepEqual(
      [status?.total, status?.used, status?.free, status?.blocks, status?.nodes],
      ['65536', 1, '65535', 1, [{ node: 'n1', blocks: 1, used: 1 }]],
    );
    assert.deepEqual(metadata.finalizers, [IN_USE]);
    await clock.run(3_000);
    const before = versions('IPPool', 'pods');
    for (let n = 2; n < 12; n++) {
      shared.apply(used(n));
      await clock.run(1_000);
    }
    assert.equal(versions('IPPool', 'pods'), before);
    await clock.run(30_000);
    assert.equal(poolNow('pods')?.status?.used, 11);
  });

  it('say of pools that overlap, of both, that they do', async () => {
    shared.apply(pool('a', '10.1.0.0/16'), pool('b', '10.1.4.0/24'), pool('c', '10.2.0.0/16'));
    await start('a');
    await clock.run(3_000);
    const said = ['a', 'b', 'c'].map((name) => {
      const [conflict, ready] = [condition(poolNow(name), 'Conflict'), condition(poolNow(name), 'Ready')];
      return [conflict?.status, conflict?.reason, ready?.reason];
    });
    assert.deepEqual(said, [
      ['True', 'Overlap', 'Usable'],
      ['True', 'Overlap', 'Conflict'],
      ['False', 'NoOverlap', 'Usable'],
    ]);
    assert.match(condition(poolNow('b'), 'Conflict')!.message, /overlaps IPPool a.*not used/);
  });

  it('say of a pool that has the addresses of another node, or of a neighbour, whose they are', async () => {
    shared.apply(node('n1'), node('n2', '10.1.9.9'), peer('far', '10.2.0.9'));
    shared.apply(pool('a', '10.1.0.0/16'), pool('b', '10.2.0.0/16'), pool('c', '10.3.0.0/16'));
    shared.apply(block('b2', '10.2.0.64/26', 'n1', 'b'));
    await start('a');
    await clock.run(3_000);
    const said = ['a', 'b', 'c'].map((name) => {
      const [conflict, ready] = [condition(poolNow(name), 'Conflict'), condition(poolNow(name), 'Ready')];
      return [conflict?.status, conflict?.reason, conflict?.message, ready?.status, ready?.reason];
    });
    const stays = 'it stays in use because blocks were cut from it; move its pods to another pool';
    const free = 'no other pool, node or neighbour has addresses of it';
    assert.deepEqual(said, [
      ['True', 'AddressesTaken', 'contains 10.1.9.9, the address of Node n2: this pool is not used', ...NOT],
      ['True', 'AddressesTaken', `contains 10.2.0.9, the neighbour of BGPPeer far; ${stays}`, ...USED],
      ['False', 'NoOverlap', free, ...USED],
    ]);
  });

  it('free the blocks and the status of a node that was deleted, after the grace time', async () => {
    shared.apply(node('n1'), node('n2'), block('b1', '10.1.0.0/26', 'n1'), block('b2', '10.1.0.64/26', 'n2'));
    shared.apply(nodeStatus('n1', {}), nodeStatus('n2', {}));
    await start('a');
    await clock.run(5_000);
    shared.remove({ kind: 'Node', name: 'n2' });
    await clock.run(GRACE_MS - 10_000);
    assert.equal(shared.list('IPAMBlock').length, 2, 'it may come back');
    await clock.run(12_000);
    assert.deepEqual(
      [
        shared.list('IPAMBlock').map(({ spec }) => spec.node),
        shared.list('BGPNodeStatus').map(({ spec }) => spec.node),
      ],
      [['n1'], ['n1']],
    );
  });

  it('free no block of a node whose agent still writes its status, and do when it has been silent', async () => {
    shared.apply(node('n1'), block('b2', '10.1.0.64/26', 'n2'));
    await start('a');
    for (let minutes = 0; minutes < 30; minutes += 5) {
      shared.apply(nodeStatus('n2', { established: minutes }));
      await clock.run(300_000);
    }
    assert.equal(shared.list('IPAMBlock').length, 1, 'pods have addresses of it');
    await clock.run(GRACE_MS - 300_000 + 2_000);
    assert.deepEqual([shared.list('IPAMBlock').length, shared.list('BGPNodeStatus').length], [0, 0]);
  });

  it('free nothing of a Node that came back, or that is there although nobody told of it', async () => {
    shared.apply(node('n1'), block('b1', '10.1.0.0/26', 'n1'), block('b2', '10.1.0.64/26', 'n2'));
    const { view } = await start('a');
    // The store knows the Node, and its news are late: as of a watch that hangs.
    const snapshot = view.snapshot.bind(view);
    view.snapshot = () => ({ ...snapshot(), nodes: new Map([['n1', node('n1')]]) });
    shared.apply(node('n2'));
    await clock.run(GRACE_MS + 10_000);
    assert.equal(shared.list('IPAMBlock').length, 2);
  });

  it('take nothing from a Node that is made anew while its blocks are being freed, at whatever moment', async () => {
    const names = ['b1', 'b2', 'b3'];
    /** How many questions are asked before the Node is there. */
    for (let asked = 0; asked < 14; asked++) {
      shared = new MemoryStore(clock);
      shared.apply(node('n1'), nodeStatus('n2', {}));
      for (const [i, name] of names.entries()) shared.apply(block(name, `10.1.0.${i * 64}/26`, 'n2'));
      const { view, controller } = await start(`a${asked}`);
      await clock.run(GRACE_MS - 5_000);
      let remaining = asked;
      const isMade = () => shared.get({ kind: 'Node', name: 'n2' }) !== undefined;
      const step = () => {
        if (remaining-- === 0) shared.apply(node('n2'));
      };
      const [get, remove] = [view.get.bind(view), view.delete.bind(view)];
      view.get = async (key) => {
        if (key.kind === 'Lease') return get(key);
        step();
        return get(key);
      };
      view.delete = async (key, version) => {
        step();
        return remove(key, version);
      };
      await clock.run(20_000);
      await controller[Symbol.asyncDispose]();
      if (!isMade()) continue;
      const kept = shared.list('IPAMBlock').map(({ spec }) => `${spec.node} ${spec.cidr} ${spec.pool}`);
      // Before the Node was there blocks of it may have gone; the one that it met half-way may not.
      const total = names.map((_, i) => `n2 10.1.0.${i * 64}/26 pods`);
      const before = Math.floor(asked / QUESTIONS_A_BLOCK);
      assert.deepEqual(kept, total.slice(before), `after ${asked} questions`);
    }
  });

  it('free no block of a node whose agent has just written, although nobody told of it', async () => {
    shared.apply(node('n1'), nodeStatus('n2', {}), block('b2', '10.1.0.64/26', 'n2'));
    const { view } = await start('a');
    await clock.run(GRACE_MS - 5_000);
    const snapshot = view.snapshot();
    view.snapshot = () => snapshot;
    shared.apply(nodeStatus('n2', { established: 1 }));
    await clock.run(20_000);
    assert.equal(shared.list('IPAMBlock').length, 1);
  });

  it('keep a deleted pool for as long as blocks of it are there', async () => {
    shared.apply(node('n1'), pool('pods', '10.1.0.0/16'), block('b', '10.1.0.0/26', 'n1'));
    await start('a');
    await clock.run(3_000);
    shared.remove({ kind: 'IPPool', name: 'pods' });
    await clock.run(3_000);
    const ready = condition(poolNow('pods'), 'Ready');
    assert.deepEqual([ready?.status, ready?.reason], ['False', 'Deleting']);
    shared.remove({ kind: 'IPAMBlock', name: 'b' });
    await clock.run(3_000);
    assert.equal(poolNow('pods'), undefined);
  });

  it('keep a deleted pool while a block cannot be read: it may be one of its', async () => {
    shared.apply(node('n1'), pool('pods', '10.1.0.0/16'), block('b', '10.1.0.0/26', 'n1'));
    const { view } = await start('a');
    await clock.run(3_000);
    shared.remove({ kind: 'IPPool', name: 'pods' });
    view.refused = () => ({ objects: new Set(['IPAMBlock b']), files: new Set(), kinds: new Set() });
    shared.remove({ kind: 'IPAMBlock', name: 'b' });
    await clock.run(60_000);
    assert.deepEqual(poolNow('pods')?.metadata.finalizers, [IN_USE]);
    view.refused = () => nothingRefused;
    await clock.run(3_000);
    assert.equal(poolNow('pods'), undefined);
  });

  it('ask ever more seldom whether a pool may be held when that is refused, tell it once, and hold the others', async () => {
    shared.apply(node('n1'), pool('pods', '10.1.0.0/16'), pool('theirs', '10.2.0.0/16'));
    const { view } = await start('a');
    await clock.run(3_000);
    let lists = 0;
    let refused = 0;
    const [list, update] = [view.list.bind(view), view.updateFinalizers.bind(view)];
    view.list = (kind) => {
      lists++;
      return list(kind);
    };
    view.updateFinalizers = async (object, finalizers) => {
      if (object.metadata.name !== 'pods') return update(object, finalizers);
      refused++;
      throw new Error('403 Forbidden');
    };
    shared.apply(block('b', '10.1.0.0/26', 'n1'));
    const other = block('b2', '10.2.0.0/26', 'n1');
    shared.apply({ ...other, spec: { ...other.spec, pool: 'theirs' } });
    await clock.run(600_000);
    assert.ok(refused > 4 && refused < 20, `${refused} times in ten minutes`);
    assert.equal(said.filter((line) => line.includes('403 Forbidden')).length, 1, said.join('\n'));
    assert.deepEqual(poolNow('theirs')?.metadata.finalizers, [IN_USE]);
    // Held once it may be, and then refused to be let go.
    view.updateFinalizers = update;
    await clock.run(301_000);
    assert.deepEqual(poolNow('pods')?.metadata.finalizers, [IN_USE]);
    view.updateFinalizers = async () => {
      throw new Error('403 Forbidden');
    };
    lists = 0;
    shared.remove({ kind: 'IPAMBlock', name: 'b' });
    await clock.run(600_000);
    assert.ok(lists > 4 && lists < 20, `${lists} lists in ten minutes`);
  });

  it('do what they are refused ever more seldom, and tell it once', async () => {
    shared.apply(node('n1'), peer('tor-a'), block('b2', '10.1.0.64/26', 'n2'));
    const { view } = await start('a');
    let asked = 0;
    const refuse = async () => {
      asked++;
      throw new Error('403 Forbidden');
    };
    const [update, remove] = [view.updateStatus.bind(view), view.delete.bind(view)];
    Object.assign(view, { updateStatus: refuse, delete: refuse });
    shared.apply(nodeStatus('n1', { sessions: [session('tor-a', 'Established')] }));
    await clock.run(GRACE_MS + 300_000);
    assert.ok(asked > 60 && asked < 220, `${asked} times in a quarter of an hour`);
    assert.equal(said.filter((line) => line.includes('403')).length, 2, said.join('\n'));
    Object.assign(view, { updateStatus: update, delete: remove });
    shared.apply(nodeStatus('n1', { sessions: [session('tor-a', 'Established')] }));
    await clock.run(16_000);
    assert.deepEqual([peerNow('tor-a')?.established, shared.list('IPAMBlock').length], [1, 0]);
  });

  it('take an agent for dead that has said nothing for a quarter of an hour', async () => {
    const up = nodeStatus('n1', { sessions: [session('tor-a', 'Established')] });
    shared.apply(node('n1'), peer('tor-a'), up);
    await start('a');
    await clock.run(10 * 60_000);
    assert.equal(peerNow('tor-a')?.established, 1);
    await clock.run(6 * 60_000);
    assert.equal(peerNow('tor-a')?.established, 0);
    assert.match(peerNow('tor-a')!.worst!, /^the agent of node n1 has said nothing for 15 minutes/);
    shared.apply(up);
    await clock.run(2_000);
    assert.equal(peerNow('tor-a')?.established, 1);
  });

  it('count nothing while the store has not told of all', async () => {
    shared.apply(peer('tor-a'));
    const { view } = await start('a');
    view.refused = () => ({ objects: new Set(), files: new Set(), kinds: new Set(['BGPNodeStatus']) });
    const before = versions('BGPPeer', 'tor-a');
    shared.apply(node('n1'), nodeStatus('n1', { sessions: [session('tor-a', 'Established')] }));
    await clock.run(5_000);
    assert.equal(versions('BGPPeer', 'tor-a'), before);
  });
});
