// Conditions of BGPFilters that are settled before there is a route.
import assert from 'node:assert/strict';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from './testing/cluster-yaml.ts';

describe('the priority in a BGPFilter', () => {
  it('is that of every route (1024), so that a rule for another concerns none', () => {
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
});
