// Large documents beside the main thread: nobody waits for them, and none takes the agent down.
import assert from 'node:assert/strict';
import { formatProblem } from '#api';
import { DocumentWorker } from './document-worker.ts';

const node = (i: number) =>
  `- apiVersion: v1\n  kind: Node\n  metadata: { name: n${i}, labels: { rack: r1 } }\n  status: { addresses: [{ type: InternalIP, address: 10.0.0.1 }] }\n`;
const list = (n: number) =>
  `apiVersion: v1\nkind: List\nitems:\n${Array.from({ length: n }, (_, i) => node(i)).join('')}`;

describe('the thread that parses documents', () => {
  it('reads a list of 1,000 nodes while the main thread runs on', async () => {
    using worker = new DocumentWorker();
    await worker.parse(list(1), 'small.yaml');
    // Read on this thread, none of these would come before it is done.
    let turns = 0;
    const turning = setInterval(() => turns++, 5);
    const documents = await worker.parse(list(1_000), 'nodes.yaml');
    clearInterval(turning);
    assert.ok(turns >= 10, `the main thread had ${turns} turns meanwhile`);
    assert.equal(documents.length, 1_000);
    assert.equal(documents[999]?.identity?.name, 'n999');
    assert.equal(documents[999]?.lineOf('metadata.name'), 4 + 999 * 4);
  });

  it('gives up a document that takes too long, names it, and reads the next', async () => {
    using worker = new DocumentWorker(2_000);
    await worker.parse('', 'warm.yaml');
    const slow = worker.parse(list(20_000), 'slow.yaml');
    const next = worker.parse('kind: [', 'next.yaml');
    await assert.rejects(slow, /took more than 2000 ms to read/);
    const [document] = await next;
    assert.match(
      formatProblem(document!.problems[0]!),
      /^next\.yaml:1:8: document: kind: not readable as YAML/,
    );
  });
});
