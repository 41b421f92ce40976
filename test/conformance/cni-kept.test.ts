// Routes and neighbour entries of pods that somebody else deletes: networkd and NetworkManager do when they start again.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { waitUntil } from '#world';
import { CniNode } from './testing/cni-node.ts';

describe('what the host has of a pod', function () {
  this.timeout(30_000);
  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });

  const ip = (node: CniNode, ...words: string[]) => {
    execFileSync('ip', ['-n', node.name, ...words], { stdio: 'pipe' });
  };
  const flush = (node: CniNode) => {
    for (const family of ['-4', '-6']) {
      ip(node, family, 'route', 'flush', 'proto', '179');
      ip(node, family, 'neigh', 'flush', 'nud', 'permanent');
    }
  };
  const state = async (node: CniNode) => {
    const [routes, neighbours] = await Promise.all([
      node.kernel.routes({ protocol: 179 }),
      node.kernel.neighbours(),
    ]);
    return [
      ...routes.map((r) => `${r.destination} dev ${r.nextHops[0]?.device} metric ${r.metric}`),
      ...neighbours.filter((n) => n.state === 'permanent').map((n) => `${n.address} ${n.mac} ${n.device}`),
    ].sort();
  };

  it('comes back within a second of its deletion, and at the start of the agent', async () => {
    await using node = await CniNode.up();
    for (const pod of ['pod-a', 'pod-b']) {
      const runtimeConfig = pod === 'pod-b' ? { mac: '02:00:5e:00:53:01' } : {};
      const answer = await node.call('ADD', pod, node.addNetns(), { runtimeConfig });
      assert.equal(answer.exitCode, 0, answer.stdout);
    }
    await new Promise((resume) => setTimeout(resume, 100));
    assert.doesNotMatch(node.log.join('\n'), /put back/, 'nothing was missing');
    const whole = await state(node);
    assert.equal(whole.length, 8);
    const isWhole = async () => (await state(node)).join() === whole.join();
    for (let times = 0; times < 2; times++) {
      flush(node);
      await waitUntil('all of it', 1000, isWhole);
    }
    ip(node, 'route', 'del', '10.77.0.0/32');
    await waitUntil('the route', 1000, isWhole);
    const { name } = (await node.kernel.links()).find((link) => link.name.startsWith('pr'))!;
    ip(node, 'link', 'set', name, 'down');
    ip(node, 'link', 'set', name, 'up');
    await waitUntil('what went with the link', 1000, isWhole);
    assert.match(
      node.log.join('\n'),
      /pr\S+: routes or neighbours of 10\.77\.0\.0 and fd77:: were gone: put back/,
    );

    await node.stopAgent();
    flush(node);
    await node.startAgent();
    // The MAC address that pod-b asked for is not known any more: the kernel asks the pod.
    const found = await state(node);
    assert.deepEqual(
      found,
      whole.filter((line) => !line.includes('02:00:5e')),
    );
    assert.equal((await node.server.audit()).findings.length, 0);
  });
});
