// A node whose Pods go without a DEL: when its agent gives their addresses back, and when it does not.
import assert from 'node:assert/strict';
import type { StatusReply } from '#agent-api';
import { hostLinkName, ownerKey } from '#ipam';
import { SimulatedCluster } from '../testing/simulated-cluster.ts';
import { SETTINGS } from '../testing/machine.ts';
import { Simulation } from '../testing/simulation.ts';

const GRACE_MS = SETTINGS.leakGraceSeconds * 1_000;
/** Two looks. */
const SOON_MS = 20_000;

describe('an agent that is told which Pods its node has', () => {
  let cluster: SimulatedCluster;
  /** Names of Pods that there are; undefined: the API server is not heard. */
  let pods: Set<string> | undefined;
  let heardSinceMs: number;

  beforeEach(async () => {
    cluster = new SimulatedCluster(new Simulation(1), 1);
    const machine = cluster.machines[0]!;
    pods = new Set(['a', 'b', 'c']);
    heardSinceMs = cluster.simulation.clock.now();
    machine.ownPods = () =>
      pods && { heardSinceMs, has: (namespace, name) => namespace === 'default' && pods!.has(name) };
    cluster.start();
    for (const name of pods) cluster.kubelets[0]!.add(name);
    await cluster.simulation.until('its pods to run', () => cluster.pods().length === 3);
  });
  afterEach(() => cluster.machines[0]!.killAgent());

  const machine = () => cluster.machines[0]!;
  const run = (ms: number) => cluster.simulation.run(ms);
  const held = () =>
    machine()
      .node!.agent.ipam!.usage()
      .allocations.map(({ owner }) => owner.podName!)
      .sort()
      .join();
  const status = async (): Promise<StatusReply> => {
    const asked = machine().http.ask(SETTINGS.socketPath, '/v1/status');
    // It is written in turns.
    await run(1);
    return JSON.parse((await asked).body) as StatusReply;
  };
  const containerOf = (name: string) =>
    machine()
      .node!.agent.ipam!.usage()
      .allocations.find(({ owner }) => owner.podName === name)!.owner.containerId;
  /** The runtime has lost it: no DEL comes. */
  const loseSandbox = (name: string) => machine().namespaces.delete(`/run/netns/${containerOf(name)}`);
  const heardAnew = (...names: string[]) => {
    pods = new Set(names);
    heardSinceMs = cluster.simulation.clock.now();
  };

  it('gives the addresses back when Pod and namespace are gone for the grace time, as a DEL would', async () => {
    const [address = ''] = cluster.pods().find(({ name }) => name === 'b')!.addresses;
    loseSandbox('b');
    pods!.delete('b');
    await run(GRACE_MS - SOON_MS);
    assert.equal(held(), 'a,b,c');
    assert.equal((await status()).leaks, undefined);
    await run(2 * SOON_MS);
    assert.equal(held(), 'a,c');
    const { leaks } = await status();
    assert.deepEqual([leaks?.count, leaks?.collected], [0, 1]);
    assert.match(leaks!.newest!, new RegExp(`^${address} and fd44::.* of Pod default/b$`));
    assert.ok(
      cluster.simulation.events.some((line) =>
        /info .*collected: its Pod is gone since .*default\/b/.test(line),
      ),
    );
    assert.ok(
      cluster.pods().some(({ name }) => name === 'a'),
      'the others run',
    );
  });

  it('only reports what a namespace that is there still has, and forgets it when its DEL comes', async () => {
    pods!.delete('b');
    await run(GRACE_MS + SOON_MS);
    assert.equal(held(), 'a,b,c');
    const { leaks } = await status();
    assert.deepEqual([leaks?.count, leaks?.collected, leaks?.first[0]?.pod], [1, 0, 'default/b']);
    cluster.kubelets[0]!.remove('b');
    await run(SOON_MS);
    assert.equal(held(), 'a,c');
    assert.equal((await status()).leaks, undefined);
  });

  it('takes nothing for leaked while the API server is away, and waits anew when it is back', async () => {
    for (const name of ['a', 'b', 'c']) loseSandbox(name);
    pods = undefined;
    await run(10 * GRACE_MS);
    assert.equal(held(), 'a,b,c');
    heardAnew('a', 'c');
    await run(GRACE_MS - SOON_MS);
    assert.equal(held(), 'a,b,c');
    await run(2 * SOON_MS);
    assert.equal(held(), 'a,c');
  });

  it('gives back what was lost while it was down', async () => {
    const lost = containerOf('b');
    machine().killAgent();
    machine().namespaces.delete(`/run/netns/${lost}`);
    await run(GRACE_MS);
    heardAnew('a', 'c');
    await machine().startAgent();
    assert.equal(held(), 'a,b,c', 'of the journal');
    await run(GRACE_MS + SOON_MS);
    assert.equal(held(), 'a,c');
    const link = hostLinkName(ownerKey({ containerId: lost, ifname: 'eth0' }));
    assert.ok((await machine().kernel.links()).every(({ name }) => name !== link));
  });

  it('goes on where the conflist, which says the network, cannot be read, and says so', async () => {
    const { disk } = machine();
    const read = disk.read.bind(disk);
    let why: string | undefined = 'EIO: i/o error';
    disk.read = (path) =>
      why !== undefined && path.endsWith('.conflist')
        ? Promise.reject(new Error(`${why}, read ${path}`))
        : read(path);
    const said = (text: RegExp) => cluster.simulation.events.filter((line) => text.test(line)).length;
    const problems = async () => (await status()).problems.map(({ message }) => message).join();
    loseSandbox('b');
    pods!.delete('b');
    await run(GRACE_MS + SOON_MS);
    assert.equal(said(/cannot be looked at: .*EIO/), 1, 'once');
    assert.match(await problems(), /10-podroute\.conflist cannot be read: EIO: .* are not given back/);
    why = 'EACCES: permission denied';
    await run(SOON_MS);
    assert.equal(said(/cannot be looked at: .*EACCES/), 1, 'and again when it is another');
    assert.equal(held(), 'a,b,c', 'nobody knows whether its network is podroute’s');
    why = undefined;
    await run(GRACE_MS + SOON_MS);
    assert.equal(held(), 'a,c');
    assert.equal(await problems(), '');
    assert.equal(said(/are looked at and given back again/), 1);
  });

  it('tries again while the journal cannot be written, and says so', async () => {
    loseSandbox('b');
    pods!.delete('b');
    await run(GRACE_MS - SOON_MS);
    machine().disk.failure = 'no space left on device';
    await run(2 * SOON_MS);
    assert.ok(cluster.simulation.events.some((line) => /cannot be given back: .*no space left/.test(line)));
    assert.equal((await status()).leaks?.collected ?? 0, 0);
  });
});
