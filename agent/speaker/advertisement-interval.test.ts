// advertisementInterval of a BGPPeer, between running agents in simulated time: what it holds up, and where that is said.
import assert from 'node:assert/strict';
import { nodeYaml, objectYaml } from '../plan/testing/cluster-yaml.ts';
import { startNode, TestCluster } from '../testing/cluster.ts';

const BLOCK = '10.244.1.0/26';

const inAs = (n: number, as: number) =>
  nodeYaml(`n${n}`, [`10.0.0.${n}`], `annotations: { podroute.io/ASNumber: "${as}" }`);
const peer = (name: string, spec: string) => objectYaml('BGPPeer', name, `{ ${spec} }`);

describe('a BGPPeer with advertisementInterval', () => {
  it('tells changes in rounds and withdrawals at once, says what waits, and sends it when the interval becomes 0', async () => {
    const store = new TestCluster();
    const set = (community: number, more: string) => {
      const communities = `[{ cidr: 10.244.0.0/16, communities: [ "65001:${community}" ] }]`;
      store.set(
        ...[inAs(1, 65001), inAs(2, 65002), objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }')],
        objectYaml(
          'BGPConfiguration',
          'default',
          `{ nodeToNodeMeshEnabled: false, prefixAdvertisements: ${communities} }`,
        ),
        peer('to', `node: n1, peerIP: 10.0.0.2, asNumber: 65002${more}`),
        peer('back', 'node: n2, peerIP: 10.0.0.1, asNumber: 65001'),
      );
    };
    const SLOW = ', advertisementInterval: 40s';
    set(1, SLOW);
    await using one = await startNode(1, store, [BLOCK]);
    await using two = await startNode(2, store, []);
    const received = () =>
      two.source.routes({ view: 'all', longer: false, limit: 9 }).routes.map((r) => r.communities?.join());
    const session = () => one.source.status().sessions[0];
    const isWaiting = () => session()?.prefixes.heldBack.ipv4 === 1;
    const now = () => store.simulation.clock.now();
    const isTold = (community: number) => () => received().join() === `65001:${community}`;
    await store.until('the first transfer', () => session()?.prefixes.endOfRibSent.length === 1);
    await store.until('the block', isTold(1));
    assert.equal(session()?.timers.configured.advertisementInterval, 40);

    const start = now();
    set(2, SLOW);
    await store.until('a change that waits', isWaiting);
    set(3, SLOW);
    const why = () =>
      one.source
        .routes({ view: 'best', prefix: BLOCK, longer: false, explain: true, limit: 9 })
        .notes?.filter((note) => note.includes('advertisement interval'));
    assert.deepEqual(why(), [
      `${BLOCK}: sent to to before it changed: the change waits for the advertisement interval`,
    ]);
    assert.ok(isTold(1)());
    await store.until('the newest state', () => !isTold(1)());
    assert.ok(isTold(3)(), 'and not the one before');
    assert.ok(now() - start > 25_000 && now() - start < 41_000, `after ${now() - start} ms`);

    const end = now();
    set(3, `${SLOW}, export: None`);
    await store.until('the withdrawal', () => received().length === 0);
    assert.ok(now() - end < 5000, 'a withdrawal does not wait');
    set(3, SLOW);
    await store.until('an announcement that waits', isWaiting);
    assert.equal(received().length, 0);
    set(3, '');
    await store.until('the block again', isTold(3));
    assert.ok(now() - end < 10_000, 'nor does anything without an interval');
    assert.equal(session()?.prefixes.owed.ipv4, 0);
    assert.equal(session()?.flaps, 0);
  });
});
