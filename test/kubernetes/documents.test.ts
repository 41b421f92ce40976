// The table of documents, given to a real API server that has the CRDs: it takes and refuses what our own reader does.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { parseDocument } from '#api';
import type { KubernetesApi } from '#lab';
import { waitUntil } from '#world';
import { documentCases, documentOf, documentUpdates } from '../../api/testing/documents/index.ts';
import { Requests } from './testing/requests.ts';
import { startServer } from './testing/real-server.ts';

/** To podroute, with all that it would say of it. The server has fields in its own order. */
function meaningOf(document: unknown) {
  const { resource, problems } = parseDocument(document);
  const { writtenFields = [] } = { ...resource } as { writtenFields?: readonly string[] };
  return {
    resource: { ...resource, metadata: undefined, writtenFields: writtenFields.toSorted() },
    problems: problems.map(({ field, message }) => `${field} ${message}`).toSorted(),
  };
}

describe('the table of documents at an API server', function () {
  this.timeout(120_000);
  let api: KubernetesApi;
  let server: AsyncDisposable;
  let requests: Requests;

  before(async function () {
    // The first run on a machine builds it.
    this.timeout(1_800_000);
    const started = await startServer();
    ({ api } = started);
    server = started;
    requests = new Requests(api);
  });
  after(async () => {
    requests[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  const pathOf = (kind: string, name = '') =>
    `/apis/podroute.io/v1/${kind.toLowerCase()}${kind.endsWith('s') ? 'es' : 's'}${name && `/${name}`}`;
  const DRY = '?dryRun=All&fieldValidation=Strict';

  it('is taken and refused as it says, and means the same with the defaults that are written into it', async () => {
    const wrong: string[] = [];
    const rest = [...documentCases];
    const worker = async () => {
      for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
        const document = documentOf(one.kind, one.spec);
        const { status, body } = await requests.send('POST', pathOf(one.kind) + DRY, document);
        const isTaken = status === 201;
        const name = `${one.kind} ${one.about}`;
        if (isTaken !== one.isTakenBy.server) wrong.push(name);
        else if (
          isTaken &&
          one.isTakenBy.validate &&
          !isDeepStrictEqual(meaningOf(body), meaningOf(document))
        )
          wrong.push(`${name} means another thing`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    assert.deepEqual(wrong, []);
  });

  it('has its defaults in the words of kubectl explain, and in what is stored', async () => {
    // The server publishes its schemas a moment after it took them.
    await waitUntil('kubectl to explain', 20_000, () => {
      try {
        return /Default: 5s\./.test(
          api.kubectl(['explain', 'bgppeer.spec.connectRetryTime']).replace(/\s+/g, ' '),
        );
      } catch {
        return false;
      }
    });
    const peer = documentOf('BGPPeer', { peerIP: '10.0.0.1', asNumber: 65000 });
    const { body } = await requests.send('POST', pathOf('BGPPeer') + DRY, peer);
    const { spec } = body as { readonly spec: Readonly<Record<string, unknown>> };
    assert.deepEqual(
      [spec['passive'], spec['connectRetryTime'], spec['import'], spec['maxPrefixes'], spec['filters']],
      [false, 5, 'Cluster', { limit: 10_000, warnPercent: 80, action: 'Close' }, []],
    );
  });

  it('may be changed where it may, and the server says why not', async () => {
    for (const { kind, old, changed, refusal } of documentUpdates) {
      const { status, body } = await requests.send('POST', pathOf(kind), documentOf(kind, old));
      assert.equal(status, 201, JSON.stringify(body));
      const { metadata } = body as { readonly metadata: object };
      const next = await requests.send('PUT', pathOf(kind, 'x') + DRY, {
        ...documentOf(kind, changed),
        metadata,
      });
      const { message = '' } = next.body as { readonly message?: string };
      const about = `${kind} ${JSON.stringify(old)} to ${JSON.stringify(changed)}: ${next.status} ${message}`;
      assert.equal(next.status, refusal === undefined ? 200 : 422, about);
      assert.ok(refusal === undefined || message.includes(refusal), about);
      await requests.send('DELETE', pathOf(kind, 'x'));
    }
  });
});
