// A whole cluster in simulated time: machines and the ToR lose power, agents are killed, cables are pulled, pods come and
// go. What must hold always is looked at after each of these; what must hold in the end once the network is quiet.
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
/** The ToR loses power, its agent and its cable by turns. */
const TOR_EVERY_MS = 100_000;
const TROUBLES = 3;

async function tenMinutes(seed?: number): Promise<SimulatedCluster> {
  const simulation = new Simulation(seed);
  const cluster = new SimulatedCluster(simulation, NODES);
  const { random } = simulation;
  cluster.start();
  cluster.kubelets.forEach((kubelet, n) => {
    for (let i = 0; i < PODS_EACH; i++) kubelet.add(`n${n + 1}-${i}`);
  });
  await simulation.until('every pod to run', () => cluster.pods().length === NODES * PODS_EACH);
  /** What is broken, by its name, and how it is mended. */
  const broken = new Map<string, { readonly untilMs: number; readonly mend: () => void }>();
  const breaks = (name: string, act: () => void, mend: () => void) => {
    if (broken.has(name)) return;
    act();
    broken.set(name, { untilMs: simulation.nowMs + 5_000 + random.below(120_000), mend });
  };
  const { tor } = cluster;
  let pods = PODS_EACH;
  let torTurns = 0;
  while (simulation.nowMs < (MINUTES - QUIET_MINUTES) * 60_000) {
    await simulation.run(2_000 + random.below(10_000));
    cluster.checkAddresses();
    for (const [name, { untilMs, mend }] of broken) {
      if (simulation.nowMs < untilMs) continue;
      broken.delete(name);
      mend();
    }
    const n = random.below(NODES);
    const kubelet = cluster.kubelets[n]!;
    const isTorsTurn = simulation.nowMs > (torTurns + 1) * TOR_EVERY_MS && !broken.has('power of tor');
    const machine = isTorsTurn ? tor : cluster.machines[n]!;
    const what = isTorsTurn ? torTurns++ % TROUBLES : random.below(6);
    if (broken.has(`power of ${machine.name}`)) continue;
    switch (what) {
      case 0:
        breaks(
          `power of ${machine.name}`,
          () => (machine === tor ? tor.crash() : cluster.crash(n)),
          () => (machine === tor ? tor.start() : cluster.restart(n)),
        );
        break;
      case 1:
        machine.killAgent();
        await simulation.run(random.below(5_000));
        void machine.startAgent();
        break;
      case 2:
        breaks(
          `cable of ${machine.name}`,
          () => cluster.cable(machine, false),
          () => cluster.cable(machine, true),
        );
        break;
      case 3:
        kubelet.add(`n${n + 1}-${pods++}`);
        break;
      case 4:
        kubelet.remove(kubelet.running()[0]?.name ?? '');
        break;
      case 5:
        machine.flushRules();
        break;
    }
  }
  for (const { mend } of broken.values()) mend();
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
    first.checkSources();
    const events = first.simulation.events.join('\n');
    for (const what of [
      'tor loses power',
      'tor its agent is killed',
      'tor its cable is pulled',
      ' its cable is back',
      'its nftables rules are flushed',
    ])
      assert.ok(events.includes(what), String(first.simulation.failure(`nothing of this: ${what}`)));
    assert.ok(first.pods().every(({ addresses }) => addresses.length === 2));
    assert.ok((user + system) / 1000 < LONGEST_MS, `${Math.round((user + system) / 1000)} ms`);
  });

  it('does the same again from the same seed, to the byte of the log', async () => {
    const again = await tenMinutes(first.simulation.seed);
    assert.ok(again.simulation.events.length > 5_000);
    assert.equal(again.simulation.logHash(), first.simulation.logHash());
  });
});
