// Sets that every BGPFilter can name, those of the filter itself before them, and names that are nowhere.
import assert from 'node:assert/strict';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from '../testing/cluster-yaml.ts';

const FILTERS = {
  uses: "{ importV4: [ { action: Accept, prefixSet: dc, communities: { any: ['set:ours', 'set:one'] } } ] }",
  other: '{ importV4: [ { action: Accept, cidr: 10.0.0.0/8, matchOperator: In } ] }',
};

/** Two neighbours with a filter each, and one with both. */
function plan(configuration: string, filters: Readonly<Record<string, string>> = FILTERS) {
  const names = Object.keys(filters);
  const peers = [names.slice(0, 1), names.slice(1), names];
  return planOf(
    resourcesFromYaml(
      nodeYaml('n1', ['10.0.0.1']),
      objectYaml('BGPConfiguration', 'default', `{ nodeToNodeMeshEnabled: false, ${configuration} }`),
      ...Object.entries(filters).map(([name, spec]) => objectYaml('BGPFilter', name, spec)),
      ...peers.map((list, i) =>
        objectYaml(
          'BGPPeer',
          `p${i}`,
          `{ peerIP: 10.0.1.${i}, asNumber: 65000, filters: [ ${list.join(', ')} ] }`,
        ),
      ),
    ),
    'n1',
  );
}

const SETS = `prefixSets: [ { name: dc, prefixes: [ { cidr: 10.1.0.0/16 }, { cidr: 'fd00::/48' } ] } ],
  communitySets: [ { name: ours, values: ['65000:*'] } ], communities: [ { name: one, value: '65001:1' } ]`;

describe('a set of the BGPConfiguration', () => {
  it('is what every filter can name, and a name for one community is a set of one', () => {
    const { problems, peer } = plan(SETS);
    assert.deepEqual(problems, []);
    for (const id of ['p0', 'p2']) {
      const [term] = peer(id).config.import.terms.filter(({ why }) => why.startsWith('BGPFilter uses'));
      assert.deepEqual(term!.match, {
        family: 'ipv4',
        prefixes: [{ prefix: '10.1.0.0/16', operator: 'in' }],
        anyCommunity: ['65000:*', '65001:1'],
      });
    }
  });

  it('gives way to one of the filter with the same name', () => {
    const own =
      "prefixSets: [ { name: dc, prefixes: [ { cidr: 10.9.0.0/16 } ] } ], communitySets: [ { name: one, values: ['7:7'] } ]";
    const { peer } = plan(SETS, { ...FILTERS, uses: FILTERS.uses.replace('{', `{ ${own},`) });
    const { match } = peer('p0').config.import.terms[0]!;
    assert.deepEqual(
      [match.prefixes, match.anyCommunity],
      [[{ prefix: '10.9.0.0/16', operator: 'in' }], ['65000:*', '7:7']],
    );
  });

  it('changes the policies that name it, and no other', () => {
    const [before, after] = [plan(SETS), plan(SETS.replace('10.1.0.0', '10.2.0.0'))];
    const isSame = ['p0', 'p1', 'p2'].map(
      (id) => JSON.stringify(before.peer(id).config.import) === JSON.stringify(after.peer(id).config.import),
    );
    assert.deepEqual(isSame, [false, true, false]);
  });
});

describe('a name of a set that is nowhere', () => {
  it('is told once, with filter, field and name, and what has the filter takes and tells nothing', () => {
    const remove =
      "{ exportV6: [ { action: Accept, operations: [ { setMED: { value: 1 } }, { deleteCommunities: { values: ['1:1', 'set:gone'] } } ] } ] }";
    const { problems, peer } = plan('', { ...FILTERS, remove });
    const until =
      'of this filter or of the BGPConfiguration: until it is, sessions with the filter neither accept nor announce anything';
    assert.deepEqual(problems, [
      `BGPFilter uses: spec.importV4[0].prefixSet: "dc" is no name from prefixSets ${until}`,
      `BGPFilter uses: spec.importV4[0].communities.any[0]: "set:ours" is no name from communitySets ${until}`,
      `BGPFilter uses: spec.importV4[0].communities.any[1]: "set:one" is no name from communitySets ${until}`,
      `BGPFilter remove: spec.exportV6[0].operations[1].deleteCommunities.values[1]: "set:gone" is no name from communitySets ${until}`,
    ]);
    for (const id of ['p0', 'p1', 'p2']) {
      const { config } = peer(id);
      assert.deepEqual(
        [config.import, config.export].map(({ terms }) =>
          terms.map(({ match, action: { verdict } }) => [match, verdict]),
        ),
        [[[{}, 'reject']], [[{}, 'reject']]],
      );
    }
    assert.notEqual(plan('').peer('p1').config.import.terms.length, 0, 'without it');
  });
});

describe('a rule that can hold for nothing', () => {
  it('is told on nodes with a session that has the filter, and closes none', () => {
    const odd = '{ importV4: [ { action: Reject, peers: [p0, p9] } ] }';
    const unused = '{ importV4: [ { action: Reject, peers: [] } ] }';
    const members =
      'prefixSets: [ { name: dc, prefixes: [ { cidr: 10.1.0.0/16, prefixLength: { max: 8 } } ] } ]';
    const { problems, peer } = plan(members, { odd });
    const lines = [
      'warning: BGPConfiguration default: spec.prefixSets[0].prefixes[0].prefixLength: {"max":8} leaves no length: what is inside 10.1.0.0/16 is /16 or longer; no route is in the set by it',
      'warning: BGPFilter odd: spec.importV4[0].peers[1]: "p9" is neither the name of a BGPPeer nor an address',
    ];
    assert.deepEqual(problems, lines);
    assert.notDeepEqual(peer('p0').config.export.terms, []);
    const node = [nodeYaml('n1', ['10.0.0.1']), objectYaml('BGPFilter', 'unused', unused)];
    assert.deepEqual(planOf(resourcesFromYaml(...node), 'n1').problems, []);
  });
});
