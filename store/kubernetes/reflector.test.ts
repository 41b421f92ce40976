// What a list holds that comes as a stream, when the server's cache is behind and tells of changes before its end.
import assert from 'node:assert/strict';
import type { Node } from '#api';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import type { LineSink } from './api-server.ts';
import { ListContents } from './list-contents.ts';
import { Reflector } from './reflector.ts';
import { type Given, pool } from './testing/given-objects.ts';

describe('a list that is told as a stream', () => {
  it('does not have what was changed or deleted before its end', () => {
    const contents = new ListContents({ name: 'ippools', kind: 'IPPool', apiVersion: 'podroute.io/v1' });
    let told: LineSink | undefined;
    const api = {
      place: 'https://api.test:6443',
      ask: () => Promise.reject(new Error('not asked')),
      stream: (_: string, sink: LineSink) => {
        told = sink;
        return { [Symbol.dispose]: () => {} };
      },
    };
    const sink = {
      part: (object: unknown) => object,
      replaced: (objects: readonly unknown[]) => void contents.replace(objects),
      changed: () => assert.fail('the list is not whole'),
      removed: () => assert.fail('the list is not whole'),
      stateChanged: () => {},
    };
    const io = { api, clock: new FakeClock(), random: new SeededRandom(1) };
    using reflector = new Reflector({ path: '/apis/podroute.io/v1/ippools' }, io, sink);
    reflector.start();
    const tell = (type: string, object: Given | object) => told!.line({ type, object });
    tell('ADDED', pool('a', '10.1.0.0/16'));
    tell('ADDED', pool('b', '10.2.0.0/16'));
    tell('MODIFIED', pool('a', '10.9.0.0/16'));
    tell('DELETED', pool('b', '10.2.0.0/16'));
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    tell('BOOKMARK', { metadata: { resourceVersion: '7', annotations } });
    const cidrs = contents.content().documents.map(({ resource }) => (resource as Given).spec);
    assert.deepEqual(
      cidrs.map((spec) => (spec as { readonly cidr: string }).cidr),
      ['10.9.0.0/16'],
    );
  });

  it('holds of each object only what is read until it is whole', () => {
    const contents = new ListContents({ name: 'nodes', kind: 'Node', apiVersion: 'v1' });
    let told: LineSink | undefined;
    let taken: readonly unknown[] = [];
    const api = {
      place: 'https://api.test:6443',
      ask: () => Promise.reject(new Error('not asked')),
      stream: (_: string, sink: LineSink) => {
        told = sink;
        return { [Symbol.dispose]: () => {} };
      },
    };
    const sink = {
      part: (object: unknown) => contents.part(object),
      replaced: (objects: readonly unknown[]) => {
        taken = objects;
        contents.replace(objects);
      },
      changed: () => assert.fail('the list is not whole'),
      removed: () => assert.fail('the list is not whole'),
      stateChanged: () => {},
    };
    const io = { api, clock: new FakeClock(), random: new SeededRandom(1) };
    using reflector = new Reflector({ path: '/api/v1/nodes' }, io, sink);
    reflector.start();
    const addresses = [{ type: 'InternalIP', address: '192.0.2.1' }];
    const status = { addresses, images: [{ names: ['registry.test/large'] }], nodeInfo: { machineID: 'x' } };
    const metadata = { name: 'n1', labels: { rack: 'r1' }, managedFields: [{ manager: 'kubelet' }] };
    told!.line({ type: 'ADDED', object: { metadata, spec: { podCIDR: '10.1.0.0/24' }, status } });
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    told!.line({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '7', annotations } } });
    assert.doesNotMatch(JSON.stringify(taken), /large|machineID|kubelet/);
    const [node] = contents.content().documents;
    const { metadata: read, status: its } = node!.resource as Node;
    assert.deepEqual([read.labels, its.addresses], [{ rack: 'r1' }, addresses]);
  });
});
