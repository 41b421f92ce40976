// What the socket says of the node as a whole: how long it holds the loop for it, and of pod addresses.
import assert from 'node:assert/strict';
import type { StatusReply } from '#agent-api';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import type { Agent } from './agent.ts';
import { AgentStatusSource, type ProcessFacts } from './status-source.ts';
import { nodeYaml } from './plan/testing/cluster-yaml.ts';
import { nodeStatus } from './status/node-status.ts';
import { StatusWriter, type StatusWriterIo } from './status/status-writer.ts';
import { startNode, TestCluster } from './testing/cluster.ts';
import { SimulatedCluster } from './testing/simulated-cluster.ts';
import { Simulation } from './testing/simulation.ts';

const NODES = 1000;
/** Of one piece of work between two turns of the event loop, with what is compiled meanwhile. */
const MOST_MS = 15;

describe('the status source', function () {
  this.timeout(30_000);

  /** A node of a mesh of 1,000, and what measures the work of its source. */
  async function openMesh() {
    const cluster = new TestCluster();
    const addressOf = (n: number) => (n === 1 ? '10.0.0.1' : `10.${n >> 8}.${n & 255}.1`);
    cluster.set(...Array.from({ length: NODES }, (_, i) => nodeYaml(`n${i + 1}`, [addressOf(i + 1)])));
    const node = await startNode(1, cluster);
    const work = { longestMs: 0, turns: 0 };
    let start = process.threadCpuUsage();
    const endOfPiece = () => {
      const { user, system } = process.threadCpuUsage(start);
      work.longestMs = Math.max(work.longestMs, (user + system) / 1000);
      work.turns++;
    };
    const soon = (callback: () => void) => {
      endOfPiece();
      setImmediate(() => {
        start = process.threadCpuUsage();
        callback();
      });
    };
    const source = new AgentStatusSource(node.agent, {
      ...{
        version: '0',
        pid: 1,
        startedAtMs: 0,
        uptimeMs: () => 0,
        calls: undefined,
        now: () => 0,
        scheduler: { soon },
      },
      ...{ whyNoPods: () => undefined, podPacketsDropped: () => undefined, process: () => ({}) },
    } as unknown as ProcessFacts);
    const begin = () => {
      work.longestMs = 0;
      start = process.threadCpuUsage();
    };
    return {
      node,
      source,
      work,
      begin,
      endOfPiece,
      [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
    };
  }

  it('holds the loop for a few milliseconds at a time, with 1,000 neighbours, and leaves nothing out', async () => {
    await using mesh = await openMesh();
    const { source, work } = mesh;
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round++) {
      mesh.begin();
      const first = source.statusText();
      assert.equal(source.statusText(), first, 'one text for all who ask meanwhile');
      const reply = JSON.parse(await first) as StatusReply;
      assert.equal(reply.sessions.length, NODES - 1);
      assert.deepEqual(reply, JSON.parse(JSON.stringify(source.status())));
      least = Math.min(least, work.longestMs);
    }
    assert.ok(work.turns > 250, `${work.turns} turns`);
    assert.ok(least < MOST_MS, `${least} ms`);
  });

  it('holds it no longer where the status is written into the cluster', async () => {
    await using mesh = await openMesh();
    const { source, work } = mesh;
    const clock = new FakeClock();
    let asked = Promise.withResolvers<void>();
    const store = {
      get: () => {
        mesh.endOfPiece();
        asked.resolve();
        throw new Error('away');
      },
    };
    const read = async () =>
      nodeStatus(await source.statusInTurns(), [], undefined, '2026-01-01T00:00:00.000Z');
    await using writer = new StatusWriter('n1', {
      ...{ clock, random: new SeededRandom(1), tell: () => {}, read },
      store: store as unknown as StatusWriterIo['store'],
    });
    writer.start();
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round++) {
      mesh.begin();
      await clock.run(60_000);
      await asked.promise;
      asked = Promise.withResolvers<void>();
      least = Math.min(least, work.longestMs);
      // The writer hears of it, and waits for its next look.
      await new Promise((resume) => setImmediate(resume));
    }
    assert.ok(work.turns > 150, `${work.turns} turns`);
    assert.ok(least < MOST_MS, `${least} ms`);
  });

  it('counts ages whatever is done to the date', async () => {
    const simulation = new Simulation();
    const { tor, machines } = new SimulatedCluster(simulation, 2);
    for (const machine of [tor, ...machines]) machine.start();
    const isUp = () =>
      machines[0]?.node?.status.status().sessions.every(({ state }) => state === 'Established');
    await simulation.until('the sessions', () => isUp() ?? false);
    await simulation.run(90_000);
    const ages = async () => {
      const { status } = machines[0]!.node!;
      const { uptimeSeconds, sessions } = status.status();
      const routes = status.routes({ view: 'best', longer: false, limit: 100 }).routes ?? [];
      const scrape = status.metrics();
      await simulation.run(0);
      const metrics = (await scrape).match(/^podroute_\w*session\w*_uptime_seconds{.*$/gm);
      return {
        ...{
          uptimeSeconds,
          routes: routes.map((route) => 'sinceSeconds' in route && route.sinceSeconds),
          metrics,
        },
        sessions: sessions.map(({ id, sinceSeconds }) => [id, sinceSeconds]),
      };
    };
    const before = await ages();
    const all = [before.uptimeSeconds, ...before.sessions.map(([, age]) => Number(age))];
    assert.ok(all.length === 5 && all.every((age) => age >= 90 && age < 100), all.join());
    assert.ok(before.metrics?.length === 4, before.metrics?.join());
    for (const byMs of [3_600_000, -7_200_000, 3_600_000]) {
      simulation.clock.dateSetByMs += byMs;
      assert.deepEqual(await ages(), before);
    }
    for (const machine of [tor, ...machines]) machine.crash();
  });

  it('says when an address was given out as the rest of the socket says times, and in milliseconds', () => {
    const owner = { containerId: 'c1', ifname: 'eth0', network: 'n' };
    const allocation = { owner, addresses: { ipv4: '10.0.0.1' }, allocatedAtMs: 86_400_000 };
    const usage = { pools: [], blocks: [], allocations: [allocation], adopted: [], problems: [] };
    const agent = { ipam: { usage: () => usage } } as unknown as Agent;
    const source = new AgentStatusSource(agent, {} as ProcessFacts);
    assert.deepEqual(source.ipam().usage, {
      ...usage,
      allocations: [{ ...allocation, allocatedAt: '1970-01-02T00:00:00.000Z' }],
    });
  });
});
