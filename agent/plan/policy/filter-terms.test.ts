// Rules of BGPFilters, as the policies of a session have them.
import assert from 'node:assert/strict';
import type { PolicyTerm } from '#bgp';
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

  it('goes on with Next, and what it changes holds', () => {
    const rules = `[ { action: Next, operations: [ { addCommunity: { value: '65000:1' } } ] }, { action: Reject } ]`;
    assert.deepEqual(
      termsOf(`{ importV6: ${rules} }`).map(({ action }) => action),
      [{ verdict: 'next', set: { addCommunities: ['65000:1'] } }, { verdict: 'reject' }],
    );
  });
});
