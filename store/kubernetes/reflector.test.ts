// What a list holds that comes as a stream, when the server's cache is behind and tells of changes before its end.
import assert from 'node:assert/strict';
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
});
