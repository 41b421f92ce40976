// The table of documents, given to a real API server that has the CRDs: it takes and refuses what our own reader does.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import { parseDocument } from '#api';
import { documentCases, documentOf } from '../../api/testing/documents/index.ts';
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
  // The first run on a machine builds it.
  this.timeout(1_800_000);

  it('is taken and refused as it says, and means the same with the defaults that are written into it', async () => {
    await using started = await startServer();
    const { clusters, users } = JSON.parse(readFileSync(started.api.kubeconfig, 'utf8')) as {
      clusters: [{ cluster: Record<string, string> }];
      users: [{ user: { token: string } }];
    };
    const ca = Buffer.from(clusters[0].cluster['certificate-authority-data']!, 'base64');
    using agent = Object.assign(new Agent({ ca, keepAlive: true, maxSockets: 8 }), {
      [Symbol.dispose]: () => agent.destroy(),
    });
    const headers = {
      authorization: `Bearer ${users[0].user.token}`,
      'content-type': 'application/json',
    };
    /** What the server would store; undefined: it refuses it. */
    const stored = (kind: string, body: unknown) =>
      new Promise<object | undefined>((resolve, reject) => {
        const plural = kind.toLowerCase() + (kind.endsWith('s') ? 'es' : 's');
        const url = `${started.api.url}/apis/podroute.io/v1/${plural}?dryRun=All&fieldValidation=Strict`;
        request(url, { method: 'POST', agent, headers }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            resolve(answer.statusCode === 201 ? (JSON.parse(text) as object) : undefined);
          });
        })
          .on('error', reject)
          .end(JSON.stringify(body));
      });
    const wrong: string[] = [];
    const rest = [...documentCases];
    const worker = async () => {
      for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
        const document = documentOf(one.kind, one.spec);
        const answer = await stored(one.kind, document);
        const name = `${one.kind} ${one.about}`;
        if ((answer !== undefined) !== one.isTakenBy.server) wrong.push(name);
        else if (answer !== undefined && one.isTakenBy.validate) {
          if (!isDeepStrictEqual(meaningOf(answer), meaningOf(document)))
            wrong.push(`${name} means another thing`);
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    assert.deepEqual(wrong, []);
  });
});
