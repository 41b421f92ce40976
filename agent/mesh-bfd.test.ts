// A cluster in simulated time whose nodes watch one another by BFD (nodeMeshBFD): what each has of the others' routes.
import assert from 'node:assert/strict';
import { walk } from '#linux';
import { objectYaml, resourcesFromYaml } from './plan/testing/cluster-yaml.ts';
import type { Machine } from './testing/machine.ts';
import { SimulatedCluster } from './testing/simulated-cluster.ts';
import { Simulation } from './testing/simulation.ts';

/** Three packets of 300 ms: the defaults. */
const DETECTION_MS = 900;
/** For BGP and the FIB to act on it. */
const ACT_MS = 100;

describe('nodes that watch one another by BFD', function () {
  this.timeout(60_000);
  let simulation: Simulation;
  let cluster: SimulatedCluster;

  beforeEach(async () => {
    simulation = new Simulation();
    cluster = new SimulatedCluster(simulation, 3);
    const bgp = objectYaml('BGPConfiguration', 'default', '{ nodeMeshBFD: {} }');
    for (const objects of Object.values(resourcesFromYaml(bgp))) cluster.store.apply(...objects.values());
    cluster.start();
    cluster.kubelets.forEach((kubelet, n) => kubelet.add(`pod-${n + 1}`));
    await simulation.until('every pod to run', () => cluster.pods().length === 3);
    await simulation.until('BFD to be up with every node', () =>
      [0, 1, 2].every((n) => bfdOf(n) === 'Up,Up,Up,Up'),
    );
    await simulation.run(5_000);
    cluster.checkReachability();
  });

  const sessionsOf = (n: number) =>
    cluster.machines[n]!.node!.status.status().sessions.filter(({ id }) => id.startsWith('mesh/'));
  const bfdOf = (n: number) =>
    sessionsOf(n)
      .map(({ bfd }) => bfd?.state)
      .join();
  /** How the first node reaches the second one's pod: the addresses of the next routers. */
  const wayTo = (addresses: readonly string[]) =>
    addresses.map((address) => walk(cluster.machines[0]!.kernel, address).hops[0]?.gateway);

  it('drop the routes of one that loses power within the detection time, and take them when it is back', async () => {
    const { addresses } = cluster.kubelets[1]!.running()[0]!;
    assert.deepEqual(wayTo(addresses), cluster.machines[1]!.addresses);
    cluster.crash(1);
    await simulation.run(DETECTION_MS + ACT_MS);
    for (const gateway of wayTo(addresses)) assert.ok(!cluster.machines[1]!.addresses.includes(gateway!));
    for (const session of sessionsOf(0).filter(({ id }) => id.startsWith('mesh/n2/'))) {
      assert.notEqual(session.state, 'Established');
      assert.equal(session.kept, undefined);
      assert.match(session.lastLost?.reason ?? '', /^BFD is down: control detection time expired/);
    }
    assert.ok(
      sessionsOf(0)
        .filter(({ id }) => id.startsWith('mesh/n3/'))
        .every(({ state }) => state === 'Established'),
    );
    cluster.restart(1);
    await simulation.until(
      'BFD to be up again',
      () => [0, 1, 2].every((n) => bfdOf(n) === 'Up,Up,Up,Up'),
      120_000,
    );
    await simulation.run(10_000);
    cluster.checkReachability();
  });

  for (const [how, end, downMs, isFailure] of [
    ['stops in order and starts anew, as its BFD says so', (m: Machine) => m.stopAgent(), 5_000, false],
    ['is killed and starts anew, as its connections closed', async (m: Machine) => m.killAgent(), 300, true],
  ] as const) {
    it(`keep the routes of one whose agent ${how}`, async () => {
      const { addresses } = cluster.kubelets[1]!.running()[0]!;
      const machine = cluster.machines[1]!;
      const look = async (ms: number) => {
        for (let passed = 0; passed < ms; passed += 50) {
          await simulation.run(50);
          assert.deepEqual(wayTo(addresses), machine.addresses, `at ${simulation.nowMs} ms`);
        }
      };
      await end(machine);
      await look(downMs);
      void machine.startAgent();
      await look(20_000);
      assert.equal(bfdOf(0), 'Up,Up,Up,Up');
      assert.equal(
        simulation.events.some((event) => event.includes('has failed')),
        isFailure,
      );
      cluster.checkReachability();
    });
  }
});
