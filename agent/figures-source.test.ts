// A scrape of a whole agent.
import assert from 'node:assert/strict';
import { startNode, TestCluster } from './testing/cluster.ts';
import { readFigures } from './figures-source.ts';
import { metricsText } from './http/metrics.ts';
import { NO_PROCESS } from './testing/machine.ts';

const NODES = 1000;
/** Of one piece of work between two turns of the event loop. */
const MOST_MS = 10;

/** In which work in turns comes to its end. */
const MOMENT_MS = 10;

const addressOf = (n: number) => `10.${n >> 8}.${n & 255}.1`;

const nodes = Array.from(
  { length: NODES },
  (_, i) => `
apiVersion: v1
kind: Node
metadata: { name: n${i + 1} }
status: { addresses: [{ type: InternalIP, address: ${i === 0 ? '10.0.0.1' : addressOf(i + 1)} }] }`,
);

const FACTS = {
  ...{
    version: '0',
    nowMs: 0,
    process: NO_PROCESS,
    calls: undefined,
    whyNoPods: undefined,
    podPacketsDropped: undefined,
  },
  isReady: true,
};

describe('a scrape of an agent', function () {
  this.timeout(30_000);

  it('holds the loop for a few milliseconds at a time, with 1,000 neighbours', async () => {
    const cluster = new TestCluster();
    cluster.set(...nodes);
    await using node = await startNode(1, cluster);
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round++) {
      let longest = 0;
      let turns = 0;
      let start = process.threadCpuUsage();
      const turn = async () => {
        const { user, system } = process.threadCpuUsage(start);
        longest = Math.max(longest, (user + system) / 1000);
        turns++;
        await new Promise((resume) => setImmediate(resume));
        start = process.threadCpuUsage();
      };
      const text = await metricsText(await readFigures(node.agent, FACTS, turn), turn);
      await turn();
      least = Math.min(least, longest);
      assert.equal(text.match(/^podroute_bgp_session_state\{.*\} [1-6]$/gm)?.length, NODES - 1);
      assert.ok(turns > 50, `${turns} turns`);
    }
    assert.ok(least < MOST_MS, `${least} ms`);
  });

  it('tells the kind, the address and the AS of each session as configured, and of a range only sums', async () => {
    const cluster = new TestCluster();
    cluster.set(
      ...nodes.slice(0, 2),
      `
apiVersion: podroute.io/v1
kind: BGPPeer
metadata: { name: mesh }
spec: { peerIP: 10.0.0.7, asNumber: external }`,
      `
apiVersion: podroute.io/v1
kind: BGPPeer
metadata: { name: near }
spec: { peerIP: "fe80::7%eth0", asNumber: internal }`,
      `
apiVersion: podroute.io/v1
kind: BGPPeer
metadata: { name: racks }
spec: { peerRange: 10.9.0.0/16, asNumber: 65001, maxPeers: 4 }`,
    );
    await using node = await startNode(1, cluster);
    const [text] = await Promise.all([node.source.metrics(), cluster.simulation.run(MOMENT_MS)]);
    const infos = text.match(/(?<=^podroute_bgp_session_info\{).*(?=\} 1$)/gm);
    assert.deepEqual(infos, [
      'session="mesh",kind="peer",peer_address="10.0.0.7",remote_as="external"',
      `session="mesh/n2/ipv4",kind="mesh",peer_address="${addressOf(2)}",remote_as="64512"`,
      // A link-local address may be one that the neighbour chose.
      'session="near",kind="peer",peer_address="%eth0",remote_as="internal"',
    ]);
    assert.match(text, /^podroute_bgp_range_neighbours_limit\{range="racks"\} 4$/m);
    assert.match(text, /^podroute_ready 0$/m);
    assert.match(text, /^podroute_fib_changes_total\{family="ipv4"\} [1-9]/m);
  });

  it('is made once for all who ask meanwhile', async () => {
    const cluster = new TestCluster();
    cluster.set(...nodes.slice(0, 2));
    await using node = await startNode(1, cluster);
    const first = node.source.metrics();
    assert.equal(node.source.metrics(), first);
    await Promise.all([first, cluster.simulation.run(MOMENT_MS)]);
    const second = node.source.metrics();
    assert.notEqual(second, first);
    await Promise.all([second, cluster.simulation.run(MOMENT_MS)]);
  });
});
