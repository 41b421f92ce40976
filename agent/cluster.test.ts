// A whole cluster in simulated time: machines lose power, agents are killed, pods come and go. What must hold always is
// looked at after each of these; what must hold in the end once the network is quiet.
import assert from 'node:assert/strict';
import { SimulatedCluster } from './testing/simulated-cluster.ts';
import { Simulation } from './testing/simulation.ts';

const NODES = 20;
const PODS_EACH = 3;
const MINUTES = 10;
/** What these minutes may take for real. */
const LONGEST_MS = 10_000;
/** The longest a dead neighbour is believed in (hold time 90 s), and time to come back. */
const QUIET_MINUTES = 3;

async function tenMinutes(seed?: number): Promise<SimulatedCluster> {
  const simulation = new Simulation(seed);
  const cluster = new SimulatedCluster(simulation, NODES);
  const { random } = simulation;
  cluster.start();
  cluster.kubelets.forEach((kubelet, n) => {
    for (let i = 0; i < PODS_EACH; i++) kubelet.add(`n${n + 1}-${i}`);
  });
  await simulation.until('every pod to run', () => cluster.pods().length === NODES * PODS_EACH);
  const down = new Map<number, number>();
  let pods = PODS_EACH;
  while (simulation.nowMs < (MINUTES - QUIET_MINUTES) * 60_000) {
    await simulation.run(2_000 + random.below(10_000));
    cluster.checkAddresses();
    for (const [n, atMs] of down) {
      if (simulation.nowMs < atMs) continue;
      down.delete(n);
      cluster.restart(n);
    }
    const n = random.below(NODES);
    if (down.has(n)) continue;
    const kubelet = cluster.kubelets[n]!;
    switch (random.below(4)) {
      case 0:
        cluster.crash(n);
        down.set(n, simulation.nowMs + 5_000 + random.below(120_000));
        break;
      case 1: {
        const machine = cluster.machines[n]!;
        machine.killAgent();
        await simulation.run(random.below(5_000));
        void machine.startAgent();
        break;
      }
      case 2:
        kubelet.add(`n${n + 1}-${pods++}`);
        break;
      case 3:
        kubelet.remove(kubelet.running()[0]?.name ?? '');
        break;
    }
  }
  for (const n of down.keys()) cluster.restart(n);
  await simulation.run(MINUTES * 60_000 - simulation.nowMs);
  cluster.checkAddresses();
  return cluster;
}

describe('a cluster of 20 nodes with a ToR and pods', function () {
  this.timeout(120_000);
  let first: SimulatedCluster;

  it('in ten minutes with nodes that die gives no address twice; in the end every pod reaches every other', async () => {
    const before = process.cpuUsage();
    first = await tenMinutes();
    // Not the time on the wall: other programs of this machine do not count.
    const { user, system } = process.cpuUsage(before);
    assert.ok(
      first.kubelets.every((kubelet) => kubelet.isSettled()),
      String(first.simulation.failure('a pod waits')),
    );
    assert.ok(first.pods().length >= NODES, String(first.simulation.failure('few pods are left')));
    first.checkReachability();
    assert.ok((user + system) / 1000 < LONGEST_MS, `${Math.round((user + system) / 1000)} ms`);
  });

  it('does the same again from the same seed, to the byte of the log', async () => {
    const again = await tenMinutes(first.simulation.seed);
    assert.ok(again.simulation.events.length > 5_000);
    assert.equal(again.simulation.logHash(), first.simulation.logHash());
  });
});
