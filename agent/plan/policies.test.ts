// Conditions of BGPFilters that are settled before there is a route.
import assert from 'node:assert/strict';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from './testing/cluster-yaml.ts';

describe('the priority in a BGPFilter', () => {
  it('of what a neighbour announces is 1024 yet, so that an import rule for another concerns none', () => {
    const rule = (priority: string, action: string) =>
      `{ matchOperator: In, cidr: 10.0.0.0/8, ${priority} action: ${action} }`;
    const rules = [
      rule('', 'Accept'),
      rule('priority: 1024,', 'Reject'),
      rule('priority: 512,', 'Reject'),
      rule('priority: 512,', 'Accept'),
    ];
    const resources = resourcesFromYaml(
      nodeYaml('n1', ['10.0.0.1']),
      objectYaml('BGPFilter', 'f', `{ importV4: [ ${rules.join(', ')} ] }`),
      objectYaml('BGPPeer', 'tor', '{ peerIP: 10.0.1.0, asNumber: 65000, filters: [f], import: None }'),
    );
    const { terms } = planOf(resources, 'n1').peer('tor').config.import;
    assert.deepEqual(
      terms.map(({ action, why }) => [action.verdict, why]),
      [
        ['accept', 'BGPFilter f, importV4 rule 1'],
        ['reject', 'BGPFilter f, importV4 rule 2'],
      ],
    );
  });

  it('is set where a route is imported, and asked for where it is exported', () => {
    const operation = (value: number) => `operations: [ { setPriority: { value: ${value} } } ]`;
    const resources = resourcesFromYaml(
      nodeYaml('n1', ['10.0.0.1']),
      objectYaml(
        'BGPFilter',
        'f',
        `{ importV4: [ { action: Accept, cidr: 10.0.0.0/8, matchOperator: In, ${operation(500)} },
                       { action: Accept, ${operation(1024)} } ],
           exportV4: [ { action: Accept, priority: 500 }, { action: Reject, priority: 1024 },
                       { action: Accept, ${operation(500)} } ] }`,
      ),
      objectYaml('BGPPeer', 'tor', '{ peerIP: 10.0.1.0, asNumber: 65000, filters: [f] }'),
    );
    const { config } = planOf(resources, 'n1').peer('tor');
    const ofFilter = ({ terms }: typeof config.import) =>
      terms.filter(({ why }) => why.startsWith('BGPFilter'));
    assert.deepEqual(
      ofFilter(config.import).map(({ action }) => action.set),
      [{ metric: 500 }, undefined],
    );
    assert.deepEqual(
      ofFilter(config.export).map(({ match, action }) => [match.metric, action.verdict, action.set]),
      [
        [500, 'accept', undefined],
        [0, 'reject', undefined],
        [undefined, 'accept', undefined],
      ],
    );
  });
});
