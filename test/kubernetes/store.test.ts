// The store over a real API server: what every store promises, and what happens when the server is away or forgets.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseText } from '#api';
import type { KubernetesApi } from '#lab';
import { realDisk } from '#linux';
import type { Store } from '#store';
import { openCluster } from '#store/kubernetes';
import { systemClock, systemRandom, waitUntil } from '#world';
import { describeNotes } from '../../store/kubernetes/testing/notes-contract.ts';
import { describeStore } from '../../store/testing/store-contract.ts';
import { startServer } from './testing/real-server.ts';

const TOLD_MS = 1_000;
const KINDS =
  'bgpconfigurations,bgppeers,bgpfilters,bfdprofiles,ippools,ipreservations,ipamblocks,ipclaims,bgpnodestatuses'
    .split(',')
    .map((plural) => `${plural}.podroute.io`)
    .join(',');

const pool = (name: string, cidr: string) =>
  `apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: ${name} }\nspec: { cidr: ${cidr} }\n`;

describe('a real API server', function () {
  this.timeout(120_000);
  let api: KubernetesApi;
  let server: AsyncDisposable;

  before(async function () {
    // The first run on a machine builds it.
    this.timeout(1_800_000);
    const started = await startServer();
    ({ api } = started);
    server = started;
    for (const namespace of ['here', 'there']) api.kubectl(['create', 'namespace', namespace]);
  });
  after(() => server[Symbol.asyncDispose]());

  const open = (): Store =>
    openCluster(
      { kubeconfig: api.kubeconfig },
      { clock: systemClock, random: systemRandom, disk: realDisk, userAgent: 'podroute/test' },
    );
  const pools = (store: Store) => [...store.snapshot().ipPools.keys()].join();
  const apply = (...yaml: string[]) => api.kubectl(['apply', '-f', '-'], yaml.join('---\n'));

  let areBlocksJudged = false;
  describeStore('of a real API server', async () => {
    // The server was started anew above.
    if (!areBlocksJudged) api.untilPoliciesKnowPools();
    areBlocksJudged = true;
    api.kubectl(['delete', KINDS, '--all', '--wait=true']);
    for (const namespace of ['here', 'there'])
      api.kubectl(['delete', 'leases,secrets', '--all', '-n', namespace]);
    return {
      secrets: 'referred',
      mostTellings: 2,
      open,
      settle: () => sleep(TOLD_MS),
      apply: async (...yaml) => {
        for (const { written } of parseText(yaml.join('\n---\n'), '')) apply(JSON.stringify(written));
      },
    };
  });

  describeNotes('that is real', async () => {
    const json = (...args: string[]): Promise<unknown> =>
      Promise.resolve(JSON.parse(api.kubectl([...args, '-o', 'json'])));
    return {
      notes: open().notes!,
      applyNode: async (node) => api.install(JSON.stringify(node)),
      node: (name) => json('get', 'node', name),
      event: (name) => json('get', 'event', name, '-n', 'default'),
    };
  });

  it('may be away and come back: nothing is lost meanwhile, and all is known soon after', async () => {
    apply(pool('stays', '10.1.0.0/16'), pool('goes', '10.2.0.0/16'));
    await using store = open();
    await store.start();
    assert.equal(pools(store), 'goes,stays');
    await api.pause();
    await sleep(11_000);
    assert.equal(pools(store), 'goes,stays');
    assert.match(
      store
        .problems()
        .map(({ message }) => message)
        .join(),
      /does not answer .*what was last heard stays/,
    );
    await api.resume();
    api.kubectl(['delete', 'ippool.podroute.io', 'goes']);
    apply(pool('comes', '10.3.0.0/16'));
    await waitUntil('the store to know', 20_000, () => pools(store) === 'comes,stays');
    await waitUntil('nothing to be wrong', 20_000, () => store.problems().length === 0).catch(
      (error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(store.problems())}`);
      },
    );
  });

  it('may forget versions (etcd compacted while it was away): the store lists again', async () => {
    apply(pool('one', '10.4.0.0/16'));
    await using store = open();
    await store.start();
    await api.pause();
    await api.resume();
    for (let i = 0; i < 5; i++)
      apply(pool('one', '10.4.0.0/16').replace('{ name: one }', `{ name: one, labels: { i: "${i}" } }`));
    api.kubectl(['delete', 'ippool.podroute.io', 'one']);
    api.compact();
    api.compact();
    await waitUntil('the store to know', 30_000, () => !pools(store).includes('one'));
  });

  it('may have etcd compacted under an open watch: nothing is missed, and nothing is told twice', async () => {
    apply(pool('kept', '10.6.0.0/16'));
    await using store = open();
    await store.start();
    for (let i = 0; i < 3; i++) {
      apply(pool('kept', '10.6.0.0/16').replace('{ name: kept }', `{ name: kept, labels: { i: "${i}" } }`));
      api.compact();
    }
    await waitUntil('the store to know', 5_000, () => {
      return store.snapshot().ipPools.get('kept')?.metadata.labels?.['i'] === '2';
    });
    let told = 0;
    store.subscribe(() => void told++);
    api.compact();
    await sleep(TOLD_MS);
    assert.deepEqual([told, store.problems()], [0, []]);
    api.kubectl(['delete', 'ippool.podroute.io', 'kept']);
    await waitUntil('the store to know', 5_000, () => !pools(store).includes('kept'));
  });

  it('tells of a change soon', async () => {
    await using store = open();
    await store.start();
    const times: number[] = [];
    for (let i = 0; i < 10; i++) {
      const name = `quick${i}`;
      apply(pool(name, `10.${50 + i}.0.0/16`));
      const begin = performance.now();
      await waitUntil('the store to know', 5_000, () => pools(store).includes(name));
      times.push(performance.now() - begin);
    }
    times.sort((a, b) => a - b);
    // kubectl's own end takes longer than the watch: most are known before it returns.
    assert.ok(times[5]! < 500, `median ${times[5]} ms after kubectl had returned`);
  });
});
