// A node that is about to go (RFC 8326), from its annotation over the wire to what others choose.
import assert from 'node:assert/strict';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from '../plan/testing/cluster-yaml.ts';
import { startNode, TestCluster, type TestNode } from '../testing/cluster.ts';

const ANYCAST = '10.244.9.0/26';
const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');
const LEAVING = 'podroute.io/GracefulShutdown: "true"';

/** In one AS (mesh), or each node in its own. */
function documents(hasOwnAs: boolean, leaving?: number): string[] {
  const node = (n: number) => {
    const annotations = [
      ...(hasOwnAs ? [`podroute.io/ASNumber: "${65000 + n}"`] : []),
      ...(leaving === n ? [LEAVING] : []),
    ];
    return nodeYaml(`n${n}`, [`10.0.0.${n}`], `annotations: { ${annotations.join(', ')} }`);
  };
  return [node(1), node(2), node(3), POOL];
}

/** Next hops that are used. */
function chosen(reader: TestNode): string {
  const { routes } = reader.source.routes({ view: 'all', longer: false, limit: 20 });
  return routes
    .filter(({ prefix, isBest, isMultipath }) => prefix === ANYCAST && (isBest || isMultipath))
    .flatMap(({ nextHops }) => nextHops)
    .sort()
    .join(' ');
}

describe('a node with the annotation GracefulShutdown', () => {
  for (const hasOwnAs of [false, true]) {
    it(`${hasOwnAs ? 'in its own AS' : 'of the mesh'}: others choose another way while its sessions stand, and come back`, async () => {
      const store = new TestCluster();
      store.set(...documents(hasOwnAs));
      await using one = await startNode(1, store, [ANYCAST]);
      await using _two = await startNode(2, store, [ANYCAST]);
      await using reader = await startNode(3, store, []);
      await store.until('both ways', () => chosen(reader) === '10.0.0.1 10.0.0.2');
      store.set(...documents(hasOwnAs, 1));
      await store.until('the other way alone', () => chosen(reader) === '10.0.0.2');
      assert.deepEqual(
        [one, reader].map(({ source }) => source.status().isLeaving),
        [true, undefined],
      );
      store.set(...documents(hasOwnAs));
      await store.until('both ways again', () => chosen(reader) === '10.0.0.1 10.0.0.2');
      for (const { flaps, state } of reader.source.status().sessions) {
        assert.deepEqual([state, flaps], ['Established', 0]);
      }
    });
  }

  it('any other value than true and false is a mistake that is told', () => {
    const wrong = nodeYaml('n1', ['10.0.0.1'], 'annotations: { podroute.io/GracefulShutdown: "yes" }');
    assert.throws(() => resourcesFromYaml(wrong), /GracefulShutdown.*(neither true nor false|true or false)/);
    const off = nodeYaml('n1', ['10.0.0.1'], 'annotations: { podroute.io/GracefulShutdown: "false" }');
    const tor = objectYaml('BGPPeer', 'tor', '{ peerIP: 10.0.0.9, asNumber: 65009 }');
    assert.doesNotMatch(planOf(resourcesFromYaml(off, tor), 'n1').peer('tor').config.export.name, /leaving/);
  });
});
