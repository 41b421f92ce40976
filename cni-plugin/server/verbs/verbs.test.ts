// What a verb leaves behind when something fails, and what CHECK looks at: with kernels in memory.
import assert from 'node:assert/strict';
import type { Ipam } from '#ipam';
import { MemoryKernel, MemoryNamespaces, MemoryPodWirer, type Request } from '#linux';
import type { CniCall } from '../call.ts';
import { CniError } from '../cni-error.ts';
import { readConfig } from '../network-config.ts';
import { add } from './add.ts';
import { check } from './check.ts';
import type { VerbIo } from './verb-io.ts';

const NETNS = '/run/netns/pod';
const ADDRESSES = { ipv4: '10.77.0.5', ipv6: 'fd77::5' };
const CALL: CniCall = {
  command: 'ADD',
  containerId: 'pod-a',
  netns: NETNS,
  ifname: 'eth0',
  args: new Map(),
  isOwnNetns: false,
};

function configOf(more: object = {}) {
  return readConfig(JSON.stringify({ cniVersion: '1.1.0', name: 'n', type: 'podroute', ...more }), 'CHECK');
}

function node(durable: Error | undefined) {
  const kernel = new MemoryKernel();
  const namespaces = new MemoryNamespaces();
  const pod = namespaces.create(NETNS);
  const released: string[] = [];
  const allocation = { addresses: ADDRESSES };
  const ipam = {
    families: () => ['ipv4', 'ipv6'],
    reserve: async () => ({ kind: 'reserved', allocation, isNew: true, durable: Promise.resolve(durable) }),
    allocationOf: () => allocation,
    release: async (owner: { containerId: string }) => void released.push(owner.containerId),
  } as unknown as Ipam;
  const silent = () => undefined;
  const io: VerbIo = {
    ...{ ipam, kernel, wirer: new MemoryPodWirer(kernel, namespaces), openPodKernel: async () => pod },
    guard: { admit: async () => undefined, forget: async () => undefined, missing: async () => [] },
    ...{ mtu: () => 1500, whyUnready: silent },
    log: { debug: silent, info: silent, warn: silent, error: silent },
  };
  return { kernel, io };
}

describe('ADD', () => {
  it('leaves no link when the journal cannot be written', async () => {
    const { kernel, io } = node(new Error('no space left on device'));
    await assert.rejects(add(CALL, configOf(), io), (error) => {
      assert.ok(error instanceof CniError);
      return error.code === 104 && /no space left/.test(error.message);
    });
    assert.deepEqual(
      (await kernel.links()).map(({ name }) => name),
      ['lo'],
    );
    assert.deepEqual(await kernel.routes({ protocol: 179 }), []);
  });
});

describe('CHECK', () => {
  const CASES: readonly [string, (link: string) => Request, RegExp][] = [
    [
      'a route',
      () => ({ type: 'deleteRoute', route: { destination: '10.77.0.5/32' } }),
      /the host's route to 10\.77\.0\.5 does not lead to pr/,
    ],
    [
      'a route of the other family',
      () => ({ type: 'deleteRoute', route: { destination: 'fd77::5/128' } }),
      /the host's route to fd77::5 does not lead to pr/,
    ],
    [
      'a link that is up',
      (link) => ({ type: 'setLink', device: link, up: false }),
      /link pr\S+ on the host is down/,
    ],
    ['the link', (link) => ({ type: 'deleteLink', device: link }), /no link pr\S+ on the host/],
  ];
  for (const [what, breaking, words] of CASES) {
    it(`says that the host lacks ${what}`, async () => {
      const { kernel, io } = node(undefined);
      const prevResult = { cniVersion: '1.1.0', ...(await add(CALL, configOf(), io)) };
      const config = configOf({ prevResult });
      await check({ ...CALL, command: 'CHECK' }, config, io);
      const link = (await kernel.links()).find(({ name }) => name.startsWith('pr'))!.name;
      assert.deepEqual(await kernel.apply([breaking(link)]), [undefined]);
      await assert.rejects(check({ ...CALL, command: 'CHECK' }, config, io), (error) => {
        assert.ok(error instanceof CniError);
        assert.match(error.details, words);
        return error.code === 112;
      });
    });
  }
});
