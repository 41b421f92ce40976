// What podroute expects of a PodWirer, asked of Linux itself (in fresh namespaces) and of the one in memory.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { Kernel } from './kernel.ts';
import { KernelError } from './kernel-error.ts';
import { MemoryKernel } from './memory/memory-kernel.ts';
import { MemoryNamespaces } from './memory/memory-namespaces.ts';
import { MemoryPodWirer } from './memory/memory-pod-wirer.ts';
import { walk } from './memory/walk.ts';
import { withNetns } from './native/netns.ts';
import { openPodWirer } from './real/pod-wirer.ts';
import type { PodWirer, PodWiring, WiredPod } from './pod-wiring.ts';
import { openKernel } from './real/real-kernel.ts';
import { readSysctl, writeSysctl } from './real/sysctl.ts';
import { enableForwarding, FORWARDING, needNamespaces, TestNetns } from './testing/temporary-netns.ts';

/** A pod's namespace until disposed. */
interface Pod extends Disposable {
  readonly path: string;
  kernel(): Promise<Kernel>;
  writeSysctl(name: string, value: string): void;
  /** Sends a packet there and waits for the answer. */
  ping(address: string): void;
}

/** A host that forwards. */
interface Machine extends Disposable {
  readonly wirer: PodWirer;
  readonly kernel: Kernel;
  readSysctl(name: string): string;
  pod(): Pod;
}

async function realMachine(): Promise<Machine> {
  const host = new TestNetns();
  withNetns(host.path, enableForwarding);
  return {
    wirer: openPodWirer({ netns: host.path }),
    kernel: await openKernel({ netns: host.path }),
    readSysctl: (name) => withNetns(host.path, () => readSysctl(name)),
    pod() {
      const netns = new TestNetns();
      const { path } = netns;
      return {
        path,
        kernel: () => openKernel({ netns: path }),
        writeSysctl: (name, value) => withNetns(path, () => writeSysctl(name, value)),
        ping: (address) =>
          void execFileSync('nsenter', [`--net=${path}`, 'ping', '-c1', '-W1', address], { stdio: 'pipe' }),
        [Symbol.dispose]: () => netns[Symbol.dispose](),
      };
    },
    [Symbol.dispose]: () => host[Symbol.dispose](),
  };
}

async function memoryMachine(): Promise<Machine> {
  const kernel = new MemoryKernel();
  for (const name of FORWARDING) kernel.sysctl.write(name, '1');
  const namespaces = new MemoryNamespaces();
  let count = 0;
  return {
    wirer: new MemoryPodWirer(kernel, namespaces),
    kernel,
    readSysctl: (name) => kernel.sysctl.read(name),
    pod() {
      const path = `/run/netns/pod-${count++}`;
      const pod = namespaces.create(path);
      return {
        path,
        kernel: async () => pod,
        writeSysctl: (name, value) => pod.sysctl.write(name, value),
        ping: (address) => assert.equal(walk(pod, address).end.kind, 'arrived'),
        [Symbol.dispose]: () => namespaces.delete(path),
      };
    },
    [Symbol.dispose]: () => undefined,
  };
}

const bindings = [
  { name: 'in memory', isReal: false, makeMachine: memoryMachine },
  { name: 'of Linux', isReal: true, makeMachine: realMachine },
];

for (const { name, isReal, makeMachine } of bindings) {
  describe(`pod links ${name}`, function () {
    if (isReal) needNamespaces(this);
    let machine: Machine;
    let wirer: PodWirer;
    let kernel: Kernel;
    beforeEach(async () => {
      machine = await makeMachine();
      ({ wirer, kernel } = machine);
    });
    afterEach(async () => {
      await wirer[Symbol.asyncDispose]();
      await kernel[Symbol.asyncDispose]();
      machine[Symbol.dispose]();
    });

    const specOf = (netns: string, i: number, more: Partial<PodWiring> = {}): PodWiring => ({
      netns,
      hostName: `pr${i}`,
      podName: 'eth0',
      hostMac: 'ee:ee:ee:ee:ee:ee',
      podMac: `02:00:00:00:01:0${i}`,
      mtu: 1450,
      addresses: [`10.244.1.${i}`, `fd00:244::${i}`],
      gateways: { ipv4: '169.254.1.1', ipv6: 'fe80::1' },
      ...more,
    });
    const wire = (spec: PodWiring): WiredPod => {
      const wired = wirer.wire(spec);
      if (wired instanceof KernelError) throw wired;
      return wired;
    };
    const messageOf = (spec: PodWiring): string => {
      const refused = wirer.wire(spec);
      assert.ok(refused instanceof KernelError);
      return refused.message;
    };
    const hostLinks = async () =>
      (await kernel.links()).map((link) => link.name).filter((name) => name !== 'lo' && !name.endsWith('0'));

    it('join a pod to the host, with addresses, routes and neighbours at both ends', async () => {
      using pod = machine.pod();
      const wired = wire(specOf(pod.path, 1));
      const link = (await kernel.links()).find((found) => found.name === 'pr1');
      assert.deepEqual(
        [link?.index, link?.mac, link?.mtu, link?.up, link?.peerElsewhere, link?.peerIndex],
        [wired.hostIndex, 'ee:ee:ee:ee:ee:ee', 1450, true, true, wired.podIndex],
      );
      const routes = (await kernel.routes({ protocol: 179 })).map((r) => [
        r.destination,
        r.metric,
        r.nextHops[0]?.device,
      ]);
      assert.deepEqual(routes, [
        ['10.244.1.1/32', 1024, 'pr1'],
        ['fd00:244::1/128', 1024, 'pr1'],
      ]);
      await using inside = await pod.kernel();
      const addresses = (await inside.addresses()).filter((a) => a.scope === 'global');
      assert.deepEqual(
        addresses.map((a) => [a.address, a.tentative]),
        [
          ['10.244.1.1/32', false],
          ['fd00:244::1/128', false],
        ],
      );
      const defaults = (await inside.routes({ table: 254 })).filter((r) => r.destination.endsWith('/0'));
      assert.deepEqual(
        defaults.map((r) => r.nextHops[0]?.gateway),
        ['169.254.1.1', 'fe80::1'],
      );
      const known = (await inside.neighbours())
        .filter((n) => n.state === 'permanent')
        .map((n) => `${n.address} ${n.mac}`);
      assert.deepEqual(known.sort(), ['169.254.1.1 ee:ee:ee:ee:ee:ee', 'fe80::1 ee:ee:ee:ee:ee:ee']);
      assert.equal(machine.readSysctl('net/ipv4/conf/pr1/rp_filter'), '1');
      assert.equal(machine.readSysctl('net/ipv6/conf/pr1/accept_ra'), '0');
    });

    it('carry packets between two pods at once, both families', () => {
      using first = machine.pod();
      using second = machine.pod();
      for (const [i, pod] of [first, second].entries()) {
        wire(specOf(pod.path, i + 1));
      }
      for (const address of ['10.244.1.2', 'fd00:244::2']) first.ping(address);
    });

    it('come up in a namespace whose IPv6 is off', () => {
      using pod = machine.pod();
      pod.writeSysctl('net/ipv6/conf/default/disable_ipv6', '1');
      wire(specOf(pod.path, 1));
    });

    it('that cannot be made are errors which say why, and leave nothing', async () => {
      using pod = machine.pod();
      const spec = specOf(pod.path, 1);
      const nowhere = messageOf({ ...spec, netns: '/run/netns/pr-linux-none' });
      assert.equal(nowhere, 'open network namespace /run/netns/pr-linux-none: ENOENT (no such namespace)');
      if (isReal) {
        assert.match(
          messageOf({ ...spec, netns: '/etc/hostname' }),
          /EINVAL \(is \/etc\/hostname a network namespace\?\)/,
        );
      }
      assert.match(
        messageOf({ ...spec, hostName: 'sixteen-bytes-xx' }),
        /'sixteen-bytes-xx': wanted 1 to 15 bytes/,
      );
      assert.match(messageOf({ ...spec, addresses: ['10.0.0.1/24'] }), /'10\.0\.0\.1\/24' is no IP address/);
      assert.match(messageOf({ ...spec, podMac: 'nope' }), /'nope' is no MAC address/);
      const twice = messageOf({ ...spec, addresses: ['10.244.1.1', '10.244.1.1'] });
      assert.match(twice, /^add address 10\.244\.1\.1\/32 dev eth0 in \/run\/netns\/\S+: EEXIST/);
      await wirer.unwire('pr1'); // behind the undo, which runs in the background
      assert.deepEqual(await hostLinks(), []);
    });

    it('take the place of what stands for their addresses', async () => {
      const stands = (destination: string) =>
        ({ type: 'addRoute', route: { destination, type: 'unreachable', metric: 1024 } }) as const;
      assert.deepEqual(await kernel.apply([stands('10.244.1.1/32'), stands('fd00:244::1/128')]), [
        undefined,
        undefined,
      ]);
      using pod = machine.pod();
      wire(specOf(pod.path, 1));
      assert.deepEqual(
        (await kernel.routes({ protocol: 179 })).map((r) => [r.destination, r.type, r.nextHops[0]?.device]),
        [
          ['10.244.1.1/32', 'unicast', 'pr1'],
          ['fd00:244::1/128', 'unicast', 'pr1'],
        ],
      );
    });

    it('whose name is taken say on which side', () => {
      using pod = machine.pod();
      wire(specOf(pod.path, 1));
      assert.match(messageOf(specOf(pod.path, 1)), /EEXIST \(the host has a link pr1 already\)/);
      assert.match(messageOf(specOf(pod.path, 2)), /EEXIST \(the pod's namespace has a link eth0 already\)/);
    });

    it('go with the namespace of either end', async () => {
      {
        using pod = machine.pod();
        wire(specOf(pod.path, 1));
        assert.deepEqual(await hostLinks(), ['pr1']);
      }
      // Linux takes a namespace that nobody uses any more down in the background.
      for (let i = 0; i < 100 && (await hostLinks()).length > 0; i++)
        await new Promise((done) => setTimeout(done, 10));
      assert.deepEqual(await hostLinks(), []);
      assert.deepEqual(await kernel.routes({ protocol: 179 }), []);
    });

    it('go one by one, many together, or by group, each with its own result', async () => {
      const pods = Array.from({ length: 6 }, () => machine.pod());
      try {
        for (const [i, pod] of pods.entries()) {
          wire(specOf(pod.path, i + 1, { group: i < 4 ? 0 : 9 }));
        }
        assert.equal(await wirer.unwire('pr1'), undefined);
        const results = await Promise.all(['pr2', 'pr1', 'pr3', 'pr4'].map((name) => wirer.unwire(name)));
        assert.deepEqual(
          results.map((error) => error?.message),
          [undefined, 'delete link pr1: ENODEV', undefined, undefined],
        );
        assert.deepEqual((await hostLinks()).sort(), ['pr5', 'pr6']);
        assert.equal(await wirer.unwireGroup(9), undefined);
        assert.deepEqual(await hostLinks(), []);
        assert.match((await wirer.unwireGroup(0))?.message ?? '', /delete links of group 0: EINVAL/);
      } finally {
        for (const pod of pods) pod[Symbol.dispose]();
      }
    });
  });
}
