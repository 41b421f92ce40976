// What a file would change, asked of a running agent, and then compared with what applying it does.
import assert from 'node:assert/strict';
import { nodeYaml, objectYaml } from '../plan/testing/cluster-yaml.ts';
import { startNode, TestCluster, type TestNode } from '../testing/cluster.ts';
import { planDiff } from './plan-diff.ts';

const node = (n: number, as: number) =>
  nodeYaml(`n${n}`, [`10.0.0.${n}`], `annotations: { podroute.io/ASNumber: "${as}" }`);
const peer = (name: string, from: number, to: number, more: string) =>
  objectYaml(
    'BGPPeer',
    name,
    `{ node: n${from}, peerIP: 10.0.0.${to}, asNumber: 6500${to}, export: All${more} }`,
  );
const NODES = [node(1, 65001), node(2, 65002), node(3, 65003)];
const BASE = [
  objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }'),
  objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }'),
  peer('two-back', 2, 1, ''),
  peer('three', 1, 3, ''),
  peer('three-back', 3, 1, ''),
];

const two = (more: string) => peer('two', 1, 2, more);

const advertised = (of: TestNode, id: string) =>
  of.source
    .routes({ view: 'advertised', peer: id, longer: false, limit: 100 })
    .routes.map(({ prefix }) => prefix)
    .sort();

async function cluster(): Promise<{
  store: TestCluster;
  ask: (text: string, of: TestNode, deed?: 'apply' | 'delete') => ReturnType<typeof planDiff>;
}> {
  const store = new TestCluster();
  store.set(...NODES, ...BASE, two(''));
  const { clock } = store.simulation;
  return {
    store,
    ask: (text, { agent }, deed = 'apply') =>
      planDiff({ file: 'FILE', text, deed }, agent, { clock, scheduler: clock }),
  };
}

/** They have heard of one another. */
async function threeNodes(): Promise<
  Awaited<ReturnType<typeof cluster>> & { one: TestNode } & AsyncDisposable
> {
  const { store, ask } = await cluster();
  const nodes = new AsyncDisposableStack();
  const one = nodes.use(await startNode(1, store));
  for (const n of [2, 3]) nodes.use(await startNode(n, store));
  await store.until('all routes', () => advertised(one, 'two').length === 2);
  return { store, ask, one, [Symbol.asyncDispose]: () => nodes.disposeAsync() };
}

describe('what a file would change', () => {
  it('says of a BFDProfile which sessions it is for, and that they stay', async () => {
    const { store, ask } = await cluster();
    const profile = (interval: string) =>
      objectYaml('BFDProfile', 'fast', `{ transmitInterval: ${interval} }`);
    const documents = [...NODES, ...BASE, two(', bfd: { profile: fast }')];
    store.set(...documents, profile('300ms'));
    await using one = await startNode(1, store);
    await store.until('a plan', () => one.agent.inForce !== undefined);
    const { sessions } = await ask(profile('50ms'), one);
    assert.deepEqual(
      sessions.map(({ id, what, changes }) => [id, what, changes]),
      [['two', 'changes', [{ setting: 'bfd', effect: 'live' }]]],
    );
    const { generation } = one.agent.inForce!;
    store.set(...documents, profile('50ms'));
    await store.until('another plan', () => one.agent.inForce!.generation > generation);
    const planned = one.agent.inForce!.plan.peers.find(({ config }) => config.id === 'two');
    assert.equal(planned?.bfd?.transmitMicros, 50_000);
  });

  it('names prefixes that appear and vanish at a neighbour, as applying the file then does', async () => {
    await using nodes = await threeNodes();
    const { store, ask, one } = nodes;
    const text = `${two(', filters: [f]')}\n---\n${objectYaml('BGPFilter', 'f', '{ exportV4: [{ action: Reject, matchOperator: Equal, cidr: 10.244.3.0/26 }] }')}`;
    const diff = await ask(text, one);
    assert.deepEqual(diff.objects, ['BGPPeer two', 'BGPFilter f']);
    const [session, ...others] = diff.sessions;
    assert.deepEqual(others, [], 'no other session is touched');
    assert.deepEqual([session?.id, session?.what], ['two', 'changes']);
    assert.deepEqual(session?.changes, [
      { setting: 'import', effect: 'soft' },
      { setting: 'export', effect: 'soft' },
    ]);
    assert.deepEqual(session?.sent?.vanish, { count: 1, first: ['10.244.3.0/26'] });
    assert.equal(session?.sent?.appear.count, 0);
    const before = advertised(one, 'two');
    assert.equal(before.length, 2, 'nothing was applied');
    store.set(...NODES, ...BASE, text);
    await store.until('it vanished', () => advertised(one, 'two').length === 1);
    const back = await ask(two(''), one);
    assert.deepEqual(back.sessions[0]?.sent?.appear, { count: 1, first: ['10.244.3.0/26'] });
    const adds = `{ exportV4: [{ action: Accept, operations: [{ addCommunity: { value: "65001:7" } }] }] }`;
    const other = await ask(`${two(', filters: [f, g]')}\n---\n${objectYaml('BGPFilter', 'g', adds)}`, one);
    assert.equal(other.sessions[0]?.sent?.change.count, 1, 'the same prefix with other attributes');
  });

  it('says which sessions begin, end, begin anew or take it with the next one, and what is withdrawn', async () => {
    const { store, ask } = await cluster();
    await using one = await startNode(1, store);
    await using _two = await startNode(2, store);
    await store.until('the session', () => advertised(one, 'two').length === 1);
    const what = async (text: string) =>
      (await ask(text, one)).sessions.map(({ id, what: word }) => `${id} ${word}`);
    assert.deepEqual(await what(two('')), []);
    assert.deepEqual(await what(peer('four', 1, 4, '')), ['four begins']);
    assert.deepEqual(await what(peer('two', 9, 2, '')), ['two ends']);
    assert.deepEqual(await what(two(', families: [IPv4, IPv6]')), ['two begins anew']);
    assert.deepEqual(await what(two(', holdTime: 30s')), ['two changes']);
    const changes = async (more: string) => (await ask(two(more), one)).sessions[0]?.changes;
    assert.deepEqual(await changes(', holdTime: 30s, localASNumber: 65009, role: Provider'), [
      { setting: 'localASNumber', effect: 'reset', from: 'not set', to: '65009' },
      { setting: 'holdTime', effect: 'later', from: '90s', to: '30s' },
      { setting: 'role', effect: 'reset', from: 'not set', to: 'Provider' },
    ]);
    assert.deepEqual(
      await changes(', maxPrefixes: { limit: 7, warnPercent: 80 }, advertisementInterval: 5s, multihop: 3'),
      [
        { setting: 'multihop', effect: 'live', from: 'not set', to: '3' },
        { setting: 'maxPrefixes.limit', effect: 'live', from: '10000', to: '7' },
        { setting: 'advertisementInterval', effect: 'live', from: '0s', to: '5s' },
      ],
      'live, as docs/live-changes.md says',
    );
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: keys }\nstringData: { tor: hush }\n';
    const keyed = `${two(', password: { secretKeyRef: { name: keys, key: tor } }')}\n---\n${secret}`;
    assert.deepEqual((await ask(keyed, one)).sessions[0]?.changes, [{ setting: 'password', effect: 'live' }]);
    const ends = await ask(peer('two', 9, 2, ''), one);
    assert.deepEqual(ends.sessions[0]?.sent?.vanish.first, ['10.244.1.0/26']);
    const hidden = await ask(
      objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16, disableBGPExport: true }'),
      one,
    );
    assert.deepEqual(hidden.withdrawn, ['10.244.1.0/26']);
    assert.deepEqual(
      hidden.sessions.map(({ id, sent }) => [id, sent?.vanish.first]),
      [['two', ['10.244.1.0/26']]],
    );
  });

  it('foresees what a changed import takes and leaves, and what follows from it towards others', async () => {
    await using nodes = await threeNodes();
    const { store, ask, one } = nodes;
    const text = `${peer('three', 1, 3, ', filters: [f]')}\n---\n${objectYaml('BGPFilter', 'f', '{ importV4: [{ action: Reject, matchOperator: In, cidr: 10.244.0.0/16 }] }')}`;
    const diff = await ask(text, one);
    const gone = { count: 1, first: ['10.244.3.0/26'] };
    const none = { count: 0, first: [] };
    assert.deepEqual(
      diff.sessions.map(({ id, what, accepted, sent }) => [id, what, accepted?.vanish, sent?.vanish]),
      [
        ['three', 'changes', gone, undefined],
        ['two', 'stays', undefined, gone],
      ],
    );
    assert.deepEqual(diff.best, { appear: none, vanish: gone, change: none });
    assert.deepEqual(diff.notes, []);
    store.set(...NODES, ...BASE.slice(0, 3), two(''), peer('three-back', 3, 1, ''), text);
    await store.until('it vanished', () => advertised(one, 'two').length === 1);
    const limit = await ask(
      peer('three', 1, 3, ', maxPrefixes: { limit: 0 }').replace('limit: 0', 'limit: 1'),
      one,
    );
    assert.deepEqual(limit.sessions[0]?.accepted?.appear, gone, 'without the filter it is used again');
  });

  it('says what goes with objects that are deleted, and which of them are not there', async () => {
    await using nodes = await threeNodes();
    const { ask, one } = nodes;
    const diff = await ask(peer('three', 1, 3, ''), one, 'delete');
    const [first, second, ...more] = diff.sessions;
    assert.deepEqual(
      [first?.id, first?.what, second?.id, second?.what, more],
      ['three', 'ends', 'two', 'stays', []],
    );
    const gone = { count: 1, first: ['10.244.3.0/26'] };
    assert.deepEqual([first?.accepted?.vanish, second?.sent?.vanish, diff.best?.vanish], [gone, gone, gone]);
    assert.deepEqual(diff.problems, []);
    const pool = await ask(objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }'), one, 'delete');
    assert.deepEqual(pool.settings, [
      { setting: 'unreachable', from: '10.244.1.0/26', to: 'none' },
      { setting: 'clusterPrefixes', from: '10.244.0.0/16', to: 'none' },
    ]);
    assert.deepEqual(pool.withdrawn, ['10.244.1.0/26']);
    assert.equal(pool.best?.vanish.count, 3, 'our own, and Cluster lets nothing in without a pool');
    const named = 'apiVersion: podroute.io/v1\nkind: BGPPeer\nmetadata: { name: three }\n';
    for (const text of [named, `${named}spec: { peerIP: nowhere }\n`]) {
      const byName = await ask(text, one, 'delete');
      assert.deepEqual([byName.objects, byName.sessions, byName.problems], [diff.objects, diff.sessions, []]);
    }
    const nameless = named.replace('{ name: three }', '{}');
    await assert.rejects(ask(nameless, one, 'delete'), /metadata[.]name: is missing/);
    const unknown = await ask(peer('four', 1, 4, ''), one, 'delete');
    assert.deepEqual(
      unknown.problems.map(({ text }) => text),
      ['BGPPeer four: cannot be deleted: there is none in force'],
    );
  });

  it('writes settings of the node as words', async () => {
    const { store, ask } = await cluster();
    await using one = await startNode(1, store);
    const aggregates =
      '[{ cidr: 10.60.0.0/16, summaryOnly: true, communities: ["65001:1", "65001:2:3"] }, { cidr: 10.61.0.0/16 }]';
    const config = objectYaml(
      'BGPConfiguration',
      'default',
      `{ nodeToNodeMeshEnabled: false, aggregates: ${aggregates}, multipath: { ebgp: 2 } }`,
    );
    const { settings } = await ask(config, one);
    assert.deepEqual(settings, [
      {
        setting: 'multipath',
        from: 'ebgp 16, ibgp 16, relax true, weighted true',
        to: 'ebgp 2, ibgp 16, relax true, weighted true',
      },
      {
        setting: 'aggregates',
        from: 'none',
        to: '10.60.0.0/16 (summaryOnly, communities 65001:1 65001:2:3), 10.61.0.0/16',
      },
    ]);
  });

  it('refuses what cannot be read, and tells the problems that it would bring', async () => {
    const { store, ask } = await cluster();
    await using one = await startNode(1, store);
    await assert.rejects(ask(two(', holdTime: 1s'), one), /BGPPeer two: spec.holdTime/);
    await assert.rejects(ask('', one), /no object in it/);
    const { problems } = await ask(two(', filters: [gone]'), one);
    assert.match(problems.map(({ text }) => text).join(), /gone/);
  });
});
