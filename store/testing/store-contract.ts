// What a Store promises, kept by each of them.
import assert from 'node:assert/strict';
import type { BGPNodeStatus, IPAMBlock } from '#api';
import type { Lease, Store } from '../store.ts';

export interface StorePlace {
  /** Which Secrets a snapshot has. */
  readonly secrets: 'all' | 'referred';
  /** How often a node may be told of what was applied at once. */
  readonly mostTellings: number;
  /** A node's view, to be started; whoever opens it disposes of it. */
  open(): Store;
  /** What an operator applies. */
  apply(...yaml: readonly string[]): Promise<void>;
  /** So long that every node was told of what was applied. */
  settle(): Promise<void>;
}

const block: IPAMBlock = {
  apiVersion: 'podroute.io/v1',
  kind: 'IPAMBlock',
  metadata: { name: '10-244-0-0-26' },
  spec: { cidr: '10.244.0.0/26', node: 'n1', pool: 'pods' },
};
const KEY = { kind: 'IPAMBlock', name: '10-244-0-0-26' } as const;

const nodeStatus: BGPNodeStatus = {
  apiVersion: 'podroute.io/v1',
  kind: 'BGPNodeStatus',
  metadata: { name: 'n1' },
  spec: { node: 'n1' },
};

const lease = (namespace: string, holderIdentity: string): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'leader', namespace },
  spec: { holderIdentity, leaseDurationSeconds: 15, acquireTime: '', renewTime: '', leaseTransitions: 0 },
});

const poolYaml = (name: string, cidr: string, disabled = false) =>
  `apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: ${name} }\nspec: { cidr: ${cidr}, disabled: ${disabled} }`;
const secretYaml = (namespace: string, value: string) =>
  `apiVersion: v1\nkind: Secret\nmetadata: { name: bgp, namespace: ${namespace} }\nstringData: { tor: ${value} }`;

const labelled = (object: IPAMBlock, labels: Record<string, string>): IPAMBlock => ({
  ...object,
  metadata: { ...object.metadata, labels },
});

/** A cluster has leases of its own, too. */
const leaders = async (store: Store) =>
  (await store.list('Lease')).filter(({ metadata }) => metadata.name === 'leader');

/** What was stored; fails when nothing was. */
function stored<T>(result: { readonly kind: 'stored'; readonly object: T } | { readonly kind: string }): T {
  assert.equal(result.kind, 'stored');
  return (result as { object: T }).object;
}

/** @param make an empty one for each test */
export function describeStore(name: string, make: () => Promise<StorePlace>): void {
  describe(`the store ${name}`, () => {
    let place: StorePlace;
    let one: Store;
    let other: Store;

    beforeEach(async () => {
      place = await make();
      await place.apply(poolYaml('a', '10.1.0.0/16'));
      one = place.open();
      other = place.open();
      await one.start();
      await other.start();
    });
    afterEach(async () => {
      await one[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    });

    it('has every object in force once it has started', () => {
      assert.deepEqual([...one.snapshot().ipPools.keys()], ['a']);
      assert.deepEqual(one.problems(), []);
    });

    it('tells every node of what an operator applied, many changes at once', async () => {
      const told = [0, 0];
      one.subscribe(() => void told[0]!++);
      const unsubscribe = other.subscribe(() => void told[1]!++);
      await place.apply(poolYaml('a', '10.1.0.0/16', true), poolYaml('b', '10.2.0.0/16'));
      assert.equal(one.snapshot().ipPools.get('a')?.spec.cidr, '10.1.0.0/16', 'not in the same turn');
      await place.settle();
      for (const store of [one, other]) {
        const pools = [...store.snapshot().ipPools].map(([key, { spec }]) => `${key} ${spec.disabled}`);
        assert.deepEqual(pools, ['a true', 'b false']);
      }
      assert.ok(
        told.every((times) => times >= 1 && times <= place.mostTellings),
        told.join(),
      );
      const [one1, other1] = told as [number, number];
      unsubscribe();
      await place.apply(poolYaml('a', '10.1.0.0/16'), poolYaml('b', '10.2.0.0/16'));
      await place.settle();
      assert.ok(told[0]! > one1);
      assert.equal(told[1], other1);
    });

    it('says nothing more after it was disposed of', async () => {
      let told = 0;
      one.subscribe(() => void told++);
      await one[Symbol.asyncDispose]();
      await place.apply(poolYaml('b', '10.2.0.0/16'));
      await place.settle();
      assert.equal(told, 0);
    });

    it('lists objects by their labels', async () => {
      const [mine, yours] = await Promise.all(
        ['n1', 'n2'].map(async (node, i) => {
          const spec = { ...block.spec, node, cidr: `10.244.${i}.0/26` };
          const metadata = { name: `10-244-${i}-0-26`, labels: { 'podroute.io/node': node, rack: 'r1' } };
          return stored(await one.create({ ...block, metadata, spec }));
        }),
      );
      assert.deepEqual(await other.list('IPAMBlock', { 'podroute.io/node': 'n2' }), [yours]);
      assert.deepEqual(await other.list('IPAMBlock', { 'podroute.io/node': 'n1', rack: 'r1' }), [mine]);
      assert.deepEqual(await other.list('IPAMBlock', { 'podroute.io/node': 'n1', rack: 'r2' }), []);
    });

    it('creates an object once, and shows the others whose it is', async () => {
      assert.equal(await one.get(KEY), undefined);
      const created = stored(await one.create(block));
      assert.notEqual(created.metadata.resourceVersion, undefined);
      assert.deepEqual(created.spec, block.spec);
      const second = { ...block, spec: { ...block.spec, node: 'n2' } };
      assert.deepEqual(await other.create(second), { kind: 'conflict', newest: created });
      assert.deepEqual(await other.get(KEY), created);
      assert.deepEqual(await other.list('IPAMBlock'), [created]);
      assert.deepEqual(await other.list('IPAMBlock', { 'podroute.io/node': 'n1' }), []);
      await place.settle();
      assert.deepEqual([...other.snapshot().ipamBlocks.values()], [created]);
    });

    it('changes what the writer has seen; whoever has not gets the newest', async () => {
      const created = stored(await one.create(block));
      const updated = stored(await other.update(labelled(created, { by: 'other' })));
      assert.notEqual(updated.metadata.resourceVersion, created.metadata.resourceVersion);
      const late = labelled(created, { by: 'one' });
      assert.deepEqual(await one.update(late), { kind: 'conflict', newest: updated });
      assert.deepEqual(await one.get(KEY), updated);
      const again = await one.update({ ...late, metadata: { ...late.metadata, ...version(updated) } });
      assert.deepEqual(stored(again).metadata.labels, { by: 'one' });
      assert.deepEqual(await one.update({ ...late, metadata: { name: 'nobody' } }), { kind: 'notFound' });
    });

    it('deletes what the caller has seen', async () => {
      const created = stored(await one.create(block));
      const updated = stored(await one.update(labelled(created, { a: 'b' })));
      const old = created.metadata.resourceVersion!;
      const now = updated.metadata.resourceVersion!;
      assert.deepEqual(await other.delete(KEY, old), { kind: 'conflict', newest: updated });
      assert.deepEqual(await other.delete(KEY, now), { kind: 'deleted' });
      assert.deepEqual(await one.delete(KEY, now), { kind: 'notFound' });
      assert.deepEqual(await one.update(updated), { kind: 'notFound' });
      assert.equal(await one.get(KEY), undefined);
      await place.settle();
      assert.equal(one.snapshot().ipamBlocks.size, 0);
    });

    it('does not take an object for another that had its name before', async () => {
      const first = stored(await one.create(block));
      await one.delete(KEY, first.metadata.resourceVersion!);
      const second = stored(await other.create({ ...block, spec: { ...block.spec, node: 'n2' } }));
      assert.deepEqual(await one.update(first), { kind: 'conflict', newest: second });
      assert.equal((await one.delete(KEY, first.metadata.resourceVersion!)).kind, 'conflict');
    });

    it('writes a status and nothing else, and everything else without the status', async () => {
      const created = stored(await one.create({ ...nodeStatus, status: { version: '0' } }));
      assert.equal(created.status, undefined);
      const given = { ...created, spec: { node: 'changed' }, status: { version: '1' } };
      const withStatus = stored(await one.updateStatus(given));
      assert.deepEqual([withStatus.spec, withStatus.status], [{ node: 'n1' }, { version: '1' }]);
      const renamed = { ...withStatus, spec: { node: 'n9' }, status: { version: '2' } };
      const updated = stored(await other.update(renamed));
      assert.deepEqual([updated.spec, updated.status], [{ node: 'n9' }, { version: '1' }]);
      assert.deepEqual(await one.updateStatus(given), { kind: 'conflict', newest: updated });
      assert.deepEqual(await one.updateStatus({ ...given, metadata: { name: 'nobody' } }), {
        kind: 'notFound',
      });
      assert.deepEqual(await one.get({ kind: 'BGPNodeStatus', name: 'n1' }), updated);
    });

    it('writes finalizers and nothing else', async () => {
      const created = stored(await one.create(nodeStatus));
      const given = { ...created, spec: { node: 'changed' } };
      const kept = stored(await one.updateFinalizers(given, ['podroute.io/test']));
      assert.deepEqual([kept.metadata.finalizers, kept.spec], [['podroute.io/test'], { node: 'n1' }]);
      assert.equal((await other.updateFinalizers(given, [])).kind, 'conflict');
      const free = stored(await other.updateFinalizers(kept, []));
      assert.equal(free.metadata.finalizers?.length ?? 0, 0);
      const nobody = { ...free, metadata: { ...free.metadata, name: 'nobody' } };
      assert.deepEqual(await one.updateFinalizers(nobody, []), { kind: 'notFound' });
    });

    it('has two objects of one name in two namespaces', async () => {
      const here = stored(await one.create(lease('here', 'a')));
      const there = stored(await one.create(lease('there', 'b')));
      assert.equal((await other.create(lease('here', 'c'))).kind, 'conflict');
      const key = (namespace: string) => ({ kind: 'Lease', name: 'leader', namespace }) as const;
      assert.deepEqual(await other.get(key('here')), here);
      assert.deepEqual(await leaders(other), [here, there]);
      await other.delete(key('here'), here.metadata.resourceVersion!);
      assert.deepEqual(await leaders(other), [there]);
    });

    it('has two Secrets of one name in two namespaces, or those of podroute’s own', async () => {
      await place.apply(secretYaml('here', 'x'), secretYaml('there', 'z'));
      await place.settle();
      const secrets = [...one.snapshot().secrets].map(([path, { values }]) => [path, values['tor']]);
      const all = [
        ['here/bgp', 'x'],
        ['there/bgp', 'z'],
      ];
      // By name, and nothing here names one.
      assert.deepEqual(secrets, place.secrets === 'all' ? all : []);
      assert.deepEqual(one.problems(), []);
    });

    it('tells nobody of leases: nothing is planned by them', async () => {
      let told = 0;
      one.subscribe(() => void told++);
      await one.create(lease('here', 'a'));
      await place.settle();
      assert.equal(told, 0);
    });

    it('loses no change of many writers', async () => {
      await one.create(block);
      const add = async (store: Store): Promise<void> => {
        for (let object = (await store.get(KEY))!; ; ) {
          const changes = Number(object.metadata.labels?.['changes'] ?? 0) + 1;
          const result = await store.update(labelled(object, { changes: String(changes) }));
          if (result.kind === 'stored') return;
          assert.ok(result.kind === 'conflict');
          object = result.newest;
        }
      };
      await Promise.all(Array.from({ length: 20 }, (_, i) => add(i % 2 === 0 ? one : other)));
      assert.equal((await one.get(KEY))?.metadata.labels?.['changes'], '20');
    });
  });
}

const version = ({ metadata }: IPAMBlock): { resourceVersion: string } => ({
  resourceVersion: metadata.resourceVersion!,
});
