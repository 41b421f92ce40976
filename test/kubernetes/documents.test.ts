// The table of documents, given to a real API server that has the CRDs: it takes and refuses what our own reader does.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { documentCases, documentOf } from '../../api/testing/documents/index.ts';
import { startServer } from './testing/real-server.ts';

describe('the table of documents at an API server', function () {
  // The first run on a machine builds it.
  this.timeout(1_800_000);

  it('is taken and refused as it says', async () => {
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
    const isTaken = (kind: string, body: unknown) =>
      new Promise<boolean>((resolve, reject) => {
        const plural = kind.toLowerCase() + (kind.endsWith('s') ? 'es' : 's');
        const url = `${started.api.url}/apis/podroute.io/v1/${plural}?dryRun=All&fieldValidation=Strict`;
        request(url, { method: 'POST', agent, headers }, (answer) => {
          answer.resume();
          answer.on('end', () => resolve(answer.statusCode === 201));
        })
          .on('error', reject)
          .end(JSON.stringify(body));
      });
    const wrong: string[] = [];
    const rest = [...documentCases];
    const worker = async () => {
      for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
        const taken = await isTaken(one.kind, documentOf(one.kind, one.spec));
        if (taken !== one.isTakenBy.server) wrong.push(`${one.kind} ${one.about}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    assert.deepEqual(wrong, []);
  });
});
