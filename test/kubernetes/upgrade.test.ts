// Newer CRDs over older ones on a real API server, with objects in it: as `kubectl apply -f manifests/crds` does it.
import assert from 'node:assert/strict';
import { parseDocument } from '#api';
import type { KubernetesApi } from '#lab';
import { waitUntil } from '#world';
import { NEW_SINCE, olderCrd } from '../../api/testing/older-crds.ts';
import { type DocumentCase, documentCases, documentOf } from '../../api/testing/documents/index.ts';
import { Requests } from './testing/requests.ts';
import { startServer } from './testing/real-server.ts';

const pathOf = (kind: string, name: string) =>
  `/apis/podroute.io/v1/${kind.toLowerCase()}${kind.endsWith('s') ? 'es' : 's'}${name && `/${name}`}`;

interface Stored {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly spec: unknown;
}

describe('newer CRDs over older ones', function () {
  this.timeout(120_000);
  let api: KubernetesApi;
  let server: AsyncDisposable;
  let requests: Requests;
  /** By path, as the server had it before. */
  const stored = new Map<string, Stored>();
  const isNew = (spec: unknown) => Object.keys(spec as object).some((field) => NEW_SINCE.has(field));
  const good = documentCases.filter(
    ({ isTakenBy, spec }) => isTakenBy.validate && isTakenBy.server && !isNew(spec),
  );
  const NAME = 'taken-by-the-older';
  const refusedNow = { peerIP: '10.0.0.1', asNumber: 65000, holdTime: '3s', keepaliveTime: '9s' };
  const status = { version: '0.0.9', sessions: [], problems: [{ object: 'Node n1', message: 'none' }] };

  before(async function () {
    // The first run on a machine builds the server.
    this.timeout(1_800_000);
    const started = await startServer('without kinds');
    ({ api } = started);
    server = started;
    requests = new Requests(api);
    const kinds = [...new Set(documentCases.map(({ kind }) => kind))];
    api.kubectl(['apply', '-f', '-'], kinds.map((kind) => JSON.stringify(olderCrd(kind))).join('\n---\n'));
    api.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
    const rest = good.map(({ kind, spec }, i) => [kind, spec, `x${i}`] as const);
    const worker = async () => {
      for (let next = rest.pop(); next !== undefined; next = rest.pop()) await store(...next);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    await store('BGPPeer', refusedNow, NAME);
    const node = await store('BGPNodeStatus', { node: 'n1' }, 'n1');
    await write('PUT', `${pathOf('BGPNodeStatus', 'n1')}/status`, { ...node, status });
    api.install('');
  });
  after(async () => {
    requests[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  async function write(method: 'POST' | 'PUT', path: string, body: unknown): Promise<Stored> {
    const answer = await requests.send(method, path, body);
    assert.ok(answer.status === 200 || answer.status === 201, `${path}: ${JSON.stringify(answer.body)}`);
    return answer.body as Stored;
  }

  async function store(kind: DocumentCase['kind'], spec: unknown, name: string): Promise<Stored> {
    const object = await write('POST', pathOf(kind, ''), { ...documentOf(kind, spec), metadata: { name } });
    stored.set(pathOf(kind, name), object);
    return object;
  }

  async function read(path: string): Promise<Stored & { readonly status?: unknown }> {
    const { status: code, body } = await requests.send('GET', path);
    assert.equal(code, 200, path);
    return body as Stored;
  }

  it('have every object as it was, with the new defaults and no field less; it means the same', async () => {
    // A server takes up to a moment for new definitions.
    await waitUntil('the new definitions to be in force', 20_000, async () => {
      const { status: code } = await requests.send(
        'POST',
        `${pathOf('BGPPeer', '')}?dryRun=All`,
        documentOf('BGPPeer', refusedNow),
      );
      return code === 422;
    });
    assert.ok(stored.size > 500, `${stored.size}`);
    for (const [path, before] of stored) {
      const now = await read(path);
      assert.partialDeepStrictEqual(now.spec, before.spec, path);
      const [was, is] = [before, now].map(({ spec }) => parseDocument({ ...before, spec }).resource);
      assert.deepEqual({ ...is, writtenFields: [] }, { ...was, writtenFields: [] }, path);
    }
    const { spec } = await read(pathOf('BGPPeer', NAME));
    assert.equal((spec as { readonly passive?: boolean }).passive, false);
    const { problems } = (await read(pathOf('BGPNodeStatus', 'n1'))).status as typeof status;
    assert.deepEqual(problems, status.problems);
  });

  it('let an object that they would not take be read, labelled and mended', () => {
    const peer = (...args: string[]) =>
      api.kubectl([args[0]!, 'bgppeer.podroute.io', NAME, ...args.slice(1)]);
    peer('label', 'rack=r1');
    assert.match(peer('get', '-o', 'yaml'), /keepaliveTime: 9s/);
    assert.throws(() => peer('patch', '--type=merge', '-p', '{"spec":{"holdTime":"6s"}}'), /is not below/);
    peer('patch', '--type=merge', '-p', '{"spec":{"holdTime":"30s"}}');
  });
});
