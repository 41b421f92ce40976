// What is found of addresses that are held, routed or used, for each way in which these can differ; and giving one back.
import assert from 'node:assert/strict';
import { hostLinkName, ownerKey } from '#ipam';
import { PODROUTE_PROTOCOL, type Request } from '#linux';
import { callOf, type CniNode, configOf, startCniNode } from '../../testing/cni-node.ts';
import { add } from './add.ts';
import { auditAddresses, releaseAddress } from './audit.ts';

const POD_ARGS = new Map([
  ['K8S_POD_NAMESPACE', 'default'],
  ['K8S_POD_NAME', 'web-0'],
]);
const CALL = callOf('c1', { args: POD_ARGS });
const LINK = hostLinkName(ownerKey(CALL));
const OTHER_LINK = hostLinkName(ownerKey(callOf('c9')));
const V4 = '10.77.0.0';
const V6 = 'fd77::';

async function withPod(): Promise<CniNode> {
  const node = await startCniNode();
  await add(CALL, configOf(), node.io);
  return node;
}
async function audit(node: CniNode) {
  const { checked, findings } = await auditAddresses(node.io);
  return { checked, found: findings.map(({ kind, address, link }) => `${kind} ${address} ${link}`.trim()) };
}
async function change(node: CniNode, ...requests: Request[]): Promise<void> {
  assert.deepEqual(
    await node.kernel.apply(requests),
    requests.map(() => undefined),
  );
}
const route = (destination: string, hop: { device: string; gateway?: string }): Request => ({
  type: 'addRoute',
  route: { destination, nextHops: [hop], protocol: PODROUTE_PROTOCOL, metric: 1024 },
});
const link = (name: string): Request => ({ type: 'addLink', kind: 'dummy', name, up: true });

describe('an audit of addresses', () => {
  it('finds nothing while every address is held, routed, and its link there; routes by gateways or other links are not pods’', async () => {
    const node = await withPod();
    await change(
      node,
      link('up0'),
      { type: 'addAddress', device: 'up0', address: '192.0.2.1/24' },
      route('10.99.0.1/32', { device: 'up0' }),
      route('10.99.0.2/32', { device: 'up0', gateway: '192.0.2.9' }),
      { type: 'addRoute', route: { destination: '10.99.0.3/32', type: 'blackhole', protocol: 179 } },
      {
        type: 'addRoute',
        route: {
          destination: '10.99.0.4/32',
          nextHops: [{ device: LINK, gateway: '192.0.2.9', onlink: true }],
          protocol: PODROUTE_PROTOCOL,
        },
      },
    );
    assert.deepEqual(await audit(node), { checked: 2, found: [] });
  });

  it('finds what a pod whose link is gone still holds, with its owner and the command that frees it', async () => {
    const node = await withPod();
    await change(node, { type: 'deleteLink', device: LINK });
    assert.deepEqual(await audit(node), {
      checked: 2,
      found: [`leaked ${V4} ${LINK}`, `leaked ${V6} ${LINK}`],
    });
    const [first] = (await auditAddresses(node.io)).findings;
    assert.equal(first?.owner, 'pod default/web-0');
    assert.equal(first?.next, `podroute ipam release ${V4}`);
  });

  it('finds the one address that the kernel does not route to its link', async () => {
    const node = await withPod();
    await change(node, { type: 'deleteRoute', route: { destination: `${V6}/128` } });
    assert.deepEqual(await audit(node), { checked: 2, found: [`unrouted ${V6} ${LINK}`] });
    await change(node, link(OTHER_LINK), route(`${V6}/128`, { device: OTHER_LINK }));
    assert.deepEqual((await audit(node)).found, [`unrouted ${V6} ${LINK}`, `unheld ${V6} ${OTHER_LINK}`]);
  });

  it('finds what is in no block of the node', async () => {
    const node = await withPod();
    const check = node.ipam.check.bind(node.ipam);
    node.ipam.check = (live) => ({ ...check(live), outside: node.ipam.usage().allocations });
    assert.deepEqual((await audit(node)).found, [`outside ${V4} ${LINK}`, `outside ${V6} ${LINK}`]);
  });

  it('finds addresses in use whose owner is not known, and says what to do while the link is there, and after', async () => {
    const node = await withPod();
    await change(node, link(OTHER_LINK), route('10.77.0.9/32', { device: OTHER_LINK }));
    assert.deepEqual((await audit(node)).found, [`unheld 10.77.0.9 ${OTHER_LINK}`]);
    assert.equal(node.ipam.adopt('10.77.0.9', OTHER_LINK), true);
    assert.deepEqual(await audit(node), { checked: 3, found: [`ownerless 10.77.0.9 ${OTHER_LINK}`] });
    const told = async () => (await auditAddresses(node.io)).findings[0]!;
    assert.equal((await told()).next, 'nothing: kept until its DEL');
    assert.doesNotMatch((await told()).text, /is gone/);
    await change(node, { type: 'deleteLink', device: OTHER_LINK });
    assert.equal((await told()).next, 'podroute ipam release 10.77.0.9');
    assert.match((await told()).text, /; the link is gone/);
  });

  it('finds blocks of nodes that are gone', async () => {
    const block = {
      ...({ apiVersion: 'podroute.io/v1', kind: 'IPAMBlock' } as const),
      metadata: { name: 'b', resourceVersion: '1' },
      spec: { cidr: '10.0.0.0/28', node: 'old', pool: 'v4' },
    };
    const node = await startCniNode(
      { nodes: new Set(['n1']), stored: [block.spec] },
      { list: async () => [block] },
    );
    await node.clock.run(1_000);
    const { checked, findings } = await auditAddresses(node.io);
    assert.equal(checked, 0);
    assert.deepEqual(findings, [
      {
        ...{ kind: 'orphan', address: '10.0.0.0/28', link: '', owner: 'node old' },
        text: 'block of node old, which has no Node object any more',
        next: 'podroute ipam release 10.0.0.0/28',
      },
    ]);
  });
});

describe('giving an address back by hand', () => {
  it('is refused while nobody holds it, and while the pod’s link is there', async () => {
    const node = await withPod();
    const why = async (address: string): Promise<string> => {
      const outcome = await releaseAddress(address, node.io);
      return outcome.kind === 'refused' ? outcome.why : outcome.kind;
    };
    assert.equal(await why('10.77.0.5'), '10.77.0.5 is held by nobody on this node');
    assert.match(await why(V6), /is in use by pod default\/web-0: its link pr\w+ is there; delete the pod/);
    node.ipam.adopt('10.77.0.9', OTHER_LINK);
    await change(node, link(OTHER_LINK));
    assert.match(await why('10.77.0.9'), /in use by a pod that the journal does not know: its link/);
    assert.equal(node.ipam.usage().allocations.length, 1);
  });

  it('frees all that the pod held, or the one address that a lost pod used', async () => {
    const node = await withPod();
    node.ipam.adopt('10.77.0.9', OTHER_LINK);
    node.ipam.adopt('10.77.0.10', hostLinkName(ownerKey(callOf('c8'))));
    await change(node, { type: 'deleteLink', device: LINK });
    assert.deepEqual(await releaseAddress(V6, node.io), {
      kind: 'freed',
      address: V6,
      owner: 'pod default/web-0',
    });
    assert.deepEqual(node.ipam.usage().allocations, []);
    assert.deepEqual(node.guarded.at(-1), '-c1');
    assert.deepEqual(await releaseAddress('10.77.0.9', node.io), { kind: 'freed', address: '10.77.0.9' });
    assert.deepEqual(
      node.ipam.usage().adopted.map(({ address }) => address),
      ['10.77.0.10'],
    );
  });
});
