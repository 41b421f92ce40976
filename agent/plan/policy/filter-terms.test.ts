// Rules of BGPFilters, as the policies of a session have them.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseDocument } from '#api';
import { compilePolicy, type PolicyMatch, type PolicyTerm } from '#bgp';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from '../testing/cluster-yaml.ts';

/** The terms that the rules of one filter make, in one direction. */
function termsOf(spec: string, direction: 'import' | 'export' = 'import', peer = ''): PolicyTerm[] {
  const resources = resourcesFromYaml(
    nodeYaml('n1', ['10.0.0.1']),
    objectYaml('BGPFilter', 'f', spec),
    objectYaml('BGPPeer', 'tor', `{ peerIP: 10.0.1.0, asNumber: 65000, filters: [f]${peer} }`),
  );
  const { config } = planOf(resources, 'n1').peer('tor');
  return config[direction].terms.filter(({ why }) => why.startsWith('BGPFilter'));
}

describe('a rule of a BGPFilter', () => {
  it('sets the weight of what is imported, the last value of several', () => {
    const operations = '[ { setWeight: { value: 7 } }, { setWeight: { value: 9 } } ]';
    const terms = termsOf(`{ importV6: [ { action: Accept, operations: ${operations} } ] }`);
    assert.deepEqual(terms[0]!.action.set, { weight: 9 });
  });

  it('sets LOCAL_PREF and MED, the last value of several', () => {
    const operations =
      '[ { setMED: { value: 7 } }, { setLocalPref: { value: 200 } }, { setMED: { value: 0 } } ]';
    for (const direction of ['import', 'export'] as const) {
      const spec = `{ ${direction}V4: [ { action: Accept, operations: ${operations} } ] }`;
      assert.deepEqual(
        termsOf(spec, direction).map(({ action }) => action),
        [{ verdict: 'accept', set: { localPref: 200, med: 0 } }],
      );
    }
  });

  it('sets the next hop of what comes in and of what is sent', () => {
    for (const [direction, address, nextHop] of [
      ['import', 'FD00::7', 'fd00::7'],
      ['export', 'FD00::7', 'fd00::7'],
      ['import', 'Peer', 'peer'],
      ['export', 'Self', 'self'],
    ] as const) {
      const rule = `{ action: Accept, operations: [ { setNextHop: { address: '${address}' } } ] }`;
      const [term] = termsOf(`{ ${direction}V4: [ ${rule} ] }`, direction);
      assert.deepEqual(term!.action.set, { nextHop });
    }
  });

  it('is told of on the node whose address it gives routes as next hop, and goes on there', () => {
    const rule = (address: string) =>
      `[ { action: Accept, operations: [ { setNextHop: { address: '${address}' } } ] } ]`;
    const resources = resourcesFromYaml(
      nodeYaml('n1', ['10.0.0.1']),
      nodeYaml('n2', ['10.0.0.2']),
      objectYaml('BGPFilter', 'f', `{ importV4: ${rule('10.0.0.1')}, exportV4: ${rule('10.0.0.1')} }`),
      ...['a', 'b'].map((name, i) =>
        objectYaml(
          'BGPPeer',
          name,
          `{ peerIP: 10.0.1.${i}, asNumber: 65000, filters: [f], defaultOriginate: IPv4 }`,
        ),
      ),
    );
    const [one, two] = ['n1', 'n2'].map((node) => planOf(resources, node));
    assert.deepEqual(one!.problems, [
      'warning: BGPFilter f: spec.importV4[0].operations[0].setNextHop.address: "10.0.0.1" is an address of this node: it uses no route that gets it',
    ]);
    assert.deepEqual(two!.problems, []);
    const { config } = one!.peer('a');
    assert.equal(config.import.terms[0]!.action.verdict, 'accept');
    assert.deepEqual(config.defaultOriginate, ['ipv4']);
  });

  it('puts a link bandwidth in the place of others, in the form that goes where it is to go', () => {
    const any = ['generic:0x4004:*', 'generic:0x0004:*'];
    const rule = (value: number) =>
      `[ { action: Accept, operations: [ { addCommunity: { value: 'generic:0x4004:0x000000000001' } }, { setLinkBandwidth: { value: ${value} } } ] } ]`;
    const setOf = (direction: 'import' | 'export', value: number, peer = '') =>
      termsOf(`{ ${direction}V4: ${rule(value)} }`, direction, peer)[0]!.action.set;
    // 64512, and 1.25e8 as a float: RFC 4360's type 0x40 stays in the AS.
    const adds = (type: string) => ({
      deleteCommunities: any,
      addCommunities: [`generic:${type}:0xfc004cee6b28`],
    });
    assert.deepEqual(setOf('import', 125_000_000), adds('0x4004'));
    assert.deepEqual(setOf('export', 125_000_000), adds('0x0004'));
    assert.deepEqual(setOf('export', 125_000_000, ', localASNumber: 65000'), adds('0x4004'), 'inside the AS');
    assert.deepEqual(setOf('export', 0), { deleteCommunities: any });
  });

  it('goes on with Next, and what it changes holds', () => {
    const rules = `[ { action: Next, operations: [ { addCommunity: { value: '65000:1' } } ] }, { action: Reject } ]`;
    assert.deepEqual(
      termsOf(`{ importV6: ${rules} }`).map(({ action }) => action),
      [{ verdict: 'next', set: { addCommunities: ['65000:1'] } }, { verdict: 'reject' }],
    );
  });

  it('adds, replaces and takes communities away in the order of its operations', () => {
    const add = (value: string) => `{ addCommunity: { value: '${value}' } }`;
    const remove = (value: string) => `{ deleteCommunities: { values: ['${value}'] } }`;
    const every = ['*:*', '*:*:*', 'generic:*:*'];
    for (const [operations, set] of [
      [[add('1:1'), remove('1:*')], { deleteCommunities: ['1:*'] }],
      [[remove('1:*'), add('1:1')], { deleteCommunities: ['1:*'], addCommunities: ['1:1'] }],
      [
        [add('no-export'), add('rt:1:2'), remove('65535:*')],
        { deleteCommunities: ['65535:*'], addCommunities: ['rt:1:2'] },
      ],
      [['{ setCommunities: { values: [] } }'], { deleteCommunities: every }],
      [
        [add('1:1'), "{ setCommunities: { values: ['2:2'] } }", add('3:3')],
        { deleteCommunities: every, addCommunities: ['2:2', '3:3'] },
      ],
    ] as const) {
      const spec = `{ exportV4: [ { action: Accept, operations: [ ${operations.join(', ')} ] } ] }`;
      assert.deepEqual(
        termsOf(spec, 'export').map(({ action }) => action.set),
        [set],
      );
    }
  });

  it('asks for communities, the path, the next hop', () => {
    const rule = `{ action: Accept, communities: { values: ['65000:1'], all: ['rt:65000:1'], any: ['65000:*', no-export],
      none: ['65000:*:1'] }, asPath: { contains: 1, originatedBy: '1.2', length: { min: 1, max: 3 }, regex: '^1' },
      nextHops: [10.0.0.0/8, 'fd00::1'] }`;
    assert.deepEqual(
      termsOf(`{ importV4: [ ${rule} ] }`).map(({ match }) => match),
      [
        {
          family: 'ipv4',
          communities: ['65000:1', 'rt:65000:1'],
          anyCommunity: ['65000:*', 'no-export'],
          noCommunity: ['65000:*:1'],
          asPath: { contains: 1, originatedBy: 65538, minLength: 1, maxLength: 3, pattern: '^1' },
          nextHops: ['10.0.0.0/8', 'fd00::1/128'],
        },
      ],
    );
  });

  it('takes prefixes and communities from the sets of its filter, of prefixes those of its family', () => {
    const sets = `prefixSets: [ { name: mixed, prefixes: [ { cidr: 10.0.0.0/8, prefixLength: { max: 24 } },
        { cidr: 'fd00::/48', matchOperator: Equal } ] }, { name: none, prefixes: [] } ],
      communitySets: [ { name: ours, values: ['65000:*', no-export] }, { name: nothing, values: [] } ]`;
    const rule = `{ action: Accept, prefixSet: mixed, communities: { any: ['set:ours', '1:1'], none: ['set:nothing'] },
      operations: [ { addCommunity: { value: '65000:1' } }, { deleteCommunities: { values: ['set:ours'] } } ] }`;
    const spec = `{ ${sets}, importV4: [ ${rule}, { action: Reject, prefixSet: none } ], importV6: [ ${rule} ] }`;
    assert.deepEqual(
      termsOf(spec).map(({ match }) => match.prefixes),
      [
        [{ prefix: '10.0.0.0/8', operator: 'in', maxLength: 24 }],
        [],
        [{ prefix: 'fd00::/48', operator: 'equal' }],
      ],
    );
    const [first] = termsOf(spec);
    assert.deepEqual(
      [first!.match.anyCommunity, first!.match.noCommunity, first!.action.set],
      [['65000:*', 'no-export', '1:1'], [], { deleteCommunities: ['65000:*', 'no-export'] }],
    );
  });

  it('is for the neighbours that it names, by their BGPPeer or their address, and for no other', () => {
    const rule = (peers: string, asNumber: number) =>
      `{ action: Reject, peers: [${peers}], asPathPrefix: [${asNumber}] }`;
    const rules = [
      rule('tor', 1),
      rule("'10.0.1.0', x", 2),
      rule("'FD00:0::7', '10.0.1.1'", 3),
      rule('tor-b', 4),
    ];
    const resources = resourcesFromYaml(
      nodeYaml('n1', ['10.0.0.1', 'fd00::1']),
      objectYaml('BGPFilter', 'f', `{ importV4: [ ${rules.join(', ')} ] }`),
      objectYaml('BGPPeer', 'tor', '{ peerIP: 10.0.1.0, asNumber: 65000, filters: [f] }'),
      objectYaml('BGPPeer', 'tor-b', '{ peerIP: 10.0.1.1, asNumber: 65000, filters: [f] }'),
      objectYaml('BGPPeer', 'tor-6', "{ peerIP: 'fd00::7', asNumber: 65000, filters: [f] }"),
      objectYaml('BGPPeer', 'range', '{ peerRange: 10.0.1.0/24, asNumber: 65000, filters: [f] }'),
    );
    const plan = planOf(resources, 'n1');
    const asked = (peer: string) =>
      plan.peer(peer).config.import.terms.flatMap(({ match }) => match.asPathPrefix ?? []);
    assert.deepEqual(['tor', 'tor-b', 'tor-6', 'range'].map(asked), [[1, 2], [3, 4], [3], []]);
  });

  it('does not undo what a node says that is about to go', () => {
    const resources = resourcesFromYaml(
      nodeYaml('n1', ['10.0.0.1'], 'annotations: { podroute.io/GracefulShutdown: "true" }'),
      objectYaml(
        'BGPFilter',
        'f',
        '{ exportV4: [ { action: Next, operations: [ { setCommunities: { values: ["65000:1"] } } ] }, { action: Accept, operations: [ { setLocalPref: { value: 200 } } ] } ] }',
      ),
      objectYaml('BGPPeer', 'in', '{ peerIP: 10.0.1.0, asNumber: 64512, filters: [f] }'),
    );
    const { terms } = planOf(resources, 'n1').peer('in').config.export;
    assert.deepEqual(
      terms.slice(0, 3).map(({ action }) => action.set?.localPref),
      [0, undefined, 0],
    );
    assert.deepEqual(
      terms.slice(0, 3).map(({ action }) => action.set?.addCommunities),
      [['65535:0'], ['65000:1', '65535:0'], undefined],
    );
  });

  const compiles = (match: PolicyMatch): boolean => {
    const term: PolicyTerm = { match, action: { verdict: 'accept' }, why: 'it is asked' };
    try {
      return compilePolicy({ name: 'p', terms: [term], otherwise: 'reject' }) !== undefined;
    } catch {
      return false;
    }
  };
  const isTaken = (more: object): boolean =>
    parseDocument({
      apiVersion: 'podroute.io/v1',
      kind: 'BGPFilter',
      metadata: { name: 'f' },
      spec: { importV4: [{ action: 'Accept', ...more }] },
    }).resource !== undefined;

  it('is taken as an expression over AS paths exactly when the policy can be made', () => {
    const part = fc.constantFrom(
      ...'^$_.*+?|()[]- '.split(''),
      '1',
      '65001',
      '4294967296',
      '0',
      '[1-9]',
      ' 7 ',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
        const regex = parts.join('');
        assert.equal(isTaken({ asPath: { regex } }), compiles({ asPath: { pattern: regex } }), regex);
      }),
      { numRuns: 800 },
    );
  });

  it('is taken as a pattern for communities only when the policy can be made', () => {
    const part = fc.constantFrom(
      '65000',
      '1',
      '*',
      '65536',
      '4294967296',
      'rt',
      'ro',
      '10.0.0.1',
      'generic',
      '0x4306',
    );
    const value = fc.constantFrom('0x000000000001', '01', '', 'no-export');
    let taken = 0;
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 5, arbitrary: part }, value), { maxLength: 4 }), (parts) => {
        const text = parts.join(':');
        if (!isTaken({ communities: { any: [text] } })) return;
        taken++;
        assert.ok(compiles({ anyCommunity: [text] }), text);
      }),
      { numRuns: 800 },
    );
    assert.ok(taken > 5, `${taken}`);
  });
});
