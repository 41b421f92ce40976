// Conditions of BGPFilters that are settled before there is a route.
import assert from 'node:assert/strict';
import type { Policy } from '#bgp';
import { contains, parsePrefix } from '#ip';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from '../testing/cluster-yaml.ts';

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

describe('import: All', () => {
  const hostNetworks = [
    { prefix: '192.168.56.0/24', what: 'the network of link eth0' },
    { prefix: 'fd56::/64', what: 'the network of link eth0' },
  ];
  const importOf = (spec: string, apiVersion: string) => {
    const resources = resourcesFromYaml(
      nodeYaml('n1', ['192.168.56.11']),
      objectYaml(
        'BGPFilter',
        'hosts',
        '{ importV4: [ { action: Accept, cidr: 192.168.56.7/32, matchOperator: Equal } ] }',
      ),
      objectYaml('BGPPeer', 'tor', spec).replace('podroute.io/v1', apiVersion),
    );
    return planOf(resources, 'n1', { hostNetworks }).peer('tor').config.import;
  };
  /** 'taken', or why not, by rules on prefixes alone. */
  const takes = ({ terms, otherwise }: Policy, text: string) => {
    const prefix = parsePrefix(text)!;
    const holds = (rule: { prefix: string; operator: string }) =>
      rule.operator === 'equal' ? rule.prefix === text : contains(parsePrefix(rule.prefix)!, prefix);
    const term = terms.find(({ match }) => match.prefixes?.some(holds));
    if (term === undefined) return otherwise === 'accept' ? 'taken' : 'no rule accepts it';
    return term.action.verdict === 'accept' ? 'taken' : term.why;
  };

  it('that a document of Calico implies lets nothing in that lies in a network of the node', () => {
    const policy = importOf('{ peerIP: 192.168.56.1, asNumber: 64800 }', 'projectcalico.org/v3');
    for (const prefix of ['192.168.56.128/25', '192.168.56.1/32', '192.168.56.0/24'])
      assert.match(takes(policy, prefix), /it lies in the network of link eth0, 192\.168\.56\.0\/24/);
    for (const prefix of ['0.0.0.0/0', '192.168.0.0/16', '192.168.57.0/24', '10.0.0.0/8'])
      assert.equal(takes(policy, prefix), 'taken', prefix);
  });

  it('lets such a route in where a filter accepts it, or where somebody wrote it', () => {
    const filtered = importOf(
      '{ peerIP: 192.168.56.1, asNumber: 1, filters: [hosts] }',
      'projectcalico.org/v3',
    );
    assert.equal(takes(filtered, '192.168.56.7/32'), 'taken');
    assert.notEqual(takes(filtered, '192.168.56.8/32'), 'taken');
    for (const version of ['projectcalico.org/v3', 'podroute.io/v1']) {
      const written = importOf('{ peerIP: 192.168.56.1, asNumber: 1, import: All }', version);
      assert.equal(takes(written, '192.168.56.128/25'), 'taken', version);
    }
  });
});
