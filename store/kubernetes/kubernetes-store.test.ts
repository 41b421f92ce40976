// What a node knows of a cluster while its API server answers, is away, forgets, refuses, and comes back.
import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import { FakeClock, MemoryDisk } from '#world/testing';
import { openKubernetesStore } from './kubernetes-store.ts';
import { RESOURCE_PATHS } from './resource-paths.ts';
import type { Store } from '../store.ts';
import { cidrs, type Given, peer, pool, secret, texts } from './testing/given-objects.ts';
import { MemoryApiServer } from './testing/memory-api-server.ts';

const POOLS = '/apis/podroute.io/v1 ippools';
const PEERS = '/apis/podroute.io/v1 bgppeers';
const SECRETS = '/api/v1 secrets';
const NODES = '/api/v1 nodes';
const TOLD_MS = 200;
const CALICO = '/apis/crd.projectcalico.org/v1 ippools';

describe('the store of an API server', () => {
  let clock: FakeClock;
  let disk: MemoryDisk;
  let server: MemoryApiServer;
  let opened: Store[];

  beforeEach(() => {
    clock = new FakeClock();
    disk = new MemoryDisk();
    server = new MemoryApiServer(clock);
    for (const { base, plural } of Object.values(RESOURCE_PATHS)) server.resources.add(`${base} ${plural}`);
    opened = [];
  });
  afterEach(async () => {
    for (const store of opened) await store[Symbol.asyncDispose]();
  });

  function open(seed = 1, api = server.connect()): Store {
    const store = openKubernetesStore({
      api,
      clock,
      disk,
      random: new SeededRandom(seed),
      namespace: 'podroute-system',
      keepIn: '/state/last-good',
    });
    opened.push(store);
    return store;
  }

  async function started(): Promise<Store> {
    const store = open();
    await store.start();
    return store;
  }

  /** Of a store that finds no server: the start waits for it for a while. */
  async function startedAlone(): Promise<Store> {
    const store = open();
    const start = store.start();
    await clock.run(10_000);
    await start;
    return store;
  }

  it('goes on with what it knows while the server is away, and has everything soon after it is back', async () => {
    server.apply(POOLS, pool('a', '10.1.0.0/16'));
    const store = await started();
    server.stop();
    await clock.run(3_600_000);
    assert.deepEqual(cidrs(store), ['a 10.1.0.0/16']);
    assert.match(
      texts(store.problems()).join(),
      /^store kubernetes: the API server https:\/\/api.test:6443 does not answer \(connect ECONNREFUSED\); what was last heard stays/,
    );
    server.apply(POOLS, pool('b', '10.2.0.0/16'));
    server.remove(POOLS, 'a');
    server.start();
    for (const asked = server.log.length; server.log.length === asked; ) await clock.run(100);
    await clock.run(500 + TOLD_MS);
    assert.deepEqual([cidrs(store), store.problems()], [['b 10.2.0.0/16'], []]);
  });

  it('asks a server that is away no more often than every few seconds, and never with all nodes at once', async () => {
    const stores = [open(1), open(2)];
    await Promise.all(stores.map((store) => store.start()));
    server.stop();
    await clock.run(600_000);
    const before = server.log.length;
    await clock.run(60_000);
    const lists = 9 + 1;
    const each = (server.log.length - before) / stores.length / lists;
    assert.ok(each <= 60 / 7.5, `${each} questions a list in a minute`);
  });

  it('goes on where it was when a watch ends, without another list', async () => {
    const store = await started();
    const lists = () =>
      server.log.filter((line) => line.includes('sendInitialEvents') && line.includes('ippools')).length;
    assert.equal(lists(), 1);
    server.cutWatches();
    server.apply(POOLS, pool('a', '10.1.0.0/16'));
    await clock.run(1_000);
    assert.deepEqual(cidrs(store), ['a 10.1.0.0/16']);
    await clock.run(3_600_000);
    server.apply(POOLS, pool('b', '10.2.0.0/16'));
    await clock.run(TOLD_MS);
    assert.deepEqual(cidrs(store), ['a 10.1.0.0/16', 'b 10.2.0.0/16']);
    assert.equal(lists(), 1);
  });

  it('lists again when the server has forgotten the version, and loses nothing', async () => {
    server.apply(POOLS, pool('a', '10.1.0.0/16'));
    server.apply(POOLS, pool('b', '10.2.0.0/16'));
    const store = await started();
    let told = 0;
    store.subscribe(() => void told++);
    server.stop();
    server.remove(POOLS, 'a');
    server.apply(POOLS, pool('c', '10.3.0.0/16'));
    server.compact();
    server.start();
    await clock.run(3_000);
    assert.deepEqual(cidrs(store), ['b 10.2.0.0/16', 'c 10.3.0.0/16']);
    assert.ok(told >= 1);
  });

  for (const [what, status] of [
    ['the server streams no lists', 422],
    ['its etcd is too old for that', 500],
  ] as const) {
    it(`lists in pages where ${what}`, async () => {
      server.streamingListRefusal = { kind: 'refused', status, reason: '', message: 'no' };
      for (let i = 0; i < 450; i++) server.apply(POOLS, pool(`p${i}`, `10.${i >> 8}.${i & 255}.0/24`));
      const store = await started();
      assert.equal(store.snapshot().ipPools.size, 450);
      server.remove(POOLS, 'p7');
      await clock.run(TOLD_MS);
      assert.equal(store.snapshot().ipPools.size, 449);
      assert.deepEqual(store.problems(), []);
    });
  }

  it('waits no longer than a minute when the server asks for more, and never for less than that', async () => {
    const store = await started();
    for (const retryAfterMs of [Number.POSITIVE_INFINITY, 99_999_999_000]) {
      server.failure = { kind: 'refused', status: 429, reason: '', message: 'later', retryAfterMs };
      server.cutWatches(server.failure);
      await clock.run(1);
      const before = server.log.length;
      await clock.run(600_000);
      const each = (server.log.length - before) / (9 + 1);
      assert.ok(each <= 10, `${each} questions a list in ten minutes`);
    }
    server.apply(POOLS, pool('a', '10.1.0.0/16'));
    server.start();
    await clock.run(60_000 + TOLD_MS);
    assert.deepEqual(cidrs(store), ['a 10.1.0.0/16']);
  });

  it('asks no more often where each watch ends as soon as it is there', async () => {
    await started();
    server.endWatchesAtOnce = true;
    server.cutWatches();
    await clock.run(600_000);
    const before = server.log.length;
    await clock.run(60_000);
    const each = (server.log.length - before) / 8;
    assert.ok(each <= 60 / 7.5, `${each} questions a list in a minute`);
  });

  for (const [what, odd] of [
    ['is nothing', null],
    ['has no metadata', { spec: {} }],
    ['has no name', { metadata: {} }],
    ['has a name that is no text', { metadata: { name: { a: 1 } } }],
  ] as const) {
    for (const isStreamed of [true, false]) {
      it(`takes no list with an object that ${what}, ${isStreamed ? 'streamed' : 'in pages'}`, async () => {
        server.apply(POOLS, pool('a', '10.1.0.0/16'));
        const store = await started();
        if (!isStreamed)
          server.streamingListRefusal = { kind: 'refused', status: 422, reason: '', message: 'no' };
        server.strays.set(POOLS, odd);
        server.compact(true);
        server.cutWatches();
        await clock.run(60_000);
        assert.deepEqual(cidrs(store), ['a 10.1.0.0/16']);
        assert.match(
          texts(store.problems()).join(),
          /tells of an object without metadata\.name\); what was last/,
        );
        server.strays.clear();
        server.apply(POOLS, pool('b', '10.2.0.0/16'));
        await clock.run(15_000 + TOLD_MS);
        assert.deepEqual(cidrs(store), ['a 10.1.0.0/16', 'b 10.2.0.0/16']);
        assert.deepEqual(store.problems(), []);
      });
    }
  }

  it('takes nothing for a list that is none, whatever its status says', async () => {
    const api = server.connect();
    const streamed = { kind: 'refused', status: 422, reason: '', message: 'no' } as const;
    server.apply(POOLS, pool('a', '10.1.0.0/16'));
    let isProxyAlone = false;
    const store = open(1, {
      ...api,
      ask: (call) =>
        isProxyAlone ? Promise.resolve({ kind: 'Status', metadata: {}, status: 'Failure' }) : api.ask(call),
    });
    await store.start();
    server.streamingListRefusal = streamed;
    isProxyAlone = true;
    server.compact(true);
    server.cutWatches();
    await clock.run(60_000);
    assert.deepEqual(cidrs(store), ['a 10.1.0.0/16']);
    assert.match(texts(store.problems()).join(), /its answer is no list/);
  });

  it('starts with the last good objects when the server is away, and says so', async () => {
    server.apply(POOLS, pool('a', '10.1.0.0/16'));
    server.apply(PEERS, peer({ password: { secretKeyRef: { name: 'bgp', key: 'tor' } } }));
    server.apply(SECRETS, secret('podroute-system', 's3cret'));
    const first = await started();
    await clock.run(1_000);
    await first[Symbol.asyncDispose]();
    server.stop();
    const store = await startedAlone();
    assert.deepEqual(cidrs(store), ['a 10.1.0.0/16']);
    assert.equal(store.snapshot().secrets.get('bgp')?.values['tor'], 's3cret');
    assert.match(texts(store.problems()).join(), /does not answer/);
    server.start();
    server.remove(POOLS, 'a');
    await clock.run(16_000);
    assert.deepEqual(cidrs(store), []);
    assert.deepEqual(store.problems(), []);
  });

  it('takes nothing for absent that it never heard', async () => {
    server.stop();
    const store = await startedAlone();
    const { files, kinds } = store.refused();
    assert.ok(kinds.has('IPPool') && kinds.has('BGPConfiguration') && files.size === 0);
    assert.deepEqual(texts(store.problems()), [
      'store kubernetes: the API server https://api.test:6443 does not answer (connect ECONNREFUSED); nothing was ever heard from it',
    ]);
    const again = await startedAlone();
    assert.ok(again.refused().kinds.has('IPPool'), 'also over a restart');
    server.start();
    await clock.run(16_000);
    assert.equal(store.refused().kinds.size, 0);
  });

  it('takes a Secret that the server refuses to show for one unknown Secret, and not for any object', async () => {
    server.apply(PEERS, peer({ password: { secretKeyRef: { name: 'bgp', key: 'tor' } } }));
    server.resources.delete(SECRETS);
    const store = await startedAlone();
    assert.deepEqual([...store.refused().kinds], ['Secret']);
    assert.equal(store.refused().files.size, 0);
  });

  it('keeps the last good version of an object that is wrong now, and others change as before', async () => {
    server.apply(POOLS, pool('a', '10.1.0.0/16'));
    const store = await started();
    server.apply(POOLS, pool('a', '10.1.0.0/99'));
    server.apply(POOLS, pool('b', '10.2.0.0/16'));
    await clock.run(TOLD_MS);
    assert.deepEqual(cidrs(store), ['a 10.1.0.0/16', 'b 10.2.0.0/16']);
    assert.equal(store.problems()[0]?.object, 'IPPool a');
    assert.equal(store.problems()[0]?.value, '10.1.0.0/99');
  });

  it('says once that the server does not know who asks', async () => {
    server.apply(POOLS, pool('a', '10.1.0.0/16'));
    const store = await started();
    server.failure = { kind: 'refused', status: 401, reason: 'Unauthorized', message: 'Unauthorized' };
    server.cutWatches();
    await clock.run(60_000);
    assert.deepEqual(texts(store.problems()), [
      'store kubernetes: the API server https://api.test:6443 does not know who asks (401 Unauthorized: Unauthorized); what was last heard stays in force',
    ]);
    assert.deepEqual(cidrs(store), ['a 10.1.0.0/16']);
  });

  it('says what the server refuses, and reads the rest', async () => {
    server.resources.delete(POOLS);
    server.apply(PEERS, peer({}));
    const store = await started();
    assert.equal(store.snapshot().bgpPeers.size, 1);
    await clock.run(11_000);
    assert.match(
      texts(store.problems()).join(),
      /^ippools.podroute.io: the API server does not know this kind: install/,
    );
    server.resources.add(POOLS);
    server.apply(POOLS, pool('a', '10.1.0.0/16'));
    await clock.run(10_000 + TOLD_MS);
    assert.deepEqual(cidrs(store), ['a 10.1.0.0/16']);
    assert.deepEqual(store.problems(), []);
  });

  it('asks soon again for a kind that a server does not know yet while it starts', async () => {
    server.apply(POOLS, pool('a', '10.1.0.0/16'));
    const store = await started();
    server.stop();
    await clock.run(60_000);
    server.resources.delete(POOLS);
    server.start();
    const before = server.log.length;
    const isAsked = () => server.log.slice(before).some((line) => line.includes('ippools'));
    for (let i = 0; i < 40 && !isAsked(); i++) await clock.run(500);
    server.resources.add(POOLS);
    server.remove(POOLS, 'a');
    await clock.run(2_000);
    assert.deepEqual(cidrs(store), []);
  });

  it('keeps objects whose kind the server knows no longer', async () => {
    server.apply(POOLS, pool('a', '10.1.0.0/16'));
    const store = await started();
    server.resources.delete(POOLS);
    server.compact();
    server.cutWatches();
    await clock.run(60_000);
    assert.deepEqual(cidrs(store), ['a 10.1.0.0/16']);
    assert.match(
      texts(store.problems()).join(),
      /ippools.podroute.io: the API server does not know this kind/,
    );
  });

  it('reads Secrets that something refers to, of its own namespace, and no others', async () => {
    server.apply(SECRETS, secret('kube-system', 'foreign'));
    server.apply(SECRETS, secret('podroute-system', 'right'));
    const store = await started();
    assert.equal(server.log.filter((line) => line.includes('secrets')).length, 0);
    const seen: (string | undefined)[] = [];
    store.subscribe(() => seen.push(store.snapshot().secrets.get('bgp')?.values['tor']));
    server.apply(PEERS, peer({ password: { secretKeyRef: { name: 'bgp', key: 'tor' } } }));
    await clock.run(TOLD_MS);
    assert.deepEqual(seen, ['right'], 'never the peer without its Secret');
    server.apply(SECRETS, secret('podroute-system', 'rotated'));
    await clock.run(TOLD_MS);
    assert.equal(seen.at(-1), 'rotated');
    assert.deepEqual(
      [...new Set(server.log.filter((line) => line.includes('secrets')).map((line) => line.split('?')[0]))],
      ['WATCH /api/v1/namespaces/podroute-system/secrets'],
    );
    server.remove(PEERS, 'tor');
    await clock.run(TOLD_MS);
    assert.equal(store.snapshot().secrets.size, 0);
  });

  it('reads Calico’s objects in place; podroute’s own of the same name goes first', async () => {
    server.resources.add(CALICO);
    const calico = (name: string, cidr: string): Given => ({
      ...pool(name, cidr, { ipipMode: 'Never', vxlanMode: 'Never' }),
      apiVersion: 'crd.projectcalico.org/v1',
    });
    server.apply(CALICO, calico('default-ipv4-ippool', '10.8.0.0/16'));
    server.apply(CALICO, calico('both', '10.9.0.0/16'));
    server.apply(POOLS, pool('both', '10.7.0.0/16'));
    const store = await started();
    assert.deepEqual(cidrs(store).sort(), ['both 10.7.0.0/16', 'default-ipv4-ippool 10.8.0.0/16']);
    assert.deepEqual(texts(store.problems().filter(({ severity }) => severity !== 'warning')), [
      'IPPool both: stands in ippools.podroute.io already, and that one is in force; delete one of them',
    ]);
  });

  it('leaves no timer that would keep the process when it ends', async () => {
    const store = await started();
    await clock.run(1_000);
    await store[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0);
  });

  it('says nothing of changes that change nothing for podroute', async () => {
    const node = (images: number, address: string): Given =>
      ({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'n1', managedFields: [{ images }] },
        spec: {},
        status: {
          addresses: [{ type: 'InternalIP', address }],
          images: Array.from({ length: images }, String),
        },
      }) as Given;
    server.apply(NODES, node(1, '10.0.0.1'));
    const store = await started();
    let told = 0;
    store.subscribe(() => void told++);
    server.apply(NODES, node(50, '10.0.0.1'));
    await clock.run(TOLD_MS);
    assert.equal(told, 0);
    server.apply(NODES, node(50, '10.0.0.2'));
    await clock.run(TOLD_MS);
    assert.equal(told, 1);
    assert.equal(store.snapshot().nodes.get('n1')?.status.addresses[0]?.address, '10.0.0.2');
  });
});
