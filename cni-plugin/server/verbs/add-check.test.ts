// ADD by what it answers and by what it leaves when a step fails; CHECK by each thing that it must miss in the pod.
import assert from 'node:assert/strict';
import { KernelError, type Request } from '#linux';
import { callOf, type CniNode, configOf, startCniNode } from '../../testing/cni-node.ts';
import { attachmentNames, derivedPodMac } from '../attachment.ts';
import { CniError } from '../cni-error.ts';
import type { NetworkConfig } from '../network-config.ts';
import { add } from './add.ts';
import { check } from './check.ts';

const CALL = callOf('c1');
const NAMES = attachmentNames(CALL);
const [EPERM, EEXIST, ENOENT, ENOTDIR] = [1, 17, 2, 20];

const failsWith = (code: number, message: RegExp) => (error: unknown) =>
  error instanceof CniError && error.code === code && message.test(error.message);
const linksOf = async ({ kernel }: CniNode): Promise<string[]> =>
  (await kernel.links()).map(({ name }) => name);

describe('ADD, by what it answers', () => {
  it('has both ends of the link, an address of each family, default routes, and the MTU of the node', async () => {
    const node = await startCniNode();
    const result = await add(CALL, configOf(), node.io);
    assert.deepEqual(result, {
      interfaces: [
        { name: NAMES.hostName, mac: NAMES.hostMac, mtu: 1400, sandbox: '' },
        { name: 'eth0', mac: NAMES.podMac, mtu: 1400, sandbox: CALL.netns },
      ],
      ips: [
        { address: '10.77.0.0/32', gateway: '169.254.1.1', interface: 1 },
        { address: 'fd77::/128', gateway: 'fe80::1', interface: 1 },
      ],
      routes: [
        { dst: '0.0.0.0/0', gw: '169.254.1.1' },
        { dst: '::/0', gw: 'fe80::1' },
      ],
      dns: {},
    });
    assert.deepEqual(node.guarded, ['+c1 10.77.0.0 fd77::']);
    const inPod = (await node.pod.links()).find(({ name }) => name === 'eth0');
    assert.deepEqual([inPod?.mac, inPod?.mtu], [NAMES.podMac, 1400]);
    assert.equal(derivedPodMac(NAMES.hostMac), NAMES.podMac);
  });

  it('has the families, the MTU, the MAC address and the DNS that were asked for', async () => {
    const node = await startCniNode();
    const dns = { nameservers: ['10.96.0.10'] };
    const asked = configOf({
      families: ['ipv6'],
      mtu: 1300,
      dns,
      runtimeConfig: { mac: '02:00:00:00:00:07' },
    });
    const result = await add(CALL, asked, node.io);
    assert.deepEqual(
      result.ips.map(({ address }) => address),
      ['fd77::/128'],
    );
    assert.deepEqual(result.dns, dns);
    assert.deepEqual(
      result.interfaces.map(({ mac, mtu }) => [mac, mtu]),
      [
        [`0a${NAMES.hostMac.slice(2)}`, 1300],
        ['02:00:00:00:00:07', 1300],
      ],
    );
    const [, host] = await node.kernel.links();
    assert.equal(host?.mtu, 1300);
    assert.equal(derivedPodMac(host?.mac), undefined, 'the pod has another one');
    const byArgs = await add(
      callOf('c2', { args: new Map([['MAC', '02:00:00:00:00:08']]) }),
      configOf(),
      node.io,
    );
    assert.equal(byArgs.interfaces[1]?.mac, '02:00:00:00:00:08');
    const both = callOf('c3', { args: new Map([['MAC', '02:00:00:00:00:08']]) });
    const byConfig = await add(both, configOf({ runtimeConfig: { mac: '02:00:00:00:00:09' } }), node.io);
    assert.equal(byConfig.interfaces[1]?.mac, '02:00:00:00:00:09');
    const empty = await add(callOf('c4', { args: new Map([['MAC', '']]) }), configOf(), node.io);
    assert.equal(empty.interfaces[1]?.mac, attachmentNames(callOf('c4')).podMac);
  });

  it('stands behind what an earlier plugin of the chain answered', async () => {
    const node = await startCniNode();
    const prevResult = { cniVersion: '1.1.0', interfaces: [{ name: 'first' }], ips: [], routes: [] };
    const result = await add(CALL, configOf({ prevResult }), node.io);
    assert.deepEqual(
      [result.interfaces.map(({ name }) => name), result.ips.map((ip) => ip.interface)],
      [
        ['first', NAMES.hostName, 'eth0'],
        [2, 2],
      ],
    );
  });

  it('is refused in the plugin’s own namespace, and without addresses to give', async () => {
    const node = await startCniNode();
    await assert.rejects(
      add(callOf('c1', { isOwnNetns: true }), configOf(), node.io),
      failsWith(8, /c1 is the/),
    );
    const bare = await startCniNode({ podCidrs: [] });
    await assert.rejects(add(CALL, configOf(), bare.io), failsWith(101, /no enabled IPPool selects it/));
    bare.ipam.whyUnready = () => undefined;
    await assert.rejects(
      add(CALL, configOf(), bare.io),
      failsWith(101, /this node has no addresses to give/),
    );
    const ips = { runtimeConfig: { ips: ['10.1.1.1'] } };
    await assert.rejects(
      add(CALL, configOf(ips), node.io),
      failsWith(101, /10\.1\.1\.1 is in no enabled pool/),
    );
    assert.deepEqual([await linksOf(node), node.guarded], [['lo'], []]);
  });
});

describe('ADD, by what it leaves', () => {
  const WIRING: readonly (readonly [string, number, string, number, RegExp])[] = [
    ['is there', EEXIST, 'add link', 111, /^container c1 has an interface eth0 already: DEL it first/],
    ['has a route that is there', EEXIST, 'add route', 110, /^cannot wire container c1: add route x: EEXIST/],
    ['cannot be made', EPERM, 'add link', 110, /^cannot wire container c1: add link x: EPERM/],
    ['has no namespace', ENOENT, 'open network namespace', 3, /^CNI_NETNS \/run\/netns\/c1 does not exist/],
    ['has a path through a file', ENOTDIR, 'open network namespace', 3, /^CNI_NETNS .* does not exist/],
  ];
  for (const [what, errno, operation, code, message] of WIRING) {
    it(`is nothing when the link ${what}: code ${code}`, async () => {
      const node = await startCniNode();
      node.io.wirer.wire = () => new KernelError(operation, 'x', errno);
      await assert.rejects(add(CALL, configOf(), node.io), failsWith(code, message));
      assert.deepEqual(node.ipam.usage().allocations, []);
      assert.deepEqual(node.guarded, ['+c1 10.77.0.0 fd77::', '-c1']);
    });
  }

  it('are the addresses that an earlier ADD got, when a second one fails', async () => {
    const node = await startCniNode();
    await add(CALL, configOf(), node.io);
    await assert.rejects(add(CALL, configOf(), node.io), failsWith(111, /has an interface eth0 already/));
    assert.equal(node.ipam.usage().allocations.length, 1);
    assert.deepEqual(node.guarded, ['+c1 10.77.0.0 fd77::', '+c1 10.77.0.0 fd77::']);
    assert.deepEqual(await linksOf(node), ['lo', NAMES.hostName]);
  });

  it('is no link, no address and no permission to send when the journal cannot be written', async () => {
    const node = await startCniNode();
    node.disk.failure = 'no space left on device';
    await assert.rejects(add(CALL, configOf(), node.io), failsWith(104, /no space left/));
    assert.deepEqual(await linksOf(node), ['lo']);
    assert.deepEqual(node.ipam.usage().allocations, []);
    assert.deepEqual(node.guarded, ['+c1 10.77.0.0 fd77::', '-c1']);
  });
});

describe('CHECK of the pod’s side', () => {
  async function added(): Promise<{ node: CniNode; config: NetworkConfig }> {
    const node = await startCniNode();
    const result = await add(CALL, configOf(), node.io);
    return { node, config: configOf({ prevResult: { cniVersion: '1.1.0', ...result } }, 'CHECK') };
  }
  const missing = async (node: CniNode, config: NetworkConfig, netns = CALL.netns): Promise<string[]> => {
    try {
      await check({ ...CALL, command: 'CHECK', netns }, config, node.io);
      return [];
    } catch (error) {
      assert.ok(error instanceof CniError);
      assert.equal(error.code, 112);
      return error.details.split('; ');
    }
  };
  const again = async (requests: readonly Request[], on: CniNode['kernel']): Promise<void> =>
    assert.deepEqual(
      await on.apply(requests),
      requests.map(() => undefined),
    );

  it('misses nothing after ADD, whatever other links, addresses and routes there are', async () => {
    const { node, config } = await added();
    await again(
      [
        { type: 'addLink', kind: 'dummy', name: 'other0', up: true },
        { type: 'addAddress', device: 'other0', address: '192.0.2.1/24' },
        { type: 'addRoute', route: { destination: '198.51.100.0/24', nextHops: [{ device: 'other0' }] } },
      ],
      node.pod,
    );
    assert.deepEqual(await missing(node, config), []);
  });

  it('misses an address, and one that another link has', async () => {
    const { node, config } = await added();
    await again([{ type: 'deleteAddress', device: 'eth0', address: '10.77.0.0/32' }], node.pod);
    assert.deepEqual(await missing(node, config), ['eth0 lacks 10.77.0.0']);
    await again(
      [
        { type: 'addLink', kind: 'dummy', name: 'other0', up: true },
        { type: 'addAddress', device: 'other0', address: '10.77.0.0/32' },
      ],
      node.pod,
    );
    assert.deepEqual(await missing(node, config), ['eth0 lacks 10.77.0.0']);
  });

  it('misses a default route, and one that leads to another link', async () => {
    const { node, config } = await added();
    await again([{ type: 'deleteRoute', route: { destination: '::/0' } }], node.pod);
    const lacks = 'the pod lacks a default route ::/0 by eth0';
    assert.deepEqual(await missing(node, config), [lacks]);
    await again(
      [
        { type: 'addLink', kind: 'dummy', name: 'other0', up: true },
        { type: 'addRoute', route: { destination: '::/0', nextHops: [{ device: 'other0' }] } },
        { type: 'addRoute', route: { destination: 'fd99::/64', nextHops: [{ device: 'eth0' }] } },
      ],
      node.pod,
    );
    assert.deepEqual(await missing(node, config), [lacks]);
  });

  it('misses the link, one that is up, and the namespace', async () => {
    const { node, config } = await added();
    assert.deepEqual(await missing(node, config, '/run/netns/gone'), [
      'CNI_NETNS /run/netns/gone: open network namespace /run/netns/gone: ENOENT (no such namespace)',
    ]);
    await again([{ type: 'setLink', device: 'eth0', up: false }], node.pod);
    assert.ok((await missing(node, config)).includes('link eth0 in the pod is down'));
    await again([{ type: 'deleteLink', device: 'eth0' }], node.pod);
    assert.ok((await missing(node, config)).includes('no link eth0 in the pod'));
  });

  it('misses the reservation, and what an earlier result does not name', async () => {
    const { node, config } = await added();
    const { prevResult } = config as unknown as { prevResult: { interfaces: object[]; ips: object[] } };
    assert.deepEqual(
      await missing(node, configOf({ prevResult: { ...prevResult, interfaces: [] } }, 'CHECK')),
      [`prevResult lacks ${NAMES.hostName}`],
    );
    const oneIp = { ...prevResult, ips: prevResult.ips.slice(0, 1) };
    assert.deepEqual(await missing(node, configOf({ prevResult: oneIp }, 'CHECK')), [
      'prevResult lacks fd77::',
    ]);
    await node.ipam.release(CALL);
    assert.deepEqual(await missing(node, config), ['its addresses are not reserved']);
  });

  it('misses a route of the host that leads to another link, and needs a result', async () => {
    const { node, config } = await added();
    await again(
      [
        { type: 'addLink', kind: 'dummy', name: 'other0', up: true },
        {
          type: 'addRoute',
          route: { destination: '10.77.0.0/32', nextHops: [{ device: 'other0' }], metric: 1 },
        },
      ],
      node.kernel,
    );
    assert.deepEqual(await missing(node, config), [
      `the host's route to 10.77.0.0 does not lead to ${NAMES.hostName}`,
    ]);
    await assert.rejects(check(CALL, configOf({}, 'CHECK'), node.io), failsWith(7, /CHECK needs prevResult/));
  });
});
