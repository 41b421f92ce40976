// The driver with a speaker on a memory network and a clock that stands; and what it finds between two plans.
import assert from 'node:assert/strict';
import { unopenedSession } from '#bfd';
import { MemoryNetwork } from '#bgp';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import { SILENT } from '../log.ts';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from '../plan/testing/cluster-yaml.ts';
import { planDifference, SpeakerDriver } from './speaker-driver.ts';

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

describe('bringing a speaker to the plan', () => {
  function start(retry: () => void = () => undefined) {
    const clock = new FakeClock();
    const transport = new MemoryNetwork(clock).host('10.0.0.1');
    const io = { clock, random: new SeededRandom(1), scheduler: clock, transport, log: SILENT };
    const driver = new SpeakerDriver(undefined, io, retry);
    return {
      clock,
      driver,
      transport,
      remotes: () =>
        Object.fromEntries((driver.speaker?.status().peers ?? []).map(({ id, remote }) => [id, remote])),
    };
  }

  it('tells of BFD that does not run: once for all of an object, by the field that asks for it', async () => {
    const clock = new FakeClock();
    const transport = new MemoryNetwork(clock).host('10.0.0.1');
    const io = { clock, random: new SeededRandom(1), scheduler: clock, transport, log: SILENT };
    const openDetection = () => ({
      apply: () => undefined,
      onChange: () => undefined,
      unclaimed: () => ({ packets: 0 }),
      status: (id: string) =>
        id.includes('10.0.0.9')
          ? undefined
          : unopenedSession(id, id.includes('10.0.0.7') ? 'no port' : 'it died'),
      [Symbol.asyncDispose]: async () => undefined,
    });
    const driver = new SpeakerDriver(undefined, { ...io, openDetection }, () => undefined);
    await using _ = driver;
    const nodes = ['n2', 'n3', 'n4'].map((name, i) => nodeYaml(name, [`10.0.0.${i + 2}`]));
    const mesh = objectYaml('BGPConfiguration', 'default', '{ nodeMeshBFD: {} }');
    const tors = ['10.0.0.7', '10.0.0.9'].map((address, i) => peer(`tor${i}`, address, ', bfd: {}'));
    await driver.apply(planOf(resourcesFromYaml(NODE, mesh, ...nodes, ...tors), 'n1').plan);
    assert.deepEqual(driver.problems(), []);
    for (const { id, remote } of driver.speaker!.status().peers)
      driver.bfd!.met(id, { localAddress: '10.0.0.1', remoteAddress: remote });
    clock.settle();
    assert.deepEqual(driver.problems(), [
      {
        object: 'BGPConfiguration default',
        field: 'spec.nodeMeshBFD',
        message: 'session mesh/n2/ipv4 and 2 more: BFD does not run: it died',
      },
      {
        object: 'BGPPeer tor0',
        field: 'spec.bfd',
        message: 'session tor0: BFD does not run: no port',
      },
    ]);
  });

  it('adds, changes and removes only what the plan says', async () => {
    const { driver, remotes } = start();
    await using _ = driver;
    await driver.apply(plan(peer('a', '10.0.0.2'), peer('b', '10.0.0.3')));
    assert.deepEqual(remotes(), { a: '10.0.0.2', b: '10.0.0.3' });
    await driver.apply(plan(peer('b', '10.0.0.3', ', holdTime: 9s'), peer('c', '10.0.0.4')));
    assert.deepEqual(remotes(), { b: '10.0.0.3', c: '10.0.0.4' });
    assert.deepEqual(driver.problems(), []);
  });

  it('changes many neighbours in turns, so that sessions and timers are served meanwhile', async () => {
    const { driver, clock } = start();
    await using _ = driver;
    const peers = (more = '') =>
      Array.from({ length: 100 }, (_x, n) => peer(`p${n}`, `10.0.1.${n}`, `, filters: [f]${more}`));
    const filter = (cidr: string) => `{ importV4: [ { action: Accept, matchOperator: In, cidr: ${cidr} } ] }`;
    const before = plan(objectYaml('BGPFilter', 'f', filter('10.0.0.0/8')), ...peers());
    assert.equal(new Set(before.peers.map(({ config }) => config.import)).size, 1, 'one policy for all');
    await driver.apply(before);
    const { speaker } = driver;
    let changed = 0;
    const updatePeer = speaker!.updatePeer.bind(speaker);
    speaker!.updatePeer = (config) => {
      changed++;
      updatePeer(config);
    };
    const done = driver.apply(plan(objectYaml('BGPFilter', 'f', filter('11.0.0.0/8')), ...peers()));
    const perTurn: number[] = [];
    for (let n = 0; changed < 100 || n === 0; n = changed) {
      perTurn.push(changed - n);
      clock.advance(0);
      await Promise.resolve();
      await Promise.resolve();
      if (perTurn.length > 100) break;
    }
    await done;
    assert.equal(changed, 100);
    assert.ok(Math.max(...perTurn) <= 32, perTurn.join());
  });

  it('lets two neighbours exchange their addresses in one step', async () => {
    const { driver, remotes } = start();
    await using _ = driver;
    await driver.apply(plan(peer('a', '10.0.0.2'), peer('b', '10.0.0.3')));
    await driver.apply(plan(peer('a', '10.0.0.3'), peer('b', '10.0.0.2')));
    assert.deepEqual(remotes(), { a: '10.0.0.3', b: '10.0.0.2' });
    assert.deepEqual(driver.problems(), []);
  });

  it('keeps a session down that an operator disabled, whatever its object says, until he enables it', async () => {
    let retries = 0;
    const { driver } = start(() => retries++);
    await using _ = driver;
    const held = () => driver.speaker!.status().peers.map(({ id, heldDown }) => [id, heldDown]);
    await driver.apply(plan(peer('a', '10.0.0.2'), peer('b', '10.0.0.3')));
    assert.match(JSON.stringify(driver.act('a', 'disable', 'rack 7')), /until it is enabled/);
    assert.equal(retries, 1);
    for (const action of ['reset', 'refresh-in'] as const)
      assert.deepEqual(driver.act('a', action, ''), {
        refused: 'is disabled: podroute session a enable lets it come up',
      });
    assert.equal(typeof driver.act('b', 'refresh-out', ''), 'string');
    await driver.apply(plan(peer('a', '10.0.0.2', ', holdTime: 9s'), peer('b', '10.0.0.3')));
    assert.deepEqual(held(), [
      ['a', 'shut down by an operator: rack 7'],
      ['b', undefined],
    ]);
    driver.act('a', 'enable', '');
    await driver.apply(plan(peer('a', '10.0.0.2'), peer('b', '10.0.0.3')));
    assert.deepEqual(held(), [
      ['a', undefined],
      ['b', undefined],
    ]);
    assert.equal(driver.act('a', 'enable', ''), 'was not disabled');
    assert.equal(driver.act('c', 'reset', ''), undefined);
  });

  it('forgets that a session was disabled when it goes', async () => {
    const { driver } = start();
    await using _ = driver;
    await driver.apply(plan(peer('a', '10.0.0.2')));
    driver.act('a', 'disable', '');
    await driver.apply(plan());
    await driver.apply(plan(peer('a', '10.0.0.2')));
    assert.equal(driver.speaker!.status().peers[0]!.heldDown, undefined);
  });

  it('says when the port is taken, dials meanwhile, and listens once it is free', async () => {
    let retries = 0;
    const { clock, driver, transport } = start(() => retries++);
    await using _ = driver;
    const squatter = await transport.listen({ address: '10.0.0.1', port: 179 }, (connection) =>
      connection.destroy(),
    );
    const wanted = plan(peer('a', '10.0.0.2').replace('passive: true', 'passive: false'));
    assert.equal(await driver.apply(wanted), true);
    assert.match(driver.problems()[0]?.message ?? '', /EADDRINUSE; this node dials.*cannot connect/);
    assert.equal(driver.problems()[0]?.field, 'spec.listenPort');
    assert.equal(driver.speaker!.status().peers[0]!.connectAttempts, 1);
    squatter.close();
    await clock.run(4_999);
    assert.equal(retries, 0);
    await clock.run(1);
    assert.equal(retries, 1);
    assert.equal(await driver.apply(wanted), false);
    assert.deepEqual(driver.problems(), []);
  });

  it('tries again what was refused, which makes the plan no new one', async () => {
    const { driver, remotes } = start();
    await using _ = driver;
    const twins = plan(peer('a', '10.0.0.2'));
    const [a] = twins.peers;
    const wrong = { ...twins, peers: [a!, { ...a!, config: { ...a!.config, id: 'b' }, from: 'BGPPeer b' }] };
    assert.equal(await driver.apply(wrong), true);
    const refusal = driver.problems();
    assert.equal(refusal[0]?.object, 'BGPPeer b');
    assert.equal(await driver.apply(structuredClone(wrong)), false);
    assert.deepEqual(driver.problems(), refusal);
    assert.equal(await driver.apply({ ...wrong, peers: [wrong.peers[1]!] }), true);
    assert.deepEqual([remotes(), driver.problems()], [{ b: '10.0.0.2' }, []]);
    assert.equal(await driver.apply({ ...wrong, peers: [wrong.peers[1]!] }), false);
  });
});

describe('the difference of two plans', () => {
  const N1 = nodeYaml('n1', ['10.0.1.1', 'fd00:1::1']);
  const N2 = nodeYaml('n2', ['10.0.2.1', 'fd00:2::1']);
  const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');
  const NOTHING = {
    speaker: undefined,
    removedPeers: [],
    addedPeers: [],
    updatedPeers: [],
    withdrawn: [],
    originated: [],
    bfd: [],
    unreachable: undefined,
    gateways: undefined,
  };
  const tor = objectYaml('BGPPeer', 'tor', '{ peerIP: 10.0.1.0, asNumber: 65000 }');
  const block = { localBlocks: [{ cidr: '10.244.0.0/26', pool: 'pods' }] };
  const base = planOf(resourcesFromYaml(N1, N2, POOL, tor), 'n1', block).plan;

  it('from nothing is everything', () => {
    const all = planDifference(undefined, base);
    assert.deepEqual(
      all.addedPeers.map((peer) => peer.id),
      ['mesh/n2/ipv4', 'mesh/n2/ipv6', 'tor'],
    );
    assert.equal(all.originated.length, 1);
    assert.deepEqual(all.unreachable, ['10.244.0.0/26']);
    assert.deepEqual(all.speaker, base.speaker);
  });

  it('between equal plans is empty', () => {
    const again = planOf(resourcesFromYaml(tor, POOL, N2, N1), 'n1', block).plan;
    assert.deepEqual(planDifference(base, again), NOTHING);
  });

  it('names only the peer of which a field changed', () => {
    const changed = objectYaml('BGPPeer', 'tor', '{ peerIP: 10.0.1.0, asNumber: 65000, holdTime: 30s }');
    const next = planOf(resourcesFromYaml(N1, N2, POOL, changed), 'n1', block).plan;
    const difference = planDifference(base, next);
    assert.deepEqual(
      difference.updatedPeers.map((peer) => peer.id),
      ['tor'],
    );
    assert.deepEqual({ ...difference, updatedPeers: [] }, NOTHING);
  });

  it('withdraws a block that went and originates one that came', () => {
    const other = { localBlocks: [{ cidr: '10.244.1.0/26', pool: 'pods' }] };
    const difference = planDifference(base, planOf(resourcesFromYaml(N1, N2, POOL, tor), 'n1', other).plan);
    assert.deepEqual(difference.withdrawn, ['10.244.0.0/26']);
    assert.deepEqual(
      difference.originated.map((route) => route.prefix),
      ['10.244.1.0/26'],
    );
    assert.deepEqual(difference.unreachable, ['10.244.1.0/26']);
  });
});
