// Addresses that a pod left behind: found by holding them against the kernel, and freed on order.
import assert from 'node:assert/strict';
import { CniNode } from './testing/cni-node.ts';

describe('CNI server, addresses', function () {
  before(function () {
    if (process.getuid?.() !== 0) {
      console.log('      skipped: needs root to make network namespaces (sh scripts/as-root.sh …)');
      this.skip();
    }
  });

  const findings = async (node: CniNode) =>
    (await node.server.audit()).findings.map(({ kind, address }) => `${kind} ${address}`).sort();
  const linkOf = async (node: CniNode, address: string) => {
    const routes = await node.kernel.routes({ protocol: 179 });
    const device = routes.find(({ destination }) => destination === `${address}/32`)?.nextHops[0]?.device;
    return device ?? assert.fail(`no route to ${address}`);
  };

  it('of a pod whose link is gone are leaked; release frees those, and no others', async () => {
    await using node = await CniNode.up();
    for (const name of ['pod-a', 'pod-b']) {
      assert.equal((await node.call('ADD', name, node.addNetns())).exitCode, 0);
    }
    assert.deepEqual(await node.server.audit(), { checked: 4, findings: [] });
    const link = await linkOf(node, '10.77.0.0');
    assert.deepEqual(await node.kernel.apply([{ type: 'deleteLink', device: link }]), [undefined]);
    assert.deepEqual(await findings(node), ['leaked 10.77.0.0', 'leaked fd77::']);
    assert.match(
      (await node.server.audit()).findings[0]?.text ?? '',
      /held for pod default\/pod-a, whose link pr/,
    );

    const refused = await node.server.release('10.77.0.1');
    assert.ok(refused.kind === 'refused');
    assert.match(refused.why, /10\.77\.0\.1 is in use by pod default\/pod-b: its link pr\w+ is there/);
    assert.match(JSON.stringify(await node.server.release('10.77.0.9')), /held by nobody on this node/);

    const freed = await node.server.release('10.77.0.0');
    assert.deepEqual(freed, { kind: 'freed', address: '10.77.0.0', owner: 'pod default/pod-a' });
    assert.deepEqual(await node.server.audit(), { checked: 2, findings: [] });
    await node.stopAgent();
    await node.startAgent();
    assert.deepEqual(
      node.ipam.usage().allocations.map(({ owner }) => owner.containerId),
      ['pod-b'],
      'the journal has it',
    );
  });

  it('without their route are found, and so are those that only the kernel knows', async () => {
    await using node = await CniNode.up({ podCidrs: ['10.77.0.0/24'] });
    assert.equal((await node.call('ADD', 'pod-a', node.addNetns())).exitCode, 0);
    const link = await linkOf(node, '10.77.0.0');
    const route = (address: string) => ({
      destination: `${address}/32`,
      protocol: 179,
      metric: 1024,
      nextHops: [{ device: link }],
    });
    const errors = await node.kernel.apply([
      { type: 'deleteRoute', route: route('10.77.0.0') },
      { type: 'addRoute', route: route('10.77.0.50') },
    ]);
    assert.deepEqual(errors, [undefined, undefined]);
    assert.deepEqual(await findings(node), ['unheld 10.77.0.50', 'unrouted 10.77.0.0']);
  });
});
