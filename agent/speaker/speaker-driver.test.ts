import assert from 'node:assert/strict';
import { MemoryNetwork } from '#bgp';
import { type Clock, systemClock, systemRandom, systemScheduler } from '#world';
import { SILENT } from '../log.ts';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from '../plan/testing/cluster-yaml.ts';
import { SpeakerDriver } from './speaker-driver.ts';

const NODE = nodeYaml('n1', ['10.0.0.1']);
const PASSIVE = objectYaml(
  'BGPConfiguration',
  'default',
  '{ nodeToNodeMeshEnabled: false, bindMode: NodeIP }',
);

function peer(name: string, address: string, more = ''): string {
  return objectYaml('BGPPeer', name, `{ peerIP: ${address}, asNumber: 65000, passive: true${more} }`);
}

function plan(...yaml: string[]) {
  return planOf(resourcesFromYaml(NODE, PASSIVE, ...yaml), 'n1').plan;
}

/** Real time, a hundred times as fast. */
const fastClock: Clock = {
  now: () => systemClock.now(),
  wall: () => systemClock.wall(),
  setTimer: (delayMs, callback) => systemClock.setTimer(delayMs / 100, callback),
};

describe('bringing a speaker to the plan', () => {
  function start(retry: () => void = () => undefined) {
    const network = new MemoryNetwork(systemClock);
    const transport = network.host('10.0.0.1');
    const io = {
      clock: fastClock,
      random: systemRandom,
      scheduler: systemScheduler,
      transport,
      log: SILENT,
    };
    const driver = new SpeakerDriver(undefined, io, retry);
    return {
      driver,
      transport,
      remotes: () =>
        Object.fromEntries((driver.speaker?.status().peers ?? []).map(({ id, remote }) => [id, remote])),
    };
  }

  it('adds, changes and removes only what the plan says', async () => {
    const { driver, remotes } = start();
    await using _ = driver;
    await driver.apply(plan(peer('a', '10.0.0.2'), peer('b', '10.0.0.3')));
    assert.deepEqual(remotes(), { a: '10.0.0.2', b: '10.0.0.3' });
    await driver.apply(plan(peer('b', '10.0.0.3', ', holdTime: 9s'), peer('c', '10.0.0.4')));
    assert.deepEqual(remotes(), { b: '10.0.0.3', c: '10.0.0.4' });
    assert.deepEqual(driver.problems(), []);
  });

  it('lets two neighbours exchange their addresses in one step', async () => {
    const { driver, remotes } = start();
    await using _ = driver;
    await driver.apply(plan(peer('a', '10.0.0.2'), peer('b', '10.0.0.3')));
    await driver.apply(plan(peer('a', '10.0.0.3'), peer('b', '10.0.0.2')));
    assert.deepEqual(remotes(), { a: '10.0.0.3', b: '10.0.0.2' });
    assert.deepEqual(driver.problems(), []);
  });

  it('says when the port is taken, dials meanwhile, and listens once it is free', async () => {
    let retried = (): void => undefined;
    const { driver, transport } = start(() => retried());
    await using _ = driver;
    const squatter = await transport.listen({ address: '10.0.0.1', port: 179 }, (connection) =>
      connection.destroy(),
    );
    const wanted = plan(peer('a', '10.0.0.2').replace('passive: true', 'passive: false'));
    const isRetried = new Promise<void>((done) => {
      retried = done;
    });
    await driver.apply(wanted);
    assert.match(driver.problems()[0]?.message ?? '', /EADDRINUSE; this node dials.*cannot connect/);
    assert.equal(driver.problems()[0]?.field, 'spec.listenPort');
    assert.equal(driver.speaker!.status().peers[0]!.connectAttempts, 1);
    squatter.close();
    await isRetried;
    await driver.apply(wanted);
    assert.deepEqual(driver.problems(), []);
  });
});
